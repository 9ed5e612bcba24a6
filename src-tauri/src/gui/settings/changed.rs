//! What a change of the configuration file comes to: one line for each URL or rate that differs.

use countersign_core::{approval::Said, text::clean};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

use crate::config::{ChainEntry, Config};

/// Every leaf that the page can change, could loosen a verdict, and differs.
pub fn changed(old: &Config, new: &Config) -> Vec<Said> {
    let mut all = Vec::new();
    let (was, now) = (&old.currency.reference, &new.currency.reference);
    if was != now {
        all.push(Said::ReferenceSet { was: clean(was), now: clean(now) });
    }
    let (was, now) = (&old.currency.rates, &new.currency.rates);
    all.extend(both(was, now).filter_map(|code| rate(code, was.get(code), now.get(code))));
    let none = ChainEntry::default();
    for network in both(&old.chains, &new.chains) {
        let rpc = |config: &Config| shown(&config.chains.get(network).unwrap_or(&none).rpc);
        all.extend(nodes(&clean(network), &rpc(old), &rpc(new)));
    }
    all
}

fn both<'a, T>(old: &'a BTreeMap<String, T>, new: &'a BTreeMap<String, T>) -> impl Iterator<Item = &'a String> {
    old.keys().chain(new.keys()).collect::<BTreeSet<_>>().into_iter()
}

fn rate(code: &str, was: Option<&String>, now: Option<&String>) -> Option<Said> {
    let currency = clean(code);
    match (was.map(|was| clean(was)), now.map(|now| clean(now))) {
        (None, Some(now)) => Some(Said::RateNew { currency, now }),
        (Some(was), None) => Some(Said::RateGone { currency, was }),
        (Some(was), Some(now)) if was != now => Some(Said::RateSet { currency, was, now }),
        _ => None,
    }
}

/// Whole, and in characters that cannot hide anything: a URL is never cut.
fn shown(urls: &[String]) -> Vec<String> {
    urls.iter().map(|url| Url::parse(url).map_or_else(|_| clean(url), String::from)).collect()
}

fn nodes(network: &str, was: &[String], now: &[String]) -> Vec<Said> {
    let network = || network.to_owned();
    let gone = was.iter().filter(|url| !now.contains(url)).cloned();
    let new = now.iter().filter(|url| !was.contains(url)).cloned();
    let mut all: Vec<_> = gone.map(|url| Said::NodeGone { network: network(), url }).collect();
    all.extend(new.map(|url| Said::NodeNew { network: network(), url }));
    if let (true, true, Some(url)) = (all.is_empty(), was != now, now.first().cloned()) {
        all.push(Said::NodeFirst { network: network(), url });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(old: &str, new: &str) -> Vec<String> {
        let config = |text: &str| Config::parse(text).unwrap();
        changed(&config(old), &config(new)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_names_the_one_leaf_that_differs_and_nothing_beside_it() {
        let rates = "[currency]\nrates = { CNY = \"0.14\", EUR = \"1.08\" }\n";
        assert_eq!(lines(rates, &rates.replace("0.14", "14")), ["1 CNY is worth 14 (it was 0.14)"]);
        let euro = "EUR has no known value (1 EUR was worth 1.08)";
        assert_eq!(lines(rates, "[currency]\nrates = { CNY = \"0.14\" }\n"), [euro]);
        assert_eq!(lines("", "[currency]\nreference = \"EUR\"\n"), ["Limits are written in EUR (it was USD)"]);
        assert!(lines(rates, rates).is_empty());
    }

    #[test]
    fn every_node_has_its_line_whole_and_without_tricks() {
        let chain = |urls: &str| format!("[chains.\"eip155:84532\"]\nrpc = [{urls}]\n");
        let long = format!("https://node.example/{}", "a".repeat(300));
        let old = chain("\"https://one.example\", \"https://two.example\"");
        assert_eq!(
            lines(&old, &chain(&format!("\"https://one.example\", \"{long}\u{202e}\""))),
            [
                "eip155:84532 no longer asks https://two.example/".to_owned(),
                format!("eip155:84532 asks {long}%E2%80%AE")
            ]
        );
        let turned = chain("\"https://two.example\", \"https://one.example\"");
        assert_eq!(lines(&old, &turned), ["eip155:84532 asks https://two.example/ first"]);
        assert_eq!(lines(&old, "").len(), 2);
    }
}
