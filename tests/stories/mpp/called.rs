//! A call through us that was answered with an MPP price: what has to be true of it before it gets a credential.

use async_trait::async_trait;
use countersign_core::{origin::Origin, payment::Quote, rail::Credential};
use countersign_desk::{carrier::Carrier, request::Call, wire::Answer};
use countersign_vault::Clock as _;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, atomic::Ordering};
use url::Url;

use super::asked::{ASK, slow};
use crate::support::{
    Till,
    hostile_mpp::{challenge, line, request},
    hostile_seller::required,
    mcp::with,
    till::up_to,
};

/// A server that takes whatever it gets, behind a login or not, or takes it and says nothing.
#[derive(Debug, Default)]
struct Server {
    login: bool,
    silent: bool,
    pays: Mutex<Vec<String>>,
    got: Mutex<Vec<(bool, bool)>>,
}

#[async_trait]
impl Carrier for Server {
    fn headers(&self) -> &'static [&'static str] {
        if self.login { &["authorization"] } else { &[] }
    }

    fn pays(&self, quote: &Quote) {
        self.pays.lock().unwrap().push(quote.money.amount.to_string());
    }

    async fn deliver(&self, credential: &Credential) -> Result<Answer, String> {
        self.got.lock().unwrap().push((credential.headers.is_empty(), credential.meta.is_empty()));
        if self.silent {
            return Err("the upstream does not answer".to_owned());
        }
        Ok(Answer::told(200, Vec::new(), b"{}".to_vec(), at()))
    }

    fn is_gone(&self) -> bool {
        false
    }
}

fn at() -> Url {
    "https://tools.example/mcp".parse().unwrap()
}

async fn call(till: &Till, server: &Arc<Server>, key: &str, prices: Value) -> Value {
    let prices = prices.as_object().unwrap().iter().map(|(rail, price)| (rail.clone(), price.to_string())).collect();
    let call = Call {
        carrier: server.clone(),
        origin: Origin::of(&at()).unwrap(),
        server: at(),
        tool: "cheap",
        arguments: key.as_bytes(),
        prices,
        key: key.parse().unwrap(),
        wait: 60,
    };
    till.call(call).await
}

/// A challenge that holds so many seconds, as a header carries it and as JSON-RPC does.
fn asks(till: &Till, id: &str, seconds: u64) -> (Value, Value) {
    let coded = with(&challenge(id, &request(), till.clock.wall(), seconds), "realm", json!("tools"));
    let native = with(&coded, "request", request());
    (json!(line(&coded)), json!({"code": -32042, "data": {"httpStatus": 402, "challenges": [native]}}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_price_expired_or_wants_the_header_of_its_login_gets_no_credential() {
    let (till, seconds) = slow(ASK).await;
    let server = Arc::new(Server { login: true, ..Server::default() });
    let (header, native) = asks(&till, "one", 300);
    let refused = call(&till, &server, "header", json!({"mpp": header})).await;
    assert_eq!(refused["code"], "unsupported_offer", "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("authorization"), "{refused}");
    let paid = call(&till, &server, "native", json!({"mpp": native})).await;
    assert_eq!(paid["status"], "completed", "{paid}");

    seconds.store(60, Ordering::SeqCst);
    let (_, native) = asks(&till, "two", 30);
    let late = call(&till, &server, "late", json!({"mpp": native})).await;
    assert_eq!((&late["code"], &late["outcome"]["status"]), (&json!("offer_expired"), &json!("expired")), "{late}");
    assert!(late["detail"].as_str().unwrap().contains("make the call again"), "{late}");
    assert_eq!(*server.got.lock().unwrap(), [(true, false)], "one credential, in `_meta`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_paid_by_the_first_protocol_that_can_and_past_no_broken_price() {
    let till = Till::open(&up_to("1.00"), "eip155:84532", Vec::new()).await;
    let server = Arc::new(Server::default());
    let unpayable = required("mcp://tool/x", Vec::new());
    let paid = call(&till, &server, "second", json!({"x402": unpayable, "mpp": asks(&till, "one", 300).0})).await;
    assert_eq!((&paid["status"], &paid["payment"]["rail"]), (&json!("completed"), &json!("mpp")), "{paid}");
    let broken = json!({"x402Version": 2, "accepts": "all"});
    for (key, prices, code) in [
        ("broken", json!({"x402": broken, "mpp": asks(&till, "two", 300).1}), "malformed_offer"),
        ("none", json!({}), "malformed_offer"),
        ("other", json!({"barter": {}}), "unsupported_offer"),
    ] {
        let refused = call(&till, &server, key, prices).await;
        assert_eq!(refused["code"], code, "{refused}");
    }
    assert_eq!(*server.got.lock().unwrap(), [(false, true)], "one credential, in the header");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_told_the_price_of_the_payment_it_carries_and_not_the_one_that_was_stated_last() {
    let till = Till::open(&up_to("1.00"), "eip155:84532", Vec::new()).await;
    let server = Arc::new(Server { silent: true, ..Server::default() });
    let first = call(&till, &server, "key", json!({"mpp": asks(&till, "one", 300).1})).await;
    assert_eq!(first["status"], "unknown", "{first}");
    let dearer = with(&request(), "amount", json!("90000000"));
    let native = with(&challenge("two", &dearer, till.clock.wall(), 300), "request", dearer.clone());
    let dearer = json!({"code": -32042, "data": {"httpStatus": 402, "challenges": [native]}});
    let again = call(&till, &server, "key", json!({"mpp": dearer})).await;
    assert_eq!(again["payment"]["id"], first["payment"]["id"], "{again}");
    assert_eq!(*server.pays.lock().unwrap(), ["10000", "10000"], "the credential of the first price was shown twice");
}
