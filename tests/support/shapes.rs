//! An upstream of either era whose tools each ask for money, or for something else, in one of the shapes there are. It keeps what
//! paid it. Its prices are for Base Sepolia's USDC; no chain is needed, because whatever is paid here is taken unseen.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_vault::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use super::{
    hostile_mpp::{challenge, line, request},
    hostile_seller::{offer, required},
    mcp::with,
};

/// Tools that ask for x402, for MPP, or for either, and what then carries the credential.
pub const PAID: [(&str, &str); 18] = [
    ("http_v2", "payment-signature"),
    ("http_v1", "x-payment"),
    ("error_-32042", "x402/payment"),
    ("error_-32402", "x402/payment"),
    ("error_402", "x402/payment"),
    ("inner_-32042", "x402/payment"),
    ("inner_402", "x402/payment"),
    ("structured", "x402/payment"),
    ("text", "x402/payment"),
    ("mpp_-32042", "org.paymentauth/credential"),
    ("mpp_402", "org.paymentauth/credential"),
    ("mpp_meta", "org.paymentauth/credential"),
    ("mpp_http", "authorization"),
    ("mpp_body", "org.paymentauth/credential"),
    ("both_-32042", "x402/payment"),
    ("both_meta", "x402/payment"),
    ("both_http", "payment-signature"),
    ("beside_-32042", "org.paymentauth/credential"),
];
/// Tools whose price is none: a refusal where nothing was paid, codes of others, a way that is turned off, what cannot be read.
pub const BAD: [&str; 6] = ["mpp_-32043", "mpp_-32402", "off_-32042", "broken_-32042", "broken_meta", "broken_http"];
/// Tools that hide an MPP challenge which could be paid in an x402 price which cannot.
pub const HIDDEN: [&str; 3] = ["hidden_structured", "hidden_text", "hidden_http"];
/// Stands in every MPP challenge, and must stand nowhere else.
pub const CANARY: &str = "challenge-canary";

#[derive(Default)]
struct Kept {
    paid: Mutex<Vec<(String, String)>>,
    challenges: AtomicU64,
}

type Seen = Arc<Kept>;

/// A running one.
pub struct Shapes {
    url: String,
    seen: Seen,
    task: tokio::task::JoinHandle<()>,
}

impl Shapes {
    /// Opens it.
    pub async fn start() -> Self {
        Self::on("127.0.0.1:0").await
    }

    /// Opens it at this address.
    pub async fn on(address: &str) -> Self {
        let seen = Seen::default();
        let router = Router::new().route("/{era}", post(answer)).with_state(seen.clone());
        let listener = tokio::net::TcpListener::bind(address).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, seen, task }
    }

    /// Its address as an upstream of one era, `older` or `newer`, or as `gate`, which asks for money before it can be used.
    pub fn at(&self, era: &str) -> String {
        format!("{}/{era}", self.url)
    }

    /// Which tools were paid, and by what, since the last look.
    pub fn paid(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.seen.paid.lock().expect("a lock"))
    }
}

impl Drop for Shapes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(seen): State<Seen>,
    Path(era): Path<String>,
    headers: HeaderMap,
    Json(message): Json<Value>,
) -> Response {
    let newer = era == "newer";
    if era == "gate" {
        return (StatusCode::PAYMENT_REQUIRED, Json(v1())).into_response();
    }
    let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let reply = |name: &str, value: Value| Json(json!({"jsonrpc": "2.0", "id": id, name: value}));
    let info = json!({"name": "shapes", "version": "1"});
    let cached = |mut result: Value| {
        if newer {
            result["resultType"] = json!("complete");
            result["ttlMs"] = json!(0);
            result["cacheScope"] = json!("private");
        }
        reply("result", result).into_response()
    };
    match (message["method"].as_str().unwrap_or_default(), newer) {
        ("initialize", false) => {
            cached(json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}))
        }
        ("server/discover", true) => cached(json!({
            "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "_meta": {"io.modelcontextprotocol/serverInfo": info},
        })),
        ("tools/list", _) => {
            let names = PAID.iter().map(|(name, _)| *name).chain(BAD).chain(HIDDEN).chain(["pages"]);
            let tools: Vec<Value> =
                names.map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).collect();
            cached(json!({"tools": tools}))
        }
        ("tools/call", _) => {
            let name = message["params"]["name"].as_str().unwrap_or_default();
            let shape = shape(id, &message["params"], &headers, &seen);
            shape.unwrap_or_else(|| cached(json!({"content": [{"type": "text", "text": format!("goods: {name}")}]})))
        }
        _ => {
            let error = reply("error", json!({"code": -32601, "message": "Method not found"}));
            (if newer { StatusCode::NOT_FOUND } else { StatusCode::OK }, error).into_response()
        }
    }
}

