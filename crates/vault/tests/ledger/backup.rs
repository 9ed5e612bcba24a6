//! A copy in one file and the way back: no key in it, nothing lost by a bad one, and nothing paid twice by an old one.

use countersign_core::{Millis, approval::Said, payment::PaymentId};
use countersign_vault::{
    Admitted, BackupError, Checked, Confirm, Health, Held, Note, OpenError, Restored, Scope, SetBy, backup,
    keys::{KeyStore, KeyStoreError, Keys, Secret, memory::MemoryStore},
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::{Home, NOON, POLICY, Shop, policy, wait};

fn keys(store: &MemoryStore) -> Keys {
    Keys::start(Box::new(store.clone()))
}

/// The directory, once nothing else holds it: a program that a test beside this one starts holds a copy of every lock for a moment.
fn held(dir: &Path, keys: impl Fn() -> Keys) -> Result<Held, BackupError> {
    for _ in 0..40 {
        match Held::take(dir, keys()) {
            Err(BackupError::Open(OpenError::InUse(_))) => std::thread::sleep(Duration::from_millis(50)),
            taken => return taken,
        }
    }
    Held::take(dir, keys())
}

fn restore(dir: &Path, file: &Path, store: &MemoryStore) -> Result<Restored, BackupError> {
    held(dir, || keys(store))?.restore(file, None, NOON)
}

fn check(home: &Home, file: &Path) -> Result<Checked, BackupError> {
    held(&home.path(), || keys(&home.store))?.check(file)
}

/// Files of the data directory that a restore or a check made for itself.
fn left(home: &Home) -> Vec<String> {
    let all = fs::read_dir(home.path()).unwrap().filter_map(Result::ok);
    let all = all.map(|entry| entry.file_name().display().to_string());
    all.filter(|name| name.contains("restoring") || name.contains("checking")).collect()
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
    assert!(matches!(restore(&home.path(), &file, &home.store), Err(BackupError::Open(OpenError::InUse(_)))));
    drop(shop);

    let restored = restore(&home.path(), &file, &home.store).unwrap();
    assert_eq!((restored.made, restored.settings), (NOON, vec![("config.toml".to_owned(), b"# mine\n".to_vec())]));
    assert!(restored.before.is_some_and(|ledger| ledger.exists()), "what was there is set aside");
    assert!(!home.store.names().iter().any(|name| name.ends_with(":before")), "where it ended is forgotten");
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
    let Admitted::Refused(record) = shop.admit("a", "k4", "10000") else { panic!("spent twice") };
    assert_eq!(record.decision.rule, "budget:day", "what was spent since is not known, also after the yes");
    home.clock.advance_ms(86_400_000);
    shop.paid("a", "k5", "10000");
    let fresh = wait(shop.vault.rotate_agent(&"a".parse().unwrap(), SetBy::Person)).unwrap();
    assert!(shop.vault.authenticate(std::str::from_utf8(fresh.expose()).unwrap()).is_some());
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_backup_is_one_private_file_without_a_key_and_never_over_another() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let id = shop.paid("a", "k1", "10000");
    let (detail, until) = (vec![("body".into(), b"an answer for a day".to_vec())], Some(Millis(NOON.0 + 86_400_000)));
    wait(shop.vault.note(&id, Note { detail, detail_until: until, ..Note::default() })).unwrap();
    let file = copy_of(&home);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&file).unwrap();
    let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
    for name in home.store.names().into_iter().filter(|name| !name.starts_with("anchor:")) {
        let secret = home.store.get(&name).unwrap().unwrap();
        assert!(!holds(secret.expose()), "{name}");
    }
    assert!(!holds(b"an answer for a day"), "it would outlive its time here");
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
    let try_with = |file: &PathBuf, store: &MemoryStore| restore(&home.path(), file, store).unwrap_err();

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
    assert!(matches!(try_with(&file, &home.store), BackupError::Damaged(_)));
    conn.execute_batch("PRAGMA user_version = 99").unwrap();
    conn.close().unwrap();
    assert!(matches!(try_with(&file, &home.store), BackupError::Open(OpenError::Newer { .. })));

    let shop = home.shop(home.open(), &[]);
    assert_eq!((shop.vault.health(), shop.vault.doubts().any(), knows(&shop, &paid)), (Health::Ok, false, true));
    assert_eq!(left(&home), Vec::<String>::new());
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
        restore(&home.path(), &file, &home.store).unwrap();
        let shop = home.shop(home.open(), &[]);
        assert_eq!((shop.vault.health(), knows(&shop, &paid)), (Health::Ok, true));
        assert!(shop.vault.doubts().history.is_some());
    }
}

