//! A server of the Payment scheme that misbehaves: each path is one way to try. It counts the credentials it was sent, and where.
//!
//! Prices are for Base Sepolia's USDC, or by method `tempo` for Moderato's pathUSD; no chain is needed, because nothing it asks may lead to an unseen signature.

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use countersign_core::Millis;
use countersign_vault::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::hostile_seller::{PAY_TO, REAL_USDC, USDC, offer, required};

/// Somebody else who may be paid.
const OTHER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// A token on both chains of Tempo.
const PATH_USD: &str = "0x20c0000000000000000000000000000000000000";

/// Under which requests that say what they would pay are counted.
pub const ACCEPTS: &str = "accept-payment";

/// An honest request of $0.01.
pub fn request() -> Value {
    json!({
        "amount": "10000", "currency": USDC, "recipient": PAY_TO,
        "methodDetails": {"chainId": 84532, "credentialTypes": ["authorization"], "decimals": 6},
    })
}

/// The same by method `tempo`.
fn tempo_request() -> Value {
    json!({
        "amount": "10000", "currency": PATH_USD, "recipient": PAY_TO,
        "methodDetails": {"chainId": 42431, "supportedModes": ["pull", "push"]},
    })
}

/// The parameters of an honest challenge that holds so many seconds from `now`.
pub fn challenge(id: &str, request: &Value, now: Millis, seconds: u64) -> Value {
    let expires = now.plus_seconds(seconds).rfc3339();
    json!({"id": id, "realm": "127.0.0.1", "method": "evm", "intent": "charge", "request": coded(request), "expires": expires})
}

/// Parameters as one challenge of a line.
pub fn line(challenge: &Value) -> String {
    let params = challenge.as_object().expect("parameters").iter();
    let params: Vec<_> = params.map(|(name, value)| format!("{name}=\"{}\"", value.as_str().expect("text"))).collect();
    format!("Payment {}", params.join(", "))
}

/// What a credential's header carries.
pub fn carried(credential: &str) -> Value {
    let coded = credential.strip_prefix("Payment ").expect("the scheme");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(coded).expect("base64url")).expect("JSON")
}

fn coded(request: &Value) -> String {
    URL_SAFE_NO_PAD.encode(request.to_string())
}

#[derive(Default)]
struct Seen {
    /// Credentials by path, with the header each came in.
    credentials: Mutex<HashMap<String, Vec<(String, String)>>>,
    requests: Mutex<HashMap<String, usize>>,
}

struct Shop {
    seen: Arc<Seen>,
    tempo: bool,
    payer: String,
    elsewhere: String,
    seconds: u64,
    clock: Arc<dyn countersign_vault::Clock>,
}

