//! A restore that was asked for in the window is carried out by the next start, once: wherever that start is killed, the one after it
//! ends it or takes it back.

use countersign_core::payment::Digest;
use countersign_vault::keys::{KeyStore as _, Secret, file::FileStore};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
};

use crate::support::{
    Client, Place, Service,
    hostile_seller::{offer, required},
    service::PASSPHRASE,
};

const URL: &str = "https://api.example/thing";
const POLICY: &str = "format = 1\nname = \"restore\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
    rule = [{ id = \"small\", effect = \"allow\", when = { exposure = { le = \"0.10\" } } }]\n\
    budget = [{ id = \"day\", scope = [], window = \"calendar:day\", max_amount = \"5.00\", on_exceed = \"ask\" }]\n";
/// Where a start may end, in the order in which it comes there, and on which arrival.
const PLACES: [(&str, u32); 13] = [
    ("restore.remembered", 1),
    ("restore.noted", 1),
    ("restore.moved", 1),
    ("restore.moved", 2),
    ("restore.moved", 3),
    ("restore.anchored", 1),
    ("restore.placed", 1),
    ("restore.forgotten", 1),
    ("restore.ended", 1),
    ("restore.settings", 1),
    ("restore.settings", 2),
    ("restore.told", 1),
    ("restore.copy", 1),
];

/// A directory with two payments, of which a backup that waits to be restored knows the first; a copy of it, to begin again from.
struct Stand {
    place: Place,
    copy: tempfile::TempDir,
}

impl Stand {
    async fn new() -> Self {
        let (place, _) = Place::with_wallet("");
        place.policy(POLICY);
        let token = place.agent("researcher");
        let file = place.path().join("copy.sqlite");
        let service = place.serve("deny");
        assert_eq!(pay(&service, &token, "first").await, 200);
        fs::write(place.path().join("windows.json"), r#"{"language":"en"}"#).unwrap();
        assert!(place.run(&["backup", file.to_str().unwrap()]).status.success());
        assert_eq!(pay(&service, &token, "second").await, 200);
        // Its log of the database stays, and is set aside with it.
        service.kill();
        fs::rename(&file, place.path().join("restore-a1b2c3.sqlite")).unwrap();
        let note = json!({"state": "waiting", "id": "a1b2c3", "begun": 0, "lines": []});
        fs::write(place.path().join("restore.json"), note.to_string()).unwrap();
        let config = place.path().join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("# later\n{text}")).unwrap();
        fs::write(place.path().join("windows.json"), r#"{"language":"zh-CN"}"#).unwrap();
        let copy = tempfile::tempdir().unwrap();
        copied(place.path(), copy.path());
        Self { place, copy }
    }

    fn again(&self) {
        for file in files(self.place.path()) {
            fs::remove_file(file).unwrap();
        }
        copied(self.copy.path(), self.place.path());
    }

    /// A start that dies there.
    fn killed(&self, place: &str, nth: u32) {
        let mut command = self.place.command(&["--json", "serve", "--port", "0", "--approver", "deny"]);
        let ended = command.env("COUNTERSIGN_KILL_AT", format!("{place}:{nth}:0")).output().unwrap();
        assert_eq!(ended.status.signal(), Some(9), "{place}:{nth} was not reached: {ended:?}");
    }

    /// What a start without a fault leaves: payments, ledgers set aside, the note's state, and the files of a restore.
    fn ends(&self) -> (usize, usize, String, Vec<String>) {
        self.place.serve("deny").stop();
        let payments = self.place.ok(&["history", "--json"])["payments"].as_array().map_or(0, Vec::len);
        let note: Value = serde_json::from_slice(&fs::read(self.place.path().join("restore.json")).unwrap()).unwrap();
        let names = files(self.place.path()).into_iter().map(|file| file.file_name().unwrap().display().to_string());
        let (mut asides, mut left) = (0, Vec::new());
        for name in names {
            asides += usize::from(name.starts_with("ledger.before-restore-") && name.ends_with(".sqlite"));
            if name.contains("restoring") || name.starts_with("restore-") {
                left.push(name);
            }
        }
        (payments, asides, note["state"].as_str().unwrap().to_owned(), left)
    }

    /// Whether the key store still knows where the ledger that is set aside ended.
    fn remembered(&self) -> bool {
        let dir = self.place.path().canonicalize().unwrap();
        let name = Digest::of(&[b"countersign data directory 1", dir.as_os_str().as_encoded_bytes()]).to_string();
        let store = FileStore::open(&dir, &Secret::copy_of(PASSPHRASE.as_bytes())).unwrap();
        store.get(&format!("anchor:{}:before", &name[..16])).unwrap().is_some()
    }

    fn later(&self) -> bool {
        fs::read_to_string(self.place.path().join("config.toml")).unwrap().contains("# later")
    }

    fn language(&self) -> Value {
        let text = fs::read(self.place.path().join("windows.json")).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()["language"].clone()
    }
}

async fn pay(service: &Service, token: &str, key: &str) -> u16 {
    Client::new(&service.url, token).pay(URL, &required(URL, vec![offer()]), key).await.0
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    all.filter(|entry| entry.file_type().unwrap().is_file()).map(|entry| entry.path()).collect()
}

fn copied(from: &Path, to: &Path) {
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_anywhere_is_whole_after_the_next_start() {
    let stand = Stand::new().await;
    let done = || (1, 1, "done".to_owned(), Vec::new());
    for (place, nth) in [("", 0)].into_iter().chain(PLACES) {
        stand.again();
        if !place.is_empty() {
            stand.killed(place, nth);
        }
        assert_eq!(stand.ends(), done(), "{place}:{nth}");
        assert!(!stand.remembered(), "{place}:{nth}: who can write files could bring the old ledger back");
        assert_eq!((stand.later(), stand.language()), (false, json!("en")), "{place}:{nth}: the settings");
        let shown = stand.place.ok(&["policy", "show", "--json"]);
        assert!(
            shown["doubts"]["history"].as_str().is_some_and(|why| why.contains("restored from a backup")),
            "{shown}"
        );
        let (_, found) = stand.place.exit(&["verify"]);
        let faults = found["faults"].as_array().unwrap();
        assert!(faults.len() == 1 && faults[0].as_str().unwrap().contains("restored from a backup"), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_while_it_is_taken_back_is_whole_and_one_that_never_ends_is_given_up() {
    let stand = Stand::new().await;
    stand.killed("restore.anchored", 1);
    assert!(stand.remembered());
    stand.killed("restore.back", 1);
    stand.killed("restore.forgotten", 1);
    assert!(!stand.remembered());
    assert_eq!(stand.ends(), (1, 1, "done".to_owned(), Vec::new()));

    stand.again();
    for _ in 0..3 {
        stand.killed("restore.anchored", 1);
    }
    assert_eq!(stand.ends(), (2, 0, "failed".to_owned(), Vec::new()), "what was there before is in use");
    assert!(stand.later());
    let found = stand.place.ok(&["verify", "--json"]);
    assert_eq!((&found["payments"], &found["faults"]), (&json!(2), &json!([])), "{found}");
    let shown = stand.place.ok(&["policy", "show", "--json"]);
    assert!(shown["doubts"]["history"].is_null(), "{shown}");
}
