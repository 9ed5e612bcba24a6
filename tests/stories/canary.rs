//! Canaries: a known key, a known passphrase, a token and every credential that left are searched for in everything the program wrote.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::support::{
    Client, Place, Service,
    client::authorization,
    hostile_seller::{HostileSeller, offer, required},
    service::{PASSPHRASE, program},
    until,
};

const KEY: &str = "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77";
const URL: &str = "https://api.example/thing";

#[tokio::test(flavor = "multi_thread")]
async fn keys_tokens_and_credentials_are_in_no_log_and_no_file() {
    let place = Place::new("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let outside = tempfile::tempdir().unwrap();
    let key_file = outside.path().join("key");
    std::fs::write(&key_file, KEY).unwrap();
    let payer = place.ok(&["wallet", "import", "--key-file", key_file.to_str().unwrap(), "--json"]);
    let token = place.agent("researcher");
    let log = outside.path().join("log");
    // Whatever the program leaves anywhere, it leaves in one of these.
    let around = ["home", "temp", "runtime"].map(|name| outside.path().join(name));
    around.iter().for_each(|dir| std::fs::create_dir(dir).unwrap());
    let mut command = place.command(&["--json", "serve", "--port", "0", "--approver", "terminal"]);
    command.env("COUNTERSIGN_LOG", "trace").env("RUST_BACKTRACE", "full");
    command.env("HOME", &around[0]).env("TMPDIR", &around[1]).env("XDG_RUNTIME_DIR", &around[2]);
    let mut service = Service::start({
        command.stderr(std::fs::File::create(&log).unwrap());
        command
    });
    let client = Client::new(&service.url, &token);

    let seller = HostileSeller::start(payer["address"].as_str().unwrap()).await;
    let url = seller.case("drops");
    let fetching = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        async move { client.fetch(&url, "fetched").await }
    });
    tokio::task::block_in_place(|| service.answer_next(true));
    fetching.await.unwrap();
    let body = serde_json::json!({
        "rail": "x402", "url": URL, "challenge": required(URL, vec![offer()]), "idempotency_key": "paid", "wait_seconds": 60,
    });
    let paying = tokio::spawn({
        let client = client.clone();
        async move { client.post("/v1/payments", &body).await }
    });
    tokio::task::block_in_place(|| service.answer_next(true));
    let paid = paying.await.unwrap();
    let (status, _) = Client::new(&service.url, "cs1_wrong_token").get("/healthz").await;
    assert_eq!(status, 401);
    service.stop();

    let signed = authorization(&paid.1).expect("a credential");
    let sent = seller.credentials("drops");
    assert_eq!(sent.len(), 1);
    let mut canaries = vec![
        ("key", KEY.to_owned()),
        ("passphrase", PASSPHRASE.to_owned()),
        ("token", token.clone()),
        ("token's secret", token.rsplit('_').next().unwrap().to_owned()),
    ];
    canaries.push(("fetched credential", sent[0].clone()));
    canaries.push(("paid signature", signed["signature"].as_str().unwrap().trim_start_matches("0x").to_owned()));
    let fetched: serde_json::Value = serde_json::from_slice(&STANDARD.decode(&sent[0]).unwrap()).unwrap();
    canaries.push((
        "fetched signature",
        fetched["payload"]["signature"].as_str().unwrap().trim_start_matches("0x").to_owned(),
    ));

    let logged = std::fs::read(&log).unwrap();
    assert!(logged.len() > 1000, "the log at TRACE is empty: {} bytes", logged.len());
    search(&log, &logged, &canaries);
    let mut files = files_below(place.path());
    assert!(files.iter().any(|file| file.ends_with("ledger.sqlite")), "{files:?}");
    files.extend(around.iter().flat_map(|dir| files_below(dir)));
    files.retain(|file| !["passphrase", "policy-of-the-test.toml"].iter().any(|ours| file.ends_with(ours)));
    assert!(files.len() >= 3, "only {files:?} were searched");
    files.iter().for_each(|file| search(file, &std::fs::read(file).unwrap(), &canaries));
    // The search finds what is there.
    let found = std::panic::catch_unwind(|| search(&key_file, KEY.as_bytes(), &[("key", KEY.to_owned())]));
    assert!(found.is_err(), "the search is blind");
}

/// Every plain file in a directory and those below it.
fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()) {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => open.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files
}

