//! What the pages Agents and Wallets get: texts ready to be shown.

use countersign_core::{
    Millis,
    registry::{Chain, Registry},
    text::clean,
};
use countersign_vault::{Agent, PayerFor, Wallet, activity::Spent};
use serde::Serialize;
use std::collections::BTreeMap;
#[cfg(test)]
use ts_rs::TS;

use super::{
    super::{
        activity::view::{SpentView, number},
        secret::GuardedBy,
    },
    merchant::MerchantView,
};

/// What the page counts of today.
pub struct Today {
    pub now: Millis,
    /// What each agent spent, in real money.
    pub real: BTreeMap<String, Spent>,
    /// The same in play money.
    pub play: BTreeMap<String, Spent>,
    /// Entries of the ledger that are not in these sums yet.
    pub behind: u64,
    /// What it is counted in.
    pub reference: String,
}

/// The Agents page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct AgentsView {
    pub agents: Vec<AgentView>,
    /// Those that were revoked.
    pub gone: Vec<GoneView>,
    /// Where agents come in; none if the port is closed.
    pub address: Option<String>,
    /// The same for MCP.
    pub mcp: Option<String>,
    /// Entries of the ledger that the sums lack.
    pub behind: u32,
}

/// One agent that can ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct AgentView {
    pub name: String,
    pub since: String,
    /// When its token was last used, to the hour; none if never.
    pub seen: Option<String>,
    /// When its last token dies.
    pub ends: Option<String>,
    /// It is dead already.
    pub ended: bool,
    /// The wallet that is its own; without an address once that was removed and nothing pays for it.
    pub wallet: Option<WalletName>,
    pub pause: PauseView,
    /// Everything it wants asks.
    pub asks_always: bool,
    /// No person has said yes to it.
    pub unconfirmed: bool,
    pub today: SpentView,
    /// In play money, if any.
    pub play: Option<SpentView>,
}

/// A wallet as others speak of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct WalletName {
    pub label: String,
    pub address: String,
}

/// Whether an agent's own payments are stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum PauseView {
    No,
    /// Until somebody resumes it.
    Open,
    Until {
        time: String,
    },
}

/// An agent that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct GoneView {
    pub name: String,
    pub at: String,
}

/// The Wallets page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct WalletsView {
    pub wallets: Vec<WalletView>,
    pub kept: KeptIn,
    pub guarded: GuardedBy,
    /// After how many minutes without use they lock; 0 if never.
    pub lock_after: u32,
    /// Where a wallet may pay.
    pub networks: Vec<NetworkName>,
    /// The merchant at Alipay, if one is set up.
    pub merchant: Option<MerchantView>,
    /// The key store is locked, so that nobody can say whether one is.
    pub merchant_locked: bool,
}

/// A network as it is chosen from a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct NetworkName {
    pub id: String,
    pub name: String,
    pub testnet: bool,
}

impl NetworkName {
    /// What is shown of a chain.
    pub fn of(chain: &Chain) -> Self {
        Self { id: chain.network.to_string(), name: clean(&chain.name), testnet: chain.testnet }
    }
}

/// One wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct WalletView {
    pub label: String,
    pub address: String,
    pub since: String,
    /// What it pays for; nothing if it only lies there.
    pub pays: Vec<PaysView>,
}

/// Whom a wallet pays for, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct PaysView {
    /// None for everybody without one of their own.
    pub agent: Option<String>,
    /// None for all networks.
    pub network: Option<String>,
}

/// Where the keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum KeptIn {
    OsKeyring,
    EncryptedFile,
    Memory,
}

impl KeptIn {
    /// By the store's own name for its kind.
    pub fn of(kind: &str) -> Self {
        match kind {
            "os-keyring" => Self::OsKeyring,
            "encrypted-file" => Self::EncryptedFile,
            _ => Self::Memory,
        }
    }
}

impl AgentView {
    /// What is shown of an agent whose own wallet is `wallet`.
    pub fn of(agent: Agent, wallet: Option<WalletName>, today: &Today) -> Self {
        let name = agent.name.as_str();
        let sum = |spent: Spent| SpentView::of(spent, &today.reference);
        let pause = match agent.paused_until {
            Some(Millis(i64::MAX)) => PauseView::Open,
            Some(until) if until > today.now => PauseView::Until { time: until.rfc3339() },
            _ => PauseView::No,
        };
        Self {
            since: agent.created_at.rfc3339(),
            // A new token counts as used when it was made.
            seen: agent.used_at.filter(|used| *used > agent.created_at).map(|used| used.rfc3339()),
            ends: agent.expires_at.map(|ends| ends.rfc3339()),
            ended: agent.expires_at.is_none_or(|ends| ends < today.now),
            wallet,
            pause,
            asks_always: agent.ask_everything,
            unconfirmed: !agent.confirmed,
            today: sum(today.real.get(name).copied().unwrap_or_default()),
            play: today.play.get(name).copied().map(sum),
            name: name.to_owned(),
        }
    }
}

impl WalletView {
    /// What is shown of a wallet that pays for `whom`.
    pub fn of(wallet: Wallet, whom: Vec<PayerFor>, registry: &Registry) -> Self {
        let pays = whom.into_iter().map(|who| PaysView {
            agent: who.agent.map(|name| name.to_string()),
            network: who.network.map(|n| registry.chain(&n).map_or_else(|| n.to_string(), |c| clean(&c.name))),
        });
        Self {
            label: clean(&wallet.label),
            address: wallet.address,
            since: wallet.created_at.rfc3339(),
            pays: pays.collect(),
        }
    }
}

/// The count of entries as the page shows it.
pub fn behind(today: &Today) -> u32 {
    number(today.behind)
}
