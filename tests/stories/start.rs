//! Starting on a data directory that is taken, lost, foreign, read-only or changed behind our back: the program says so, and no
//! money moves by itself.

use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use crate::support::{
    Client, Place, Service,
    hostile_seller::{offer, required},
    service::program,
};

const URL: &str = "https://api.example/thing";

fn policy(small: &str) -> String {
    format!(
        "format = 1\nname = \"start\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
         rule = [{{ id = \"small\", effect = \"allow\", when = {{ exposure = {{ le = \"{small}\" }} }} }}]\n\
         budget = [{{ id = \"day\", scope = [], window = \"calendar:day\", max_amount = \"5.00\", on_exceed = \"ask\" }}]\n"
    )
}

/// A data directory in which one payment went through by itself, and its agent's token.
async fn used() -> (Place, String) {
    let (place, _) = Place::with_wallet("");
    place.policy(&policy("0.10"));
    let token = place.agent("researcher");
    let service = place.serve("deny");
    assert_eq!(pay(&service, &token, "first").await, (200, "authorized".to_owned()));
    service.stop();
    (place, token)
}

/// One payment of a cent: HTTP status, and the outcome, the rule that stopped it, or else the problem's code.
async fn pay(service: &Service, token: &str, key: &str) -> (u16, String) {
    let client = Client::new(&service.url, token);
    let (status, body) = client.pay(URL, &required(URL, vec![offer()]), key).await;
    let rule = &body["outcome"]["payment"]["decision"]["rule"];
    let word = rule.as_str().or_else(|| body["code"].as_str()).or_else(|| body["status"].as_str());
    (status, word.unwrap_or_default().to_owned())
}

async fn health(service: &Service, token: &str) -> Value {
    Client::new(&service.url, token).get("/healthz").await.1["status"].clone()
}

/// A start that must fail: its exit status and what it says.
fn refused(place: &Place) -> (i32, String) {
    let output = place.run(&["serve", "--port", "0", "--approver", "deny"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.stdout.is_empty(), "it started: {output:?}");
    (output.status.code().unwrap(), said)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_is_refused_with_status_5_and_the_first_goes_on() {
    let (place, token) = used().await;
    let service = place.serve("deny");
    let (status, said) = refused(&place);
    assert_eq!(status, 5, "{said}");
    assert!(said.contains("another instance"), "{said}");
    assert_eq!(pay(&service, &token, "second").await.0, 200);
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["payments"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_others_could_read_is_only_looked_at_until_its_mode_is_mended() {
    let (place, token) = used().await;
    let ledger = place.path().join("ledger.sqlite");
    for (path, loose, right) in [(ledger.as_path(), 0o644, 0o600), (place.path(), 0o755, 0o700)] {
        mode(path, loose);
        looked_at(&place.serve("deny"), &token).await;
        mode(path, right);
    }
    let service = place.serve("deny");
    assert_eq!(pay(&service, &token, "mended").await.0, 200);
    assert_eq!(health(&service, &token).await, "ok");
}

/// The service runs, shows what there is, and moves nothing.
async fn looked_at(service: &Service, token: &str) {
    assert_eq!(health(service, token).await, "view_only");
    assert_eq!(pay(service, token, "another").await, (503, "view_only".to_owned()));
    let client = Client::new(&service.url, token);
    let (status, problem) = client.fetch(URL, "fetched").await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("view_only")), "{problem}");
    let (status, list) = client.get("/v1/payments").await;
    assert_eq!((status, list["payments"].as_array().map(Vec::len)), (200, Some(1)), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_directory_is_only_looked_at() {
    let (place, token) = used().await;
    // Root may write everywhere: run as root, the test plays an ordinary user, with a program and a directory of that user's own.
    let root = rustix::process::geteuid().is_root();
    let elsewhere = tempfile::tempdir().unwrap();
    let binary = elsewhere.path().join("countersign");
    let mut command = place.command(&["--json", "serve", "--port", "0", "--approver", "deny"]);
    if root {
        mode(elsewhere.path(), 0o755);
        fs::copy(program(), &binary).unwrap();
        mode(&binary, 0o755);
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let mut as_user = Command::new("setpriv");
        as_user.args(user).arg(&binary).args(command.get_args()).env_remove("COUNTERSIGN_DATA_DIR");
        command = as_user;
        for entry in fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().path()).chain([place.path().to_owned()]) {
            std::os::unix::fs::chown(&entry, Some(65534), Some(65534)).unwrap();
        }
    }
    mode(place.path(), 0o500);
    let before = listing(place.path());
    let service = Service::start(command);
    looked_at(&service, &token).await;
    service.stop();
    assert_eq!(listing(place.path()), before, "something was written");
    mode(place.path(), 0o700);
}

/// Names and lengths of everything in a directory.
fn listing(dir: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(dir).unwrap().map(|e| e.unwrap());
    let mut all: Vec<_> =
        entries.map(|e| (e.file_name().to_string_lossy().into_owned(), e.metadata().unwrap().len())).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_foreign_or_linked_ledger_ends_the_start_with_status_1_and_is_left_alone() {
    let (place, token) = used().await;
    let ledger = place.path().join("ledger.sqlite");
    let good = fs::read(&ledger).unwrap();
    for (at, bytes, says) in [(60, 9, "newer"), (68, 0, "another program")] {
        let mut file = good.clone();
        file[at..at + 4].copy_from_slice(&[0, 0, 0, bytes]);
        fs::write(&ledger, &file).unwrap();
        let (status, said) = refused(&place);
        assert!(status == 1 && said.contains(says), "{status}: {said}");
        assert_eq!(fs::read(&ledger).unwrap(), file, "{says}: it was written");
        // A verb that would work directly is refused as well.
        assert_eq!(place.exit(&["history"]).0, 1, "{says}");
    }
    fs::write(place.path().join("elsewhere"), &good).unwrap();
    fs::remove_file(&ledger).unwrap();
    symlink("elsewhere", &ledger).unwrap();
    let (status, said) = refused(&place);
    assert!(status == 1 && said.contains("symbolic link"), "{status}: {said}");
    fs::remove_file(&ledger).unwrap();
    fs::rename(place.path().join("elsewhere"), &ledger).unwrap();
    mode(&ledger, 0o600);

    let through = tempfile::tempdir().unwrap();
    let link = through.path().join("link");
    symlink(place.path(), &link).unwrap();
    let output = Command::new(program()).arg("--data-dir").arg(&link).args(["serve", "--port", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let service = place.serve("deny");
    assert_eq!(pay(&service, &token, "after-all").await.0, 200, "the file itself was right all along");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_history_is_view_only_until_confirmed_and_then_nothing_is_left_to_spend() {
    let (place, token) = used().await;
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::remove_file(place.path().join(name));
    }
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    assert_eq!(client.get("/healthz").await.0, 401, "no token is known without a ledger");
    let (status, error) = place.exit(&["wallet", "create"]);
    assert_eq!(status, 3, "{error}");
    service.stop();
    let (status, error) = place.exit(&["agent", "add", "too-early"]);
    assert!(status == 1 && error["error"].as_str().unwrap().contains("history lost"), "{status}: {error}");
    assert!(!place.path().join("ledger.sqlite").exists(), "it was silently made again");

    assert_eq!(place.exit(&["confirm", "history"]), (0, json!({"confirmed": "history"})));
    place.ok(&["wallet", "create", "--json"]);
    place.policy(&policy("0.10"));
    let token = place.agent("researcher");
    let service = place.serve("deny");
    assert_eq!(health(&service, &token).await, "ok");
    // What was spent today is not known any more, so today counts as spent.
    assert_eq!(pay(&service, &token, "today").await, (403, "budget:day".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_behind_our_back_makes_everything_ask_until_confirmed() {
    let (place, token) = used().await;
    place.configure("[currency]\nrates = { EUR = \"0.01\" }\n");
    unconfirmed(&place, &token, "config.toml").await;

    let conn = rusqlite::Connection::open(place.path().join("ledger.sqlite")).unwrap();
    assert_eq!(conn.execute("UPDATE agent SET created = created + 1", []).unwrap(), 1);
    drop(conn);
    unconfirmed(&place, &token, "ledger.sqlite").await;
}

/// Nothing goes through by itself, whoever started it, until a person confirms.
async fn unconfirmed(place: &Place, token: &str, what: &str) {
    for round in 0..2 {
        let service = place.serve("deny");
        let stopped = pay(&service, token, &format!("{what}-{round}")).await;
        assert_eq!(stopped, (403, "builtin:policy-unconfirmed".to_owned()), "{what}");
        service.stop();
    }
    assert!(!place.ok(&["policy", "show", "--json"])["doubts"]["policy"].is_null(), "{what}");
    place.ok(&["confirm", "policy", "--json"]);
    let service = place.serve("deny");
    assert_eq!(pay(&service, token, &format!("{what}-confirmed")).await.0, 200, "{what}");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_loosened_by_a_command_while_stopped_are_in_force_logged_and_announced_once() {
    let (place, token) = used().await;
    place.policy(&policy("0.20"));
    let log = place.path().join("log");
    let mut command = place.command(&["serve", "--port", "0", "--approver", "deny"]);
    command.stderr(fs::File::create(&log).unwrap());
    // `ready` is the last of them: an announcement that does not come before it does not come.
    let service = Service::start(command);
    assert_eq!(service.before_ready(), [json!({"event": "policy_changed"})]);
    let logged = fs::read_to_string(&log).unwrap();
    assert!(logged.contains("WARN") && logged.contains("loosened"), "{logged}");
    assert_eq!(pay(&service, &token, "loosened").await.0, 200);
    service.stop();
    let again = place.serve("deny");
    assert_eq!(again.before_ready(), [Value::Null; 0]);
    again.stop();
    place.policy(&policy("0.10"));
    assert_eq!(place.serve("deny").before_ready(), [Value::Null; 0], "a tightening is no news");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_asks_until_confirmed() {
    let Some(faketime) = faketime() else {
        println!("skipped: there is no faketime; `cargo xtask test` brings it on Debian");
        return;
    };
    let (place, token) = used().await;
    let serve = |offset: &str| {
        // Timers go by the other clock, which nobody sets.
        place.serve_with(
            "deny",
            &[
                ("LD_PRELOAD", &faketime),
                ("FAKETIME", offset),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
                ("DONT_FAKE_MONOTONIC", "1"),
            ],
        )
    };
    let service = serve("-60s");
    assert_eq!(pay(&service, &token, "a-little").await.0, 200, "clocks are corrected all the time");
    service.stop();
    let service = serve("-1h");
    assert_eq!(pay(&service, &token, "back").await, (403, "builtin:clock-suspect".to_owned()));
    service.stop();
    // Right again, and still nobody has looked at it.
    let service = place.serve("deny");
    assert_eq!(pay(&service, &token, "right").await, (403, "builtin:clock-suspect".to_owned()));
    service.stop();
    assert!(!place.ok(&["policy", "show", "--json"])["doubts"]["clock"].is_null());
    place.ok(&["confirm", "clock", "--json"]);
    let service = place.serve("deny");
    assert_eq!(pay(&service, &token, "confirmed").await.0, 200);
}

/// The library that `faketime` loads into a program; the command itself would stand between the test and the program.
fn faketime() -> Option<String> {
    let output = Command::new("faketime").args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output().ok()?;
    let library = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !library.is_empty()).then_some(library)
}
