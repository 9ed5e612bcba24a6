//! The room over a real ledger: what each sitting may do, and that nothing is kept before its words were said back.

use super::{super::view::tests::check as current, *};
use countersign_core::{Millis, policy::Policy, registry::Registry};
use countersign_vault::{
    ManualClock, Open,
    keys::{
        Guarded, KeyStoreError, Keys, Merchant,
        memory::{Fault, MemoryStore},
    },
};
use std::sync::Arc;

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const PHRASE: &str = "test test test test test test test test test test test junk";

struct Home {
    dir: tempfile::TempDir,
    vault: Vault,
    room: Room,
    store: MemoryStore,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Millis(1_795_000_000_000)));
    let policy = Policy::preset("everyday", "USD").unwrap();
    let store = MemoryStore::new();
    let keys = Keys::start(Box::new(store.clone()));
    let open = Open::new(dir.path().join("data"), clock, keys, Arc::new(Registry::builtin("USD")), policy);
    let vault = Vault::open(Open { min_free_bytes: 0, ..open }).unwrap();
    Home { dir, room: Room::new(vault.clone()), vault, store }
}

fn typed(text: &str) -> Typed {
    Typed(Secret::copy_of(text.as_bytes()))
}

impl Home {
    fn begin(&self, task: SecretTask) -> Told<u64> {
        self.room.sitting().into_iter().for_each(|number| self.room.end(number));
        self.room.begin(task)
    }

    async fn step(&self, step: SecretStep) -> Told<SecretDone> {
        self.room.step(step, self.dir.path()).await
    }

    async fn import(&self, key: &str) -> Told<SecretDone> {
        self.begin(SecretTask::Import).unwrap();
        self.step(SecretStep::ImportKey { label: "main".into(), key: typed(key) }).await
    }

    async fn passphrase(&self, old: &str, new: &str, again: &str) -> Told<SecretDone> {
        self.begin(SecretTask::Passphrase).unwrap();
        self.step(SecretStep::Passphrase { old: typed(old), new: typed(new), again: typed(again) }).await
    }
}

#[tokio::test]
async fn a_new_wallet_is_kept_only_once_its_words_were_said_back() {
    let home = home();
    home.begin(SecretTask::Create).unwrap();
    assert_eq!(home.step(SecretStep::Written).await, Err(SecretError::NotNow), "no words were shown");
    let Ok(SecretDone::Words { words }) = home.step(SecretStep::Words).await else { panic!("no words") };
    assert_eq!(words.len(), 12);
    let check = |words: Vec<Typed>| SecretStep::Check { label: " savings\u{202e} ".into(), words };
    let early = words.iter().take(3).map(|word| typed(word)).collect();
    assert_eq!(home.step(check(early)).await, Err(SecretError::NotNow), "nobody was asked yet");
    let Ok(SecretDone::Places { places }) = home.step(SecretStep::Written).await else { panic!("no places") };
    assert!(places.len() == 3 && places.is_sorted() && places.iter().all(|n| (1..=12).contains(n)), "{places:?}");
    let said = |n: &u32| words[usize::try_from(*n).unwrap() - 1].clone();
    let wrong = places.iter().map(|n| typed(&format!("{}x", said(n)))).collect();
    assert_eq!(home.step(check(wrong)).await, Err(SecretError::WrongWords));
    let few = places.iter().take(2).map(|n| typed(&said(n))).collect();
    assert_eq!(home.step(check(few)).await, Err(SecretError::WrongWords));
    assert!(home.vault.wallets().is_empty());
    let right = || places.iter().map(|n| typed(&said(n).to_uppercase())).collect();
    home.store.set_fault(Some(Fault::Error(KeyStoreError::Locked)));
    assert!(home.step(check(right())).await.is_err());
    home.store.set_fault(None);
    let made = home.step(check(right())).await.expect("what was written down is still good");
    let address = home.vault.wallets()[0].address.clone();
    assert_eq!(made, SecretDone::Made { label: "savings".into(), address: address.clone() });
    assert_eq!(home.step(check(right())).await, Err(SecretError::NotNow), "the words are forgotten");
    // The words alone bring the wallet back elsewhere.
    let other = self::home();
    other.begin(SecretTask::Import).unwrap();
    let phrase = typed(&words.join(" "));
    let again = other.step(SecretStep::ImportPhrase { label: String::new(), phrase }).await.unwrap();
    assert_eq!(again, SecretDone::Made { label: "main".into(), address });
}

