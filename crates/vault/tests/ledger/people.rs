//! Agents, tokens, wallets, and the policy they live under.

use countersign_core::{
    asset::Network,
    policy::Policy,
    signable::alipay::{About, Question},
};
use countersign_vault::{
    Admitted, Confirm, Health, Open, PayerFor, Set, SetBy, SignError, Vault, VaultError,
    keys::{Guarded, KeyStoreError, KeysError, Merchant, Secret, memory::Fault},
};

use crate::support::{Home, POLICY, policy, wait};

fn text(token: &Secret) -> String {
    String::from_utf8(token.expose().to_vec()).unwrap()
}

#[test]
fn a_token_is_its_agent_until_it_dies() {
    const DAY: i64 = 86_400_000;
    let home = Home::new();
    let vault = home.open();
    let name: countersign_core::payment::AgentName = "a".parse().unwrap();
    let token = text(&wait(vault.add_agent(&name, false, SetBy::Person)).unwrap());
    assert_eq!(vault.authenticate(&token), Some(name.clone()));
    for bad in ["", "cs1_", &token[..token.len() - 1], &format!("{token}0"), &token.replace("cs1", "cs2")] {
        assert_eq!(vault.authenticate(bad), None, "{bad}");
    }
    assert!(wait(vault.add_agent(&name, false, SetBy::Person)).is_err(), "one life at a time");
    for _ in 0..5 {
        home.clock.advance_ms(29 * DAY);
        assert_eq!(vault.authenticate(&token), Some(name.clone()));
    }
    drop(vault);
    let vault = home.open();
    home.clock.advance_ms(29 * DAY);
    assert_eq!(vault.authenticate(&token), Some(name.clone()), "its last use outlives the process");
    home.clock.advance_ms(7 * DAY);
    assert_eq!(vault.authenticate(&token), None, "180 days are over");
    wait(vault.revoke_agent(&name)).unwrap();
    let token = text(&wait(vault.add_agent(&name, false, SetBy::Person)).unwrap());
    home.clock.advance_ms(30 * DAY + 1);
    assert_eq!(vault.authenticate(&token), None, "idle for 30 days");
    wait(vault.revoke_agent(&name)).unwrap();
    assert_eq!(wait(vault.revoke_agent(&name)), Err(VaultError::NotFound));
}

#[test]
fn a_revoked_token_is_nobodys_at_once() {
    let home = Home::new();
    let vault = home.open();
    let token = text(&wait(vault.add_agent(&"a".parse().unwrap(), false, SetBy::Person)).unwrap());
    wait(vault.revoke_agent(&"a".parse().unwrap())).unwrap();
    assert_eq!(vault.authenticate(&token), None);
    assert!(wait(vault.list_agents()).unwrap()[0].revoked_at.is_some());
}

#[test]
fn an_agent_that_is_asked_about_everything_gets_nothing_by_itself() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    wait(shop.vault.add_agent(&"careful".parse().unwrap(), true, SetBy::Person)).unwrap();
    assert!(matches!(shop.admit("a", "k1", "10000"), Admitted::Reserved(_)));
    assert!(matches!(shop.admit("careful", "k1", "10000"), Admitted::Waiting(_)));
    assert!(matches!(shop.admit("stranger", "k1", "10000"), Admitted::Waiting(_)), "nobody paired it");
}

