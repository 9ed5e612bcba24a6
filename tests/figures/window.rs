//! What the tray app costs without a window, and how long a person waits for a question to be on screen.
//!
//! Wants an X display; says so and measures nothing without one.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    idle::{pss_tree_kib, size},
    support::{Client, Place, Service, hostile_seller::HostileSeller, service::PATIENCE},
    table::{Table, percentile},
};

/// What our own windows are drawn with: without a graphics card.
const UNACCELERATED: [(&str, &str); 2] = [("GDK_GL", "disable"), ("WEBKIT_DISABLE_COMPOSITING_MODE", "1")];

/// Questions after the first of one start; each has its own agent, so that no refusal puts it off.
const WARM: usize = 10;
/// Starts of the app, each with one question.
const COLD: usize = 5;

/// From the word to open a window, given to an app of Tauri that does nothing else, to a page that can be read.
fn bare_painted(program: &Path) -> Duration {
    let mut app = Command::new(program)
        .envs(UNACCELERATED)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let mut line = String::new();
    BufReader::new(app.stdout.take().expect("an output")).read_line(&mut line).expect("a line");
    // It has an event loop by then, as ours has.
    std::thread::sleep(Duration::from_secs(1));
    // It ends when this is closed.
    let mut input = app.stdin.take().expect("an input");
    let began = Instant::now();
    input.write_all(b"open\n").expect("a line");
    let window = shown("^Bare$");
    while !readable(&window) {
        assert!(began.elapsed() < PATIENCE, "the bare window was not painted");
    }
    let took = began.elapsed();
    drop(input);
    app.wait().expect("an end");
    took
}

/// The title of the approval window, for a search.
const QUESTION: &str = "^Countersign asks$";

/// All figures of the desktop.
pub async fn run(table: &mut Table) {
    if std::env::var_os("DISPLAY").is_none() {
        eprintln!("there is no display: the figures of the window are left out");
        return;
    }
    if let Some(program) = std::env::var_os("COUNTERSIGN_DESKTOP_BIN") {
        size(table, "desktop program on disk, against 25 MB", &PathBuf::from(program));
    }
    let bare_window = std::env::var_os("COUNTERSIGN_BARE_WINDOW_BIN").map(PathBuf::from);
    let (mut cold, mut warm, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for start in 0..COLD {
        bare.extend(bare_window.as_deref().map(bare_painted));
        let mut shop = Shop::open().await;
        let mut before = None;
        if start == 0 {
            before = shop.memory(table, "tray that never had a window, PSS with all it started, against 70 MB").await;
        }
        cold.push(shop.ask().await);
        if start == 0 {
            for _ in 0..WARM {
                warm.push(shop.ask().await);
            }
            let name = "tray after its window was closed, PSS with all it started, against 70 MB";
            let after = shop.memory(table, name).await;
            if let (Some(before), Some(after)) = (before, after) {
                let [ours, against] = [after, before].map(|mb| format!("{mb:.1} MB"));
                table.add("the same, against the tray that never had one", &ours, &against, after / before, "≤ 1.2");
            }
        }
        shop.service.stop();
    }
    if !bare.is_empty() {
        let name = "request → question painted, first of a start, p50, against a bare Tauri window";
        table.durations(name, percentile(&mut cold, 50), percentile(&mut bare, 50), "≤ 1.5");
    }
    for (name, samples) in [("first of a start", &mut cold), ("later ones", &mut warm)] {
        let (half, most) = (percentile(samples, 50), percentile(samples, 95));
        table.durations(&format!("request → question painted, {name}, p95 against p50"), most, half, "reported");
    }
}

/// A tray app and a seller whose price always asks.
struct Shop {
    _place: Place,
    service: Service,
    seller: HostileSeller,
    tokens: Vec<String>,
}

impl Shop {
    async fn open() -> Self {
        let (place, payer) = Place::with_wallet("[server]\nport = 0\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
        let tokens = (0..=WARM).map(|n| place.agent(&format!("agent-{n}"))).collect();
        // Otherwise the app begins with a question about the new agents.
        place.ok(&["confirm", "policy", "--json"]);
        let seller = HostileSeller::start(&payer).await;
        let service = place.desktop();
        Self { _place: place, service, seller, tokens }
    }

    /// In MB; none where the system does not tell.
    async fn memory(&self, table: &mut Table, name: &str) -> Option<f64> {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mb = pss_tree_kib(self.service.pid())? as f64 / 1024.0;
        table.add(name, &format!("{mb:.1} MB"), "70 MB", mb / 70.0, "≤ 1");
        Some(mb)
    }

    /// From the agent's request to a question that can be read; then the agent withdraws it, and the window goes.
    async fn ask(&mut self) -> Duration {
        let token = self.tokens.pop().expect("an agent that has not asked yet");
        let client = Client::new(&self.service.url, &token);
        let url = self.seller.case("no-receipt");
        let began = Instant::now();
        let asking = tokio::spawn({
            let client = client.clone();
            async move { client.fetch(&url, "one").await }
        });
        let window = shown(QUESTION);
        while !readable(&window) {
            assert!(began.elapsed() < PATIENCE, "the question was not painted");
        }
        let took = began.elapsed();
        let (_, list) = client.get("/v1/payments?status=pending_approval").await;
        let id = list["payments"][0]["id"].as_str().expect("a waiting payment").to_owned();
        client.post(&format!("/v1/payments/{id}/cancel"), &serde_json::json!({})).await;
        let (status, body) = asking.await.expect("an answer");
        assert_eq!((status, body["status"].as_str()), (200, Some("cancelled")), "{body}");
        // The next question opens the window anew.
        while said("xdotool", &["search", "--onlyvisible", "--name", QUESTION]).is_some() {
            assert!(began.elapsed() < PATIENCE, "the window did not close");
        }
        took
    }
}

/// The window of this title, once it is visible.
pub fn shown(title: &str) -> String {
    let began = Instant::now();
    loop {
        let found = said("xdotool", &["search", "--onlyvisible", "--name", title]);
        if let Some(window) = found.as_deref().and_then(|text| text.lines().last()) {
            return window.to_owned();
        }
        assert!(began.elapsed() < PATIENCE, "there is no window {title}");
    }
}

/// Whether a picture of the window has text on it: more colours than a background and a frame.
pub fn readable(window: &str) -> bool {
    let colours = said("import", &["-window", window, "-format", "%k", "info:"]);
    colours.and_then(|text| text.trim().parse::<usize>().ok()).is_some_and(|colours| colours > 100)
}

fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
