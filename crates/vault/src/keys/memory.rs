//! A store in memory, for tests: it forgets everything at exit and fails on command.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{KeyStore, KeyStoreError, Secret};

/// How a [`MemoryStore`] misbehaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Every call fails like this.
    Error(KeyStoreError),
    /// Reads find nothing, as with a daemon started on another home directory.
    NoEntry,
    /// Writes are accepted and lost.
    LoseWrites,
    /// Calls block until the fault is lifted, as behind an open prompt.
    Block,
    /// Calls panic.
    Panic,
}

/// Named secrets in memory. Clones are handles to the same store, so a test keeps one and breaks it.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    lifted: Condvar,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<String, Secret>,
    fault: Option<Fault>,
    calls: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Misbehaves from here on, or no more.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.inner().fault = fault;
        self.0.lifted.notify_all();
    }

    /// How many calls have begun.
    pub fn calls(&self) -> u64 {
        self.inner().calls
    }

    /// The names held, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.inner().entries.keys().cloned().collect();
        names.sort();
        names
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the call, then waits or fails as told.
    #[expect(clippy::panic, reason = "the fault is a panic: callers must survive a keyring that does so")]
    fn begin(&self) -> Result<MutexGuard<'_, Inner>, KeyStoreError> {
        let mut inner = self.inner();
        inner.calls = inner.calls.saturating_add(1);
        let inner =
            self.0.lifted.wait_while(inner, |i| i.fault == Some(Fault::Block)).unwrap_or_else(PoisonError::into_inner);
        match &inner.fault {
            Some(Fault::Error(error)) => Err(error.clone()),
            Some(Fault::Panic) => panic!("told to"),
            _ => Ok(inner),
        }
    }
}

impl KeyStore for MemoryStore {
    fn get(&self, name: &str) -> Result<Option<Secret>, KeyStoreError> {
        let inner = self.begin()?;
        if inner.fault == Some(Fault::NoEntry) {
            return Ok(None);
        }
        Ok(inner.entries.get(name).map(|secret| Secret::copy_of(secret.expose())))
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), KeyStoreError> {
        let mut inner = self.begin()?;
        if inner.fault != Some(Fault::LoseWrites) {
            inner.entries.insert(name.to_owned(), Secret::copy_of(value.expose()));
        }
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), KeyStoreError> {
        self.begin()?.entries.remove(name);
        Ok(())
    }

    fn kind(&self) -> &'static str {
        "memory"
    }
}
