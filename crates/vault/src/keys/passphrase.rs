//! The second half of the wrapping: with a passphrase set, all wallet keys lie in one entry that only it opens.
//!
//! What the store gives out then decrypts to nothing by itself. A change of passphrase is one write of that entry, so a crash
//! leaves the old state or the new one; copies from before the first passphrase are deleted at the latest when it is next typed.

use std::sync::{Arc, atomic::Ordering};

use super::{
    KeyStore, KeyStoreError, Keys, KeysError, LockedKey, Secret,
    file::{Cost, Entries, Seal},
    keystore,
};
use alloy_primitives::Address;

/// The entry that holds all wallet keys while a passphrase is set.
pub(super) const SEALED: &str = "wallets";

/// What guards the wallet keys beside the store itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarded {
    /// Nothing: whoever opens the store has the keys.
    No,
    /// A passphrase, which was typed in this process.
    Open,
    /// A passphrase, which was not.
    Locked,
}

impl Keys {
    /// Asks the store whether a passphrase is set, and remembers it.
    pub fn look(&self) -> Result<Guarded, KeysError> {
        let set = self.secret(SEALED)?.is_some();
        self.0.guarded.store(set, Ordering::Release);
        Ok(self.guarded())
    }

    /// What was last known of that.
    pub fn guarded(&self) -> Guarded {
        match (self.0.guarded.load(Ordering::Acquire), self.seal().is_some()) {
            (false, _) => Guarded::No,
            (true, true) => Guarded::Open,
            (true, false) => Guarded::Locked,
        }
    }

    /// Opens the wallet keys until [`Self::lock`]. With none set there is nothing to open.
    pub fn unlock(&self, passphrase: &Secret) -> Result<(), KeysError> {
        let Some(file) = self.secret(SEALED)? else { return Ok(()) };
        let (seal, entries) = opened(&file, passphrase)?;
        let plain: Vec<String> = entries.into_keys().collect();
        self.0.thread.call(move |store| plain.iter().try_for_each(|name| store.delete(name)))?;
        self.0.guarded.store(true, Ordering::Release);
        self.held().seal = Some(Arc::new(seal));
        Ok(())
    }

    /// Wipes every key from memory; with a passphrase set, only that opens them again.
    pub fn lock(&self) {
        self.held().seal = None;
        self.forget_cached();
    }

    /// Whether this is the passphrase; with none set there is none to know.
    pub fn is_passphrase(&self, passphrase: &Secret) -> Result<(), KeysError> {
        let Some(file) = self.secret(SEALED)? else { return Ok(()) };
        opened(&file, passphrase).map(drop)
    }

    /// Sets, changes or takes away the passphrase of these wallets, which must be open.
    pub fn set_passphrase(&self, wallets: &[String], new: Option<&Secret>) -> Result<(), KeysError> {
        self.set_passphrase_at(wallets, new, Cost::PRODUCTION)
    }

    pub(super) fn set_passphrase_at(
        &self,
        wallets: &[String],
        new: Option<&Secret>,
        cost: Cost,
    ) -> Result<(), KeysError> {
        let mut entries = Entries::new();
        for address in wallets {
            entries.insert(format!("wallet:{address}"), self.bytes_of(address)?);
        }
        let Some(new) = new else {
            self.0.thread.call(move |store| {
                entries.iter().try_for_each(|(name, value)| put(store, name, value))?;
                store.delete(SEALED)
            })?;
            self.0.guarded.store(false, Ordering::Release);
            self.held().seal = None;
            return Ok(());
        };
        let seal = Arc::new(Seal::fresh(new, cost)?);
        let closing = seal.clone();
        self.0.thread.call(move |store| {
            put(store, SEALED, &Secret::new(closing.close(&entries)?))?;
            entries.keys().try_for_each(|name| store.delete(name))
        })?;
        self.0.guarded.store(true, Ordering::Release);
        self.held().seal = Some(seal);
        Ok(())
    }

    /// A wallet's key as a keystore file under this passphrase, opened again once to see that it can be.
    pub fn export(&self, address: &str, passphrase: &Secret) -> Result<String, KeysError> {
        let key = self.bytes_of(address)?;
        let file = keystore::close(&key, passphrase)?;
        if keystore::open(file.as_bytes(), passphrase)? != key {
            return Err(KeysError::NotKept);
        }
        Ok(file)
    }

