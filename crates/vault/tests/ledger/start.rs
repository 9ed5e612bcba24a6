//! Start: one process, our file, our clock, our history; whatever is odd stops money from moving by itself.

use countersign_core::{Millis, status::Status};
use countersign_vault::{Admitted, Confirm, Health, Note, OpenError, Outcome, RefusedAs, Reserved, Vault};
use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::support::{Home, NOON, Shop, wait, yes};

fn view_only(vault: &Vault) -> String {
    match vault.health() {
        Health::ViewOnly(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_open_is_refused_until_the_first_is_gone() {
    let home = Home::new();
    let vault = home.open();
    assert!(matches!(home.try_open(), Err(OpenError::InUse(_))));
    let clone = vault.clone();
    drop(vault);
    assert!(matches!(home.try_open(), Err(OpenError::InUse(_))));
    drop(clone);
    home.open();
}

#[test]
fn waiting_questions_are_expired_at_start_and_reserved_payments_stay() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let asked = shop.waiting("a", "k1", "200000", "/1").record.id;
    let held = shop.reserved("a", "k2", "30000");
    let (reserved, nonce) = (held.record().id.clone(), held.signables()[0].nonce());
    std::mem::forget(held);
    drop(shop);
    let shop = home.open_for(&[]);
    let record = shop.record(&asked);
    assert_eq!((record.status, record.refused_as), (Status::Refused, Some(RefusedAs::ApprovalExpired)));
    assert_eq!(shop.record(&reserved).status, Status::Reserved);
    let open = wait(shop.vault.open_payments()).unwrap();
    assert_eq!((open.len(), open[0].1[0].nonce()), (1, nonce));
    let signed = wait(shop.vault.sign_again(&reserved)).unwrap().unwrap();
    assert_eq!(signed.forms()[0].0.nonce(), nonce, "derived again, never minted again");
    let Admitted::Waiting(doubtful) = shop.admit("a", "k3", "30000") else { panic!() };
    assert_eq!(doubtful.record.decision.rule, "builtin:possible-duplicate", "nobody knows what became of it");
    assert_eq!(shop.faults(), Vec::<String>::new());
}

/// Every state a payment without an outcome can be left in, with payments behind it that are not looked at.
#[test]
fn the_start_doubts_each_recent_payment_without_an_outcome_and_no_older_one() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let pay = |shop: &Shop, path: &str, claimed: bool| {
        let mut quote = shop.quote("10000", path);
        quote.payee.claimed = claimed;
        match wait(shop.vault.admit(shop.request_for("a", &format!("first{path}"), quote))).unwrap() {
            Admitted::Reserved(reservation) => *reservation,
            other => panic!("{other:?}"),
        }
    };
    shop.vault.sign(pay(&shop, "/old", false)).unwrap();
    home.clock.advance_ms(600_001);
    std::mem::forget(pay(&shop, "/reserved", false));
    shop.vault.sign(pay(&shop, "/signed", false)).unwrap();
    let delivered = shop.vault.sign(pay(&shop, "/delivered", false)).unwrap().record().id.clone();
    shop.vault.mark_delivered(&delivered);
    shop.vault.sign(pay(&shop, "/claimed", true)).unwrap();
    drop(shop);
    let shop = home.open_for(&[]);
    let again = |path: &str, claimed: bool| {
        let mut quote = shop.quote("10000", path);
        quote.payee.claimed = claimed;
        match wait(shop.vault.admit(shop.request_for("a", &format!("again{path}"), quote))).unwrap() {
            Admitted::Waiting(waiting) => waiting.record.decision.rule,
            Admitted::Reserved(_) => "paid".into(),
            other => panic!("{other:?}"),
        }
    };
    for path in ["/reserved", "/signed", "/delivered"] {
        assert_eq!(again(path, false), "builtin:possible-duplicate", "{path}");
    }
    assert_eq!((again("/old", false), again("/claimed", true)), ("paid".into(), "paid".into()));
}

#[test]
fn newer_foreign_and_linked_files_are_refused_untouched() {
    let home = Home::new();
    drop(home.open());
    let good = fs::read(home.file()).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(home.file(), &file).unwrap();
        let result = home.try_open();
        assert_eq!(fs::read(home.file()).unwrap(), file, "untouched");
        result
    };
    assert!(matches!(with(60, &[0, 0, 0, 9]), Err(OpenError::Newer { found: 9, .. })));
    assert!(matches!(with(68, &[0, 0, 0, 0]), Err(OpenError::Foreign(_))));
    fs::rename(home.file(), home.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", home.file()).unwrap();
    assert!(matches!(home.try_open(), Err(OpenError::NotPlain(_))));
    fs::remove_file(home.file()).unwrap();
    fs::write(home.file(), &good).unwrap();
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o600)).unwrap();
    let link = home.dir.path().join("link");
    std::os::unix::fs::symlink(home.path(), &link).unwrap();
    let through = countersign_vault::Open { dir: link, ..home.settings() };
    assert!(matches!(Vault::open(through), Err(OpenError::NotPlain(_))));
    home.open();
}

