use super::*;
use crate::{
    keys::memory::{Fault, MemoryStore},
    sign,
};
use std::{fmt::Write as _, thread};

#[cfg(target_os = "linux")]
mod memory_scan;

fn text(text: impl Into<String>) -> Secret {
    Secret::new(text.into().into_bytes())
}

fn started() -> (MemoryStore, Keys) {
    let store = MemoryStore::new();
    (store.clone(), Keys::start(Box::new(store)))
}

#[test]
fn a_created_key_is_stored_under_its_address_and_signs() {
    let (store, keys) = started();
    let (one, two) = (keys.create().unwrap(), keys.create().unwrap());
    assert_ne!(one, two);
    let mut expected = vec![format!("wallet:{one}"), format!("wallet:{two}")];
    expected.sort();
    assert_eq!(store.names(), expected);
    let form = sign::tests::transfer_from(&one);
    let signature = sign::sign(&keys.signer(&one).unwrap(), &form).unwrap();
    let next_life = Keys::start(Box::new(store));
    assert_eq!(sign::sign(&next_life.signer(&one).unwrap(), &form).unwrap(), signature);
}

#[test]
fn a_loaded_key_needs_the_store_no_more_and_any_spelling_of_its_address_finds_it() {
    let (store, keys) = started();
    let address = keys.create().unwrap();
    store.set_fault(Some(Fault::Error(KeyStoreError::Locked)));
    for spelling in [address.clone(), address.to_lowercase()] {
        assert_eq!(keys.signer(&spelling).unwrap().address().to_string(), address);
    }
    keys.forget_cached();
    assert_eq!(keys.signer(&address).unwrap_err(), KeyStoreError::Locked.into());
    assert_eq!(keys.signer("0x12").unwrap_err(), KeysError::NotAnAddress);
}

#[test]
fn no_entry_for_a_known_wallet_is_a_fault_and_makes_nothing() {
    let (store, keys) = started();
    let address = keys.create().unwrap();
    keys.forget_cached();
    store.set_fault(Some(Fault::NoEntry));
    let error = keys.signer(&address).unwrap_err();
    assert_eq!(error, KeysError::NoEntry(address.clone()));
    assert!(error.to_string().contains("another keyring"), "{error}");
    assert_eq!(store.names(), [format!("wallet:{address}")]);
    store.set_fault(None);
    assert!(keys.signer(&address).is_ok());
}

#[test]
fn the_key_of_another_wallet_is_refused() {
    let (store, keys) = started();
    let (one, two) = (keys.create().unwrap(), keys.create().unwrap());
    let key_of_two = keys.secret(&format!("wallet:{two}")).unwrap().unwrap();
    for wrong in [key_of_two, Secret::zeros(32), Secret::zeros(31), Secret::zeros(0)] {
        store.set(&format!("wallet:{one}"), &wrong).unwrap();
        keys.forget_cached();
        assert_eq!(keys.signer(&one).unwrap_err(), KeysError::WrongKey(one.clone()));
    }
}

#[test]
fn a_store_that_loses_the_key_makes_no_wallet() {
    let (store, keys) = started();
    store.set_fault(Some(Fault::LoseWrites));
    assert_eq!(keys.create(), Err(KeysError::NotKept));
}

#[test]
fn every_fault_of_the_store_is_told_and_remembered() {
    let (store, keys) = started();
    assert_eq!(keys.state(), StoreState::Unknown);
    for (fault, state, words) in [
        (KeyStoreError::Locked, StoreState::Locked, "unlock"),
        (KeyStoreError::Absent("no bus".into()), StoreState::Absent, "no bus"),
        (KeyStoreError::NoCollection, StoreState::NoCollection, "collection"),
        (KeyStoreError::WrongPassphrase, StoreState::Faulty, "passphrase"),
    ] {
        store.set_fault(Some(Fault::Error(fault.clone())));
        for error in [keys.create().unwrap_err(), keys.secret("x").unwrap_err(), keys.delete("x").unwrap_err()] {
            assert_eq!(error, fault.clone().into());
            assert!(error.to_string().contains(words), "{error}");
        }
        assert_eq!(keys.state(), state);
    }
    store.set_fault(None);
    keys.create().unwrap();
    assert_eq!(keys.state(), StoreState::Available);
}

#[test]
fn a_store_that_blocks_is_waited_for_no_longer_than_the_limit_and_nothing_is_begun_late() {
    let store = MemoryStore::new();
    let keys = Keys::start_with_limit(Box::new(store.clone()), Duration::from_millis(50));
    store.set_fault(Some(Fault::Block));
    let error = keys.secret("x").unwrap_err();
    assert_eq!(error, KeysError::Slow(Duration::from_millis(50)));
    assert!(error.to_string().contains("unlock your keyring"), "{error}");
    // Queued behind the first call; given up before it began.
    assert!(matches!(keys.set("late", text("v")), Err(KeysError::Slow(_))));
    assert_eq!((keys.state(), store.calls()), (StoreState::Locked, 1));
    store.set_fault(None);
    // The queue is in order: once this is answered, the abandoned call was passed over.
    while matches!(keys.secret("x"), Err(KeysError::Slow(_))) {}
    assert_eq!(keys.secret("late"), Ok(None));
    assert_eq!(keys.state(), StoreState::Available);
}

