//! One change of the configuration file, made in its text so that comments and order stay.

use anyhow::Context as _;
use serde::Deserialize;
use toml_edit::{Array, DocumentMut, Item, Table, Value};
#[cfg(test)]
use ts_rs::TS;

/// What the page asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SettingsEdit {
    /// The port of the service.
    Port { port: u16 },
    /// Whether the port is open at all.
    PortOpen { open: bool },
    /// How long a question waits, in seconds.
    Timeout { seconds: u32 },
    /// How long answers are kept for a repeat; counts at once.
    KeepHours { hours: u32 },
    /// After how many minutes without use wallets lock, 0 for never; counts at once.
    LockAfter { minutes: u32 },
    /// The currency that limits are written in.
    Reference { currency: String },
    /// What one unit of a currency is worth; none forgets it.
    Rate { currency: String, rate: Option<String> },
    /// The nodes asked about a network, by its CAIP-2 name; none of them forgets it.
    Nodes { network: String, urls: Vec<String> },
    /// Where a first payment can be tried.
    TestSeller { url: Option<String> },
}

impl SettingsEdit {
    /// What the owner types where this loosens.
    pub fn words(&self) -> String {
        match self {
            Self::Port { port } => port.to_string(),
            Self::PortOpen { open } => open.to_string(),
            Self::Timeout { seconds } => seconds.to_string(),
            Self::KeepHours { hours } => hours.to_string(),
            Self::LockAfter { minutes } => minutes.to_string(),
            Self::Reference { currency } => currency.clone(),
            Self::Rate { currency, rate } => rate.clone().unwrap_or_else(|| currency.clone()),
            Self::Nodes { network, .. } => network.clone(),
            Self::TestSeller { url } => url.clone().unwrap_or_default(),
        }
    }

    /// The text of the file with this change in it.
    pub fn made_in(&self, text: &str) -> anyhow::Result<String> {
        let mut doc: DocumentMut = text.parse().context("the configuration file cannot be read")?;
        let root = doc.as_table_mut();
        match self {
            Self::Port { port } => put(table(root, "server")?, "port", i64::from(*port).into()),
            Self::PortOpen { open } => put(table(root, "server")?, "enabled", (*open).into()),
            Self::Timeout { seconds } => put(table(root, "approval")?, "timeout_seconds", i64::from(*seconds).into()),
            Self::KeepHours { hours } => put(table(root, "fetch")?, "keep_hours", i64::from(*hours).into()),
            Self::LockAfter { minutes } => put(table(root, "keys")?, "lock_after_minutes", i64::from(*minutes).into()),
            Self::Reference { currency } => put(table(root, "currency")?, "reference", currency.as_str().into()),
            Self::Rate { currency, rate } => {
                let rates = table(table(root, "currency")?, "rates")?;
                match rate {
                    Some(rate) => put(rates, currency, rate.as_str().into()),
                    None => drop(rates.remove(currency)),
                }
            }
            Self::Nodes { network, urls } => {
                let chains = table(root, "chains")?;
                let chain = table(chains, network)?;
                if urls.is_empty() {
                    chain.remove("rpc");
                } else {
                    put(chain, "rpc", Value::Array(urls.iter().collect::<Array>()));
                }
                if chain.is_empty() {
                    chains.remove(network);
                }
            }
            Self::TestSeller { url } => match url {
                Some(url) => put(table(root, "test")?, "seller", url.as_str().into()),
                None => drop(table(root, "test")?.remove("seller")),
            },
        }
        Ok(doc.to_string())
    }
}

/// The table of this name, made where it is missing. One written in braces is written out.
fn table<'a>(parent: &'a mut Table, name: &str) -> anyhow::Result<&'a mut Table> {
    if let Some(Item::Value(Value::InlineTable(_))) = parent.get(name)
        && let Some(Item::Value(Value::InlineTable(inline))) = parent.remove(name)
    {
        parent.insert(name, Item::Table(inline.into_table()));
    }
    let item = parent.entry(name).or_insert_with(|| {
        let mut fresh = Table::new();
        fresh.set_implicit(true);
        Item::Table(fresh)
    });
    item.as_table_mut().with_context(|| format!("{name} is no table"))
}

/// Puts a value in its place, with what stands around the old one.
fn put(table: &mut Table, key: &str, mut value: Value) {
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    if let Some(item) = table.get_mut(key) {
        *item = Item::Value(value);
    } else {
        table.insert(key, Item::Value(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# mine\n[server] # the door\nport = 7402 # as always\n\n[currency]\nrates = { CNY = \"0.14\" }\n\n\
                       [chains.\"eip155:84532\"]\nrpc = [\"http://127.0.0.1:8545\"] # my own node\n";

    fn made(edit: SettingsEdit) -> String {
        edit.made_in(OLD).unwrap()
    }

    #[test]
    fn a_value_changes_and_every_comment_stays() {
        let port = made(SettingsEdit::Port { port: 7500 });
        assert_eq!(port, OLD.replace("7402", "7500"));
        let nodes =
            SettingsEdit::Nodes { network: "eip155:84532".into(), urls: vec!["https://sepolia.base.org".into()] };
        assert_eq!(made(nodes), OLD.replace("http://127.0.0.1:8545", "https://sepolia.base.org"));
    }

    #[test]
    fn what_is_missing_is_added_and_what_is_taken_away_is_gone() {
        let text = made(SettingsEdit::Timeout { seconds: 60 });
        assert!(text.starts_with(OLD) && text.ends_with("[approval]\ntimeout_seconds = 60\n"), "{text}");
        let eur = made(SettingsEdit::Rate { currency: "EUR".into(), rate: Some("1.08".into()) });
        let config = crate::config::Config::parse(&eur).unwrap();
        assert_eq!(config.currency.rates.len(), 2, "{eur}");
        let none = made(SettingsEdit::Rate { currency: "CNY".into(), rate: None });
        assert!(crate::config::Config::parse(&none).unwrap().currency.rates.is_empty(), "{none}");
        let gone = made(SettingsEdit::Nodes { network: "eip155:84532".into(), urls: vec![] });
        assert!(!gone.contains("eip155"), "{gone}");
        let fresh = SettingsEdit::TestSeller { url: Some("http://127.0.0.1:4021/report".into()) };
        assert_eq!(fresh.made_in("").unwrap(), "[test]\nseller = \"http://127.0.0.1:4021/report\"\n");
        assert!(SettingsEdit::Port { port: 1 }.made_in("[server").is_err());
    }
}