#[test]
fn wallets_pauses_and_the_policy_since_a_backup_are_not_forgotten_by_restoring_it() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let file = copy_of(&home);
    let later = wait(shop.vault.create_wallet("later")).unwrap();
    wait(shop.vault.pause(Scope::All, None)).unwrap();
    let tighter = policy(&POLICY.replace("le = \"0.10\"", "le = \"0.05\""));
    wait(shop.vault.set_policy(tighter, SetBy::Person)).unwrap();
    drop(shop);

    restore(&home.path(), &file, &home.store).unwrap();
    let live: i64 =
        home.sql().query_row("SELECT count(*) FROM token WHERE revoked IS NULL", [], |row| row.get(0)).unwrap();
    assert_eq!(live, 0, "before any start");
    let vault = home.open();
    let found = vault.wallets().into_iter().find(|wallet| wallet.address == later.address);
    assert_eq!(found.map(|wallet| wallet.label), Some("later".to_owned()));
    assert_eq!(vault.health(), Health::Paused);
    assert!(vault.doubts().policy.is_some());
    assert!(wait(vault.to_confirm(None)).unwrap().contains(&Said::WholePolicy {}));
}

/// Answers, and keeps nothing.
struct Forgetful(MemoryStore);

impl KeyStore for Forgetful {
    fn get(&self, name: &str) -> Result<Option<Secret>, KeyStoreError> {
        self.0.get(name)
    }

    fn set(&self, _: &str, _: &Secret) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::Locked)
    }

    fn delete(&self, _: &str) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::Locked)
    }

    fn kind(&self) -> &'static str {
        self.0.kind()
    }
}

#[test]
fn a_key_store_that_remembers_nothing_leaves_the_ledger_in_its_place() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let file = copy_of(&home);
    let paid = shop.paid("a", "k1", "10000");
    drop(shop);
    let forgetful = || Keys::start(Box::new(Forgetful(home.store.clone())));
    let restored = held(&home.path(), forgetful).unwrap().restore(&file, None, NOON);
    assert!(matches!(restored, Err(BackupError::Keys(_))));
    let shop = home.shop(home.open(), &[]);
    assert_eq!((shop.vault.health(), shop.vault.doubts().any(), knows(&shop, &paid)), (Health::Ok, false, true));
}

#[test]
fn a_check_says_what_a_backup_holds_and_what_it_does_not_know_also_while_the_ledger_is_in_use() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let empty = home.dir.path().join("empty.sqlite");
    backup(&home.path(), &empty, &Vec::new(), NOON).unwrap();
    shop.paid("a", "k1", "10000");
    let file = copy_of(&home);
    let found = wait(shop.vault.check_backup(file.clone())).unwrap();
    let agents = vec!["a".to_owned(), "b".to_owned()];
    let told = Checked { made: NOON, payments: 1, last: found.last, agents, lost: Some(0) };
    assert_eq!(found, told);
    assert!(found.last.is_some());
    shop.paid("a", "k2", "10000");
    shop.paid("b", "k3", "10000");
    let found = wait(shop.vault.check_backup(file.clone())).unwrap();
    assert_eq!((found.payments, found.lost), (1, Some(2)));
    let found = wait(shop.vault.check_backup(empty)).unwrap();
    assert_eq!((found.payments, found.last, found.lost), (0, None, Some(3)));
    assert_eq!((shop.faults(), left(&home)), (Vec::new(), Vec::new()));
    drop(shop);

    fs::remove_file(home.file()).unwrap();
    assert_eq!(check(&home, &file).unwrap().lost, None, "there is nothing to compare it with");
}

