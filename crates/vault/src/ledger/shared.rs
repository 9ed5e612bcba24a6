//! What the writer and the facade both see: the view, the clock, the marks.

use countersign_core::{Millis, payment::AgentName, payment::PaymentId, policy::Policy, registry::Registry};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
        mpsc::SyncSender,
    },
};

use super::{
    time::{Now, Seen},
    writer::Message,
};
use crate::{
    clock::Clock,
    config::{Doubts, Wallet},
    error::{Health, VaultError},
    keys::Keys,
    open::Limits,
};

/// Whether the ledger takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    Ready,
    ViewOnly(String),
    Storage(String),
}

impl Mode {
    /// Why not ready; empty if it is.
    pub fn why(self) -> String {
        match self {
            Self::Ready => String::new(),
            Self::ViewOnly(why) | Self::Storage(why) => why,
        }
    }
}

#[derive(Debug)]
pub(crate) struct TokenRow {
    pub agent: AgentName,
    pub hash: [u8; 32],
    pub created: Millis,
    pub used: AtomicI64,
    /// When it ends because another took its place.
    pub until: Option<Millis>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentRow {
    pub careful: bool,
    pub confirmed: bool,
    pub created: Millis,
    pub revoked: Option<Millis>,
    /// Path of the program it is bound to.
    pub program: Option<String>,
}

/// Everything that is not a payment, as last committed.
#[derive(Clone)]
pub(crate) struct View {
    pub mode: Mode,
    pub locked: bool,
    pub policy: Option<Arc<Policy>>,
    /// The same for agents that are asked about everything.
    pub careful: Option<Arc<Policy>>,
    pub doubts: Doubts,
    pub policy_changed: bool,
    /// Windows that began before this moment count as fully used.
    pub full_until: Option<Millis>,
    pub agents: BTreeMap<AgentName, AgentRow>,
    pub tokens: HashMap<String, Arc<TokenRow>>,
    pub wallets: Vec<Wallet>,
    /// (agent, network) → address; an empty agent or network is any, and an empty address is nobody's.
    pub payers: BTreeMap<(String, String), String>,
    /// agent → until; empty agent = everybody.
    pub pauses: BTreeMap<String, Option<Millis>>,
}

impl View {
    pub fn closed(mode: Mode) -> Self {
        Self {
            mode,
            locked: false,
            policy: None,
            careful: None,
            doubts: Doubts::default(),
            policy_changed: false,
            full_until: None,
            agents: BTreeMap::new(),
            tokens: HashMap::new(),
            wallets: Vec::new(),
            payers: BTreeMap::new(),
            pauses: BTreeMap::new(),
        }
    }

    pub fn paused(&self, agent: &str, wall: Millis) -> bool {
        self.pauses.get(agent).is_some_and(|until| until.is_none_or(|until| wall < until))
    }

    pub fn health(&self, wall: Millis) -> Health {
        match &self.mode {
            Mode::ViewOnly(why) => Health::ViewOnly(why.clone()),
            Mode::Storage(why) => Health::Storage(why.clone()),
            Mode::Ready if self.locked => Health::Locked,
            Mode::Ready if self.paused("", wall) => Health::Paused,
            Mode::Ready => Health::Ok,
        }
    }

    /// Whether the ledger may be written at all.
    pub fn writable(&self) -> Result<(), VaultError> {
        match &self.mode {
            Mode::Ready => Ok(()),
            Mode::ViewOnly(why) => Err(VaultError::ViewOnly(why.clone())),
            Mode::Storage(why) => Err(VaultError::Storage(why.clone())),
        }
    }

    /// Whether the ledger may be written and keys may be used.
    pub fn open(&self) -> Result<(), VaultError> {
        self.writable()?;
        if self.locked { Err(VaultError::Locked) } else { Ok(()) }
    }

    /// Whether money may move for this agent.
    pub fn may_pay(&self, agent: &AgentName, wall: Millis) -> Result<(), VaultError> {
        self.open()?;
        if self.agents.get(agent).is_some_and(|a| a.revoked.is_some()) {
            return Err(VaultError::Refused(format!("the agent {agent} was revoked")));
        }
        if self.paused("", wall) || self.paused(agent.as_str(), wall) {
            return Err(VaultError::Paused);
        }
        Ok(())
    }
}

/// A mark that rides along with the next commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Signed(PaymentId),
    Delivered(PaymentId),
    NeverSigned(PaymentId),
    /// A question whose commit was reported as failed.
    NeverAsked(PaymentId),
    /// A token was used.
    Used(String, Millis),
}

/// Marks on their way to the writer.
#[derive(Debug)]
pub(crate) struct Marks {
    waiting: Mutex<Vec<Mark>>,
    wake: SyncSender<Message>,
}

impl Marks {
    pub fn new(wake: SyncSender<Message>) -> Self {
        Self { waiting: Mutex::default(), wake }
    }

    /// Leaves a mark; a full queue means the writer is awake anyway.
    pub fn leave(&self, mark: Mark) {
        self.lock().push(mark);
        self.wake.try_send(Message::Wake).ok();
    }

    pub fn take(&self) -> Vec<Mark> {
        std::mem::take(&mut *self.lock())
    }

    pub fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    /// Puts marks of a failed commit back, before those that came since.
    pub fn give_back(&self, mut marks: Vec<Mark>) {
        let mut waiting = self.lock();
        marks.append(&mut waiting);
        *waiting = marks;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Mark>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Frees the hold of a reservation that is dropped unsigned.
pub(crate) struct Dropped {
    pub payment: PaymentId,
    pub marks: Arc<Marks>,
    pub armed: bool,
}

impl std::fmt::Debug for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.armed { "unsigned" } else { "signed" })
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if self.armed {
            self.marks.leave(Mark::NeverSigned(self.payment.clone()));
        }
    }
}

/// What lives as long as the vault.
pub(crate) struct Shared {
    pub clock: Arc<dyn Clock>,
    pub boot_id: String,
    pub keys: Keys,
    pub registry: Arc<Registry>,
    pub config_text: String,
    pub limits: Limits,
    pub accept_unconfirmed: bool,
    pub min_free_bytes: u64,
    pub ledger: PathBuf,
    pub marks: Arc<Marks>,
    pub view: RwLock<Arc<View>>,
    /// A person locked the keys.
    pub locked: AtomicBool,
    /// The latest window time.
    pub last: AtomicI64,
    #[cfg(feature = "faults")]
    pub faults: Option<Arc<crate::Faults>>,
}

impl Shared {
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn publish(&self, mut view: View) {
        let mut current = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.locked |= self.locked.load(Ordering::SeqCst);
        *current = Arc::new(view);
    }

    /// Nothing is signed from here on.
    pub fn lock(&self) {
        self.locked.store(true, Ordering::SeqCst);
        let mut current = self.view.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(View { locked: true, ..(**current).clone() });
    }

    /// Both clocks as they stand.
    pub fn seen(&self) -> Seen {
        Seen { wall: self.clock.wall(), boot: self.clock.boot_ms(), boot_id: self.boot_id.clone() }
    }

    /// Now, with a window time that never goes back.
    pub fn now(&self) -> Now {
        let seen = self.seen();
        let before = self.last.fetch_max(seen.wall.0, Ordering::SeqCst);
        Now { at: Millis(before.max(seen.wall.0)), seen }
    }
}