#[test]
fn the_agents_own_wallet_pays_before_everybodys() {
    let home = Home::new();
    let vault = home.open();
    let one = wait(vault.create_wallet("one")).unwrap();
    let two = wait(vault.create_wallet("two")).unwrap();
    let key = Secret::new(b"0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d".to_vec());
    let three = wait(vault.import_wallet(key, "three")).unwrap();
    assert_eq!(three.address, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    assert!(one.default && !two.default && !three.default);
    let (base, celo) = (Network::eip155(8453), Network::eip155(42220));
    let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
    wait(vault.set_payer(PayerFor { agent: Some("a".parse().unwrap()), network: None }, &two.address)).unwrap();
    wait(vault.set_payer(PayerFor { agent: None, network: Some(celo.clone()) }, &three.address)).unwrap();
    assert_eq!(vault.payer(&a, &base), Some(two.address.clone()));
    assert_eq!(vault.payer(&a, &celo), Some(two.address.clone()));
    assert_eq!(vault.payer(&b, &base), Some(one.address.clone()));
    assert_eq!(vault.payer(&b, &celo), Some(three.address.clone()));
    assert!(vault.wallets_of(&a).is_ours(&three.address.to_lowercase()));
    let nobody = wait(vault.set_payer(PayerFor::default(), "0x0000000000000000000000000000000000000001"));
    assert_eq!(nobody, Err(VaultError::NotFound));
}

#[test]
fn a_missing_key_gives_no_signature_and_the_hold_back() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    shop.vault.lock();
    assert_eq!(shop.vault.health(), Health::Locked);
    assert!(matches!(wait(shop.vault.admit(shop.request("a", "k1", "10000"))), Err(VaultError::Locked)));
    wait(shop.vault.unlock()).unwrap();
    let held = shop.reserved("a", "k1", "10000");
    let id = held.record().id.clone();
    shop.vault.lock();
    assert!(matches!(shop.vault.sign(held), Err(SignError::Locked)));
    wait(shop.vault.unlock()).unwrap();
    let held = shop.reserved("a", "k2", "10000");
    assert_eq!(shop.record(&id).status, countersign_core::status::Status::Released);
    shop.vault.lock();
    wait(shop.vault.unlock()).unwrap();
    home.store.set_fault(Some(countersign_vault::keys::memory::Fault::NoEntry));
    assert!(matches!(shop.vault.sign(held), Err(SignError::NoKey(_))));
    home.store.set_fault(None);
}

fn asks(vault: &Vault, home: &Home, key: &str) -> Option<String> {
    let shop = home.shop(vault.clone(), &[]);
    match shop.admit("a", key, "10000") {
        Admitted::Waiting(w) => {
            wait(vault.end_waiting(&w.record.id, countersign_core::status::Event::Cancelled, "agent")).unwrap();
            Some(w.record.decision.rule.clone())
        }
        Admitted::Reserved(_) => None,
        other => panic!("{other:?}"),
    }
}

fn looser() -> Policy {
    policy(&POLICY.replace("max_amount = \"1.00\"", "max_amount = \"2.00\""))
}

#[test]
fn a_loosening_by_command_waits_for_a_person_and_a_tightening_does_not() {
    let home = Home::new();
    let vault = home.open_for(&["a"]).vault;
    let tighter = policy(&POLICY.replace("max_amount = \"1.00\"", "max_amount = \"0.90\""));
    assert_eq!(wait(vault.set_policy(tighter.clone(), SetBy::Command)).unwrap(), Set::InForce);
    assert_eq!(wait(vault.set_policy(tighter, SetBy::Command)).unwrap(), Set::Same);
    assert_eq!(asks(&vault, &home, "k1"), None);
    assert!(matches!(wait(vault.set_policy(looser(), SetBy::Command)).unwrap(), Set::Unconfirmed(_)));
    assert_eq!(asks(&vault, &home, "k2").as_deref(), Some("builtin:policy-unconfirmed"));
    wait(vault.clone().shutdown());
    drop(vault);
    let desktop = home.open();
    assert_eq!(asks(&desktop, &home, "k3").as_deref(), Some("builtin:policy-unconfirmed"));
    wait(desktop.confirm(Confirm::Policy)).unwrap();
    assert_eq!(asks(&desktop, &home, "k4"), None);
    assert_eq!(wait(desktop.policy_versions()).unwrap().len(), 3);
    drop(desktop);
    assert_eq!(asks(&home.open(), &home, "k5"), None, "confirmed for good");
}

#[test]
fn a_command_that_goes_back_to_the_confirmed_policy_needs_nobody() {
    let home = Home::new();
    let vault = home.open_for(&["a"]).vault;
    let confirmed = policy(POLICY);
    let other = policy(&POLICY.replace("0.10", "0.05").replace("1.00", "2.00"));
    assert!(matches!(wait(vault.set_policy(other.clone(), SetBy::Command)).unwrap(), Set::Unconfirmed(_)));
    assert!(vault.doubts().policy.is_some());
    assert_eq!(wait(vault.set_policy(confirmed.clone(), SetBy::Command)).unwrap(), Set::InForce);
    assert_eq!((vault.doubts().policy.clone(), asks(&vault, &home, "k1")), (None, None));
    // A tightening is what is confirmed from then on: going back loosens it.
    let tighter = policy(&POLICY.replace("1.00", "0.90"));
    assert_eq!(wait(vault.set_policy(tighter, SetBy::Command)).unwrap(), Set::InForce);
    assert!(matches!(wait(vault.set_policy(confirmed, SetBy::Command)).unwrap(), Set::Unconfirmed(_)));
    assert_eq!(asks(&vault, &home, "k2").as_deref(), Some("builtin:policy-unconfirmed"));
}

