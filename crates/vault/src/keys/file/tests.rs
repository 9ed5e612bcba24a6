use super::*;
use crate::keys::Keys;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::{PermissionsExt as _, symlink},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Cheap, so that many files can be opened; the format is the same.
const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

fn secret(text: &str) -> Secret {
    Secret::copy_of(text.as_bytes())
}

fn store(dir: &Path, passphrase: &str) -> Result<FileStore, KeyStoreError> {
    FileStore::open_with_cost(dir, &secret(passphrase), CHEAP)
}

fn with_entry(dir: &Path) -> (FileStore, Vec<u8>) {
    let store = store(dir, "right").unwrap();
    store.set("a", &secret("canary-31")).unwrap();
    let bytes = fs::read(dir.join("keys.enc")).unwrap();
    (store, bytes)
}

#[test]
fn entries_come_back_in_the_next_life() {
    let dir = tempfile::tempdir().unwrap();
    let first = store(dir.path(), "right").unwrap();
    assert_eq!(first.get("a"), Ok(None));
    assert!(!dir.path().join("keys.enc").exists(), "opening writes nothing");
    for (name, value) in [("a", "1"), ("b", ""), ("wallet:0xé", "long ".repeat(1000).as_str()), ("a", "2")] {
        first.set(name, &secret(value)).unwrap();
    }
    let next = store(dir.path(), "right").unwrap();
    assert_eq!(next.get("a"), Ok(Some(secret("2"))));
    assert_eq!(next.get("b"), Ok(Some(secret(""))));
    assert_eq!(next.get("wallet:0xé"), Ok(Some(secret(&"long ".repeat(1000)))));
    next.delete("a").unwrap();
    next.delete("a").unwrap();
    assert_eq!(first.get("a"), Ok(None), "two handles see one file");
    assert_eq!(next.kind(), "encrypted-file");
}

#[test]
fn the_production_cost_is_written_into_the_file_and_used() {
    let dir = tempfile::tempdir().unwrap();
    FileStore::open(dir.path(), &secret("right")).unwrap().set("a", &secret("1")).unwrap();
    let bytes = fs::read(dir.path().join("keys.enc")).unwrap();
    assert_eq!(bytes[8..20], [0, 0, 1, 0, 3, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(store(dir.path(), "right").unwrap().get("a"), Ok(Some(secret("1"))), "an existing file keeps its cost");
}

#[test]
fn only_the_right_passphrase_opens_and_a_wrong_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_, before) = with_entry(dir.path());
    for wrong in ["", "Right", "right ", "right\n"] {
        assert_eq!(store(dir.path(), wrong).err(), Some(KeyStoreError::WrongPassphrase), "{wrong:?}");
    }
    assert_eq!(fs::read(dir.path().join("keys.enc")).unwrap(), before);
    assert_eq!(KeyStoreError::WrongPassphrase.to_string(), "wrong passphrase");
}

#[test]
fn names_and_values_are_not_in_the_file_and_no_two_writes_are_alike() {
    let dir = tempfile::tempdir().unwrap();
    let (store, first) = with_entry(dir.path());
    store.set("a", &secret("canary-31")).unwrap();
    let second = fs::read(dir.path().join("keys.enc")).unwrap();
    assert_eq!(first[..36], second[..36], "one salt for the file's life");
    assert_ne!(first[36..60], second[36..60], "a fresh nonce for each write");
    assert!(!first.windows(6).any(|w| w == b"canary"));
    let elsewhere = tempfile::tempdir().unwrap();
    assert_ne!(with_entry(elsewhere.path()).1[20..36], first[20..36], "each file has its own salt");
}

#[test]
fn every_flipped_byte_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (opened, good) = with_entry(dir.path());
    for at in 0..good.len() {
        for flip in [1, 0x80, 0xFF] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            fs::write(dir.path().join("keys.enc"), &bad).unwrap();
            assert!(matches!(store(dir.path(), "right").err(), Some(KeyStoreError::Damaged(_))), "byte {at}");
            assert!(matches!(opened.get("a"), Err(KeyStoreError::Damaged(_))), "byte {at}");
            assert!(opened.set("b", &secret("2")).is_err() && opened.delete("a").is_err());
            assert_eq!(fs::read(dir.path().join("keys.enc")).unwrap(), bad, "a damaged file is left as it is");
        }
    }
    fs::write(dir.path().join("keys.enc"), &good).unwrap();
    assert_eq!(opened.get("a"), Ok(Some(secret("canary-31"))));
}

