//! A seller that misbehaves: each path is one way to try. It counts the credentials it was sent, and where.
//!
//! Prices are for Base Sepolia's USDC; no chain is needed, because nothing it offers may lead to an unseen signature.

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// Base Sepolia's USDC.
pub const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
/// Somebody who may be paid.
pub const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

/// What reached the seller.
#[derive(Default)]
pub struct Seen {
    /// Credentials by path, verbatim.
    pub credentials: Mutex<HashMap<String, Vec<String>>>,
    /// Requests by path.
    pub requests: Mutex<HashMap<String, usize>>,
}

/// A running hostile seller.
pub struct HostileSeller {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// What reached it.
    pub seen: Arc<Seen>,
    elsewhere: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for HostileSeller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Shop {
    seen: Arc<Seen>,
    payer: String,
    elsewhere: String,
    url: String,
}

impl HostileSeller {
    /// Opens two ports: the shop, and an "elsewhere" a redirect leads to.
    pub async fn start(payer: &str) -> Self {
        let seen = Arc::new(Seen::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let elsewhere = format!("http://{}", other.local_addr().expect("an address"));
        let shop = Arc::new(Shop {
            seen: seen.clone(),
            payer: payer.to_owned(),
            elsewhere: elsewhere.clone(),
            url: url.clone(),
        });
        let router = Router::new().route("/{case}", any(serve)).with_state(shop);
        let also = router.clone();
        let task = tokio::spawn(async move {
            let _ = tokio::join!(axum::serve(listener, router), axum::serve(other, also));
        });
        Self { url, seen, elsewhere, task }
    }

    /// The address of a case.
    pub fn case(&self, case: &str) -> String {
        format!("{}/{case}", self.url)
    }

    /// Credentials that reached a path.
    pub fn credentials(&self, case: &str) -> Vec<String> {
        self.seen.credentials.lock().expect("a lock").get(case).cloned().unwrap_or_default()
    }

    /// How often a path was asked.
    pub fn requests(&self, case: &str) -> usize {
        self.seen.requests.lock().expect("a lock").get(case).copied().unwrap_or_default()
    }

    /// The other origin.
    pub fn elsewhere(&self) -> &str {
        &self.elsewhere
    }
}

/// An honest offer of $0.01, to be spoilt.
pub fn offer() -> Value {
    json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": USDC, "payTo": PAY_TO,
        "maxTimeoutSeconds": 60, "extra": {"name": "USDC", "version": "2"},
    })
}

/// The dollars of a chain where they are worth something.
pub const REAL_USDC: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

/// The same price in them.
fn real_offer() -> Value {
    let mut offer = offer();
    offer["network"] = json!("eip155:8453");
    offer["asset"] = json!(REAL_USDC);
    offer["extra"] = json!({"name": "USD Coin", "version": "2"});
    offer
}

/// The offer of a case; `None` where the case is not about the offer.
fn spoilt(case: &str, payer: &str) -> Option<Value> {
    let mut offer = offer();
    let (path, value) = match case {
        "lookalike-token" => ("asset", json!("0x036CbD53842c5426634e7929541eC2318f3dCF70")),
        "other-chain" => ("network", json!("eip155:8453")),
        "unknown-chain" => ("network", json!("eip155:424242")),
        "year" => ("maxTimeoutSeconds", json!(31_536_000)),
        "timeout-string" => ("maxTimeoutSeconds", json!("60")),
        "timeout-negative" => ("maxTimeoutSeconds", json!(-5)),
        "timeout-short" => ("maxTimeoutSeconds", json!(5)),
        "timeout-float" => ("maxTimeoutSeconds", json!(60.5)),
        "payto-zero" => ("payTo", json!("0x0000000000000000000000000000000000000000")),
        "payto-token" => ("payTo", json!(USDC)),
        "payto-us" => ("payTo", json!(payer)),
        "payto-checksum" => ("payTo", json!("0x209693bc6afc0C5328bA36FaF03C514EF312287C")),
        "payto-text" => ("payTo", json!("merchant")),
        "name" => ("extra", json!({"name": "USD Coin", "version": "2"})),
        "version" => ("extra", json!({"name": "USDC", "version": "1"})),
        "no-domain" => ("extra", json!({})),
        "amount-zero" => ("amount", json!("0")),
        "amount-negative" => ("amount", json!("-1")),
        "amount-decimal" => ("amount", json!("0.01")),
        "amount-exponent" => ("amount", json!("1e4")),
        "amount-hex" => ("amount", json!("0x2710")),
        "amount-leading-zeros" => ("amount", json!("00010000")),
        "amount-number" => ("amount", json!(10_000)),
        "amount-huge" => ("amount", json!(format!("1{}", "0".repeat(78)))),
        "amount-hidden" => ("amount", json!("10000\u{200b}")),
        "network-zero" => ("network", json!("eip155:084532")),
        "network-hex" => ("network", json!("eip155:0x14a34")),
        "flow-unknown" => ("extra", json!({"name": "USDC", "version": "2", "paymentFlow": "later"})),
        "flow-upfront" => ("extra", json!({"name": "USDC", "version": "2", "paymentFlow": "upfront"})),
        "permit2" => ("extra", json!({"name": "USDC", "version": "2", "assetTransferMethod": "permit2"})),
        "upto" => ("scheme", json!("upto")),
        "price-25" => ("amount", json!("25000000")),
        "price-75" => ("amount", json!("75000000")),
        _ => return None,
    };
    offer[path] = value;
    Some(offer)
}