#[test]
fn a_hostile_file_is_named_for_what_it_is_and_nothing_is_left_of_it() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    shop.paid("a", "k1", "10000");
    let file = copy_of(&home);
    drop(shop);
    let whole = fs::read(&file).unwrap();
    let made = |name: &str, bytes: &[u8]| {
        let path = home.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let told = |file: &Path| check(&home, file).unwrap_err();

    for (n, part) in [(1, whole.len() / 2), (2, whole.len() - 4096), (3, 4096), (4, 700)] {
        let error = told(&made(&format!("truncated-{n}"), &whole[..part]));
        assert!(matches!(error, BackupError::Damaged(_) | BackupError::NotABackup(_)), "{part}: {error:?}");
    }
    for bad in [&b""[..], b"SQLite format 3\0", &whole[..100], &[0; 5000]] {
        let error = told(&made("no-backup", bad));
        assert!(matches!(error, BackupError::NotABackup(_) | BackupError::Damaged(_)), "{error:?}");
    }
    // A byte changed in each page in turn is noticed, or in a page that nothing is in.
    let mut noticed = 0;
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096 + 4000] ^= 0x41;
        noticed += usize::from(check(&home, &made("altered", &bytes)).is_err());
    }
    assert!(noticed > 0, "no change was noticed");

    let other = Home::new();
    let theirs = other.open_for(&["a"]);
    theirs.paid("a", "k1", "10000");
    let error = told(&copy_of(&other));
    assert!(matches!(error, BackupError::OtherLedger), "{error:?}");

    let link = home.dir.path().join("link");
    symlink(&file, &link).unwrap();
    assert!(matches!(told(&link), BackupError::NotPlain(_)));
    assert!(matches!(told(home.dir.path()), BackupError::NotPlain(_)));
    let pipe = home.dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(matches!(told(&pipe), BackupError::NotPlain(_)), "and it is not waited for");
    let huge = home.dir.path().join("huge");
    fs::write(&huge, &whole).unwrap();
    fs::File::options().write(true).open(&huge).unwrap().set_len(1 << 43).unwrap();
    assert!(matches!(told(&huge), BackupError::Large(_)));

    // What is in it besides may be anything but ours.
    for (n, sql) in [
        "DROP TABLE backup; CREATE VIEW backup AS WITH RECURSIVE n(name) AS (SELECT 'x' UNION ALL SELECT name FROM n) SELECT name, name AS body FROM n",
        "CREATE TRIGGER more AFTER INSERT ON payment BEGIN SELECT 1; END",
        "CREATE TABLE more (x)",
        "INSERT INTO backup VALUES ('large', zeroblob(20000000))",
        "DELETE FROM backup WHERE name = 'made at'",
    ].iter().enumerate() {
        let path = made(&format!("sql-{n}"), &whole);
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let error = told(&path);
        assert!(matches!(error, BackupError::Damaged(_) | BackupError::NotABackup(_)), "{sql}: {error:?}");
    }
    assert_eq!(left(&home), Vec::<String>::new());
    assert_eq!(fs::read(&file).unwrap(), whole, "the file itself is only read");
    assert_eq!(home.shop(home.open(), &[]).vault.health(), Health::Ok);
}

#[test]
fn a_backup_reaches_and_leaves_a_folder_that_is_a_link() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    shop.paid("a", "k1", "10000");
    let (folder, link) = (home.dir.path().join("folder"), home.dir.path().join("downloads"));
    fs::create_dir(&folder).unwrap();
    symlink(&folder, &link).unwrap();
    let file = link.join("copy.sqlite");
    backup(&home.path(), &file, &Vec::new(), NOON).unwrap();
    assert_eq!(wait(shop.vault.check_backup(file)).unwrap().payments, 1);
}

#[test]
fn a_restore_of_one_name_is_made_once() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let before = shop.paid("a", "k1", "10000");
    let file = copy_of(&home);
    shop.paid("a", "k2", "10000");
    drop(shop);
    let again =
        |name: &str| held(&home.path(), || keys(&home.store)).unwrap().restore(&file, Some(name), NOON).unwrap();
    let first = again("one");
    let second = again("one");
    assert_eq!((first.before.clone(), first.settings), (second.before, second.settings));
    let asides = || {
        let names = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().display().to_string());
        names.filter(|name| name.starts_with("ledger.before-restore-") && name.ends_with(".sqlite")).count()
    };
    assert_eq!(asides(), 1);
    assert!(knows(&home.shop(home.open(), &[]), &before));
    assert_ne!(again("two").before, first.before);
    assert_eq!(asides(), 2);
}
