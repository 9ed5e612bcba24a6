//! What the ledger keeps beside payments: agents, wallets, pauses, policy versions.

use countersign_core::{
    Millis,
    approval::Said,
    asset::{AssetId, Network},
    origin::Origin,
    payment::{AgentName, Digest},
};
use serde::{Serialize, Serializer};

/// Who changes policy, agents or wallets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// A person, in the window, past the owner check: confirmed at once.
    Person,
    /// A command of ours: a tightening counts as confirmed, a loosening waits for a person.
    Command,
}

/// What a change of policy came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// It is the policy already.
    Same,
    /// In force.
    InForce,
    /// In force, but everything asks until a person confirms; why.
    Unconfirmed(Vec<String>),
}

/// What a person confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// Policy, agents and wallets as they stand.
    Policy,
    /// The clock as it stands.
    Clock,
    /// The history as it stands; running windows count as fully used.
    History,
}

/// A paired agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// Its name.
    pub name: AgentName,
    /// Everything it wants asks.
    pub ask_everything: bool,
    /// Whether a person has seen it.
    pub confirmed: bool,
    /// When it was paired.
    pub created_at: Millis,
    /// When a token of it was last used, to the hour.
    pub used_at: Option<Millis>,
    /// When its last token dies.
    pub expires_at: Option<Millis>,
    /// Whether that is within seven days, or over.
    pub expires_soon: bool,
    /// Path of the program it was first seen in and is bound to.
    pub program: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
    /// Until when it is paused; the end of time if until somebody resumes it.
    pub paused_until: Option<Millis>,
}

/// An account of ours. The key is in the key store, under its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wallet {
    /// EIP-55 address.
    pub address: String,
    /// `secp256k1`.
    pub kind: String,
    /// The person's name for it.
    pub label: String,
    /// When it was made.
    pub created_at: Millis,
    /// Whether it pays where nothing else is set.
    pub default: bool,
}

/// Who pays: an agent's own wallet or everybody's, on one network or on all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayerFor {
    /// Only for this agent.
    pub agent: Option<AgentName>,
    /// Only on this network.
    pub network: Option<Network>,
}

/// Whose payments stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    All,
    /// One agent's.
    Agent(AgentName),
}

/// One version of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyVersion {
    /// Counts from 1.
    pub version: i64,
    /// When it came.
    pub at: Millis,
    /// Who brought it: `first`, `person`, `command`.
    pub by: String,
    /// The policy as a file.
    pub toml: String,
    /// Hash of the policy alone.
    pub hash: Digest,
}

/// A payee by all that makes it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayeeKey {
    /// Only this agent's, since the origin was only its claim.
    pub agent: Option<AgentName>,
    /// Where its prices come from.
    pub origin: Origin,
    /// In what it is paid.
    pub asset: AssetId,
    /// Who is paid.
    pub account: String,
}

/// A payee a person said yes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownPayee {
    /// Which.
    pub key: PayeeKey,
    /// The payment that made it known.
    pub since: Millis,
    /// The person's name for its origin.
    pub label: Option<String>,
}

/// What a person has to look at before payments go through by themselves again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Doubts {
    /// Why the policy is not a confirmed one.
    #[serde(serialize_with = "english")]
    pub policy: Option<Said>,
    /// Why the clock is not trusted.
    #[serde(serialize_with = "english")]
    pub clock: Option<Said>,
    /// Why the history is not trusted.
    #[serde(serialize_with = "english")]
    pub history: Option<Said>,
}

fn english<S: Serializer>(why: &Option<Said>, to: S) -> Result<S::Ok, S::Error> {
    why.as_ref().map(ToString::to_string).serialize(to)
}

impl Doubts {
    /// Whether anything is in doubt.
    pub const fn any(&self) -> bool {
        self.policy.is_some() || self.clock.is_some() || self.history.is_some()
    }
}

/// What a full check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Entries of the chain.
    pub entries: i64,
    /// Payments.
    pub payments: i64,
    /// Hash of the last entry.
    pub head: Digest,
    /// The first faults, worst first; empty = sound.
    pub faults: Vec<String>,
}