    /// The stored key of a wallet, which is this wallet's.
    pub(super) fn bytes_of(&self, address: &str) -> Result<Secret, KeysError> {
        let wanted: Address = countersign_core::asset::parse_address(address).map_err(|_| KeysError::NotAnAddress)?;
        let name = super::entry_of(wanted);
        let bytes = match self.secret(SEALED)? {
            None => self.secret(&name)?,
            Some(file) => {
                self.0.guarded.store(true, Ordering::Release);
                self.seal().ok_or(KeysError::Locked)?.open(file.expose())?.remove(&name)
            }
        };
        let bytes = bytes.ok_or_else(|| KeysError::NoEntry(wanted.to_string()))?;
        let is_its = LockedKey::new(&bytes).is_some_and(|key| key.address() == wanted);
        if is_its { Ok(bytes) } else { Err(KeysError::WrongKey(wanted.to_string())) }
    }

    /// Keeps a new key where the others are, and says whether the store gives it back.
    pub(super) fn keep_bytes(&self, name: String, bytes: Secret) -> Result<bool, KeysError> {
        let seal = self.seal();
        let kept = self.0.thread.call(move |store| {
            let Some(file) = store.get(SEALED)? else {
                store.set(&name, &bytes)?;
                return Ok(Some(store.get(&name)?.is_some_and(|back| back == bytes)));
            };
            let Some(seal) = seal else { return Ok(None) };
            let mut entries = seal.open(file.expose())?;
            entries.insert(name, bytes);
            let file = Secret::new(seal.close(&entries)?);
            store.set(SEALED, &file)?;
            Ok(Some(store.get(SEALED)?.is_some_and(|back| back == file)))
        })?;
        kept.ok_or(KeysError::Locked)
    }

    /// Forgets a wallet's key wherever it lies.
    pub(super) fn delete_key(&self, name: String) -> Result<(), KeysError> {
        let seal = self.seal();
        let open = self.0.thread.call(move |store| {
            let Some(file) = store.get(SEALED)? else { return store.delete(&name).map(|()| true) };
            let Some(seal) = seal else { return Ok(false) };
            let mut entries = seal.open(file.expose())?;
            if entries.remove(&name).is_some() {
                put(store, SEALED, &Secret::new(seal.close(&entries)?))?;
            }
            store.delete(&name).map(|()| true)
        })?;
        if open { Ok(()) } else { Err(KeysError::Locked) }
    }

    fn seal(&self) -> Option<Arc<Seal>> {
        self.held().seal.clone()
    }
}

fn opened(file: &Secret, passphrase: &Secret) -> Result<(Seal, Entries), KeysError> {
    let seal = Seal::of_file(file.expose(), passphrase)?;
    let entries = seal.open(file.expose()).map_err(|error| match error {
        KeyStoreError::WrongPassphrase => KeysError::WrongPassphrase,
        other => other.into(),
    })?;
    Ok((seal, entries))
}

