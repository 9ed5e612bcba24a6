//! What a vault is built from. Clock, keys, tables and paths all come in here; nothing is found later.

use countersign_core::{policy::Policy, registry::Registry};
use std::{path::PathBuf, sync::Arc};

use crate::{clock::Clock, keys::Keys};

/// How many questions may be open and how often one may be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Waiting questions of one agent.
    pub per_agent_waiting: u32,
    /// Waiting questions in all.
    pub all_waiting: u32,
    /// Questions of one agent within a minute.
    pub prompts_per_minute: u32,
    /// Seconds a question lives.
    pub approval_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_agent_waiting: 3, all_waiting: 10, prompts_per_minute: 6, approval_seconds: 120 }
    }
}

/// Everything a vault needs.
pub struct Open {
    /// The data directory; made with mode 0700 if missing.
    pub dir: PathBuf,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// The key ring.
    pub keys: Keys,
    /// Chains, tokens and rates.
    pub registry: Arc<Registry>,
    /// Canonical text of every configuration key that can loosen; part of what a person confirms.
    pub config_text: String,
    /// Caps on questions.
    pub limits: Limits,
    /// The policy of a fresh data directory.
    pub first_policy: Policy,
    /// Whether a loosening made through our own commands while nothing ran needs no further confirmation (`serve`).
    pub accept_unconfirmed: bool,
    /// Below this many free bytes new payments are refused.
    pub min_free_bytes: u64,
    /// Faults to inject.
    #[cfg(feature = "faults")]
    pub faults: Option<Arc<crate::Faults>>,
}

impl Open {
    /// The usual settings; change single fields with `Open { …, ..Open::new(…) }`.
    pub fn new(dir: PathBuf, clock: Arc<dyn Clock>, keys: Keys, registry: Arc<Registry>, first_policy: Policy) -> Self {
        Self {
            dir,
            clock,
            keys,
            registry,
            config_text: String::new(),
            limits: Limits::default(),
            first_policy,
            accept_unconfirmed: false,
            min_free_bytes: 50_000_000,
            #[cfg(feature = "faults")]
            faults: None,
        }
    }
}