/// A running one.
pub struct HostileMpp {
    url: String,
    seen: Arc<Seen>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for HostileMpp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HostileMpp {
    /// On the machine's clock; challenges hold five minutes.
    pub async fn start(payer: &str) -> Self {
        Self::start_at(payer, Arc::new(SystemClock), 300).await
    }

    /// One that wants to be paid by method `tempo`.
    pub async fn tempo(payer: &str) -> Self {
        Self::open(payer, Arc::new(SystemClock), 300, true).await
    }

    /// On another clock, with challenges that hold so many seconds.
    pub async fn start_at(payer: &str, clock: Arc<dyn countersign_vault::Clock>, seconds: u64) -> Self {
        Self::open(payer, clock, seconds, false).await
    }

    /// The same on another clock, with challenges that hold so many seconds.
    pub async fn tempo_at(payer: &str, clock: Arc<dyn countersign_vault::Clock>, seconds: u64) -> Self {
        Self::open(payer, clock, seconds, true).await
    }

    async fn open(payer: &str, clock: Arc<dyn countersign_vault::Clock>, seconds: u64, tempo: bool) -> Self {
        let seen = Arc::new(Seen::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let elsewhere = format!("http://{}", other.local_addr().expect("an address"));
        let shop = Shop { seen: seen.clone(), tempo, payer: payer.to_owned(), elsewhere, seconds, clock };
        let router = Router::new().route("/{case}", any(serve)).with_state(Arc::new(shop));
        let also = router.clone();
        let task = tokio::spawn(async move {
            let _ = tokio::join!(axum::serve(listener, router), axum::serve(other, also));
        });
        Self { url, seen, task }
    }

    /// The address of a case.
    pub fn case(&self, case: &str) -> String {
        format!("{}/{case}", self.url)
    }

    /// Credentials that reached a path, as header and value.
    pub fn credentials(&self, case: &str) -> Vec<(String, String)> {
        self.seen.credentials.lock().expect("a lock").get(case).cloned().unwrap_or_default()
    }

    /// Every credential that reached it.
    pub fn all(&self) -> usize {
        self.seen.credentials.lock().expect("a lock").values().map(Vec::len).sum()
    }

    /// How often a path was asked.
    pub fn requests(&self, case: &str) -> usize {
        self.seen.requests.lock().expect("a lock").get(case).copied().unwrap_or_default()
    }
}

impl Shop {
    fn challenge(&self, id: &str, request: &Value) -> Value {
        let mut challenge = challenge(id, request, self.clock.wall(), self.seconds);
        if self.tempo {
            challenge["method"] = json!("tempo");
        }
        challenge
    }

    /// What an honest price of this shop demands.
    fn request(&self) -> Value {
        if self.tempo { tempo_request() } else { request() }
    }

    /// What a price that changes becomes.
    fn second(&self, case: &str, id: &str) -> Option<Response> {
        let mut dearer = self.request();
        dearer["amount"] = json!("20000");
        let mut moved = self.request();
        moved["recipient"] = json!(OTHER);
        let said = |name: &str, value: &str| {
            let mut challenge = self.challenge(id, &self.request());
            challenge[name] = json!(value);
            challenge
        };
        let challenge = match case {
            "other-host" | "third-host" => said("realm", "shop.example"),
            "other-words" => said("description", "another thing"),
            "shortens" => said("expires", &self.clock.wall().plus_seconds(20).rfc3339()),
            "strays" => {
                let to = format!("{}/honest", self.elsewhere);
                return Some((StatusCode::FOUND, [(header::LOCATION, to)]).into_response());
            }
            "turns-x402" => {
                let price = STANDARD.encode(required("https://127.0.0.1/x", vec![offer()]).to_string());
                return Some((StatusCode::PAYMENT_REQUIRED, [("payment-required", price)]).into_response());
            }
            "grows" => self.challenge(id, &dearer),
            "moves" => self.challenge(id, &moved),
            "turns-tempo" => self.spoilt("only-tempo", id),
            "dies-at-once" => self.spoilt("expired", id),
            "turns-free" => return Some(delivered(None)),
            _ => return None,
        };
        Some(answer(StatusCode::PAYMENT_REQUIRED, &[&line(&challenge)]))
    }

    /// The challenge of a case, with the one change it is about.
    fn spoilt(&self, case: &str, id: &str) -> Value {
        let set = |pointer: &str, value: Value| {
            let mut request = self.request();
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            request.pointer_mut(parent).expect("a parent")[name] = value;
            self.challenge(id, &request)
        };
        let say = |name: &str, value: &str| {
            let mut challenge = self.challenge(id, &self.request());
            challenge[name] = json!(value);
            challenge
        };
        let without = |name: &str| {
            let mut challenge = self.challenge(id, &self.request());
            challenge.as_object_mut().expect("parameters").remove(name);
            challenge
        };
        match case {
            "expired" => say("expires", "2020-01-01T00:00:00Z"),
            "no-expires" => without("expires"),
            "year" => say("expires", &self.clock.wall().plus_seconds(31_536_000).rfc3339()),
            "empty-id" => say("id", ""),
            "bad-base64" => say("request", "%%%"),
            "not-json" => say("request", "bm90IGpzb24"),
            "fractional" => set("/amount", json!("0.01")),
            "negative" => set("/amount", json!("-10000")),
            "huge-amount" => set("/amount", json!("9".repeat(80))),
            "no-chain" => set("/methodDetails/chainId", Value::Null),
            "wrong-chain" => set("/methodDetails/chainId", json!(8453)),
            "unknown-chain" => set("/methodDetails/chainId", json!(424_242)),
            "unknown-token" => set("/currency", json!("0x036CbD53842c5426634e7929541eC2318f3dCF70")),
            "decimals" => set("/methodDetails/decimals", json!(2)),
            "only-push" => set("/methodDetails/supportedModes", json!(["push"])),
            "no-modes" => set("/methodDetails/supportedModes", json!("pull")),
            "sponsored-by-word" => set("/methodDetails/feePayer", json!("yes")),
            "sponsored-late" => {
                let mut request = self.request();
                request["methodDetails"]["feePayer"] = json!(true);
                let mut challenge = self.challenge(id, &request);
                challenge["expires"] = json!(self.clock.wall().plus_seconds(12).rfc3339());
                challenge
            }
            "split-nobody" => set("/methodDetails/splits", json!([{"recipient": "shop.eth", "amount": "1"}])),
            "split-token" => set("/methodDetails/splits", json!([{"recipient": PATH_USD, "amount": "1"}])),
            "split-us" => set("/methodDetails/splits", json!([{"recipient": self.payer, "amount": "1"}])),
            "split-nothing" => set("/methodDetails/splits", json!([{"recipient": OTHER, "amount": "0"}])),
            "split-all" => set("/methodDetails/splits", json!([{"recipient": OTHER, "amount": "10000"}])),
            "split-memo" => set("/methodDetails/splits", json!([{"recipient": OTHER, "amount": "1", "memo": "0x12"}])),
            "split-many" => set("/methodDetails/splits", json!(vec![json!({"recipient": OTHER, "amount": "1"}); 11])),
            "split-stranger" => set("/methodDetails/splits", json!([{"recipient": OTHER, "amount": "9999"}])),
            "pays-dex" => set("/recipient", json!("0xdec0000000000000000000000000000000000000")),
            "pays-token" => set("/recipient", json!("0x20c000000000000000000000f37de3740ADec032")),
            "token-of-evm" => set("/currency", json!(USDC)),
            "mach" => set("/currency", json!("0x20c000000000000000000000f37de3740ADec032")),
            "nothing" => set("/amount", json!("0")),
            "nothing-elsewhere" => {
                let mut request = self.request();
                request["amount"] = json!("0");
                let mut challenge = self.challenge(id, &request);
                challenge["realm"] = json!("bank.example");
                challenge
            }
            "split" => set("/methodDetails/splits", json!([{"recipient": PAY_TO, "amount": "9999"}])),
            "split-above" => set("/methodDetails/splits", json!([{"recipient": PAY_TO, "amount": "10001"}])),
            "pays-us" => set("/recipient", json!(self.payer)),
            "pays-nobody" => set("/recipient", json!("0x0000000000000000000000000000000000000000")),
            "padding" => set("/padding", json!("x".repeat(11 * 1024))),
            "padding-more" => set("/padding", json!("x".repeat(13 * 1024))),
            "price-999" => set("/amount", json!("999000000")),
            "price-25" => set("/amount", json!("25000000")),
            "price-2" => set("/amount", json!("2000000")),
            "only-tempo" => say("method", "tempo"),
            "only-stripe" => say("method", "stripe"),
            "session" => say("intent", "session"),
            "subscription" => say("intent", "subscription"),
            "cookie" => say("header", "Cookie"),
            "own-header" => say("header", "Payment-Authorization"),
            "other-realm" | "third-host" => say("realm", "bank.example"),
            "other-words" => say("description", "a thing"),
            "spaced" => {
                let spaced = self.request().to_string().replace(':', " : ");
                say("request", &URL_SAFE_NO_PAD.encode(spaced))
            }
            real if real.starts_with("real-") => {
                let mut request = self.request();
                request["currency"] = json!(REAL_USDC);
                request["methodDetails"]["chainId"] = json!(8453);
                self.challenge(id, &request)
            }
            _ => self.challenge(id, &self.request()),
        }
    }
}

async fn serve(State(shop): State<Arc<Shop>>, Path(case): Path<String>, request: Request) -> Response {
    let asked = {
        let mut requests = shop.seen.requests.lock().expect("a lock");
        let asked = requests.entry(case.clone()).or_default();
        *asked += 1;
        *asked
    };
    if request.headers().contains_key("accept-payment") {
        *shop.seen.requests.lock().expect("a lock").entry(ACCEPTS.to_owned()).or_default() += 1;
    }
    let paid = credential(request.headers());
    if let Some(credential) = paid.clone() {
        shop.seen.credentials.lock().expect("a lock").entry(case.clone()).or_default().push(credential);
    }
    let paid = paid.is_some();
    // A server that repeats itself is one of the cases.
    let id = if case == "same-id" { case.clone() } else { format!("{case}-{asked}") };
    let ours = line(&shop.spoilt(&case, &id));
    if let Some(second) = shop.second(&case, &id).filter(|_| asked > 1 && !paid) {
        return second;
    }
    match case.as_str() {
        "free-receipt" => delivered(Some(&success())),
        "500-challenge" => answer(StatusCode::INTERNAL_SERVER_ERROR, &[&ours]),
        "no-challenge" => answer(StatusCode::PAYMENT_REQUIRED, &["Basic realm=\"x\""]),
        "repeated-param" => answer(StatusCode::PAYMENT_REQUIRED, &[&format!("{ours}, id=\"twice\"")]),
        "seventeen" => answer(StatusCode::PAYMENT_REQUIRED, &vec![ours.as_str(); 17]),
        "mixed" => {
            let basic = "Basic realm=\"a, \\\"Payment\\\" id=1\"";
            answer_unless(paid, &[basic, &format!("Bearer, {}, {ours}", line(&shop.spoilt("only-tempo", "t")))])
        }
        "500-receipt" if paid => (StatusCode::INTERNAL_SERVER_ERROR, delivered(Some(&success()))).into_response(),
        "server-error" if paid => (StatusCode::BAD_GATEWAY, "the chain is busy").into_response(),
        "problem" if paid => {
            let problem = json!({"type": "https://paymentauth.org/problems/verification-failed", "status": 402});
            (StatusCode::PAYMENT_REQUIRED, [(header::WWW_AUTHENTICATE, ours)], problem.to_string()).into_response()
        }
        "drops" if paid => {
            Response::new(Body::from_stream(tokio_stream::iter([Ok("{\"deliv"), Err(std::io::Error::other("gone"))])))
        }
        "redirect" if paid => {
            (StatusCode::FOUND, [(header::LOCATION, format!("{}/landed", shop.elsewhere))]).into_response()
        }
        "redirected" => (StatusCode::FOUND, [(header::LOCATION, format!("{}/honest", shop.elsewhere))]).into_response(),
        "broken-receipt" if paid => delivered(Some("not a receipt")),
        "false-receipt" if paid => delivered(Some(&success())),
        "forever" => answer(StatusCode::PAYMENT_REQUIRED, &[&ours]),
        _ => answer_unless(paid, &[&ours]),
    }
}

fn credential(headers: &HeaderMap) -> Option<(String, String)> {
    ["authorization", "payment-authorization"].into_iter().find_map(|name| {
        let value = headers.get(name)?.to_str().ok().filter(|value| value.starts_with("Payment "))?;
        Some((name.to_owned(), value.to_owned()))
    })
}

fn answer_unless(paid: bool, lines: &[&str]) -> Response {
    if paid { delivered(None) } else { answer(StatusCode::PAYMENT_REQUIRED, lines) }
}

fn answer(status: StatusCode, lines: &[&str]) -> Response {
    let mut response = (status, "{}").into_response();
    for line in lines {
        response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_str(line).expect("a header value"));
    }
    response
}

fn delivered(receipt: Option<&str>) -> Response {
    let mut response = "delivered".into_response();
    if let Some(receipt) = receipt {
        let name = HeaderName::from_static("payment-receipt");
        response.headers_mut().insert(name, HeaderValue::from_str(receipt).expect("a header value"));
    }
    response
}

fn success() -> String {
    let receipt = json!({"status": "success", "method": "evm", "reference": format!("0x{}", "ab".repeat(32)), "timestamp": "2027-01-15T08:00:00Z"});
    URL_SAFE_NO_PAD.encode(receipt.to_string())
}
