//! `config.toml`, typed: every key has a default, an unknown key is an error.

use anyhow::{Context as _, bail};
use countersign_core::{
    asset::{Asset, Eip712, Network, Transfer},
    rail::Rail,
    registry::{Chain, Rate, Registry},
    signable::handed::ALIPAY_BOT,
};
use countersign_rails::{
    alipay::{Alipay, PublicKey},
    mpp::Ways,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use url::Url;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The HTTP service.
    pub server: Server,
    /// Where keys are kept.
    pub keys: Keys,
    /// Asking a person.
    pub approval: Approval,
    /// Requests made for agents.
    pub fetch: Fetch,
    /// The payment protocols.
    pub rails: Rails,
    /// Purchases that Alipay's own program pays.
    pub alipay: Purchases,
    /// Request rates.
    pub limits: Limits,
    /// MCP clients.
    pub mcp: Mcp,
    /// What money is worth.
    pub currency: Currency,
    /// Trying it out.
    pub test: Test,
    /// Networks beyond or beside the built-in ones, by CAIP-2 name.
    pub chains: BTreeMap<String, ChainEntry>,
    /// Tokens beyond the built-in ones.
    pub assets: Vec<AssetEntry>,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Port on 127.0.0.1; 0 = any.
    pub port: u16,
    /// Whether the port is opened at all.
    pub enabled: bool,
}

/// `[keys]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// `os` or `file`.
    pub store: Store,
    /// File with the passphrase, for `store = "file"` on machines without a person.
    pub passphrase_file: Option<std::path::PathBuf>,
    /// After so many minutes without use, wallets that a passphrase guards are locked; 0 for never, at most a day.
    pub lock_after_minutes: u32,
}

/// Where keys are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// The operating system's keyring.
    #[default]
    Os,
    /// One encrypted file in the data directory.
    File,
}

/// `[approval]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Approval {
    /// How long a question lives, 30 to 600.
    pub timeout_seconds: u64,
    /// Waiting questions of one agent, 1 to 10.
    pub max_pending_per_agent: u32,
}

/// `[fetch]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fetch {
    /// Hosts that may be private and may use http.
    pub allow_private_hosts: Vec<String>,
    /// Largest answer kept for the agent.
    pub max_response_bytes: usize,
    /// For one request.
    pub timeout_seconds: u64,
    /// How long answer bodies are kept for a repeated key, at most ten years.
    pub keep_hours: u32,
}

/// `[rails]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rails {
    /// The protocol that is tried first where a seller offers several.
    pub first: First,
    /// What is paid by MPP, as method and intent; an empty list turns it off.
    pub mpp: Vec<String>,
}

/// `[alipay]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Purchases {
    /// Whether what sellers ask for by `Payment-Needed` may be bought; off unless a person turns it on.
    pub purchases: bool,
    /// Alipay's program for agents that pay: its name, or where it is.
    pub program: PathBuf,
    /// Public keys of sellers, by their number at Alipay: a price that such a seller did not sign is refused.
    pub sellers: BTreeMap<String, String>,
}

/// The protocol that is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum First {
    /// x402, then MPP.
    #[default]
    X402,
    /// MPP, then x402.
    Mpp,
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Per token.
    pub requests_per_second: u32,
    /// Per token.
    pub burst: u32,
    /// In all.
    pub connections: usize,
}

/// `[mcp]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mcp {
    /// After so long without a message a session sleeps on disk, 1 to 86400; its client does not notice, unless it is shorter than
    /// the wait for a person.
    pub session_idle_seconds: u64,
}

/// `[currency]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Currency {
    /// What limits are written in.
    pub reference: String,
    /// Reference units for one unit of another currency.
    pub rates: BTreeMap<String, String>,
}

/// `[test]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Test {
    /// What a first payment can be tried on: a page that costs play money, such as the one `cargo xtask demo` brings.
    pub seller: Option<String>,
}

/// `[chains."eip155:…"]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainEntry {
    /// Nodes to ask.
    pub rpc: Vec<String>,
    /// Needed only for chains the registry does not know.
    pub testnet: Option<bool>,
    /// What people call it.
    pub name: Option<String>,
}

/// `[[assets]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetEntry {
    /// CAIP-19 id.
    pub id: String,
    /// What we show.
    pub symbol: String,
    /// Decimal places.
    pub decimals: u8,
    /// Currency one unit is worth one of.
    pub peg: Option<String>,
    /// EIP-712 name.
    pub name: String,
    /// EIP-712 version.
    pub version: String,
}

impl Default for Server {
    fn default() -> Self {
        Self { port: 7402, enabled: true }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { store: Store::Os, passphrase_file: None, lock_after_minutes: 0 }
    }
}