#[tokio::test]
async fn a_key_a_phrase_and_a_file_are_the_same_wallet_and_nonsense_is_none() {
    let home = home();
    let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_eq!(home.import("0x12").await, Err(SecretError::NotAKey));
    let made = home.import(KEY).await.unwrap();
    assert_eq!(made, SecretDone::Made { label: "main".into(), address: address.into() });
    assert_eq!(home.import(KEY).await, Err(SecretError::Exists));
    let phrase = |text: &str| SecretStep::ImportPhrase { label: "x".into(), phrase: typed(text) };
    assert_eq!(home.step(phrase(PHRASE)).await, Err(SecretError::Exists));
    assert_eq!(home.step(phrase("test test")).await, Err(SecretError::NotAPhrase));
    let file = |text: &str, pass: &str| SecretStep::ImportFile {
        label: "x".into(),
        file: typed(text),
        passphrase: typed(pass),
    };
    assert_eq!(home.step(file("{}", "x")).await, Err(SecretError::NotAFile));

    home.begin(SecretTask::Export { address: address.into() }).unwrap();
    let export = |new: &str, again: &str| SecretStep::Export { old: typed(""), new: typed(new), again: typed(again) };
    assert_eq!(home.step(export("for the drawer", "for the draw")).await, Err(SecretError::NotSame));
    assert_eq!(home.step(export("short", "short")).await, Err(SecretError::TooShort));
    let Ok(SecretDone::Saved { path }) = home.step(export("for the drawer", "for the drawer")).await else {
        panic!("no file")
    };
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&KEY[2..]), "only the encrypted key");
    let other = self::home();
    other.begin(SecretTask::Import).unwrap();
    assert_eq!(other.step(file(&text, "for the draw")).await, Err(SecretError::WrongPassphrase));
    let back = other.step(file(&text, "for the drawer")).await.unwrap();
    assert_eq!(back, SecretDone::Made { label: "x".into(), address: address.into() });
}

#[tokio::test]
async fn a_passphrase_is_set_locks_opens_and_goes_and_a_wallet_goes_by_its_address() {
    let home = home();
    home.import(KEY).await.unwrap();
    let address = home.vault.wallets()[0].address.clone();
    assert_eq!(home.passphrase("", "too short", "too short").await, Err(SecretError::TooShort));
    assert_eq!(home.passphrase("", "correct horse", "correct horse").await, Ok(SecretDone::Done));
    assert_eq!(home.passphrase("wrong", "another horse", "another horse").await, Err(SecretError::WrongPassphrase));
    home.vault.lock_wallets();
    home.begin(SecretTask::Create).unwrap();
    assert_eq!(home.step(SecretStep::Words).await, Err(SecretError::Locked), "before anybody writes them down");
    home.begin(SecretTask::Remove { address: address.clone() }).unwrap();
    let remove = |text: &str| SecretStep::Remove { typed: text.to_owned() };
    assert_eq!(home.step(remove(&address)).await, Err(SecretError::Locked));
    home.begin(SecretTask::Unlock).unwrap();
    assert_eq!(home.room.view(Language::English).await.unwrap().guarded, GuardedBy::Locked);
    let unlock = |text: &str| SecretStep::Unlock { passphrase: typed(text) };
    assert_eq!(home.step(unlock("wrong")).await, Err(SecretError::WrongPassphrase));
    assert_eq!(home.step(unlock("correct horse")).await, Ok(SecretDone::Done));
    assert_eq!(home.passphrase("correct horse", "", "").await, Err(SecretError::TooShort), "Enter in an empty form");
    assert_eq!(home.vault.guarded(), Guarded::Open);
    assert_eq!(home.step(SecretStep::PassphraseAway { old: typed("wrong") }).await, Err(SecretError::WrongPassphrase));
    assert_eq!(home.step(SecretStep::PassphraseAway { old: typed("correct horse") }).await, Ok(SecretDone::Done));
    assert_eq!(home.vault.guarded(), Guarded::No);
    home.begin(SecretTask::Remove { address: address.clone() }).unwrap();
    assert_eq!(home.step(remove("0x12")).await, Err(SecretError::NotTyped));
    assert_eq!(home.step(remove(&format!(" {} ", address.to_lowercase()))).await, Ok(SecretDone::Done));
    assert!(home.vault.wallets().is_empty());
}

#[tokio::test]
async fn a_sitting_does_what_it_was_opened_for_and_nothing_after_its_end() {
    let home = home();
    assert_eq!(home.step(SecretStep::Words).await, Err(SecretError::NotNow));
    home.begin(SecretTask::Unlock).unwrap();
    assert_eq!(home.step(SecretStep::Words).await, Err(SecretError::NotNow));
    let key = SecretStep::ImportKey { label: "x".into(), key: typed(KEY) };
    assert_eq!(home.step(key).await, Err(SecretError::NotNow));
    assert_eq!(home.begin(SecretTask::Export { address: "0x0".into() }), Err(SecretError::NotNow));
    let first = home.begin(SecretTask::Import).unwrap();
    assert_eq!(home.room.begin(SecretTask::Unlock), Ok(first), "the one that is open stays");
    assert_eq!(home.room.view(Language::English).await.map(|view| view.task), Ok(SecretTask::Import));
    let second = home.begin(SecretTask::Unlock).unwrap();
    home.room.end(first);
    assert_eq!(home.room.sitting(), Some(second), "a window that goes late ends only its own");
    home.room.end(second);
    assert_eq!(home.room.view(Language::English).await, Err(SecretError::NotNow));
}