/// Only a build with faults has a key store that breaks down with a key in its hands.
#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_breaks_down_with_a_key_in_its_hands_does_not_show_it() {
    let (place, outside) = (Place::new(""), tempfile::tempdir().unwrap());
    let key_file = outside.path().join("key");
    std::fs::write(&key_file, KEY).unwrap();
    place.ok(&["wallet", "import", "--key-file", key_file.to_str().unwrap(), "--json"]);
    let token = place.agent("researcher");
    let log = outside.path().join("log");
    let mut command = place.command(&["--json", "serve", "--port", "0", "--approver", "terminal"]);
    command.env("COUNTERSIGN_LOG", "trace").env("RUST_BACKTRACE", "full").env("COUNTERSIGN_FAULT", "key_store_panics");
    command.stderr(std::fs::File::create(&log).unwrap());
    let mut service = Service::start(command);
    let client = Client::new(&service.url, &token);
    let paying = tokio::spawn(async move { client.pay(URL, &required(URL, vec![offer()]), "one").await });
    let question = service.event("question");
    let payment = question["payment_id"].as_str().unwrap();
    service.answer(true, payment);
    // It may be answered before or after the breakdown; the payment says how it ended.
    paying.await.unwrap();
    let client = Client::new(&service.url, &token);
    let path = format!("/v1/payments/{payment}?wait=20");
    let (_, ended) = client.get(&path).await;
    assert_eq!(ended["payment"]["state"], "released", "nothing was signed: {ended}");
    assert_eq!(client.get("/healthz").await.1["status"], "ok", "one breakdown stops nothing else");
    service.stop();
    let logged = std::fs::read(&log).unwrap();
    let text = String::from_utf8_lossy(&logged);
    assert!(text.contains("panicked at") && text.contains("told to break down with Ok(Some(Secret))"), "{text}");
    assert!(text.contains("stack backtrace"), "{text}");
    search(&log, &logged, &[("key", KEY.to_owned()), ("passphrase", PASSPHRASE.to_owned()), ("token", token)]);
}

/// The way of a key from stdin through the control socket: what is left of it in the running service.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_imported_key_leaves_no_copy_on_its_way_to_the_vault() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can look into a process that has closed its memory");
        return;
    }
    let place = Place::new("");
    let mut service = place.serve("terminal");
    let mut command = place.command(&["wallet", "import", "--json"]);
    let mut importing = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut importing.stdin.take().unwrap(), format!("{KEY}\n").as_bytes()).unwrap();
    let change = service.event("change");
    assert!(copies(service.pid()).0 > 0, "the scan is blind: the key waits here for the person's yes");
    service.answer(true, change["change_id"].as_str().unwrap());
    assert!(importing.wait_with_output().unwrap().status.success());
    // The command has its answer a moment before the service has let go of the request.
    let mut left = copies(service.pid());
    for _ in 0..100 {
        if left == (0, 1) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        left = copies(service.pid());
    }
    assert_eq!(left, (0, 1), "copies as text, and as bytes: the signer's own page");
    service.stop();
}

/// How often the key stands in the writable memory of a process: as hex digits, and as bytes in either order.
#[cfg(target_os = "linux")]
fn copies(pid: u32) -> (usize, usize) {
    use std::os::unix::fs::FileExt as _;
    let bytes = alloy::hex::decode(KEY).unwrap();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut found = (0, 0);
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut block = vec![0; usize::try_from(to - from).unwrap()];
        let Ok(read) = memory.read_at(&mut block, from) else { continue };
        // Second halves: the allocator writes over the beginning of what was freed.
        // An allocator may have reserved a gigabyte.
        let count = |needle: &[u8]| memchr::memmem::find_iter(&block[..read], needle).count();
        found.0 += count(&KEY.as_bytes()[32..]);
        found.1 += count(&bytes[16..]) + count(&reversed[16..]);
    }
    found
}

/// A verb that waits for a key on stdin is as closed to the user's other programs as the service is.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_verb_closes_its_memory_before_it_reads_anything() {
    // A place where the other user may read the program: an unreadable one is never open, and the test would prove nothing.
    let dir = tempfile::tempdir().unwrap();
    let binary = dir.path().join("countersign");
    std::fs::copy(program(), &binary).unwrap();
    for path in [dir.path(), &binary] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let plain = waiting(Path::new("cat"), &[]);
    until("an ordinary program is open", async || (readable(plain.id(), "cat") == Some(true)).then_some(())).await;
    let mut verb = waiting(&binary, &["--data-dir", dir.path().to_str().unwrap(), "wallet", "import"]);
    until("a verb is closed", async || (readable(verb.id(), "countersign") == Some(false)).then_some(())).await;
    assert_eq!(verb.try_wait().unwrap(), None, "it waits for a key");
    for mut child in [plain, verb] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// A program of an ordinary user, who is played by somebody else where the test is root, waiting for its stdin.
#[cfg(target_os = "linux")]
fn waiting(program: &Path, args: &[&str]) -> Child {
    as_plain_user(program).args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[cfg(target_os = "linux")]
fn as_plain_user(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

/// Whether another program of the same user can read its memory; none before it is the program of this name.
#[cfg(target_os = "linux")]
fn readable(pid: u32, name: &str) -> Option<bool> {
    let runs = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim() == name;
    let maps = format!("if=/proc/{pid}/maps");
    let mut read = as_plain_user(Path::new("dd"));
    runs.then(|| read.args([&maps, "of=/dev/null", "bs=1", "count=1"]).output().unwrap().status.success())
}

/// Each canary as text, as bytes, and as base64 of its bytes.
fn search(path: &Path, content: &[u8], canaries: &[(&str, String)]) {
    for (name, canary) in canaries {
        let mut forms =
            vec![canary.clone().into_bytes(), canary.to_uppercase().into_bytes(), STANDARD.encode(canary).into_bytes()];
        if let Ok(bytes) = alloy::hex::decode(canary) {
            forms.push(STANDARD.encode(&bytes).into_bytes());
            forms.push(bytes);
        }
        for form in forms.iter().filter(|f| f.len() >= 16) {
            let found = content.windows(form.len()).any(|window| window == form.as_slice());
            assert!(!found, "the {name} is in {}", path.display());
        }
    }
}
