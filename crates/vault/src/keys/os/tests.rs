//! Against a real gnome-keyring, inside `tests/support/session.sh`:
//! `session.sh env COUNTERSIGN_TEST_SECRET_SERVICE=1 cargo test -p countersign-vault keys::os`,
//! and with `SESSION_KEYRING=fresh` or `none` the same words instead of `1`.

use super::*;
use crate::{
    keys::{Keys, KeysError, StoreState},
    sign,
};
use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use zbus::{
    blocking::Connection,
    zvariant::{ObjectPath, OwnedObjectPath, Value},
};

const SECRETS: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

#[test]
fn values_are_text_and_come_back() {
    let secret = Secret::new((0..=255).collect());
    let text = encode(&secret);
    assert!(text.is_ascii() && text.starts_with("000102"));
    assert_eq!(decode(text.as_bytes()), Ok(secret));
    for bad in ["0", "zz", "00 ", "0x", "0x00", "é"] {
        assert!(decode(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn errors_that_carry_the_stored_bytes_do_not_show_them() {
    for error in
        [Error::BadEncoding(b"canary-9".to_vec()), Error::BadDataFormat(b"canary-9".to_vec(), "canary-9".into())]
    {
        let told = explain(error);
        assert!(!format!("{told} {told:?}").contains("canary"), "{told}");
    }
}

#[test]
fn a_data_directory_that_is_not_there_has_no_store() {
    let dir = tempfile::tempdir().unwrap();
    assert!(OsStore::new(&dir.path().join("missing")).is_err());
}

#[test]
fn the_secret_service_keeps_locks_and_gives_back_keys() {
    let Some(_turn) = session("1") else { return };
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::start(Box::new(OsStore::new(dir.path()).unwrap()));
    assert_eq!(keys.kind(), "os-keyring");
    assert_eq!(keys.secret("anchor").unwrap(), None);
    for value in [&b"first"[..], b"second", &[0, 255, 10], b""] {
        keys.set("anchor", Secret::copy_of(value)).unwrap();
        assert_eq!(keys.secret("anchor").unwrap(), Some(Secret::copy_of(value)));
    }
    let address = keys.create().unwrap();
    let signable = sign::tests::transfer_from(&address);
    let signature = sign::sign(&keys.signer(&address).unwrap(), &signable).unwrap();

    // A second life of the process, and another data directory.
    let again = Keys::start(Box::new(OsStore::new(dir.path()).unwrap()));
    assert_eq!(sign::sign(&again.signer(&address).unwrap(), &signable).unwrap(), signature);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Keys::start(Box::new(OsStore::new(elsewhere.path()).unwrap()));
    assert_eq!(other.signer(&address).unwrap_err(), KeysError::NoEntry(address.clone()));

    let bus = Connection::session().unwrap();
    lock(&bus);
    keys.forget_cached();
    assert_eq!(keys.signer(&address).unwrap_err(), KeyStoreError::Locked.into());
    assert_eq!(keys.state(), StoreState::Locked);
    assert_eq!(keys.create().unwrap_err(), KeyStoreError::Locked.into());
    assert!(keys.secret("anchor").unwrap_err().to_string().contains("unlock"));
    unlock(&bus);
    assert_eq!(sign::sign(&keys.signer(&address).unwrap(), &signable).unwrap(), signature);
    assert_eq!(keys.state(), StoreState::Available);

    keys.forget_cached();
    restart_daemon(&bus, || {
        assert!(matches!(keys.signer(&address).unwrap_err(), KeysError::Store(KeyStoreError::Absent(_))));
        assert_eq!(keys.state(), StoreState::Absent);
    });
    assert_eq!(
        sign::sign(&keys.signer(&address).unwrap(), &signable).unwrap(),
        signature,
        "a restarted daemon is found again"
    );

    keys.delete("anchor").unwrap();
    keys.delete("anchor").unwrap();
    assert_eq!(keys.secret("anchor").unwrap(), None);
    keys.delete(&format!("wallet:{address}")).unwrap();
    assert_eq!(keys.signer(&address).unwrap_err(), KeysError::NoEntry(address));
}

/// The D-Bus client traces too, so the whole process is listened to.
#[test]
fn nothing_traced_on_the_way_to_the_secret_service_contains_a_key() {
    let key: [u8; 32] = std::array::from_fn(|i| (i * 3 + 29) as u8);
    let digits = alloy_primitives::hex::encode(key);
    if let Ok(dir) = std::env::var("COUNTERSIGN_CHILD_TRACES") {
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).init();
        let keys = Keys::start(Box::new(OsStore::new(Path::new(&dir)).unwrap()));
        let address = keys.import(&Secret::new(digits.into_bytes())).unwrap();
        keys.forget_cached();
        println!("{:?}", keys.signer(&address).unwrap());
        return;
    }
    let Some(_turn) = session("1") else { return };
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("keys::os::tests::nothing_traced_on_the_way_to_the_secret_service_contains_a_key")
        .env("COUNTERSIGN_CHILD_TRACES", dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let said =
        format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr)).to_lowercase();
    assert!(said.contains("trace zbus") && said.contains("signer(0x"), "{said}");
    // As raw bytes and as the bytes of its hex text, written as a list.
    let lists = [&key[8..12], &digits.as_bytes()[8..14]].map(|b| format!("{b:?}").trim_matches(['[', ']']).to_owned());
    for needle in [&digits[8..20], &lists[0], &lists[1]] {
        assert!(!said.contains(needle), "{needle}");
    }
}

#[test]
fn a_keyring_without_a_collection_says_so() {
    let Some(_turn) = session("fresh") else { return };
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::start(Box::new(OsStore::new(dir.path()).unwrap()));
    assert_eq!(keys.create().unwrap_err(), KeyStoreError::NoCollection.into());
    assert_eq!(keys.state(), StoreState::NoCollection);
}

#[test]
fn a_bus_without_a_keyring_says_so_at_once() {
    let Some(_turn) = session("none") else { return };
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::start(Box::new(OsStore::new(dir.path()).unwrap()));
    let begun = Instant::now();
    assert!(matches!(keys.create().unwrap_err(), KeysError::Store(KeyStoreError::Absent(_))));
    assert_eq!(keys.state(), StoreState::Absent);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// The session of this kind, if the tests run inside one; one test at a time, because one of them locks the keyring.
pub(crate) fn session(what: &str) -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::new(());
    if std::env::var("COUNTERSIGN_TEST_SECRET_SERVICE").is_ok_and(|v| v == what) {
        return Some(TURN.lock().unwrap_or_else(PoisonError::into_inner));
    }
    println!("skipped: needs tests/support/session.sh and COUNTERSIGN_TEST_SECRET_SERVICE={what}");
    None
}

fn lock(bus: &Connection) {
    let what = vec![ObjectPath::try_from(COLLECTION).unwrap()];
    bus.call_method(Some(SECRETS), ROOT, Some("org.freedesktop.Secret.Service"), "Lock", &(what,)).unwrap();
}

fn unlock(bus: &Connection) {
    let opened = bus
        .call_method(
            Some(SECRETS),
            ROOT,
            Some("org.freedesktop.Secret.Service"),
            "OpenSession",
            &("plain", Value::from("")),
        )
        .unwrap();
    let body = opened.body();
    let (_, session): (Value<'_>, OwnedObjectPath) = body.deserialize().unwrap();
    let password = password().into_bytes();
    let interface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
    let collection = ObjectPath::try_from(COLLECTION).unwrap();
    let secret = (session, Vec::<u8>::new(), password, "text/plain");
    bus.call_method(Some(SECRETS), ROOT, Some(interface), "UnlockWithMasterPassword", &(collection, secret)).unwrap();
}

/// Ends the daemon, runs `between` while there is none, and starts another one on the same home directory; it ends with
/// the bus.
#[expect(clippy::zombie_processes, reason = "it lives as long as the session and ends with it")]
fn restart_daemon(bus: &Connection, between: impl FnOnce()) {
    let proxy = zbus::blocking::fdo::DBusProxy::new(bus).unwrap();
    let mut changes = proxy.receive_name_owner_changed_with_args(&[(0, SECRETS)]).unwrap();
    let pid = proxy.get_connection_unix_process_id(SECRETS.try_into().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert!(changes.next().unwrap().args().unwrap().new_owner.is_none());
    between();
    let mut child = Command::new("gnome-keyring-daemon")
        .args(["--foreground", "--unlock", "--components=secrets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(password().as_bytes()).unwrap();
    assert!(changes.next().unwrap().args().unwrap().new_owner.is_some());
}

fn password() -> String {
    std::env::var("KEYRING_PASSWORD").unwrap()
}