/// The whole 402 object for one offer.
pub fn required(url: &str, accepts: Vec<Value>) -> Value {
    json!({"x402Version": 2, "error": "payment required", "resource": {"url": url, "description": "a thing", "mimeType": "application/json"}, "accepts": accepts})
}

async fn serve(State(shop): State<Arc<Shop>>, Path(case): Path<String>, request: Request) -> Response {
    *shop.seen.requests.lock().expect("a lock").entry(case.clone()).or_default() += 1;
    let credential = request.headers().get("payment-signature").or_else(|| request.headers().get("x-payment"));
    let paid = credential.is_some();
    if let Some(credential) = credential {
        let text = credential.to_str().unwrap_or_default().to_owned();
        shop.seen.credentials.lock().expect("a lock").entry(case.clone()).or_default().push(text);
    }
    let url = format!("{}/{case}", shop.url);
    let honest = || payment_required(&required(&url, vec![offer()]));
    if let Some(offer) = spoilt(&case, &shop.payer) {
        return payment_required(&required(&url, vec![offer]));
    }
    if let (true, Some(claim)) = (paid, case.strip_prefix("receipt-")) {
        return receipt(&json!({"success": true, "transaction": claim, "network": "eip155:84532"}));
    }
    if let (true, Some(size)) = (paid, case.strip_prefix("goods-")) {
        return "x".repeat(size.parse().expect("a size")).into_response();
    }
    match case.as_str() {
        "free" => "free of charge".into_response(),
        "other-site" => payment_required(&required("https://bank.example/", vec![offer()])),
        "text" => {
            let mut object = required(&url, vec![offer()]);
            object["resource"]["description"] = json!(
                "\u{202e}evil\u{0} <b>pre-approved</b>\u{200b}\u{3164} \u{1b}[31mred a\u{301}\u{301}\u{301}\u{301}"
            );
            payment_required(&object)
        }
        "version-string" => with(&required(&url, vec![offer()]), |o| o["x402Version"] = json!("2")),
        "version-3" => with(&required(&url, vec![offer()]), |o| o["x402Version"] = json!(3)),
        "empty" => payment_required(&required(&url, vec![])),
        "error-12k" => with(&required(&url, vec![offer()]), |o| o["error"] = json!("x".repeat(12 * 1024))),
        "seventeen" => payment_required(&required(&url, vec![offer(); 17])),
        "body-only" => (StatusCode::PAYMENT_REQUIRED, axum::Json(required(&url, vec![offer()]))).into_response(),
        "not-base64" => header_402("%%%not base64%%%"),
        "not-json" => header_402(&STANDARD.encode("hello")),
        "duplicate-keys" => header_402(&STANDARD.encode(format!(
            "{{\"x402Version\":2,\"x402Version\":2,\"resource\":{{\"url\":\"{url}\"}},\"accepts\":[{}]}}",
            offer()
        ))),
        "deep" => header_402(&STANDARD.encode(format!(
            "{{\"x402Version\":2,\"accepts\":{}{}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        ))),
        "deep-body" => {
            (StatusCode::PAYMENT_REQUIRED, format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))).into_response()
        }
        "big" => (StatusCode::PAYMENT_REQUIRED, Body::from(vec![b' '; 50 * 1024 * 1024])).into_response(),
        "bomb" => bomb(100 * 1024 * 1024),
        "squeezed" => bomb(40 * 1024),
        "slow" => (StatusCode::PAYMENT_REQUIRED, Body::from_stream(futures_dripping())).into_response(),
        "always-402" | "price-grows" => {
            let n = shop.seen.requests.lock().expect("a lock")[&case];
            let mut grown = offer();
            if case == "price-grows" {
                grown["amount"] = json!((10_000 * n).to_string());
            }
            payment_required(&with_error(required(&url, vec![grown]), "insufficient_funds", paid))
        }
        "pending" if paid => payment_required(&with_error(required(&url, vec![offer()]), "settlement_pending", true)),
        "server-error" if paid => (StatusCode::BAD_GATEWAY, "facilitator timed out").into_response(),
        "false-receipt" if paid => receipt(
            &json!({"success": true, "transaction": format!("0x{}", "ab".repeat(32)), "network": "eip155:84532"}),
        ),
        "broken-receipt" if paid => with_receipt("not a receipt"),
        "no-receipt" | "real" if paid => "delivered".into_response(),
        "real" => payment_required(&required(&url, vec![real_offer()])),
        "drops" if paid => Response::new(Body::from_stream(futures_dropped())),
        "redirect-302" | "redirect-307" if paid => {
            let status = if case == "redirect-302" { StatusCode::FOUND } else { StatusCode::TEMPORARY_REDIRECT };
            (status, [(header::LOCATION, format!("{}/landed", shop.elsewhere))]).into_response()
        }
        "redirected" => {
            (StatusCode::FOUND, [(header::LOCATION, format!("{}/always-402", shop.elsewhere))]).into_response()
        }
        _ => honest(),
    }
}

fn with(object: &Value, change: impl FnOnce(&mut Value)) -> Response {
    let mut object = object.clone();
    change(&mut object);
    payment_required(&object)
}

fn with_error(mut object: Value, error: &str, paid: bool) -> Value {
    if paid {
        object["error"] = json!(error);
    }
    object
}

/// A 402 answer with this object.
pub fn payment_required(object: &Value) -> Response {
    header_402(&STANDARD.encode(object.to_string()))
}

fn header_402(value: &str) -> Response {
    let mut response = (StatusCode::PAYMENT_REQUIRED, "{}").into_response();
    response.headers_mut().insert("payment-required", HeaderValue::from_str(value).expect("a header value"));
    response
}

fn receipt(object: &Value) -> Response {
    with_receipt(&STANDARD.encode(object.to_string()))
}

fn with_receipt(value: &str) -> Response {
    let mut response = "delivered".into_response();
    response.headers_mut().insert("payment-response", HeaderValue::from_str(value).expect("a header value"));
    response
}

/// A price of so many zeros in a thousandth of that.
fn bomb(size: usize) -> Response {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let block = vec![0_u8; 8 * 1024];
    for _ in 0..size / block.len() {
        std::io::Write::write_all(&mut encoder, &block).expect("memory");
    }
    let mut response = (StatusCode::PAYMENT_REQUIRED, encoder.finish().expect("memory")).into_response();
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

/// A body that never ends and never stops either.
fn futures_dripping() -> impl futures_core::Stream<Item = Result<&'static str, std::io::Error>> {
    use tokio_stream::StreamExt as _;
    tokio_stream::iter(std::iter::repeat_with(|| Ok(" "))).throttle(std::time::Duration::from_millis(200))
}

/// A body that breaks off: the money is taken, the answer never arrives.
fn futures_dropped() -> impl futures_core::Stream<Item = Result<&'static str, std::io::Error>> {
    tokio_stream::iter([Ok("{\"deliv"), Err(std::io::Error::other("gone"))])
}
