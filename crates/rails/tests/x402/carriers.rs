//! What a caller brings: the price in every carrier the official clients read, and messages that only look like one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    rail::{Credential, Quoted, Rail as _},
    signable::Signable,
};
use countersign_rails::x402::X402;
use serde_json::{Value, json};

use crate::support::{
    Buyer, NOW, form, offer, payment_required, price, sign, test_offer, v1_offer, v1_price, with, without,
};

fn required() -> Value {
    serde_json::from_str(&price(&[offer()])).unwrap()
}

fn header() -> Value {
    json!(payment_required(&price(&[offer()])).1)
}

fn mcp() -> Value {
    let text = required().to_string();
    json!({"isError": true, "structuredContent": required(), "content": [{"type": "text", "text": text}]})
}

fn a2a() -> Value {
    json!({"x402.payment.status": "payment-required", "x402.payment.required": required()})
}

fn task() -> Value {
    let message = json!({"kind": "message", "role": "agent", "parts": [], "metadata": a2a()});
    json!({"kind": "task", "id": "t-1", "status": {"state": "input-required", "message": message}})
}

fn credential(quoted: &Quoted) -> Credential {
    let form = form(quoted, NOW, [7; 32]);
    let signature = sign(&form);
    X402.credential(&quoted.quote, &quoted.offer, &[(Signable::Eip3009(form), signature)]).unwrap()
}

fn code(brought: &Value) -> &'static str {
    Buyer::default().brought(&brought.to_string()).err().map_or("payable", |error| error.code())
}

#[test]
fn the_same_price_in_any_carrier_is_the_same_payment() {
    let plain = Buyer::default().brought(&required().to_string()).unwrap();
    let bare = credential(&plain);
    for brought in [
        header(),
        mcp(),
        without(mcp(), "/structuredContent"),
        without(mcp(), "/content"),
        with(mcp(), "/_meta", json!({"x402/payment": {"anything": 1}})),
        json!({"code": 402, "message": "Payment required", "data": required()}),
        json!({"code": -32042, "message": "Payment required", "data": {"x402": required()}}),
        a2a(),
        json!({"metadata": a2a(), "role": "agent"}),
        task(),
    ] {
        let quoted = Buyer::default().brought(&brought.to_string()).unwrap_or_else(|e| panic!("{brought}: {e}"));
        assert_eq!(quoted.quote, plain.quote, "{brought}");
        let credential = credential(&quoted);
        assert_eq!((&credential.headers, &credential.meta), (&bare.headers, &bare.meta), "{brought}");
    }
}

#[test]
fn the_credential_of_an_a2a_price_is_message_metadata_too() {
    for brought in [a2a(), json!({"metadata": a2a()}), task()] {
        let credential = credential(&Buyer::default().brought(&brought.to_string()).unwrap());
        let (_, header) = credential.headers.first_key_value().unwrap();
        let payload: Value = serde_json::from_slice(&STANDARD.decode(header).unwrap()).unwrap();
        let expected = json!({"x402.payment.status": "payment-submitted", "x402.payment.payload": payload});
        assert_eq!(Value::Object(credential.metadata), expected);
    }
    for brought in [required(), header(), mcp()] {
        let credential = credential(&Buyer::default().brought(&brought.to_string()).unwrap());
        assert!(credential.metadata.is_empty(), "{brought}");
    }
}

#[test]
fn version_one_travels_in_messages_and_not_in_the_header_of_version_two() {
    let v1: Value = serde_json::from_str(&v1_price(&[v1_offer()])).unwrap();
    let in_a2a = with(a2a(), "/x402.payment.required", v1.clone());
    let quoted = Buyer::default().brought(&in_a2a.to_string()).unwrap();
    assert_eq!(quoted.quote.version, 1);
    let metadata = credential(&quoted).metadata;
    assert_eq!(metadata["x402.payment.payload"]["x402Version"], 1);
    assert_eq!(metadata["x402.payment.payload"]["network"], "base-sepolia");
    assert_eq!(code(&with(mcp(), "/structuredContent", v1.clone())), "payable");
    assert_eq!(code(&json!(STANDARD.encode(v1.to_string()))), "malformed_offer");
}

#[test]
fn structured_content_is_the_price_and_the_text_beside_it_is_not() {
    let dearer = price(&[with(offer(), "/amount", json!("90000000"))]);
    let two = with(mcp(), "/content", json!([{"type": "text", "text": dearer}]));
    assert_eq!(Buyer::default().brought(&two.to_string()).unwrap().quote.money.amount.to_string(), "30000");
    let unreadable = with(two, "/structuredContent", json!({"x402Version": 2, "accepts": "all"}));
    assert_eq!(
        Buyer::default().brought(&unreadable.to_string()).unwrap().quote.money.amount.to_string(),
        "90000000",
        "as the official clients: what is no price is passed over"
    );
}