#[test]
fn a_damaged_file_may_be_looked_at_and_is_kept() {
    let home = Home::new();
    drop(home.open());
    fs::write(
        home.file(),
        b"this is not a database, but it is long enough to have a header, is it not? It has more than 100 bytes.",
    )
    .unwrap();
    let before = fs::read(home.file()).unwrap();
    let vault = home.open();
    assert!(view_only(&vault).contains("not a database"));
    assert!(matches!(
        wait(vault.add_agent(&"a".parse().unwrap(), false, countersign_vault::SetBy::Person)),
        Err(countersign_vault::VaultError::ViewOnly(_))
    ));
    drop(vault);
    assert_eq!(fs::read(home.file()).unwrap(), before);
}

#[test]
fn loose_modes_are_view_only_until_repaired() {
    let home = Home::new();
    drop(home.open_for(&["a"]));
    for (path, loose, right) in [(home.file(), 0o644, 0o600), (home.path(), 0o755, 0o700)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(loose)).unwrap();
        let vault = home.open();
        assert!(view_only(&vault).contains("others"));
        assert_eq!(vault.wallets().len(), 1, "it can be looked at");
        drop(vault);
        fs::set_permissions(&path, fs::Permissions::from_mode(right)).unwrap();
    }
    assert_eq!(home.open().health(), Health::Ok);
    assert_eq!(fs::metadata(home.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_clock_that_went_back_asks_until_confirmed_and_windows_do_not_go_back() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let silent = shop.paid("a", "k1", "30000");
    assert!(wait(shop.vault.sign_again(&silent)).unwrap().is_some());
    let created = shop.reserved("a", "k2", "30000").record().created_at;
    home.clock.set_wall(Millis(NOON.0 - 110_000));
    assert_eq!(shop.reserved("a", "k3", "30000").record().created_at, created, "window time stands still");
    home.clock.set_wall(Millis(NOON.0 - 121_000));
    let Admitted::Waiting(w) = shop.admit("a", "k4", "30000") else { panic!() };
    assert_eq!(w.record.decision.rule, "builtin:clock-suspect");
    assert!(shop.vault.doubts().clock.is_some());
    let forms = shop.forms(&w.record.quote);
    let Reserved::Reservation(r) = wait(shop.vault.reserve(yes(*w), forms)).unwrap() else { panic!() };
    let by_person = shop.vault.sign(*r).unwrap().record().id.clone();
    assert!(wait(shop.vault.sign_again(&by_person)).unwrap().is_some());
    assert!(wait(shop.vault.sign_again(&silent)).unwrap().is_none(), "none without a person's yes");
    wait(shop.vault.note(&by_person, Note { outcome: Some(Outcome::Completed), ..Note::default() })).unwrap();
    drop(shop);
    home.clock.set_wall(NOON);
    let shop = home.open_for(&[]);
    assert!(shop.vault.doubts().clock.is_some(), "it stays until a person says so");
    wait(shop.vault.confirm(Confirm::Clock)).unwrap();
    drop(shop.reserved("a", "k5", "30000"));
    drop(shop);
    home.clock.reboot("boot-2");
    home.clock.set_wall(Millis(NOON.0 - 86_400_000));
    let shop = home.open_for(&[]);
    assert!(shop.vault.doubts().clock.is_some(), "at start too");
    wait(shop.vault.confirm(Confirm::Clock)).unwrap();
    assert!(shop.reserved("a", "k6", "30000").record().created_at >= created);
    drop(shop);
    assert_eq!(home.open().doubts().clock, None, "a confirmed clock stays trusted");
}

#[test]
fn a_jump_within_one_boot_is_suspect_and_a_reboot_is_not() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    drop(shop.reserved("a", "k1", "30000"));
    home.clock.advance_ms(86_400_000);
    drop(shop.reserved("a", "k2", "30000"));
    drop(shop);
    home.clock.reboot("boot-2");
    home.clock.set_wall(Millis(NOON.0 + 10 * 86_400_000));
    let shop = home.open_for(&[]);
    assert_eq!(shop.vault.doubts().clock, None);
    home.clock.set_wall(Millis(NOON.0 + 10 * 86_400_000 + 301_000));
    let Admitted::Waiting(w) = shop.admit("a", "k3", "30000") else { panic!() };
    assert_eq!(w.record.decision.rule, "builtin:clock-suspect");
}

