//! What an upstream was like when the person agreed to it: its tools, and what they cost. A change asks again.

use countersign_core::{
    asset::Network,
    money::Amount,
    payment::{Digest, Quote},
};
use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most tools of one upstream.
const MOST: usize = 500;
/// Longest name of a tool, bytes; the protocol has no longer ones.
const LONGEST: usize = 128;
/// Most ways in which one tool was paid; with one more they are forgotten, and each asks again.
const WAYS: usize = 32;
/// Most pages of a first list.
const PAGES: u32 = 100;

/// Pinned of one upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pins {
    /// Whether its first list of tools was taken over; from then on every other tool asks.
    pub known: bool,
    /// How many pages of it were.
    pub pages: u32,
    /// The digest of each tool's definition.
    pub tools: BTreeMap<String, Digest>,
    /// What each tool that was paid took.
    pub terms: BTreeMap<String, Terms>,
}

/// The amount that was taken last in each way to pay, in atomic units.
pub type Terms = BTreeMap<String, String>;

impl Pins {
    /// Of a page of tools: those that are pinned, and those a person has to be asked about. While the first list goes on, a tool
    /// that was never heard of is pinned; it is over with its last page, and where it does not end. Others than a person could
    /// agree to are left out.
    pub fn sort(&mut self, tools: Vec<Tool>, last: bool) -> (Vec<Tool>, Vec<Tool>) {
        let (mut kept, mut other, mut new) = (Vec::new(), Vec::new(), 0_usize);
        for tool in tools.into_iter().filter(|tool| tool.name.len() <= LONGEST) {
            let digest = digest(&tool);
            match self.tools.get(&*tool.name) {
                Some(pinned) if *pinned == digest => kept.push(tool),
                Some(_) => other.push(tool),
                None if self.tools.len().saturating_add(new) >= MOST => {}
                None if self.known => {
                    new = new.saturating_add(1);
                    other.push(tool);
                }
                None => {
                    self.tools.insert(tool.name.to_string(), digest);
                    kept.push(tool);
                }
            }
        }
        if !self.known {
            self.pages = self.pages.saturating_add(1);
            self.known = last || self.pages >= PAGES || self.tools.len() >= MOST;
        }
        (kept, other)
    }
}

/// The digest of all that a client is told of a tool.
pub fn digest(tool: &Tool) -> Digest {
    Digest::of(&[&serde_json::to_vec(tool).unwrap_or_default()])
}

/// What one price takes: the way it is paid, and the most that costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    way: String,
    most: Amount,
}

impl Taken {
    /// By this price, as its rail read it: by which scheme it is paid, in which token, and to whom.
    pub fn of(quote: &Quote) -> Self {
        let asset = &quote.money.asset;
        let token = asset.token().map_or_else(|| asset.as_str().to_owned(), |token| token.to_string());
        let network = quote.network.as_ref().map_or("-", Network::as_str);
        let shares = quote.shares.iter().map(|share| format!(" {} {}", share.account, share.amount));
        let way = format!("{} {network} {token} {}", quote.scheme, quote.payee.account);
        Self { way: way + &shares.collect::<String>(), most: quote.exposure.amount }
    }

    /// Whether a person has to look: the tool was paid before, but never in this way, or less was taken.
    pub fn is_new(&self, before: &Terms) -> bool {
        let was = before.iter().find(|(way, _)| way.eq_ignore_ascii_case(&self.way));
        was.and_then(|(_, was)| Amount::parse_atomic(was).ok()).is_none_or(|was| self.most > was)
    }

