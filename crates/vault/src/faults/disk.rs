//! A record of everything done to the disk, in order: what a power loss can take back is told by what was not synced yet.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One thing done to the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskStep {
    /// A new file under this name.
    Made {
        /// The file, as later steps call it.
        file: usize,
        /// Its whole path.
        name: String,
    },
    /// The name is gone.
    Removed {
        /// The whole path.
        name: String,
    },
    /// Bytes of a file.
    Wrote {
        /// Which file.
        file: usize,
        /// Where, in bytes from its start.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file was cut, or lengthened with zeros.
    Cut {
        /// Which file.
        file: usize,
        /// Its size in bytes from then on.
        size: u64,
    },
    /// Everything written to a file before this is on the disk.
    Synced {
        /// Which file.
        file: usize,
    },
    /// Every name made or removed before this is on the disk.
    SyncedDirectory,
    /// What the test had been handed by then.
    Handed(String),
}

/// What was done to the files of one directory.
#[derive(Debug, Default)]
pub struct Disk(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    steps: Vec<DiskStep>,
    files: usize,
    names: HashMap<String, usize>,
    /// Open files by handle, and whether their next sync is one of the directory too.
    open: HashMap<usize, (usize, bool)>,
}

impl Disk {
    /// Writes down what the test was handed.
    pub fn handed(&self, what: &str) {
        self.state().steps.push(DiskStep::Handed(what.to_owned()));
    }

    /// Everything so far.
    pub fn steps(&self) -> Vec<DiskStep> {
        self.state().steps.clone()
    }

    pub(super) fn opened(&self, handle: usize, name: &str, with_directory: bool) {
        let mut state = self.state();
        let file = match state.names.get(name) {
            Some(file) => *file,
            None => {
                let file = state.files;
                state.files = file.saturating_add(1);
                state.names.insert(name.to_owned(), file);
                state.steps.push(DiskStep::Made { file, name: name.to_owned() });
                file
            }
        };
        state.open.insert(handle, (file, with_directory));
    }

    pub(super) fn closed(&self, handle: usize) {
        self.state().open.remove(&handle);
    }

    pub(super) fn removed(&self, name: &str, sync_directory: bool) {
        let mut state = self.state();
        if state.names.remove(name).is_some() {
            state.steps.push(DiskStep::Removed { name: name.to_owned() });
        }
        if sync_directory {
            state.steps.push(DiskStep::SyncedDirectory);
        }
    }

    pub(super) fn wrote(&self, handle: usize, at: u64, bytes: &[u8]) {
        self.on(handle, |file| DiskStep::Wrote { file, at, bytes: bytes.to_vec() });
    }

    pub(super) fn cut(&self, handle: usize, size: u64) {
        self.on(handle, |file| DiskStep::Cut { file, size });
    }

    pub(super) fn synced(&self, handle: usize) {
        self.on(handle, |file| DiskStep::Synced { file });
        let mut state = self.state();
        let first = state.open.get_mut(&handle).is_some_and(|(_, with_directory)| std::mem::take(with_directory));
        if first {
            state.steps.push(DiskStep::SyncedDirectory);
        }
    }

    fn on(&self, handle: usize, step: impl FnOnce(usize) -> DiskStep) {
        let mut state = self.state();
        if let Some((file, _)) = state.open.get(&handle).copied() {
            state.steps.push(step(file));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