/// A public key, as Alipay's console shows one.
async fn alipays_key() -> String {
    let merchant = Merchant {
        app_id: "2021000000000009".into(),
        gateway: setup::SANDBOX.into(),
        sandbox: true,
        alipay_key: String::new(),
        public_key: String::new(),
        return_url: None,
        notify_url: None,
    };
    home().vault.set_merchant(merchant, None).await.unwrap().public_key
}

fn said(app_id: &str, alipay_key: &str) -> setup::MerchantSetup {
    setup::MerchantSetup {
        app_id: app_id.into(),
        gateway: "sandbox".into(),
        alipay_key: alipay_key.into(),
        return_url: Some("https://shop.example/thanks".into()),
        notify_url: None,
    }
}

#[tokio::test]
async fn a_merchant_is_set_up_with_a_key_of_its_own_or_one_that_is_made_and_nonsense_makes_none() {
    let home = home();
    let alipay = alipays_key().await;
    let fresh = |said: setup::MerchantSetup| SecretStep::MerchantFresh { said };
    home.begin(SecretTask::Import).unwrap();
    assert_eq!(home.step(fresh(said("2021000000000001", &alipay))).await, Err(SecretError::NotNow));
    home.begin(SecretTask::Merchant).unwrap();
    assert_eq!(home.step(fresh(said("app", &alipay))).await, Err(SecretError::NotAnApp));
    assert_eq!(home.step(fresh(said("2021000000000001", "AAAA"))).await, Err(SecretError::NotAlipaysKey));
    let elsewhere =
        setup::MerchantSetup { gateway: "http://alipay.example".into(), ..said("2021000000000001", &alipay) };
    assert_eq!(home.step(fresh(elsewhere)).await, Err(SecretError::NotAGateway));
    let astray = setup::MerchantSetup { return_url: Some("ftp://shop".into()), ..said("2021000000000001", &alipay) };
    assert_eq!(home.step(fresh(astray)).await, Err(SecretError::NotAnAddress));
    let own = |key: &str| SecretStep::Merchant { said: said("2021000000000001", &alipay), key: typed(key) };
    for nonsense in ["", "AAAA", &alipay] {
        assert_eq!(home.step(own(nonsense)).await, Err(SecretError::NotAnRsaKey));
    }
    assert_eq!(home.vault.merchant().await, Ok(None));

    let done = SecretDone::Merchant { app_id: "2021000000000001".into() };
    assert_eq!(home.step(fresh(said("2021000000000001", &alipay))).await, Ok(done));
    let made = home.vault.merchant().await.unwrap().unwrap();
    assert!(made.sandbox && made.public_key != alipay && made.return_url.is_some(), "{made:?}");
    assert!(crate::alipay::check::keys(&home.vault).await.is_ok());
    let view = home.room.view(Language::English).await.unwrap();
    assert_eq!((view.task, view.merchant.as_deref()), (SecretTask::Merchant, Some("2021000000000001")));
    let shown = format!("{:?}", own("canary"));
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn what_is_typed_prints_nothing_of_itself() {
    let step: SecretStep = serde_json::from_value(serde_json::json!({
        "step": "import_file", "label": "x", "file": "canary-1", "passphrase": "canary-2",
    }))
    .unwrap();
    assert!(!format!("{step:?}").contains("canary"));
    let more = serde_json::json!({"step": "unlock", "passphrase": "x", "more": 1});
    assert!(serde_json::from_value::<SecretStep>(more).is_err());
}

#[test]
fn the_bindings_are_current() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/ipc/bindings");
    let mut stale = Vec::new();
    current::<setup::MerchantSetup>(&dir, &mut stale);
    current::<SecretTask>(&dir, &mut stale);
    current::<SecretView>(&dir, &mut stale);
    current::<GuardedBy>(&dir, &mut stale);
    current::<SecretStep>(&dir, &mut stale);
    current::<SecretDone>(&dir, &mut stale);
    current::<SecretError>(&dir, &mut stale);
    assert!(stale.is_empty(), "run the test once with UPDATE_BINDINGS=1 for: {stale:#?}");
}