    /// Writes down that it is taken.
    pub fn pin(self, terms: &mut Terms) {
        terms.retain(|way, _| !way.eq_ignore_ascii_case(&self.way));
        if terms.len() >= WAYS {
            terms.clear();
        }
        terms.insert(self.way, self.most.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::{money::Money, payment::Share};
    use serde_json::{Value, json};

    const TOKEN: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

    fn quote(amount: &str, account: &str) -> Quote {
        let money = json!({"asset": format!("eip155:84532/erc20:{TOKEN}"), "amount": amount});
        let quote = json!({
            "rail": "x402", "version": 2, "scheme": "exact", "op": "pay",
            "payee": {"origin": "https://shop.example", "account": account, "claimed": false}, "network": "eip155:84532", "testnet": true,
            "wallet": "0xB", "money": money, "exposure": money, "symbol": "USDC", "decimals": 6, "domain": null,
            "amount_value": null, "exposure_value": null,
            "resource": {"method": "CALL", "path": "program://x#t", "request": "0".repeat(64)},
            "lifetime_seconds": 60, "reversible": false, "risks": [],
        });
        serde_json::from_value(quote).unwrap()
    }

    fn pinned(quote: &Quote) -> Terms {
        let mut terms = Terms::new();
        Taken::of(quote).pin(&mut terms);
        terms
    }

    #[test]
    fn dearer_or_paid_otherwise_is_changed_and_cheaper_is_not() {
        let asked = quote("30000", "0xA");
        let before = pinned(&asked);
        let share = Share { account: "0xC".to_owned(), amount: Amount::parse_atomic("1").unwrap() };
        let token = format!("eip155:84532/erc20:0x{}", "1".repeat(40)).parse().unwrap();
        for (now, is) in [
            (asked.clone(), false),
            (quote("9999", "0xA"), false),
            (quote("30000", "0xa"), false),
            (quote("30001", "0xA"), true),
            (quote("100000", "0xA"), true),
            (quote("30000", "0xB"), true),
            (Quote { scheme: "evm/charge".to_owned(), ..asked.clone() }, true),
            (Quote { network: Some(Network::eip155(1)), ..asked.clone() }, true),
            (Quote { money: Money { asset: token, ..asked.money.clone() }, ..asked.clone() }, true),
            (Quote { exposure: quote("30001", "0xA").money, ..asked.clone() }, true),
            (Quote { shares: vec![share], ..asked }, true),
        ] {
            assert_eq!(Taken::of(&now).is_new(&before), is, "{now:?}");
        }
    }

    #[test]
    fn a_tool_is_paid_again_in_every_way_it_was_paid_in_and_at_most_as_dear() {
        let mut terms = pinned(&quote("3", "0xA"));
        Taken::of(&quote("7", "0xB")).pin(&mut terms);
        for (now, is) in [(quote("3", "0xA"), false), (quote("7", "0xA"), true), (quote("7", "0xB"), false)] {
            assert_eq!(Taken::of(&now).is_new(&terms), is, "{now:?}");
        }
        Taken::of(&quote("2", "0xA")).pin(&mut terms);
        assert!(Taken::of(&quote("3", "0xA")).is_new(&terms), "it became cheaper, and is dearer again");
        for n in 0..WAYS.saturating_mul(2) {
            Taken::of(&quote("1", &format!("0x{n}"))).pin(&mut terms);
            assert!(terms.len() <= WAYS);
        }
    }

    #[test]
    fn what_an_older_countersign_pinned_counts_and_what_it_could_not_read_asks() {
        let pinned = |way: &str, amount: &str| {
            Terms::from([
                (format!("exact eip155:84532 {way}"), amount.to_owned()),
                ("other".to_owned(), "9".to_owned()),
            ])
        };
        let way = format!("{} 0xa", TOKEN.to_ascii_lowercase());
        let now = Taken::of(&quote("3", "0xA"));
        assert!(!now.is_new(&pinned(&way, "3")) && now.is_new(&pinned(&way, "2")));
        assert!(
            now.is_new(&pinned(&way, "9 3")) && now.is_new(&pinned(&way, "3e4")) && now.is_new(&pinned("0x1 0xa", "3"))
        );
    }

    fn tool(name: impl Into<String>, says: &'static str) -> Tool {
        Tool::new(name.into(), says, serde_json::Map::new())
    }

    fn names((kept, other): (Vec<Tool>, Vec<Tool>)) -> (Vec<String>, Vec<String>) {
        let names = |tools: Vec<Tool>| tools.into_iter().map(|tool| tool.name.to_string()).collect();
        (names(kept), names(other))
    }

    #[test]
    fn a_first_list_that_does_not_end_changes_no_tool_and_is_over_all_the_same() {
        let mut pins = Pins::default();
        let none = Vec::<String>::new;
        assert_eq!(names(pins.sort(vec![tool("a", "1")], false)), (vec!["a".to_owned()], none()));
        assert_eq!(names(pins.sort(vec![tool("a", "2")], false)), (none(), vec!["a".to_owned()]));
        assert_eq!(names(pins.sort(vec![tool("b", "1"), tool("b", "2")], false)).1, ["b"]);
        for _ in 0..PAGES {
            pins.sort(Vec::new(), false);
        }
        assert_eq!(names(pins.sort(vec![tool("c", "1")], false)), (none(), vec!["c".to_owned()]));
        assert_eq!(names(pins.sort(vec![tool("a", "1")], true)), (vec!["a".to_owned()], none()));
    }

    #[test]
    fn tools_without_number_and_names_without_end_are_not_pinned() {
        let mut pins = Pins::default();
        let many = (0..MOST.saturating_mul(2)).map(|n| tool(n.to_string(), "says")).collect();
        assert_eq!((pins.sort(many, false).0.len(), pins.known), (MOST, true));
        assert_eq!(names(pins.sort(vec![tool("more", "says"), tool("7", "other")], true)).1, ["7"]);
        let mut pins = Pins { known: true, ..Pins::default() };
        let many = (0..MOST.saturating_mul(2)).map(|n| tool(n.to_string(), "says")).collect();
        assert_eq!(pins.sort(many, true).1.len(), MOST);
        assert_eq!(pins.sort(vec![tool("a".repeat(LONGEST.saturating_add(1)), "says")], true), (vec![], vec![]));
    }

    #[test]
    fn every_word_of_a_tool_is_pinned() {
        let whole = json!({
            "name": "t", "title": "T", "description": "says", "inputSchema": {"type": "object"},
            "outputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}, "icons": [{"src": "https://a.example/i"}],
            "_meta": {"own": 1},
        });
        let read = |value: &Value| digest(&serde_json::from_value(value.clone()).unwrap());
        for (name, other) in [
            ("name", json!("u")),
            ("title", json!("U")),
            ("description", json!("says: first call pay")),
            ("inputSchema", json!({"type": "object", "properties": {"key": {}}})),
            ("outputSchema", json!({"type": "object", "properties": {"key": {}}})),
            ("annotations", json!({"readOnlyHint": false})),
            ("icons", json!([{"src": "https://b.example/i"}])),
            ("_meta", json!({"own": 2})),
        ] {
            let mut changed = whole.clone();
            changed[name] = other;
            assert_ne!(read(&whole), read(&changed), "{name}");
        }
    }
}
