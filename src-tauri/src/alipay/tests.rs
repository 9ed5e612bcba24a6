//! The merchant where the key store does not tell it at once.

use countersign_core::{Millis, policy::Policy, registry::Registry};
use countersign_desk::{
    problem::Code,
    wire::{Wire, WireLimits},
};
use countersign_vault::{
    ManualClock, Open, Vault,
    keys::{
        KeyStoreError, Keys, Merchant,
        memory::{Fault, MemoryStore},
    },
};
use std::{sync::Arc, time::Duration};

use super::{Alipay, Tool, setup};

const QUERY: &str = r#"{"outTradeNo":"P1"}"#;

async fn locked() -> (tempfile::TempDir, MemoryStore, Arc<Alipay>) {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Millis(1_795_000_000_000)));
    let store = MemoryStore::new();
    let keys = Keys::start(Box::new(store.clone()));
    let policy = Policy::preset("everyday", "USD").unwrap();
    let open = Open::new(dir.path().join("data"), clock.clone(), keys, Arc::new(Registry::builtin("USD")), policy);
    let vault = Vault::open(Open { min_free_bytes: 0, ..open }).unwrap();
    let merchant = |alipay_key| Merchant {
        app_id: "2021000000000001".into(),
        gateway: setup::SANDBOX.into(),
        sandbox: true,
        alipay_key,
        public_key: String::new(),
        return_url: None,
        notify_url: None,
    };
    let made = vault.set_merchant(merchant(String::new()), None).await.unwrap();
    vault.set_merchant(merchant(made.public_key), None).await.unwrap();
    store.set_fault(Some(Fault::Error(KeyStoreError::Locked)));
    let wire = Wire::new([], WireLimits { max_response_bytes: 1024, timeout: Duration::from_secs(1) }).unwrap();
    let alipay = Alipay::open(vault, &wire, clock).await;
    (dir, store, alipay)
}

#[tokio::test]
async fn a_merchant_behind_a_locked_key_store_is_there_once_the_store_is_unlocked() {
    let (_dir, store, alipay) = locked().await;
    assert!(!alipay.is_set_up());
    #[cfg(feature = "gui")]
    assert!(alipay.merchant().is_err_and(|why| why.code == Code::Locked), "not none");
    store.set_fault(None);
    alipay.knock().await;
    assert!(alipay.is_set_up());
}

#[tokio::test]
async fn whoever_asks_meanwhile_hears_that_it_is_locked_and_the_store_is_not_tried_each_time() {
    let (_dir, store, alipay) = locked().await;
    let told = alipay.look_up(Tool::QueryPayment, QUERY).await.unwrap_err();
    assert_eq!(told.code, Code::Locked, "not that there is none: {}", told.detail);
    let tried = store.calls();
    for _ in 0..5 {
        assert_eq!(alipay.look_up(Tool::QueryPayment, QUERY).await.unwrap_err().code, Code::Locked);
    }
    assert_eq!(store.calls(), tried, "a keyring may open a prompt each time");
    store.set_fault(None);
    alipay.load().await.unwrap();
    assert!(alipay.is_set_up());
}
