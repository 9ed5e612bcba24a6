//! A copy in one file and the way back: no key in it, nothing lost by a bad one, and nothing paid twice by an old one.

use countersign_core::payment::PaymentId;
use countersign_vault::{
    Admitted, BackupError, Confirm, Health, OpenError, SetBy, backup,
    keys::{KeyStore as _, Keys, memory::MemoryStore},
    restore,
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use crate::support::{Home, NOON, Shop, wait};

fn keys(store: &MemoryStore) -> Keys {
    Keys::start(Box::new(store.clone()))
}

fn copy_of(home: &Home) -> PathBuf {
    let file = home.dir.path().join("copy.sqlite");
    let settings = vec![("config.toml".to_owned(), b"# mine\n".to_vec())];
    backup(&home.path(), &file, &settings, NOON).unwrap();
    file
}

fn knows(shop: &Shop, id: &PaymentId) -> bool {
    wait(shop.vault.payment(id)).unwrap().is_some()
}

#[test]
fn a_restored_ledger_pays_nothing_by_itself_and_knows_no_token_until_a_person_confirms_it() {
    let home = Home::new();
    let shop = home.shop(home.open(), &[]);
    let token = wait(shop.vault.add_agent(&"a".parse().unwrap(), false, SetBy::Person)).unwrap();
    let token = std::str::from_utf8(token.expose()).unwrap();
    let before = shop.paid("a", "k1", "10000");
    let file = copy_of(&home);
    let after = shop.paid("a", "k2", "10000");
    assert!(matches!(restore(&home.path(), &file, &keys(&home.store)), Err(BackupError::Open(OpenError::InUse(_)))));
    drop(shop);

    let restored = restore(&home.path(), &file, &keys(&home.store)).unwrap();
    assert_eq!((restored.made, restored.settings), (NOON, vec![("config.toml".to_owned(), b"# mine\n".to_vec())]));
    assert!(restored.before.is_some_and(|ledger| ledger.exists()), "what was there is set aside");
    let shop = home.shop(home.open(), &[]);
    assert_eq!((knows(&shop, &before), knows(&shop, &after)), (true, false));
    assert!(shop.vault.doubts().history.unwrap().to_string().contains("restored from a backup"));
    assert_eq!(shop.vault.authenticate(token), None, "it may have been revoked since");
    let spent = shop.admit("a", "k3", "10000");
    assert!(matches!(spent, Admitted::Refused(_)), "every budget counts as used up: {spent:?}");
    drop(shop);

    let shop = home.shop(home.open(), &[]);
    assert!(shop.vault.doubts().history.is_some(), "a restart confirms nothing");
    wait(shop.vault.confirm(Confirm::History)).unwrap();
    shop.paid("a", "k4", "10000");
    let fresh = wait(shop.vault.rotate_agent(&"a".parse().unwrap(), SetBy::Person)).unwrap();
    assert!(shop.vault.authenticate(std::str::from_utf8(fresh.expose()).unwrap()).is_some());
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_backup_is_one_private_file_without_a_key_and_never_over_another() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    shop.paid("a", "k1", "10000");
    let file = copy_of(&home);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&file).unwrap();
    let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
    for name in home.store.names().into_iter().filter(|name| !name.starts_with("anchor:")) {
        let secret = home.store.get(&name).unwrap().unwrap();
        assert!(!holds(secret.expose()), "{name}");
    }
    assert!(matches!(backup(&home.path(), &file, &Vec::new(), NOON), Err(BackupError::Failed(_))));
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let beside = fs::read_dir(home.dir.path()).unwrap().count();
    assert_eq!(beside, 2, "the data directory and the file");
}

#[test]
fn what_is_no_backup_of_this_place_changes_nothing() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let paid = shop.paid("a", "k1", "10000");
    let file = copy_of(&home);
    drop(shop);
    let try_with = |file: &PathBuf, store: &MemoryStore| restore(&home.path(), file, &keys(store)).unwrap_err();

    let nonsense = home.dir.path().join("nonsense");
    fs::write(&nonsense, "SQLite format 3, or so it says").unwrap();
    assert!(matches!(try_with(&nonsense, &home.store), BackupError::NotABackup(_)));
    assert!(matches!(try_with(&home.dir.path().join("none"), &home.store), BackupError::Failed(_)));
    let bare = home.dir.path().join("bare.sqlite");
    fs::copy(home.file(), &bare).unwrap();
    assert!(matches!(try_with(&bare, &home.store), BackupError::NotABackup(_)));
    assert!(matches!(try_with(&file, &MemoryStore::new()), BackupError::OtherKeyStore));
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.execute("UPDATE detail SET body = x'00' WHERE kind = 'url'", []).unwrap();
    conn.close().unwrap();
    assert!(matches!(try_with(&file, &home.store), BackupError::Damaged(_)));

    let shop = home.shop(home.open(), &[]);
    assert_eq!((shop.vault.health(), shop.vault.doubts().any(), knows(&shop, &paid)), (Health::Ok, false, true));
    let left = fs::read_dir(home.path()).unwrap().filter_map(Result::ok);
    let left: Vec<String> = left.map(|entry| entry.file_name().display().to_string()).collect();
    assert!(left.iter().all(|name| !name.contains("restor")), "{left:?}");
}

#[test]
fn a_ledger_that_is_lost_or_damaged_comes_back() {
    for damage in [None, Some("nonsense")] {
        let home = Home::new();
        let shop = home.open_for(&["a"]);
        let paid = shop.paid("a", "k1", "10000");
        let file = copy_of(&home);
        drop(shop);
        match damage {
            None => fs::remove_file(home.file()).unwrap(),
            Some(text) => fs::write(home.file(), text).unwrap(),
        }
        assert!(matches!(home.open().health(), Health::ViewOnly(_)));
        restore(&home.path(), &file, &keys(&home.store)).unwrap();
        let shop = home.shop(home.open(), &[]);
        assert_eq!((shop.vault.health(), knows(&shop, &paid)), (Health::Ok, true));
        assert!(shop.vault.doubts().history.is_some());
    }
}
