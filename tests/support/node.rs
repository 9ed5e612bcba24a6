//! A chain node that lies, lags, refuses or falls silent: in front of a real one, or on its own.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use countersign_desk::settle::Node;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// `authorizationState(address,bytes32)`.
const STATE_CALL: &str = "0xe94a0102";

/// How a node behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaves {
    /// Passes everything on.
    Honestly,
    /// Answers 500 to everything.
    Down,
    /// Refuses to search more than so many blocks.
    Stingily(u64),
    /// Says that nothing was ever used, and that every window is long over.
    LyingUnused,
    /// Says that everything was used.
    LyingUsed,
    /// Its final block is the first one.
    Lagging,
    /// Belongs to another chain.
    Elsewhere,
    /// Knows one block, of this moment (Unix seconds), and nothing else.
    Showing(u64),
}

struct Shared {
    upstream: String,
    behaves: Mutex<Behaves>,
    asked: Mutex<Vec<(String, Value)>>,
    http: reqwest::Client,
}

/// A running double.
pub struct NodeDouble {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for NodeDouble {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl NodeDouble {
    /// In front of a real node.
    pub async fn start(upstream: &str, behaves: Behaves) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            behaves: Mutex::new(behaves),
            asked: Mutex::default(),
            http,
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", post(answer)).with_state(shared.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { address, shared, task }
    }

    /// From now on.
    pub fn behave(&self, behaves: Behaves) {
        *self.shared.behaves.lock().expect("a lock") = behaves;
    }

    /// The parameters of every question by this method.
    pub fn asked(&self, method: &str) -> Vec<Value> {
        let asked = self.shared.asked.lock().expect("a lock");
        asked.iter().filter(|(name, _)| name == method).map(|(_, params)| params.clone()).collect()
    }

    /// The user's own node.
    pub fn own(&self) -> Node {
        node(reqwest::Client::builder(), &format!("http://{}/", self.address))
    }

    /// A node of somebody else: the same double under another host's name.
    pub fn at(&self, host: &str) -> Node {
        let client = reqwest::Client::builder().resolve(host, self.address);
        node(client, &format!("http://{host}:{}/", self.address.port()))
    }
}

/// A node at this address.
pub fn node(client: reqwest::ClientBuilder, url: &str) -> Node {
    Node::new(client.no_proxy().build().expect("a client"), url.parse().expect("an address"))
}

async fn answer(State(shared): State<Arc<Shared>>, Json(question): Json<Value>) -> Response {
    let method = question["method"].as_str().unwrap_or_default().to_owned();
    let params = question["params"].clone();
    shared.asked.lock().expect("a lock").push((method.clone(), params.clone()));
    let result = |result: Value| Json(json!({"jsonrpc": "2.0", "id": 1, "result": result})).into_response();
    let refuse =
        |why: &str| Json(json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": why}})).into_response();
    let behaves = *shared.behaves.lock().expect("a lock");
    let state = method == "eth_call" && params[0]["data"].as_str().is_some_and(|data| data.starts_with(STATE_CALL));
    let finalized = method == "eth_getBlockByNumber" && params[0] == "finalized";
    let block = |number: u64, time: u64| json!({"number": format!("{number:#x}"), "timestamp": format!("{time:#x}")});
    match (behaves, method.as_str()) {
        (Behaves::Down, _) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        (Behaves::Stingily(most), "eth_getLogs") => {
            let from = params[0]["fromBlock"].as_str().map(number).unwrap_or_default();
            let head = ask(&shared, "eth_blockNumber", json!([])).await["result"].as_str().map(number);
            if head.unwrap_or_default().saturating_sub(from) > most {
                return refuse("block range is too large");
            }
        }
        (Behaves::LyingUnused, _) if state => return result(json!(format!("0x{}", "0".repeat(64)))),
        (Behaves::LyingUnused, "eth_getBlockByNumber") => return result(block(1, 9_999_999_999)),
        (Behaves::LyingUsed, _) if state => return result(json!(format!("0x{}1", "0".repeat(63)))),
        (Behaves::Lagging, _) if finalized => {
            return Json(ask(&shared, &method, json!(["0x0", false])).await).into_response();
        }
        (Behaves::Elsewhere, "eth_chainId") => return result(json!("0x1")),
        (Behaves::Showing(time), "eth_getBlockByNumber") => return result(block(7, time)),
        (Behaves::Showing(_), _) => return refuse("not known"),
        _ => {}
    }
    Json(ask(&shared, &method, params).await).into_response()
}

async fn ask(shared: &Shared, method: &str, params: Value) -> Value {
    let question = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let asked = shared.http.post(&shared.upstream).header("content-type", "application/json").body(question);
    let answer = asked.send().await.expect("the real node answers").bytes().await.expect("an answer");
    serde_json::from_slice(&answer).expect("JSON")
}

fn number(hex: &str) -> u64 {
    u64::from_str_radix(hex.trim_start_matches("0x"), 16).expect("a number")
}
