//! Faults a test may switch on in the whole program, by the variable `COUNTERSIGN_FAULT`. Not in any build that people get.

use countersign_vault::{
    Fail, Faults,
    keys::{KeyStore, KeyStoreError, Secret},
};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// The fault a test may switch on in the whole program: `sign_before_commit`, the wrong order, which the kill loop must catch;
/// or `full_while=FILE`, a disk that is full as long as that file exists.
pub fn of_the_test() -> Option<Arc<Faults>> {
    let fault = std::env::var("COUNTERSIGN_FAULT").ok()?;
    let faults = Arc::new(Faults::default());
    match fault.split_once('=') {
        None if fault == "sign_before_commit" => faults.answer_before_commit(),
        Some(("full_while", file)) => {
            let (file, plan) = (PathBuf::from(file), faults.clone());
            std::thread::spawn(move || {
                let mut full = false;
                loop {
                    match (file.exists(), full) {
                        (true, false) => plan.fail(Fail::Full, 1, true),
                        (false, true) => plan.heal(),
                        _ => {}
                    }
                    full = file.exists();
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        }
        _ => return None,
    }
    Some(faults)
}

/// A key store that breaks down with a wallet's key in hand, where the test says so.
pub struct Breaking(pub Box<dyn KeyStore>);

impl KeyStore for Breaking {
    fn get(&self, name: &str) -> Result<Option<Secret>, KeyStoreError> {
        let held = self.0.get(name);
        assert!(
            !name.starts_with("wallet:") || std::env::var("COUNTERSIGN_FAULT").as_deref() != Ok("key_store_panics"),
            "told to break down with {held:?}"
        );
        held
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), KeyStoreError> {
        self.0.set(name, value)
    }

    fn delete(&self, name: &str) -> Result<(), KeyStoreError> {
        self.0.delete(name)
    }

    fn kind(&self) -> &'static str {
        self.0.kind()
    }
}