#[test]
fn a_store_that_panics_is_an_error_and_the_next_call_works() {
    let (store, keys) = started();
    store.set_fault(Some(Fault::Panic));
    assert!(matches!(keys.create(), Err(KeysError::Store(KeyStoreError::Failed(_)))));
    assert_eq!(keys.state(), StoreState::Faulty);
    store.set_fault(None);
    assert!(keys.create().is_ok());
}

#[test]
fn only_64_hex_digits_are_imported() {
    let (store, keys) = started();
    let digits = format!("{:064x}", 0xC0FFEE_u64);
    let address = keys.import(&text(&digits)).unwrap();
    for same in [format!("0x{digits}"), format!("0X{digits}"), format!(" \t{digits}\r\n"), digits.to_uppercase()] {
        assert_eq!(keys.import(&text(same)).unwrap(), address);
    }
    assert_eq!(store.names().len(), 1);
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let last = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
    for bad in [
        String::new(),
        "0x".into(),
        digits[1..].into(),
        format!("{digits}0"),
        format!("0x0x{}", &digits[2..]),
        digits.replace("c0", "c "),
        digits.replace("c0", "g0"),
        format!("0x{}", &digits[2..]),
        "0".repeat(64),
        order.into(),
        "f".repeat(64),
    ] {
        let error = keys.import(&text(&bad)).unwrap_err();
        assert!(matches!(error, KeysError::NotAKey(_)), "{bad}: {error}");
        assert!(bad.len() < 3 || !format!("{error} {error:?}").contains(&bad), "{error}");
    }
    assert_eq!(store.names().len(), 1);
    assert_ne!(keys.import(&text(last)).unwrap(), address);
}

#[test]
fn many_threads_share_one_key() {
    let (store, keys) = started();
    let address = keys.create().unwrap();
    keys.forget_cached();
    let form = sign::tests::transfer_from(&address);
    let signatures: Vec<_> = thread::scope(|scope| {
        let sign_one = || sign::sign(&keys.clone().signer(&address).unwrap(), &form).unwrap();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(sign_one)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(signatures.iter().all(|s| *s == signatures[0]));
    let calls = store.calls();
    keys.signer(&address).unwrap();
    assert_eq!(store.calls(), calls, "it is loaded once and for all");
}

#[test]
fn the_store_is_dropped_with_the_last_handle() {
    struct Told(std::sync::mpsc::Sender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.send(()).ok();
        }
    }
    impl KeyStore for Told {
        fn get(&self, _: &str) -> Result<Option<Secret>, KeyStoreError> {
            Ok(None)
        }
        fn set(&self, _: &str, _: &Secret) -> Result<(), KeyStoreError> {
            Ok(())
        }
        fn delete(&self, _: &str) -> Result<(), KeyStoreError> {
            Ok(())
        }
        fn kind(&self) -> &'static str {
            "told"
        }
    }
    let (tell, told) = std::sync::mpsc::channel();
    let keys = Keys::start(Box::new(Told(tell)));
    let second = keys.clone();
    drop(keys);
    assert_eq!(second.secret("x"), Ok(None));
    drop(second);
    told.recv_timeout(Duration::from_secs(20)).unwrap();
}

#[test]
fn no_text_of_ours_contains_a_key() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let key: [u8; 32] = std::array::from_fn(|i| (i * 5 + 17) as u8);
    let digits = alloy_primitives::hex::encode(key);
    let mut said = String::new();
    tracing::subscriber::with_default(subscriber, || {
        tracing::trace!("the log is open");
        let (store, keys) = started();
        let address = keys.import(&text(&digits)).unwrap();
        let signer = keys.signer(&address).unwrap();
        write!(said, "{signer:?} {:?}", keys.secret(&format!("wallet:{address}"))).unwrap();
        for fault in [Fault::NoEntry, Fault::LoseWrites, Fault::Panic, Fault::Error(KeyStoreError::Locked)] {
            keys.forget_cached();
            store.set_fault(Some(fault));
            for error in [
                keys.signer(&address).err(),
                keys.import(&text(&digits)).err(),
                keys.set("x", Secret::copy_of(&key)).err(),
            ] {
                write!(said, "{error:?} {}", error.as_ref().map(ToString::to_string).unwrap_or_default()).unwrap();
            }
        }
        for bad in [format!("{digits}00"), digits.replace('a', "x"), digits[..63].into()] {
            let error = keys.import(&text(bad)).unwrap_err();
            write!(said, "{error:?} {error}").unwrap();
        }
        let wrong =
            sign::sign(&signer, &sign::tests::transfer_from("0x209693Bc6afc0C5328bA36FaF03C514EF312287C")).unwrap_err();
        write!(said, "{wrong:?} {wrong}").unwrap();
    });
    said.push_str(&String::from_utf8(log.0.lock().unwrap().clone()).unwrap());
    assert!(said.contains("the log is open") && said.contains("Signer(0x"));
    let decimal = key.map(|b| b.to_string());
    for needle in [&digits[..12], &digits[40..52], &decimal[..4].join(", "), &decimal[20..24].join(", ")] {
        assert!(!said.to_lowercase().contains(needle), "{needle} in {said}");
    }
}
