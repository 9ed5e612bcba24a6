//! Pages in real Chromium try every way a page has, on every name of this computer, and reach nothing behind the guard.
//!
//! The verdict is the service's own log, one line a request. The same page runs against a naive service at the same time, so an
//! idle page, or a browser that stops the page by itself, fails the story. Says so and does nothing where Chromium is missing.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::support::{
    Client, Place, Service,
    attacker::{Attack, Naive},
    browser::Chromium,
    client::pay_body,
    hostile_seller::{offer, required},
    shop::LIMITS,
};

/// This computer, as a page may spell it, and a name that an attacker's name server answers with its address.
const NAMES: &[&str] =
    &["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "rebound.test", "[::ffff:127.0.0.1]"];

struct Watched {
    place: Place,
    service: Service,
    port: u16,
    token: String,
    logs: tempfile::TempDir,
}

/// What the log says of a request: what was asked for, and the code of the refusal if there was one.
type Noted = (String, Option<String>);

impl Watched {
    fn start() -> Self {
        let (place, _) = Place::with_wallet("");
        place.policy(LIMITS);
        let token = place.agent("researcher");
        let logs = tempfile::tempdir().unwrap();
        let service = place.serve_logged("deny", &logs.path().join("log"));
        let port = service.url.rsplit(':').next().unwrap().parse().unwrap();
        Self { place, service, port, token, logs }
    }

    /// Every request so far.
    fn requests(&self) -> Vec<Noted> {
        let log = std::fs::read_to_string(self.logs.path().join("log")).unwrap();
        log.lines()
            .filter_map(|line| line.split_once(" countersign::http::guard: "))
            .map(|(_, note)| read(note))
            .collect()
    }

    /// How many of these were refused, by path and code. None may have been admitted.
    fn refused(requests: &[Noted]) -> BTreeMap<(String, String), usize> {
        let mut refused = BTreeMap::new();
        for (line, code) in requests {
            let code = code.clone().unwrap_or_else(|| panic!("a page got past the guard: {line}"));
            let path = line.split_once(' ').unwrap().1;
            *refused.entry((path.to_owned(), code)).or_default() += 1;
        }
        refused
    }
}

/// `refused http.method=GET http.path="/open" code="bad_host"`
fn read(note: &str) -> Noted {
    let field = |name: &str| {
        let value = note.split_once(&format!("{name}="))?.1.split_whitespace().next()?;
        Some(value.trim_matches('"').to_owned())
    };
    let line = format!("{} {}", field("http.method").unwrap(), field("http.path").unwrap());
    assert!(note.starts_with("admitted ") || note.starts_with("refused "), "{note}");
    (line, note.starts_with("refused ").then(|| field("code").unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_in_a_real_browser_reaches_anything_behind_the_guard() {
    let Some(chromium) = Chromium::find() else {
        println!("skipped: there is no chromium; `cargo xtask test` installs it");
        return;
    };
    let watched = Watched::start();
    let naive = Naive::start().await;
    let url = "https://api.example/x";
    let pay = pay_body(url, &required(url, vec![offer()]), "from-a-page");
    let fetch = json!({"url": url, "idempotency_key": "fetched-by-a-page"});
    let mcp = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "pay", "arguments": pay}});
    let attack = Attack { from: "attacker.test", targets: &[], token: &watched.token, bodies: [&pay, &fetch, &mcp] };

    // A page of another site, and a page of another port of this computer.
    for (from, control) in [("attacker.test", NAMES), ("127.0.0.1", &NAMES[..1])] {
        let before = watched.requests().len();
        let targets = &[(watched.port, NAMES), (naive.port, control)];
        let report = Attack { from, targets, ..attack }.run(&chromium).await;
        let refused = Watched::refused(&watched.requests()[before..]);
        let reached = naive.take();
        assert_eq!(report.readable, [], "a page from {from} could read an answer");
        assert!(report.vectors.len() >= 90, "{}", report.vectors.len());
        for name in control.iter().filter(|name| **name != "[::1]" || std::net::TcpListener::bind("[::1]:0").is_ok()) {
            let vectors = reached.get(*name).map_or(0, BTreeSet::len);
            assert!(vectors >= 60, "from {from} only {vectors} vectors reach a naive service at {name}");
        }
        for path in ["/v1/payments", "/v1/fetch", "/mcp", "/open", "/healthz"] {
            for code in ["bad_host", "bad_origin"] {
                assert!(refused.contains_key(&(path.to_owned(), code.to_owned())), "{path} {code}: {refused:?}");
            }
        }
        let (here, there) = (refused.values().sum::<usize>(), reached.values().map(BTreeSet::len).sum::<usize>());
        assert!(here * 4 >= there * 3, "{here} requests were refused and {there} obeyed by the naive service");
    }

    // A page whose own name is rebound to the service: the browser holds both for one site, and tells it everything.
    let before = watched.requests().len();
    let report = Attack { from: "rebinding.test", targets: &[(watched.port, &["rebinding.test"])], ..attack };
    let report = report.run(&chromium).await;
    let refused = Watched::refused(&watched.requests()[before..]);
    assert!(refused.keys().all(|(_, code)| code == "bad_host"), "{refused:?}");
    for vector in
        ["fetch with token", "fetch post json with token", "fetch post mcp with token", "xhr post json with token"]
    {
        let name = vector.replace(' ', "%20");
        assert!(report.readable.iter().any(|r| r.url.contains(&name)), "{vector} did not arrive: {report:?}");
    }
    assert!(report.readable.len() >= 30 && report.readable.iter().all(|r| r.status == 421), "{:?}", report.readable);

    // What the pages sent would have paid.
    let client = Client::new(&watched.service.url, &watched.token);
    assert_eq!(client.get("/v1/payments").await, (200, json!({"payments": [], "next_cursor": null})));
    let (status, paid) = client.post("/v1/payments", &pay).await;
    assert_eq!((status, paid["status"].as_str()), (200, Some("authorized")), "{paid}");
    let admitted: Vec<String> = watched.requests().into_iter().filter(|r| r.1.is_none()).map(|r| r.0).collect();
    assert_eq!(admitted, ["GET /v1/payments", "POST /v1/payments"]);
    watched.service.stop();
    assert_eq!(watched.place.ok(&["verify", "--json"])["faults"], Value::Array(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_types_the_address_gets_the_page_open_and_nothing_else() {
    let Some(chromium) = Chromium::find() else {
        println!("skipped: there is no chromium; `cargo xtask test` installs it");
        return;
    };
    let watched = Watched::start();
    let page = |path: &str| chromium.page(&format!("{}{path}", watched.service.url));
    let plain = page("/open");
    assert!(plain.contains("Decide in the Countersign window."), "{plain}");
    assert_eq!(page("/open?payment_id=pay_00000000000000000000000000000000&approve=yes"), plain);
    for path in ["/healthz", "/v1/payments", "/mcp"] {
        let shown = page(path);
        assert!(shown.contains("bad_origin") && !shown.contains("payments\":"), "{path}: {shown}");
    }
    let admitted: Vec<String> = watched.requests().into_iter().filter(|r| r.1.is_none()).map(|r| r.0).collect();
    assert_eq!(admitted, ["GET /open", "GET /open"]);
    watched.service.stop();
}
