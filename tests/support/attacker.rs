//! A web page that wants money, the attacker's server it comes from, and a naive service that shows what the page can do.
//!
//! The page is in `tests/support/attack`. It tries every vector on every target of its plan, and reports.

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};

use super::{browser::Chromium, service::PATIENCE};

/// What the page found out.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// Every vector it tried.
    pub vectors: Vec<String>,
    /// Every answer it could read.
    pub readable: Vec<Readable>,
}

/// An answer that a page could read.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Readable {
    /// What it had asked for.
    pub url: String,
    /// Status; 101 for an open stream.
    pub status: u16,
}

/// One attack: which page, on what.
#[derive(Clone, Copy)]
pub struct Attack<'a> {
    /// The host of the page's own address.
    pub from: &'a str,
    /// Ports it tries, each with these host names.
    pub targets: &'a [(u16, &'a [&'a str])],
    /// A token that it has somehow got hold of.
    pub token: &'a str,
    /// Bodies that would pay: for `/v1/payments`, `/v1/fetch` and `/mcp`.
    pub bodies: [&'a Value; 3],
}

impl Attack<'_> {
    /// Opens the page in the browser and waits until it is through.
    pub async fn run(&self, chromium: &Chromium) -> Report {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let (reports, mut report) = mpsc::channel(1);
        let shown = Shown { plan: self.plan(own), reports };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, pages(shown)).await.expect("a server") });
        let rebinding = self.from == "rebinding.test";
        if rebinding {
            let port = self.targets[0].0;
            let listener = TcpListener::bind(("127.0.0.2", port)).await.expect("the service's port on another address");
            tasks.spawn(rebound(listener, own, port));
        }
        let port = if rebinding { self.targets[0].0 } else { own };
        let window = chromium.open(&format!("http://{}:{port}/attack/page.html", self.from));
        let report = tokio::time::timeout(2 * PATIENCE, report.recv()).await.expect("the page gets through");
        drop(window);
        report.expect("a report")
    }

    fn plan(&self, own: u16) -> Value {
        let host = if self.from == "rebinding.test" { "127.0.0.1" } else { self.from };
        let text = self.bodies[0].to_string();
        let [pay, fetch, mcp] = self.bodies.map(Value::to_string);
        // A form of plain text is `name=value`: the equals sign hides in a string.
        let field = [format!("{},\"reason\":\"", text.trim_end_matches('}')), "\"}".to_owned()];
        json!({
            "attacker": format!("http://{host}:{own}"), "token": self.token,
            "targets": self.targets.iter().map(|(port, names)| json!({"port": port, "names": names})).collect::<Vec<_>>(),
            "pay": pay, "fetch": fetch, "mcp": mcp, "field": field, "lanes": 12, "patience_ms": 3000, "silence_ms": 1000,
        })
    }
}

#[derive(Clone)]
struct Shown {
    plan: Value,
    reports: mpsc::Sender<Report>,
}

fn pages(shown: Shown) -> Router {
    Router::new()
        .route("/attack/{file}", get(file))
        .route("/{file}", get(file))
        .route("/redirect/{status}", any(redirect))
        .route("/reporting", get(reporting))
        .route("/report", post(report))
        .with_state(shown)
}

async fn file(State(shown): State<Shown>, Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "page.html" => ("text/html", include_str!("attack/page.html")),
        "tools.js" => ("text/javascript", include_str!("attack/tools.js")),
        "vectors.js" => ("text/javascript", include_str!("attack/vectors.js")),
        "run.js" => ("text/javascript", include_str!("attack/run.js")),
        "worker.js" => ("text/javascript", include_str!("attack/worker.js")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    // Each on a connection of its own: the next one of a rebound name leads elsewhere.
    ([(header::CONTENT_TYPE, kind), (header::CONNECTION, "close")], text.replace("PLAN", &shown.plan.to_string()))
        .into_response()
}

#[derive(Deserialize)]
struct To {
    to: String,
}

async fn redirect(Path(status): Path<u16>, Query(To { to }): Query<To>) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [(header::LOCATION, to.as_str()), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")]).into_response()
}

/// A page that breaks its own rules, so that the browser reports it to the address.
async fn reporting(Query(To { to }): Query<To>) -> Response {
    let rules = format!("default-src 'none'; report-uri {to}");
    let page = "<img src=\"/nothing\"><script>1</script>";
    ([("content-type", "text/html"), ("content-security-policy-report-only", rules.as_str())], page).into_response()
}

async fn report(State(shown): State<Shown>, body: String) {
    let _ = shown.reports.send(serde_json::from_str(&body).expect("a report")).await;
}

/// The attacker's address until the page is there, the service's afterwards: what a browser does when a name is rebound,
/// whatever it has cached of the name.
async fn rebound(listener: TcpListener, attacker: u16, service: u16) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut start = [0; 12];
            while stream.peek(&mut start).await.is_ok_and(|n| (1..12).contains(&n)) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let port = if &start == b"GET /attack/" { attacker } else { service };
            let mut onwards = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut onwards).await;
            let _ = onwards.shutdown().await;
        });
    }
}

/// A service that checks nothing and does whatever it is asked.
pub struct Naive {
    /// Its port, on the addresses the real one listens on.
    pub port: u16,
    calls: Calls,
    _tasks: JoinSet<()>,
}

type Calls = Arc<Mutex<BTreeSet<(String, String)>>>;

impl Naive {
    /// Starts it.
    pub async fn start() -> Self {
        let first = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = first.local_addr().expect("an address").port();
        let second = TcpListener::bind(("::1", port)).await.ok();
        let calls = Calls::default();
        let mut tasks = JoinSet::new();
        for listener in std::iter::once(first).chain(second) {
            let router = Router::new().fallback(obey).with_state(calls.clone());
            tasks.spawn(async move { axum::serve(listener, router).await.expect("a server") });
        }
        Self { port, calls, _tasks: tasks }
    }

    /// The vectors that reached it, by the host name they were written with; starts anew.
    pub fn take(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (vector, name) in std::mem::take(&mut *self.calls.lock().expect("a lock")) {
            by_name.entry(name).or_default().insert(vector);
        }
        by_name
    }
}

/// Does what it is asked. A preflight only asks whether it may ask.
async fn obey(
    State(calls): State<Calls>,
    method: Method,
    headers: HeaderMap,
    query: Query<HashMap<String, String>>,
) -> Json<Value> {
    let preflight = method == Method::OPTIONS && headers.contains_key("access-control-request-method");
    if let (false, Some((vector, name))) = (preflight, query.get("vector").and_then(|v| v.split_once('@'))) {
        calls.lock().expect("a lock").insert((vector.to_owned(), name.to_owned()));
    }
    Json(json!({"status": "authorized"}))
}