#[test]
fn serve_accepts_what_a_command_loosened_while_stopped_and_says_so() {
    let home = Home::new();
    let vault = home.open_for(&["a"]).vault;
    wait(vault.set_policy(looser(), SetBy::Command)).unwrap();
    wait(vault.add_agent(&"b".parse().unwrap(), false, SetBy::Command)).unwrap();
    drop(vault);
    let serve = || Vault::open(Open { accept_unconfirmed: true, ..home.settings() }).unwrap();
    let vault = serve();
    assert!(vault.policy_changed());
    assert_eq!(asks(&vault, &home, "k1"), None);
    drop(vault);
    let vault = serve();
    assert!(!vault.policy_changed(), "said once");
    let changed = Open { config_text: "rates = 1000".into(), accept_unconfirmed: true, ..home.settings() };
    drop(vault);
    let vault = Vault::open(changed).unwrap();
    assert_eq!(
        asks(&vault, &home, "k2").as_deref(),
        Some("builtin:policy-unconfirmed"),
        "a file edited by hand is nobody's command"
    );
}

#[test]
fn with_a_passphrase_a_new_process_pays_nothing_until_it_is_typed() {
    let home = Home::new();
    let secret = |text: &str| Secret::copy_of(text.as_bytes());
    let shop = home.open_for(&["a"]);
    wait(shop.vault.set_passphrase(secret(""), Some(secret("correct horse")))).unwrap();
    assert_eq!(shop.vault.health(), Health::Ok);
    drop(shop);

    let shop = home.shop(home.open(), &[]);
    assert_eq!((shop.vault.guarded(), shop.vault.health()), (Guarded::Locked, Health::Locked));
    let Admitted::Reserved(reservation) = shop.admit("a", "k1", "10000") else { panic!("not reserved") };
    assert!(!shop.vault.has_keys_of(&reservation));
    assert_eq!(shop.vault.sign(*reservation).err(), Some(SignError::Locked));
    assert_eq!(wait(shop.vault.create_wallet("more")), Err(VaultError::Locked));
    assert_eq!(wait(shop.vault.remove_wallet(&shop.wallet)), Err(VaultError::Locked));
    assert_eq!(wait(shop.vault.unlock_wallets(secret("wrong horse"))), Err(KeysError::WrongPassphrase));
    assert_eq!(wait(shop.vault.set_passphrase(secret("wrong horse"), None)), Err(KeysError::WrongPassphrase));
    let under = secret("for the drawer");
    assert!(wait(shop.vault.export_wallet(&shop.wallet, secret("wrong horse"), under)).is_err());
    wait(shop.vault.unlock_wallets(secret("correct horse"))).unwrap();
    assert_eq!(shop.vault.health(), Health::Ok);
    let Admitted::Reserved(reservation) = shop.admit("a", "k2", "10000") else { panic!("not reserved") };
    shop.vault.sign(*reservation).unwrap();
    shop.vault.lock_wallets();
    assert_eq!(shop.vault.health(), Health::Locked);
    wait(shop.vault.set_passphrase(secret("correct horse"), None)).unwrap();
    assert_eq!((shop.vault.guarded(), shop.vault.health()), (Guarded::No, Health::Ok));
}

#[test]
fn wallets_that_nobody_used_for_so_long_are_locked_and_those_without_a_passphrase_are_not() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let secret = |text: &str| Secret::copy_of(text.as_bytes());
    let minutes = |n: i64| home.clock.advance_ms(n * 60_000);
    minutes(60);
    assert!(!shop.vault.lock_idle_wallets(5), "nothing would open them again");
    wait(shop.vault.set_passphrase(secret(""), Some(secret("correct horse")))).unwrap();
    minutes(4);
    assert!(!shop.vault.lock_idle_wallets(5));
    shop.paid("a", "k1", "10000");
    minutes(4);
    assert!(!shop.vault.lock_idle_wallets(5), "it paid meanwhile");
    minutes(1);
    assert!(shop.vault.lock_idle_wallets(5));
    assert_eq!((shop.vault.guarded(), shop.vault.health()), (Guarded::Locked, Health::Locked));
    assert!(!shop.vault.lock_idle_wallets(5), "they are locked already");
    wait(shop.vault.unlock_wallets(secret("correct horse"))).unwrap();
    assert!(!shop.vault.lock_idle_wallets(5), "unlocking them is a use");
}

