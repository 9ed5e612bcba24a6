//! One encrypted file, `keys.enc`: Argon2id makes the key of a passphrase, XChaCha20-Poly1305 seals all entries together.
//!
//! Promises that a change is whole or not there, that a wrong passphrase changes nothing, and that a file which is not the
//! one this store was opened with is refused. It cannot tell an older copy of the same file from the newest.

mod disk;
mod seal;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::{KeyStore, KeyStoreError, Secret};
pub use seal::Cost;
pub(super) use seal::{Entries, Seal};

/// The encrypted key file of one data directory.
pub struct FileStore {
    path: PathBuf,
    seal: Seal,
    // A file that was there once must be there for ever: its absence is a fault, not an empty store.
    seen: Mutex<bool>,
}

impl FileStore {
    /// Opens `DIR/keys.enc`, or prepares one that the first `set` writes. Takes about as long as a login.
    pub fn open(dir: &Path, passphrase: &Secret) -> Result<Self, KeyStoreError> {
        Self::open_with_cost(dir, passphrase, Cost::PRODUCTION)
    }

    /// [`Self::open`] where a new file gets another cost; an existing file keeps its own.
    pub fn open_with_cost(dir: &Path, passphrase: &Secret, cost: Cost) -> Result<Self, KeyStoreError> {
        let path = dir.join("keys.enc");
        let held = disk::read(&path)?;
        let seal = match &held {
            Some(bytes) => Seal::of_file(bytes, passphrase)?,
            None => Seal::fresh(passphrase, cost)?,
        };
        if let Some(bytes) = &held {
            seal.open(bytes)?;
        }
        Ok(Self { path, seal, seen: Mutex::new(held.is_some()) })
    }

    fn entries(&self) -> Result<Entries, KeyStoreError> {
        let mut seen = self.seen.lock().map_err(|_| KeyStoreError::Failed("an earlier call broke down".into()))?;
        match disk::read(&self.path)? {
            Some(bytes) => {
                *seen = true;
                self.seal.open(&bytes)
            }
            None if *seen => Err(KeyStoreError::Damaged("keys.enc is gone".into())),
            None => Ok(Entries::default()),
        }
    }

    /// Reads, changes and replaces the file while no other process does.
    fn change(&self, change: impl FnOnce(&mut Entries)) -> Result<(), KeyStoreError> {
        let _turn = disk::turn(&self.path)?;
        let mut entries = self.entries()?;
        change(&mut entries);
        disk::replace(&self.path, &self.seal.close(&entries)?)?;
        *self.seen.lock().map_err(|_| KeyStoreError::Failed("an earlier call broke down".into()))? = true;
        Ok(())
    }
}

impl KeyStore for FileStore {
    fn get(&self, name: &str) -> Result<Option<Secret>, KeyStoreError> {
        Ok(self.entries()?.remove(name))
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), KeyStoreError> {
        self.change(|entries| {
            entries.insert(name.to_owned(), Secret::copy_of(value.expose()));
        })
    }

    fn delete(&self, name: &str) -> Result<(), KeyStoreError> {
        if self.entries()?.contains_key(name) {
            self.change(|entries| {
                entries.remove(name);
            })?;
        }
        Ok(())
    }

    fn kind(&self) -> &'static str {
        "encrypted-file"
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