#[test]
fn a_message_that_only_looks_like_a_price_is_refused() {
    let text = |text: &str| json!({"isError": true, "content": [{"type": "text", "text": text}]});
    let twice = required().to_string().replacen("\"accepts\"", "\"x402Version\":2,\"accepts\"", 1);
    for (brought, expected) in [
        // A result that is no error asks for nothing, whatever it says.
        (with(mcp(), "/isError", json!(false)), "malformed_offer"),
        (with(mcp(), "/isError", json!("true")), "malformed_offer"),
        (with(mcp(), "/isError", json!(1)), "malformed_offer"),
        (json!({"structuredContent": required()}), "unsupported_offer"),
        (json!({"_meta": {"x402/payment": required()}}), "unsupported_offer"),
        (json!({"result": mcp()}), "unsupported_offer"),
        // Only the first part, only as text, only as strict JSON.
        (with(mcp(), "/structuredContent", mcp()), "payable"),
        (json!({"isError": true, "structuredContent": mcp()}), "unsupported_offer"),
        (
            json!({"isError": true, "content": [{"type": "text", "text": "no"}, {"type": "text", "text": required().to_string()}]}),
            "unsupported_offer",
        ),
        (json!({"isError": true, "content": [{"type": "image", "text": required().to_string()}]}), "unsupported_offer"),
        (
            json!({"isError": true, "content": {"0": {"type": "text", "text": required().to_string()}}}),
            "unsupported_offer",
        ),
        (text(&twice), "unsupported_offer"),
        (text("Payment required: see https://pay.example"), "unsupported_offer"),
        (text(&mcp().to_string()), "unsupported_offer"),
        // The same error code belongs to a page to open and to another payment protocol.
        (
            json!({"code": -32042, "data": {"elicitations": [{"mode": "url", "url": "https://evil.example"}]}}),
            "unsupported_offer",
        ),
        (json!({"code": -32042, "data": {"challenges": [{"id": "1", "method": "tempo"}]}}), "unsupported_offer"),
        (json!({"code": -32603, "data": required()}), "unsupported_offer"),
        (json!({"code": "402", "data": required()}), "unsupported_offer"),
        (json!({"code": 402}), "unsupported_offer"),
        // An A2A payment that is past asking, and tasks that do not wait.
        (with(a2a(), "/x402.payment.status", json!("payment-completed")), "malformed_offer"),
        (with(a2a(), "/x402.payment.status", json!("payment-submitted")), "malformed_offer"),
        (without(a2a(), "/x402.payment.status"), "malformed_offer"),
        (with(a2a(), "/x402.payment.required", json!(required().to_string())), "malformed_offer"),
        (with(a2a(), "/x402.payment.required", json!([required()])), "malformed_offer"),
        (with(a2a(), "/x402.payment.required", mcp()), "unsupported_offer"),
        (with(task(), "/status/state", json!("completed")), "malformed_offer"),
        (without(task(), "/status/state"), "malformed_offer"),
        (json!({"status": {"state": "input-required", "message": {"metadata": {}}}}), "unsupported_offer"),
        (json!({"x402.payment.status": "payment-required"}), "unsupported_offer"),
        // A header that no official client can read.
        (json!(""), "malformed_offer"),
        (json!("eyJ4NDAyVmVyc2lvbiI6Mn0"), "malformed_offer"),
        (json!(price(&[offer()])), "malformed_offer"),
        (json!(STANDARD.encode(STANDARD.encode(price(&[offer()])))), "malformed_offer"),
        (json!(STANDARD.encode(mcp().to_string())), "malformed_offer"),
        (json!(format!("{}\r\n", STANDARD.encode(price(&[offer()])))), "malformed_offer"),
        (json!(402), "unsupported_offer"),
        (json!([required()]), "unsupported_offer"),
        (Value::Null, "unsupported_offer"),
    ] {
        assert_eq!(code(&brought), expected, "{brought}");
    }
}

#[test]
fn every_check_of_an_offer_holds_in_every_carrier() {
    let in_all = |price: &Value| {
        [
            price.clone(),
            json!(STANDARD.encode(price.to_string())),
            with(mcp(), "/structuredContent", price.clone()),
            json!({"code": 402, "data": price}),
            with(a2a(), "/x402.payment.required", price.clone()),
        ]
    };
    for (change, to, expected) in [
        ("/payTo", json!("0x0000000000000000000000000000000000000000"), "bad_payee"),
        ("/asset", json!("0xbad0000000000000000000000000000000000000"), "unknown_asset"),
        ("/extra/name", json!("US Dollar"), "asset_mismatch"),
        ("/amount", json!("0"), "malformed_offer"),
        ("/maxTimeoutSeconds", json!(86_401), "lifetime_too_long"),
        ("/scheme", json!("upto"), "unsupported_offer"),
    ] {
        let hostile: Value = serde_json::from_str(&price(&[with(offer(), change, to)])).unwrap();
        for brought in in_all(&hostile) {
            assert_eq!(code(&brought), expected, "{brought}");
        }
    }
    // The kept offer says where the credential goes; a seller's word of the same name says nothing.
    let sly: Value = serde_json::from_str(&price(&[with(test_offer(), "/carrier", json!("a2a"))])).unwrap();
    let sly = with(sly, "/carrier", json!("a2a"));
    let quoted = Buyer::default().brought(&sly.to_string()).unwrap();
    assert!(credential(&quoted).metadata.is_empty());
}