/// Whoever can write the file can also mend its checksum: then the cipher must notice.
#[test]
fn every_flipped_byte_with_a_mended_checksum_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (opened, good) = with_entry(dir.path());
    let body = good.len() - 32;
    for at in 0..body {
        let mut bad = good[..body].to_vec();
        bad[at] ^= 1;
        fs::write(dir.path().join("keys.enc"), with_sum(bad)).unwrap();
        assert!(opened.get("a").is_err(), "byte {at}");
        // The top bytes of the parameters would ask for much memory, if they were believed.
        assert!(store(dir.path(), "right").is_err(), "byte {at}");
    }
}

#[test]
fn a_file_that_asks_for_too_much_is_refused_before_any_work() {
    let dir = tempfile::tempdir().unwrap();
    let (_, good) = with_entry(dir.path());
    for (at, field) in [
        (8, 7u32),
        (8, 1024 * 1024 + 1),
        (8, u32::MAX),
        (12, 0),
        (12, 17),
        (12, u32::MAX),
        (16, 0),
        (16, 2),
        (16, u32::MAX),
    ] {
        let mut bad = good[..good.len() - 32].to_vec();
        bad[at..at + 4].copy_from_slice(&field.to_le_bytes());
        fs::write(dir.path().join("keys.enc"), with_sum(bad)).unwrap();
        assert!(matches!(store(dir.path(), "right").err(), Some(KeyStoreError::Damaged(_))), "{at}: {field}");
    }
}

#[test]
fn every_truncation_and_any_appendix_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (opened, good) = with_entry(dir.path());
    for length in 0..good.len() {
        fs::write(dir.path().join("keys.enc"), &good[..length]).unwrap();
        assert!(matches!(opened.get("a"), Err(KeyStoreError::Damaged(_))), "{length}");
        assert!(matches!(store(dir.path(), "right").err(), Some(KeyStoreError::Damaged(_))), "{length}");
    }
    fs::write(dir.path().join("keys.enc"), [&good[..], b"x"].concat()).unwrap();
    assert!(opened.get("a").is_err());
    fs::write(dir.path().join("keys.enc"), vec![0; 2 * 1024 * 1024]).unwrap();
    assert!(opened.get("a").unwrap_err().to_string().contains("too large"));
}

#[test]
fn another_file_in_its_place_or_none_is_a_fault() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (opened, good) = with_entry(here.path());
    // Same passphrase, another salt.
    let (_, foreign) = with_entry(there.path());
    fs::write(here.path().join("keys.enc"), foreign).unwrap();
    assert!(opened.get("a").unwrap_err().to_string().contains("replaced"));
    assert!(opened.set("b", &secret("2")).is_err());
    fs::remove_file(here.path().join("keys.enc")).unwrap();
    assert!(opened.get("a").unwrap_err().to_string().contains("gone"));
    assert!(opened.set("b", &secret("2")).is_err(), "a lost file is not begun anew");
    fs::write(here.path().join("keys.enc"), good).unwrap();
    fs::set_permissions(here.path().join("keys.enc"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(opened.get("a"), Ok(Some(secret("canary-31"))));
}

#[test]
fn links_strange_files_and_loose_modes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (opened, _) = with_entry(dir.path());
    let path = dir.path().join("keys.enc");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(opened.get("a").unwrap_err().to_string().contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let moved = dir.path().join("moved");
    fs::rename(&path, &moved).unwrap();
    symlink(&moved, &path).unwrap();
    assert!(opened.get("a").is_err() && opened.set("a", &secret("2")).is_err() && store(dir.path(), "right").is_err());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(opened.get("a").is_err());
    fs::remove_dir(&path).unwrap();
    if rustix::process::geteuid().is_root() {
        fs::rename(&moved, &path).unwrap();
        std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
        assert!(opened.get("a").unwrap_err().to_string().contains("another user"));
    }
}

/// A pipe or a link laid where the new file is staged neither blocks us nor leads us elsewhere.
#[test]
fn a_trap_beside_the_file_is_cleared_away_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (opened, _) = with_entry(dir.path());
    let victim = dir.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    symlink(&victim, dir.path().join("keys.enc.new")).unwrap();
    opened.set("a", &secret("2")).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    assert_eq!(opened.get("a"), Ok(Some(secret("2"))));
    fs::remove_file(dir.path().join("keys.enc.lock")).unwrap();
    symlink(&victim, dir.path().join("keys.enc.lock")).unwrap();
    assert!(opened.set("a", &secret("3")).is_err());
}

