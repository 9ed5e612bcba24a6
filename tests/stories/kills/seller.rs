//! A seller of one cheap thing a key: it notes every credential that reaches it, under the key in the path.

use axum::{
    Router,
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_vault::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::sync::Arc;

use super::left::Left;
use crate::support::{
    hostile_mpp::{carried, challenge, line, request as charge},
    hostile_seller::{offer, required},
};

/// A running seller.
pub struct Seller {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Seller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seller {
    /// Opens it.
    pub async fn start(left: Arc<Left>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/{key}", get(serve)).with_state((url.clone(), left));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, task }
    }
}

/// One payment of this price, with the longest window there is: what left can be asked for again long after.
pub fn long_offer(amount: &str) -> Value {
    let mut offer = offer();
    offer["amount"] = json!(amount);
    offer["maxTimeoutSeconds"] = json!(300);
    offer
}

/// The keys whose things are sold by MPP.
pub const MPP: &str = "mpp";

/// A challenge's id is its key: what is asked for again is the same challenge.
fn serve_mpp(left: &Left, key: &str, request: &Request) -> Response {
    let Some(credential) = request.headers().get("authorization") else {
        let challenge = line(&challenge(key, &charge(), SystemClock.wall(), 300));
        return (StatusCode::PAYMENT_REQUIRED, [("www-authenticate", challenge)], "{}").into_response();
    };
    let payload = carried(credential.to_str().expect("text"))["payload"].clone();
    left.record(key, &json!({"signature": payload["signature"], "authorization": payload}));
    "delivered".into_response()
}

async fn serve(State((url, left)): State<(String, Arc<Left>)>, Path(key): Path<String>, request: Request) -> Response {
    if key.starts_with(MPP) {
        return serve_mpp(&left, &key, &request);
    }
    let Some(credential) = request.headers().get("payment-signature") else {
        let challenge = required(&format!("{url}/{key}"), vec![long_offer("10000")]);
        let header = STANDARD.encode(challenge.to_string());
        return (StatusCode::PAYMENT_REQUIRED, [("payment-required", header)], "{}").into_response();
    };
    let payload = STANDARD.decode(credential.as_bytes()).expect("base64");
    let payload: Value = serde_json::from_slice(&payload).expect("JSON");
    let inner = &payload["payload"];
    left.record(&key, &json!({"signature": inner["signature"], "authorization": inner["authorization"]}));
    "delivered".into_response()
}
