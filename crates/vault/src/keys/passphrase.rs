//! The second half of the wrapping: with a passphrase set, all wallet keys lie in one entry that only it opens.
//!
//! What the store gives out then decrypts to nothing by itself. A change of passphrase is one write of that entry, so a crash
//! leaves the old state or the new one; copies from before the first passphrase are deleted at the latest when it is next typed.
//! What the entry held is always carried over whole: the ledger may know fewer wallets than the store.

use alloy_primitives::Address;
use countersign_core::asset::parse_address;
use std::sync::{Arc, PoisonError, atomic::Ordering};

use super::{
    KeyStore, KeyStoreError, Keys, KeysError, LockedKey, Secret, entry_of,
    file::{Cost, Entries, Seal},
    keystore,
};

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
        let before = self.held().wiped;
        let Some(file) = self.secret(SEALED)? else { return Ok(()) };
        let (seal, entries) = opened(&file, passphrase)?;
        let plain: Vec<String> = entries.into_keys().collect();
        self.0.thread.call(move |store| plain.iter().try_for_each(|name| store.delete(name)))?;
        self.0.guarded.store(true, Ordering::Release);
        if self.hold(Some(Arc::new(seal)), before) { Ok(()) } else { Err(KeysError::Locked) }
    }

    /// Wipes every key from memory; with a passphrase set, only that opens them again.
    pub fn lock(&self) {
        let mut held = self.held();
        held.seal = None;
        held.wipe();
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
        let before = self.held().wiped;
        let fresh = new.map(|new| Seal::fresh(new, cost)).transpose()?.map(Arc::new);
        let wallets = wallets
            .iter()
            .map(|address| parse_address(address).map_err(|_| KeysError::NotAnAddress))
            .collect::<Result<Vec<_>, _>>()?;
        let (old, closing, made) = (self.seal(), fresh.clone(), self.0.made.clone());
        // One turn of the store's thread: no key comes or goes between what is read and what is written.
        self.0.thread.call(move |store| {
            let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
            let mut entries = Entries::new();
            for name in wallets.iter().map(|address| entry_of(*address)).chain(made.iter().cloned()) {
                if let Some(plain) = store.get(&name)? {
                    entries.insert(name, plain);
                }
            }
            if let Some(file) = store.get(SEALED)? {
                let Some(old) = old else { return Ok(Err(KeysError::Locked)) };
                entries.extend(old.open(file.expose())?);
            }
            if let Some(why) =
                wallets.iter().find_map(|address| its_own(entries.get(&entry_of(*address)), *address).err())
            {
                return Ok(Err(why));
            }
            match closing {
                Some(seal) => {
                    put(store, SEALED, &Secret::new(seal.close(&entries)?))?;
                    entries.keys().try_for_each(|name| store.delete(name))?;
                }
                None => {
                    entries.iter().try_for_each(|(name, value)| put(store, name, value))?;
                    made.extend(entries.into_keys());
                    store.delete(SEALED)?;
                }
            }
            Ok(Ok(()))
        })??;
        self.0.guarded.store(fresh.is_some(), Ordering::Release);
        self.hold(fresh, before);
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
        let wanted = parse_address(address).map_err(|_| KeysError::NotAnAddress)?;
        let name = entry_of(wanted);
        let bytes = match self.secret(SEALED)? {
            None => self.secret(&name)?,
            Some(file) => {
                self.0.guarded.store(true, Ordering::Release);
                match self.seal().ok_or(KeysError::Locked)?.open(file.expose())?.remove(&name) {
                    // A key that no ledger listed when the passphrase was set lies where it was.
                    None => self.secret(&name)?,
                    sealed => sealed,
                }
            }
        };
        its_own(bytes.as_ref(), wanted)?;
        bytes.ok_or_else(|| KeysError::NoEntry(wanted.to_string()))
    }

    /// Keeps a new key where the others are, and says whether the store gives it back.
    pub(super) fn keep_bytes(&self, name: String, bytes: Secret) -> Result<bool, KeysError> {
        let (seal, made) = (self.seal(), self.0.made.clone());
        let kept = self.0.thread.call(move |store| {
            let Some(file) = store.get(SEALED)? else {
                made.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
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

    /// Holds what opens the keys from here on, unless memory was wiped since `before`; whether it does.
    fn hold(&self, seal: Option<Arc<Seal>>, before: u64) -> bool {
        let mut held = self.held();
        let same = held.wiped == before;
        held.seal = seal.filter(|_| same);
        same
    }
}

/// Whether there is a key, and it is this wallet's.
fn its_own(bytes: Option<&Secret>, wanted: Address) -> Result<(), KeysError> {
    let bytes = bytes.ok_or_else(|| KeysError::NoEntry(wanted.to_string()))?;
    let is_its = LockedKey::new(bytes).is_some_and(|key| key.address() == wanted);
    if is_its { Ok(()) } else { Err(KeysError::WrongKey(wanted.to_string())) }
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
    fn a_key_the_ledger_does_not_list_outlives_every_change_of_the_passphrase() {
        let (store, keys, wallets) = home();
        let key = |keys: &Keys| keys.bytes_of(&wallets[1]).unwrap();
        let (before, listed) = (key(&keys), &wallets[..1]);
        for new in ["correct horse", "another horse", ""] {
            let new = (!new.is_empty()).then(|| secret(new));
            keys.set_passphrase_at(listed, new.as_ref(), CHEAP).unwrap();
            assert_eq!(key(&keys), before, "made by this process, listed by nobody");
        }
        let later = Keys::start(Box::new(store.clone()));
        later.set_passphrase_at(listed, Some(&secret("correct horse")), CHEAP).unwrap();
        assert_eq!(key(&later), before, "nobody could know of it: it stays where it is");
        later.set_passphrase_at(&wallets, Some(&secret("another horse")), CHEAP).unwrap();
        assert_eq!((store.names(), key(&later)), (vec![SEALED.to_owned()], before));
    }

    #[test]
    fn a_key_made_while_the_passphrase_changes_is_not_lost() {
        let (_, keys, wallets) = home();
        let other = keys.clone();
        let making = std::thread::spawn(move || (0..20).filter_map(|_| other.create().ok()).collect::<Vec<_>>());
        for n in 0..10 {
            let passphrase = secret(&format!("horse number {n}"));
            keys.set_passphrase_at(&wallets, Some(&passphrase), CHEAP).unwrap();
            if n % 3 == 0 {
                keys.set_passphrase_at(&wallets, None, CHEAP).unwrap();
            }
        }
        let made = making.join().unwrap();
        assert!(made.iter().all(|address| keys.bytes_of(address).is_ok()));
    }

    #[test]
    fn what_was_under_way_when_the_wallets_were_locked_leaves_no_key_in_memory() {
        let (store, keys, wallets) = home();
        keys.set_passphrase_at(&wallets, Some(&secret("correct horse")), CHEAP).unwrap();
        keys.forget_cached();
        let during = |work: fn(&Keys, &str)| {
            let calls = store.calls();
            store.set_fault(Some(Fault::Block));
            let (other, wallet) = (keys.clone(), wallets[0].clone());
            let working = std::thread::spawn(move || work(&other, &wallet));
            while store.calls() == calls {
                std::thread::yield_now();
            }
            keys.lock();
            store.set_fault(None);
            working.join().unwrap();
            assert_eq!(keys.guarded(), Guarded::Locked);
            assert!(keys.held().loaded.is_empty());
        };
        during(|keys, wallet| assert_eq!(keys.signer(wallet).unwrap_err(), KeysError::Locked));
        during(|keys, _| assert_eq!(keys.unlock(&secret("correct horse")), Err(KeysError::Locked)));
        keys.unlock(&secret("correct horse")).unwrap();
        during(|keys, _| drop(keys.create().unwrap()));
        keys.unlock(&secret("correct horse")).unwrap();
        during(|keys, wallet| {
            keys.set_passphrase_at(&[wallet.to_owned()], Some(&secret("another horse")), CHEAP).unwrap();
        });
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