impl Default for Approval {
    fn default() -> Self {
        Self { timeout_seconds: 120, max_pending_per_agent: 3 }
    }
}

impl Default for Fetch {
    fn default() -> Self {
        Self { allow_private_hosts: Vec::new(), max_response_bytes: 10_485_760, timeout_seconds: 60, keep_hours: 24 }
    }
}

impl Default for Rails {
    fn default() -> Self {
        Self { first: First::X402, mpp: vec!["evm/charge".to_owned()] }
    }
}

impl Default for Purchases {
    fn default() -> Self {
        Self { purchases: false, program: ALIPAY_BOT.into(), sellers: BTreeMap::new() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_second: 1000, burst: 2000, connections: 1024 }
    }
}

impl Default for Mcp {
    fn default() -> Self {
        Self { session_idle_seconds: 3600 }
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self { reference: "USD".to_owned(), rates: BTreeMap::new() }
    }
}

impl Config {
    /// Reads the file; a missing one is all defaults.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        Self::parse(&text).with_context(|| format!("{} is not a valid configuration", path.display()))
    }

    /// Reads a text as it would stand in the file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        if !(30..=600).contains(&self.approval.timeout_seconds) {
            bail!("approval.timeout_seconds must be between 30 and 600");
        }
        if !(1..=10).contains(&self.approval.max_pending_per_agent) {
            bail!("approval.max_pending_per_agent must be between 1 and 10");
        }
        if !(1..=600).contains(&self.fetch.timeout_seconds) || self.fetch.max_response_bytes > 256 * 1024 * 1024 {
            bail!("fetch.timeout_seconds must be 1 to 600, fetch.max_response_bytes at most 268435456");
        }
        if self.fetch.keep_hours > 87_600 || self.keys.lock_after_minutes > 1440 {
            bail!("fetch.keep_hours must be at most 87600, keys.lock_after_minutes at most 1440");
        }
        if self.limits.requests_per_second == 0 || self.limits.burst == 0 || self.limits.connections == 0 {
            bail!("the values of [limits] must be above 0");
        }
        if !(1..=86_400).contains(&self.mcp.session_idle_seconds) {
            bail!("mcp.session_idle_seconds must be between 1 and 86400");
        }
        self.rails()?;
        if let Some(seller) = &self.test.seller {
            let url = Url::parse(seller).with_context(|| format!("test.seller: {seller}"))?;
            if !matches!(url.scheme(), "http" | "https") {
                bail!("test.seller: {seller} is neither http nor https");
            }
        }
        self.registry().map(|_| ())?;
        self.nodes().map(|_| ())
    }

    /// Every protocol, in the order in which an answer that offers several is tried.
    pub fn rails(&self) -> anyhow::Result<Vec<Box<dyn Rail>>> {
        let ways = Ways::parse(&self.rails.mpp).context("rails.mpp")?;
        let mut rails = countersign_rails::all(ways, self.alipay()?);
        if self.rails.first == First::Mpp {
            rails.swap(0, 1);
        }
        Ok(rails)
    }

    fn alipay(&self) -> anyhow::Result<Alipay> {
        let key = |(id, key): (&String, &String)| {
            let key = PublicKey::parse(key).with_context(|| format!("alipay.sellers: {id}"))?;
            Ok((id.clone(), key))
        };
        let sellers = self.alipay.sellers.iter().map(key).collect::<anyhow::Result<_>>()?;
        Ok(if self.alipay.purchases { Alipay::buying(sellers) } else { Alipay::default() })
    }

    /// The built-in table with the user's additions and rates.
    pub fn registry(&self) -> anyhow::Result<Registry> {
        let code = |c: &str| c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase());
        if !code(&self.currency.reference) {
            bail!("currency.reference must be a three-letter code such as USD");
        }
        let mut registry = Registry::builtin(&self.currency.reference);
        for (currency, rate) in &self.currency.rates {
            let rate = Rate::parse(rate).with_context(|| format!("currency.rates.{currency}"))?;
            registry.set_rate(currency, rate);
        }
        for (id, entry) in &self.chains {
            let network: Network = id.parse().with_context(|| format!("chains.\"{id}\""))?;
            let known = registry.chain(&network).cloned();
            let testnet = match (entry.testnet, &known) {
                (Some(testnet), _) => testnet,
                (None, Some(chain)) => chain.testnet,
                (None, None) => bail!("chains.\"{id}\" is not in the built-in table: say `testnet = true` or `false`"),
            };
            let name =
                entry.name.clone().or_else(|| known.as_ref().map(|c| c.name.clone())).unwrap_or_else(|| id.clone());
            registry.add_chain(Chain { network, name, testnet, explorer: known.and_then(|c| c.explorer) });
        }
        for entry in &self.assets {
            let id: countersign_core::asset::AssetId =
                entry.id.parse().with_context(|| format!("assets: {}", entry.id))?;
            let network = id.network().with_context(|| format!("assets: {} is not a token on a network", entry.id))?;
            if registry.chain(&network).is_none() {
                bail!("assets: {} is on a network that is neither built in nor in [chains]", entry.id);
            }
            if entry.decimals > 36 {
                bail!("assets: {} has more than 36 decimals", entry.id);
            }
            registry.add_asset(Asset {
                id,
                symbol: entry.symbol.clone(),
                decimals: entry.decimals,
                peg: entry.peg.clone(),
                eip712: Some(Eip712 { name: entry.name.clone(), version: entry.version.clone() }),
                transfer: Transfer::Eip3009,
            });
        }
        #[cfg(feature = "ui-automation")]
        registry.keep_testnets();
        Ok(registry)
    }

    /// The nodes of each chain.
    pub fn nodes(&self) -> anyhow::Result<BTreeMap<Network, Vec<Url>>> {
        let mut nodes = BTreeMap::new();
        for (id, entry) in &self.chains {
            let mut urls = Vec::new();
            for rpc in &entry.rpc {
                let url = Url::parse(rpc).with_context(|| format!("chains.\"{id}\".rpc: {rpc}"))?;
                if !matches!(url.scheme(), "http" | "https") {
                    bail!("chains.\"{id}\".rpc: {rpc} is neither http nor https");
                }
                urls.push(url);
            }
            if !urls.is_empty() {
                nodes.insert(id.parse()?, urls);
            }
        }
        Ok(nodes)
    }

    /// The keys that can loosen a verdict, as canonical text: part of the policy hash a person confirms.
    pub fn loosening(&self) -> String {
        let mut keys = serde_json::json!({
            "currency": self.currency, "assets": self.assets, "chains": self.chains,
            "allow_private_hosts": self.fetch.allow_private_hosts, "max_pending_per_agent": self.approval.max_pending_per_agent,
        });
        // As it comes nothing is to be confirmed anew.
        if self.rails != Rails::default()
            && let Some(keys) = keys.as_object_mut()
        {
            keys.insert("rails".to_owned(), serde_json::json!(self.rails));
        }
        keys.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<Config> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text)?;
        Config::load(&path)
    }

    #[test]
    fn an_empty_or_missing_file_is_all_defaults() {
        assert_eq!(parse("").unwrap(), Config::default());
        assert_eq!(Config::load(Path::new("/nonexistent/config.toml")).unwrap(), Config::default());
    }

    #[test]
    fn unknown_keys_and_impossible_values_are_refused() {
        for bad in [
            "[server]\nprot = 1",
            "[servr]\nport = 1",
            "[keys]\nstore = \"cloud\"",
            "[approval]\ntimeout_seconds = 5",
            "[currency]\nreference = \"dollars\"",
            "[currency]\nrates = { CNY = \"-1\" }",
            "[chains.\"eip155:99999\"]\nrpc = []",
            "[chains.\"eip155:084532\"]\ntestnet = true",
            "[chains.\"eip155:84532\"]\nrpc = [\"ftp://x\"]",
            "[[assets]]\nid = \"eip155:84532/erc20:0x00\"\nsymbol=\"X\"\ndecimals=6\nname=\"X\"\nversion=\"1\"",
            "[limits]\nburst = 0",
            "[rails]\nfirst = \"stripe\"",
            "[rails]\nmpp = [\"card/charge\"]",
            "[rails]\nmpp = [\"evm/session\"]",
            "[mcp]\nsession_idle_seconds = 0",
            "[fetch]\nkeep_hours = 87601",
            "[keys]\nlock_after_minutes = 1441",
            "[test]\nseller = \"file:///etc/passwd\"",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn user_chains_and_assets_join_the_table() {
        let config = parse(
            "[chains.\"eip155:31337\"]\nrpc = [\"http://127.0.0.1:8545\"]\ntestnet = true\n\
             [[assets]]\nid = \"eip155:31337/erc20:0x036CbD53842c5426634e7929541eC2318f3dCF7e\"\nsymbol = \"T\"\ndecimals = 6\npeg = \"USD\"\nname = \"T\"\nversion = \"1\"\n",
        )
        .unwrap();
        let registry = config.registry().unwrap();
        assert!(registry.chain(&"eip155:31337".parse().unwrap()).unwrap().testnet);
        assert_eq!(config.nodes().unwrap().len(), 1);
    }
}
