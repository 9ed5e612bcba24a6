//! The anchor: where the chain ended, kept in the key store and written from a thread of its own, because a keyring is slow.

use countersign_core::payment::Digest;
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::chain::Head;
use crate::{
    keys::{KeyStoreError, Keys, KeysError, Secret},
    point::point,
};

/// At most one write in so long while paying.
const PAUSE: Duration = Duration::from_secs(5);

/// What the key store remembers of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub seq: i64,
    pub hash: Digest,
    /// The confirmed policy and configuration.
    pub confirmed: Option<Digest>,
}

impl Anchor {
    pub fn new(head: Head, confirmed: Option<Digest>) -> Self {
        Self { seq: head.seq, hash: Digest(head.hash), confirmed }
    }
}

/// The names of a ledger's entries in the key store: one store serves many data directories.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub anchor: String,
    pub key: String,
}

impl Names {
    /// For the ledger in this canonical directory.
    pub fn of(dir: &Path) -> Self {
        let digest = Digest::of(&[b"countersign data directory 1", dir.as_os_str().as_encoded_bytes()]).to_string();
        let short = digest.get(..16).unwrap_or(&digest);
        Self { anchor: format!("anchor:{short}"), key: format!("ledger:{short}") }
    }
}

/// The anchor last written; none if there never was one.
pub(crate) fn read(keys: &Keys, names: &Names) -> Result<Option<Anchor>, KeysError> {
    let secret = keys.secret(&names.anchor)?;
    Ok(secret.and_then(|s| serde_json::from_slice(s.expose()).ok()))
}

/// Writes it now.
pub(crate) fn write(keys: &Keys, names: &Names, anchor: &Anchor) -> Result<(), KeysError> {
    let json = serde_json::to_vec(anchor).map_err(|error| KeyStoreError::Failed(error.to_string()))?;
    keys.set(&names.anchor, Secret::new(json))
}

#[derive(Default)]
struct State {
    next: Option<Anchor>,
    urgent: bool,
    stop: bool,
}

/// The thread that writes it.
pub(crate) struct Keeper {
    shared: Arc<(Mutex<State>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Keeper {
    pub fn start(keys: Keys, names: Names) -> std::io::Result<Self> {
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let own = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("countersign-anchor".into()).spawn(move || run(&own, &keys, &names))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Says where the chain ends; written soon, or at once if `urgent`.
    pub fn note(&self, anchor: Anchor, urgent: bool) {
        let mut state = lock(&self.shared.0);
        // The thread that has something to write wakes by itself.
        let wake = state.next.replace(anchor).is_none() || urgent;
        state.urgent |= urgent;
        if wake {
            self.shared.1.notify_all();
        }
    }

    /// Writes what is left as soon as possible.
    pub fn hurry(&self) {
        lock(&self.shared.0).urgent = true;
        self.shared.1.notify_all();
    }

    /// Writes what is left and ends the thread.
    pub fn finish(&self) {
        lock(&self.shared.0).stop = true;
        self.shared.1.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            thread.join().ok();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(shared: &(Mutex<State>, Condvar), keys: &Keys, names: &Names) {
    let mut last: Option<Instant> = None;
    loop {
        let mut state = lock(&shared.0);
        loop {
            let rest = last.map_or(Duration::ZERO, |at| PAUSE.saturating_sub(at.elapsed()));
            let due = rest.is_zero() || state.urgent || state.stop;
            if state.next.is_some() && due {
                break;
            }
            if state.stop {
                return;
            }
            state = if state.next.is_some() {
                shared.1.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0
            } else {
                shared.1.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }
        let (anchor, stop) = (state.next.take(), state.stop);
        state.urgent = false;
        drop(state);
        point("anchor.due");
        let written = anchor.as_ref().map(|anchor| write(keys, names, anchor));
        last = Some(Instant::now());
        if let Some(Err(error)) = written {
            tracing::warn!(%error, "ledger.anchor_not_written");
            let mut state = lock(&shared.0);
            if !stop && state.next.is_none() {
                state.next = anchor;
            }
        }
    }
}