#[test]
fn a_crash_before_the_new_file_takes_its_place_leaves_the_old() {
    let dir = tempfile::tempdir().unwrap();
    let (opened, before) = with_entry(dir.path());
    for torn in [0, 10, 100, usize::MAX] {
        let mut new = opened.seal.close(&Entries::from([("a".to_owned(), secret("new"))])).unwrap();
        new.truncate(torn);
        disk::stage(&opened.path, &new).unwrap();
        assert_eq!(fs::read(&opened.path).unwrap(), before);
        assert_eq!(store(dir.path(), "right").unwrap().get("a"), Ok(Some(secret("canary-31"))));
    }
    opened.set("a", &secret("after")).unwrap();
    assert!(!dir.path().join("keys.enc.new").exists());
    assert_eq!(opened.get("a"), Ok(Some(secret("after"))));
}

#[test]
fn killed_at_any_moment_the_file_holds_what_was_acknowledged() {
    if let Some(dir) = std::env::var_os("COUNTERSIGN_CHILD_WRITES_KEYS") {
        let store = store(Path::new(&dir), "right").unwrap();
        println!();
        for n in 0u64.. {
            store.set("n", &secret(&n.to_string())).unwrap();
            println!("kept {n}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (mut staged, mut ahead) = (0, 0);
    for round in 0..120u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "keys::file::tests::killed_at_any_moment_the_file_holds_what_was_acknowledged",
            ])
            .env("COUNTERSIGN_CHILD_WRITES_KEYS", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut numbers = lines.filter_map(|line| line.strip_prefix("kept ").map(|n| n.parse::<u64>().unwrap()));
        let first = numbers.by_ref().take(3).last().unwrap();
        // Another moment of the write in each round.
        let until = Instant::now() + Duration::from_micros(round * 5);
        while Instant::now() < until {}
        child.kill().unwrap();
        child.wait().unwrap();
        let kept = numbers.last().unwrap_or(first);
        staged += u32::from(dir.path().join("keys.enc.new").exists());
        let held = store(dir.path(), "right").unwrap().get("n").unwrap().unwrap();
        let held: u64 = std::str::from_utf8(held.expose()).unwrap().parse().unwrap();
        assert!(held == kept || held == kept + 1, "acknowledged {kept}, held {held}");
        ahead += u32::from(held > kept);
    }
    println!("120 kills: {staged} between staging and renaming, {ahead} between renaming and acknowledging");
    assert!(staged + ahead > 0, "no kill hit a write");
}

#[test]
fn many_writers_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    with_entry(dir.path());
    thread::scope(|scope| {
        for writer in 0..8 {
            let dir = dir.path();
            scope.spawn(move || {
                // A handle of its own, as another process would have.
                let store = store(dir, "right").unwrap();
                for n in 0..10 {
                    store.set(&format!("{writer}-{n}"), &secret("x")).unwrap();
                    assert!(store.get("a").unwrap().is_some());
                }
            });
        }
    });
    assert_eq!(store(dir.path(), "right").unwrap().entries().unwrap().len(), 81);
}

#[test]
fn wallets_of_a_file_sign_in_the_next_life() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::start(Box::new(store(dir.path(), "right").unwrap()));
    let address = keys.create().unwrap();
    let form = crate::sign::tests::transfer_from(&address);
    let signature = crate::sign::sign(&keys.signer(&address).unwrap(), &form).unwrap();
    let again = Keys::start(Box::new(store(dir.path(), "right").unwrap()));
    assert_eq!(crate::sign::sign(&again.signer(&address).unwrap(), &form).unwrap(), signature);
}

fn with_sum(mut body: Vec<u8>) -> Vec<u8> {
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(&body);
    body.extend_from_slice(&sum);
    body
}
