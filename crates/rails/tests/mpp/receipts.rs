//! What servers say after they were paid.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_core::rail::{Rail as _, Receipt};
use serde_json::{Value, json};

use crate::support::{Buyer, challenge, line};

const TX: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

fn said(status: u16, header: Option<&str>, body: &Value) -> Receipt {
    let buyer = Buyer::default();
    let quote = buyer.lines(&[&line(&challenge())]).unwrap().quote;
    let headers: Vec<_> = header.iter().map(|value| ("payment-receipt".to_owned(), (*value).to_owned())).collect();
    buyer.rail.receipt(&quote, status, &headers, body.to_string().as_bytes())
}

fn receipt(object: &Value) -> Receipt {
    said(200, Some(&URL_SAFE_NO_PAD.encode(object.to_string())), &Value::Null)
}

fn honest() -> Value {
    json!({"status": "success", "method": "evm", "reference": TX, "timestamp": "2027-01-15T08:00:01Z"})
}

#[test]
fn a_receipt_of_our_method_names_its_transaction() {
    let paid = Receipt::Success { transaction: TX.into() };
    assert_eq!(receipt(&honest()), paid);
    for more in [json!({"chainId": 84532}), json!({"challengeId": "chal-1"}), json!({"externalId": "o", "x": [1]})] {
        let mut object = honest();
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(receipt(&object), paid, "{object}");
    }
    let mut words = honest();
    words["note"] = json!("??>>~~");
    let other = base64::engine::general_purpose::STANDARD.encode(words.to_string());
    assert!(other.contains(['+', '/']), "{other}");
    assert_eq!(said(200, Some(&other), &Value::Null), paid, "as a caller's object is carried");
    words["reference"] = json!("\u{202e}0x1\u{0}<b>");
    assert_eq!(receipt(&words), Receipt::Success { transaction: "0x1<b>".into() });
}

#[test]
fn anything_else_is_unreadable_or_nothing() {
    for (field, value) in [
        ("status", json!("failed")),
        ("status", json!(true)),
        ("method", json!("tempo")),
        ("reference", json!(7)),
        ("chainId", json!(8453)),
        ("chainId", json!("84532")),
    ] {
        let mut object = honest();
        object[field] = value;
        assert_eq!(receipt(&object), Receipt::Unreadable, "{object}");
    }
    for text in ["", "%%%", "bm90IGpzb24", "e30"] {
        assert_eq!(said(200, Some(text), &Value::Null), Receipt::Unreadable, "{text}");
    }
    assert_eq!(said(200, None, &json!({"status": "success"})), Receipt::Absent);
}

#[test]
fn a_refusal_proves_nothing_and_only_known_reasons_are_repeated() {
    let problem = |name: &str| json!({"type": format!("https://paymentauth.org/problems/{name}"), "challengeId": "c"});
    for (status, reason) in
        [(402, "verification-failed"), (402, "payment-expired"), (500, "internal-payment-error"), (400, "bad-request")]
    {
        assert_eq!(said(status, None, &problem(reason)), Receipt::Doubtful { reason }, "{status}");
    }
    assert_eq!(said(402, None, &problem("free-money")), Receipt::Absent);
    assert_eq!(said(402, None, &json!({"type": "https://evil.example/verification-failed"})), Receipt::Absent);
    assert_eq!(said(502, None, &json!("gateway")), Receipt::Absent);
    let forged = URL_SAFE_NO_PAD.encode(honest().to_string());
    for status in [302, 402, 404, 500, 503] {
        assert_eq!(said(status, Some(&forged), &Value::Null), Receipt::Absent, "a {status} is no success");
    }
    let reason = "bad-request";
    assert_eq!(said(400, Some(&forged), &problem(reason)), Receipt::Doubtful { reason });
}