/// What a tool says until it is paid, or its page was opened; nothing then.
fn shape(id: &Value, params: &Value, headers: &HeaderMap, seen: &Seen) -> Option<Response> {
    let name = params["name"].as_str().unwrap_or_default();
    let by_meta = ["x402/payment", "org.paymentauth/credential"].into_iter().find(|n| params["_meta"].get(n).is_some());
    let by_header = ["payment-signature", "x-payment", "authorization", "payment-authorization"];
    let by_header = by_header.into_iter().find(|name| headers.contains_key(*name));
    let number = seen.challenges.fetch_add(1, Ordering::Relaxed);
    let mut seen = seen.paid.lock().expect("a lock");
    if let Some(by) = by_meta.or(by_header) {
        seen.push((name.to_owned(), by.to_owned()));
        return None;
    }
    let v2 = required("mcp://tool/x", vec![offer()]);
    let rpc = |name: &str, value: Value| Json(json!({"jsonrpc": "2.0", "id": id, name: value})).into_response();
    let error =
        |code: i64, data: Value| rpc("error", json!({"code": code, "message": "Payment Required", "data": data}));
    let text = |says: String| json!([{"type": "text", "text": says}]);
    let coded = challenge(&format!("{CANARY}-{number}"), &request(), SystemClock.wall(), 300);
    let native = with(&coded, "request", request());
    let asks = |challenge: &Value| json!({"httpStatus": 402, "challenges": [challenge]});
    let broken = asks(&json!({"id": CANARY, "method": "evm"}));
    let marked = |data: Value, structured: Value| {
        json!({
            "content": text(CANARY.to_owned()), "isError": true, "structuredContent": structured,
            "_meta": {"org.paymentauth/payment-required": data},
        })
    };
    let by_http = |x402: Option<&Value>, challenge: &str| {
        let x402 = x402.map(|price| ("payment-required", STANDARD.encode(price.to_string())));
        let mpp = ("www-authenticate", challenge.to_owned());
        let lines = x402
            .into_iter()
            .chain([mpp])
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(&value).expect("a header")));
        (StatusCode::PAYMENT_REQUIRED, lines.collect::<HeaderMap>(), Json(json!({}))).into_response()
    };
    let code = |name: &str| name.rsplit('_').next().and_then(|code| code.parse().ok()).unwrap_or_default();
    let result = |mut result: Value| {
        result["resultType"] = json!("complete");
        rpc("result", result)
    };
    Some(match name {
        "http_v2" => {
            let header = [("payment-required", STANDARD.encode(v2.to_string()))];
            (StatusCode::PAYMENT_REQUIRED, header, Json(json!({}))).into_response()
        }
        "http_v1" => (StatusCode::PAYMENT_REQUIRED, Json(v1())).into_response(),
        "mpp_http" => by_http(None, &line(&coded)),
        "both_http" => by_http(Some(&v2), &line(&coded)),
        "broken_http" => by_http(None, &format!("Payment id=\"{CANARY}\", method=\"evm\"")),
        "mpp_body" => (StatusCode::PAYMENT_REQUIRED, error(-32042, asks(&native))).into_response(),
        "mpp_meta" => result(marked(asks(&native), Value::Null)),
        "both_meta" => result(marked(asks(&native), v2)),
        "broken_meta" => result(marked(broken, Value::Null)),
        "both_-32042" => error(-32042, with(&asks(&native), "x402", v2)),
        "beside_-32042" => error(-32042, hidden(&native)),
        "off_-32042" => error(-32042, asks(&with(&native, "method", json!("tempo")))),
        "broken_-32042" => error(-32042, broken),
        "hidden_http" => {
            let header = [("payment-required", STANDARD.encode(hidden(&coded).to_string()))];
            (StatusCode::PAYMENT_REQUIRED, header, Json(json!({}))).into_response()
        }
        "hidden_structured" => {
            result(json!({"content": text("x".to_owned()), "isError": true, "structuredContent": hidden(&native)}))
        }
        "hidden_text" => result(json!({"content": text(hidden(&native).to_string()), "isError": true})),
        "structured" => result(json!({"content": text(CANARY.to_owned()), "isError": true, "structuredContent": v2})),
        "text" => result(json!({"content": text(v2.to_string()), "isError": true})),
        "pages" => {
            seen.push(("pages".to_owned(), params.get("inputResponses").unwrap_or(&Value::Null).to_string()));
            if seen.len() > 1 {
                return None;
            }
            let page =
                json!({"mode": "url", "elicitationId": "e1", "url": "https://shop.example/open", "message": "Log in."});
            error(-32042, json!({"elicitations": [page], "challenges": [{"id": CANARY}]}))
        }
        name if name.starts_with("error_") => error(code(name), v2),
        name if name.starts_with("inner_") => error(code(name), json!({"x402": v2})),
        name => error(code(name), asks(&native)),
    })
}

/// A price that names nothing in x402, and in MPP what could be paid.
fn hidden(challenge: &Value) -> Value {
    with(&required("mcp://tool/x", Vec::new()), "challenges", json!([challenge]))
}

/// The same price as version 1 writes it.
fn v1() -> Value {
    let mut offer = offer();
    offer["network"] = json!("base-sepolia");
    offer["maxAmountRequired"] = offer["amount"].take();
    offer["resource"] = json!("https://127.0.0.1/mcp");
    offer["description"] = json!("a thing");
    offer["mimeType"] = json!("application/json");
    offer.as_object_mut().expect("an object").remove("amount");
    json!({"x402Version": 1, "error": "payment required", "accepts": [offer]})
}