#[test]
fn a_lost_history_is_view_only_and_then_windows_count_as_full() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    drop(shop.vault.sign(shop.reserved("a", "k1", "30000")).unwrap());
    drop(shop);
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        fs::remove_file(home.path().join(name)).ok();
    }
    let vault = home.open();
    assert!(view_only(&vault).starts_with("history lost"));
    assert!(!home.file().exists(), "nothing is silently made anew");
    wait(vault.confirm(Confirm::History)).unwrap();
    let shop = home.shop(vault, &["a"]);
    let Admitted::Refused(record) = shop.admit("a", "k1", "30000") else { panic!() };
    assert_eq!(record.decision.rule, "budget:day", "today's window counts as fully used");
    home.clock.advance_ms(86_400_000);
    drop(shop.reserved("a", "k2", "30000"));
}

#[test]
fn a_rolled_back_file_asks_until_confirmed() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    shop.paid("a", "k1", "30000");
    drop(shop);
    let old = fs::read(home.file()).unwrap();
    let shop = home.open_for(&[]);
    shop.paid("a", "k2", "30000");
    drop(shop);
    fs::write(home.file(), old).unwrap();
    let shop = home.open_for(&[]);
    assert!(shop.vault.doubts().history.is_some());
    assert!(matches!(shop.admit("a", "k3", "30000"), Admitted::Refused(_)), "windows count as fully used");
    wait(shop.vault.confirm(Confirm::History)).unwrap();
    drop(shop.reserved("a", "k4", "30000"));
}

#[test]
fn a_locked_key_store_leaves_a_ledger_that_waits() {
    use countersign_vault::keys::{KeyStoreError, memory::Fault};
    let home = Home::new();
    drop(home.open_for(&["a"]));
    home.store.set_fault(Some(Fault::Error(KeyStoreError::Locked)));
    let vault = home.open();
    assert_eq!(vault.health(), Health::Locked);
    assert_eq!(vault.wallets().len(), 1, "it can be looked at");
    home.store.set_fault(None);
    wait(vault.knock()).unwrap();
    assert_eq!(vault.health(), Health::Ok, "work that waits tries the key store again");
    let shop = home.shop(vault.clone(), &[]);
    drop(shop.reserved("a", "k1", "30000"));
    vault.lock();
    assert!(wait(vault.knock()).is_err());
    assert_eq!(vault.health(), Health::Locked, "what a person locked stays locked");
    wait(vault.unlock()).unwrap();
    assert_eq!(vault.health(), Health::Ok);
    drop((shop, vault));
    home.store.set_fault(Some(Fault::NoEntry));
    let vault = home.open();
    assert!(view_only(&vault).contains("key"), "another keyring is no fresh start");
}

#[test]
fn below_the_least_free_space_nothing_new_is_written() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    drop(shop.vault.sign(shop.reserved("a", "k1", "30000")).unwrap());
    drop(shop);
    let full = Vault::open(countersign_vault::Open { min_free_bytes: u64::MAX, ..home.settings() }).unwrap();
    let shop = home.shop(full, &[]);
    let refused = wait(shop.vault.admit(shop.request("a", "k2", "30000")));
    assert!(matches!(refused, Err(countersign_vault::VaultError::Storage(_))), "{refused:?}");
    assert!(matches!(shop.admit("a", "k1", "30000"), Admitted::Same(_)));
}