#[test]
fn asking_alipay_keeps_no_wallet_from_locking() {
    let home = Home::new();
    let shop = home.open_for(&[]);
    let secret = |text: &str| Secret::copy_of(text.as_bytes());
    let merchant = Merchant {
        app_id: "2021000000000001".into(),
        gateway: "https://openapi.alipay.com/gateway.do".into(),
        sandbox: false,
        alipay_key: String::new(),
        public_key: String::new(),
        return_url: None,
        notify_url: None,
    };
    let app_id = wait(shop.vault.set_merchant(merchant, None)).unwrap().app_id;
    wait(shop.vault.set_passphrase(secret(""), Some(secret("correct horse")))).unwrap();
    home.clock.advance_ms(240_000);
    let question = Question { app_id, at: 0, about: About::Trade { out_trade_no: "A1".into() } };
    assert!(wait(shop.vault.sign_question(question)).is_ok() && wait(shop.vault.merchant()).unwrap().is_some());
    home.clock.advance_ms(60_000);
    assert!(shop.vault.lock_idle_wallets(5));
}

#[test]
fn a_removed_wallet_pays_for_nobody_and_its_key_is_gone() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let phrase = Secret::copy_of(b"test test test test test test test test test test test junk");
    let other = wait(shop.vault.import_phrase(phrase, "from words")).unwrap();
    assert_eq!(other.address, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    wait(shop.vault.remove_wallet(&shop.wallet)).unwrap();
    assert_eq!(wait(shop.vault.remove_wallet(&shop.wallet)), Err(VaultError::NotFound));
    assert!(shop.vault.payers().is_empty() && !home.store.names().contains(&format!("wallet:{}", shop.wallet)));
    let base = Network::eip155(8453);
    assert_eq!(shop.vault.payer(&"a".parse().unwrap(), &base), None, "nobody chose another one");
    wait(shop.vault.set_payer(PayerFor { agent: None, network: Some(base.clone()) }, &other.address)).unwrap();
    assert_eq!(shop.vault.payer(&"a".parse().unwrap(), &base), Some(other.address));
    drop(shop);
    assert_eq!(home.open().doubts().policy, None, "the ledger is sealed as it stands");
}

#[test]
fn an_agent_whose_own_wallet_was_removed_pays_with_nobodys() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let own = wait(shop.vault.create_wallet("own")).unwrap();
    let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
    let base = Network::eip155(8453);
    wait(shop.vault.set_payer(PayerFor { agent: Some("a".parse().unwrap()), network: None }, &own.address)).unwrap();
    wait(shop.vault.remove_wallet(&own.address)).unwrap();
    assert_eq!((shop.vault.payer(&a, &base), shop.vault.payer(&b, &base)), (None, Some(shop.wallet.clone())));
    assert_eq!((shop.vault.own_wallet(&a).as_deref(), shop.vault.own_wallet(&b)), (Some(""), None));
    assert!(shop.vault.payers().iter().all(|(who, _)| who.agent.is_none()));
    wait(shop.vault.set_payer(PayerFor { agent: Some("a".parse().unwrap()), network: None }, &shop.wallet)).unwrap();
    assert_eq!(shop.vault.payer(&a, &base), Some(shop.wallet.clone()));
}

#[test]
fn a_wallet_whose_key_could_not_be_removed_is_still_listed() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    home.store.set_fault(Some(Fault::Error(KeyStoreError::Failed("told to".into()))));
    assert!(wait(shop.vault.remove_wallet(&shop.wallet)).is_err());
    assert_eq!(shop.vault.wallets().len(), 1);
    home.store.set_fault(None);
    wait(shop.vault.remove_wallet(&shop.wallet)).unwrap();
    assert!(shop.vault.wallets().is_empty() && !home.store.names().contains(&format!("wallet:{}", shop.wallet)));
}