/// Stores a value and believes in it only after reading it back.
fn put(store: &dyn KeyStore, name: &str, value: &Secret) -> Result<(), KeyStoreError> {
    store.set(name, value)?;
    match store.get(name)? {
        Some(back) if back == *value => Ok(()),
        _ => Err(KeyStoreError::Failed("it did not keep what was stored; nothing was taken away".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::memory::{Fault, MemoryStore};

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

    fn secret(text: &str) -> Secret {
        Secret::copy_of(text.as_bytes())
    }

    fn home() -> (MemoryStore, Keys, Vec<String>) {
        let store = MemoryStore::new();
        let keys = Keys::start(Box::new(store.clone()));
        let wallets = vec![keys.create().unwrap(), keys.create().unwrap()];
        (store, keys, wallets)
    }

    #[test]
    fn with_a_passphrase_the_store_alone_opens_nothing_and_a_new_process_is_locked() {
        let (store, keys, wallets) = home();
        let key = keys.bytes_of(&wallets[0]).unwrap();
        assert_eq!(keys.look(), Ok(Guarded::No));
        keys.set_passphrase_at(&wallets, Some(&secret("correct horse")), CHEAP).unwrap();
        assert_eq!(store.names(), [SEALED]);
        let file = store.get(SEALED).unwrap().unwrap();
        assert!(!file.expose().windows(32).any(|part| part == key.expose()));
        assert_eq!((keys.guarded(), keys.signer(&wallets[0]).is_ok()), (Guarded::Open, true));

        let later = Keys::start(Box::new(store.clone()));
        assert_eq!(later.look(), Ok(Guarded::Locked));
        assert_eq!(later.signer(&wallets[0]).unwrap_err(), KeysError::Locked);
        assert_eq!(later.create().unwrap_err(), KeysError::Locked);
        assert_eq!(later.delete(&format!("wallet:{}", wallets[0])), Err(KeysError::Locked));
        assert_eq!(later.unlock(&secret("correct horsf")), Err(KeysError::WrongPassphrase));
        assert_eq!(later.guarded(), Guarded::Locked);
        later.unlock(&secret("correct horse")).unwrap();
        assert_eq!(later.bytes_of(&wallets[0]).unwrap(), key);
        let third = later.create().unwrap();
        assert_eq!(store.names(), [SEALED], "a new key goes where the others are");
        later.delete(&format!("wallet:{}", wallets[1])).unwrap();
        assert_eq!(later.bytes_of(&wallets[1]).unwrap_err(), KeysError::NoEntry(wallets[1].clone()));
        let signer = later.signer(&third).unwrap();
        later.lock();
        assert_eq!((later.guarded(), later.signer(&third).unwrap_err()), (Guarded::Locked, KeysError::Locked));
        assert!(
            crate::sign::sign(&signer, &crate::sign::tests::transfer_from(&signer.address().to_string())).is_err(),
            "wiped"
        );
    }

    #[test]
    fn a_passphrase_is_changed_and_taken_away_and_a_store_that_loses_writes_loses_no_key() {
        let (store, keys, wallets) = home();
        let key = keys.bytes_of(&wallets[0]).unwrap();
        store.set_fault(Some(Fault::LoseWrites));
        assert!(keys.set_passphrase_at(&wallets, Some(&secret("one two three")), CHEAP).is_err());
        store.set_fault(None);
        assert_eq!(
            (keys.look(), keys.bytes_of(&wallets[0]).unwrap()),
            (Ok(Guarded::No), Secret::copy_of(key.expose()))
        );
        keys.set_passphrase_at(&wallets, Some(&secret("one two three")), CHEAP).unwrap();
        keys.set_passphrase_at(&wallets, Some(&secret("four five six")), CHEAP).unwrap();
        assert_eq!(keys.is_passphrase(&secret("one two three")), Err(KeysError::WrongPassphrase));
        assert_eq!(keys.is_passphrase(&secret("four five six")), Ok(()));
        store.set_fault(Some(Fault::LoseWrites));
        assert!(keys.set_passphrase_at(&wallets, None, CHEAP).is_err());
        store.set_fault(None);
        keys.set_passphrase_at(&wallets, None, CHEAP).unwrap();
        assert_eq!((keys.guarded(), keys.bytes_of(&wallets[0]).unwrap()), (Guarded::No, key));
        assert!(!store.names().contains(&SEALED.to_owned()));
    }

    #[test]
    fn copies_from_before_are_deleted_when_the_passphrase_is_typed() {
        let (store, keys, wallets) = home();
        let name = format!("wallet:{}", wallets[0]);
        let plain = store.get(&name).unwrap().unwrap();
        keys.set_passphrase_at(&wallets, Some(&secret("correct horse")), CHEAP).unwrap();
        // As after a crash between the two writes.
        store.set(&name, &plain).unwrap();
        let later = Keys::start(Box::new(store.clone()));
        assert_eq!(later.signer(&wallets[0]).unwrap_err(), KeysError::Locked, "the plain copy counts for nothing");
        later.unlock(&secret("correct horse")).unwrap();
        assert_eq!(store.names(), [SEALED]);
    }

    #[test]
    fn an_export_gives_the_same_address_back_and_only_under_its_passphrase() {
        let (_, keys, wallets) = home();
        let file = keys.export(&wallets[0], &secret("for the drawer")).unwrap();
        let (_, other, _) = home();
        assert_eq!(other.import_keystore(file.as_bytes(), &secret("for the drawer")), Ok(wallets[0].clone()));
        assert_eq!(other.import_keystore(file.as_bytes(), &secret("for the draw")), Err(KeysError::WrongPassphrase));
    }
}
