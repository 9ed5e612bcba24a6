//! What sellers say after they were paid.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::rail::{Quoted, Rail as _, Receipt};
use countersign_rails::x402::X402;
use serde_json::{Value, json};

use crate::support::{Buyer, offer, payment_required, price, v1_offer, v1_price};

const TX: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

fn v2() -> Quoted {
    Buyer::default().v2(&price(&[offer()])).unwrap()
}

fn v1() -> Quoted {
    Buyer::default().v1(&v1_price(&[v1_offer()])).unwrap()
}

fn said(quoted: &Quoted, status: u16, header: &str, value: &str) -> Receipt {
    X402.receipt(&quoted.quote, status, &[(header.to_owned(), value.to_owned())], b"")
}

fn settled(answer: &Value) -> Receipt {
    said(&v2(), 200, "payment-response", &STANDARD.encode(answer.to_string()))
}

#[test]
fn a_success_names_its_transaction_and_our_network() {
    let success = Receipt::Success { transaction: TX.into() };
    assert_eq!(
        settled(&json!({ "success": true, "transaction": TX, "network": "eip155:8453", "payer": "0x" })),
        success
    );
    assert_eq!(
        settled(&json!({ "success": true, "transaction": "", "network": "base" })),
        Receipt::Success { transaction: String::new() }
    );
    assert_eq!(settled(&json!({ "success": true })), Receipt::Success { transaction: String::new() });
    for other in [json!("eip155:84532"), json!("base-sepolia"), json!("solana:x"), json!(8453), json!("")] {
        assert_eq!(
            settled(&json!({ "success": true, "transaction": TX, "network": other })),
            Receipt::Unreadable,
            "{other}"
        );
    }
    let v1_answer =
        STANDARD.encode(json!({ "success": true, "transaction": TX, "network": "base-sepolia" }).to_string());
    assert_eq!(said(&v1(), 200, "x-payment-response", &v1_answer), success);
    assert_eq!(said(&v1(), 200, "X-Payment-Response", &v1_answer), success);
}

#[test]
fn a_failure_gives_its_reason_and_pending_is_no_failure() {
    let failed = |reason: &str| Receipt::Failed { reason: reason.into() };
    assert_eq!(
        settled(&json!({ "success": false, "errorReason": "insufficient_funds", "transaction": "" })),
        failed("insufficient_funds")
    );
    assert_eq!(settled(&json!({ "success": false, "errorMessage": "no" })), failed("no"));
    assert_eq!(settled(&json!({ "success": false })), failed(""));
    let pending =
        json!({ "success": false, "errorReason": "settlement_pending", "transaction": TX, "network": "eip155:8453" });
    assert_eq!(settled(&pending), Receipt::Pending { transaction: TX.into() });
}

#[test]
fn what_cannot_be_read_is_unreadable_and_never_a_success() {
    for bad in [
        json!([]),
        json!({}),
        json!({ "success": "true" }),
        json!({ "success": 1 }),
        json!({ "success": true, "transaction": 7 }),
        json!(null),
    ] {
        assert_eq!(settled(&bad), Receipt::Unreadable, "{bad}");
    }
    let doubled = STANDARD.encode(r#"{"success":false,"success":true,"network":"eip155:8453"}"#);
    for bad in ["not base64", "e30_", doubled.as_str(), &"A".repeat(200_000)] {
        assert_eq!(said(&v2(), 200, "payment-response", bad), Receipt::Unreadable);
    }
}

#[test]
fn words_in_a_receipt_are_cleaned_and_cut() {
    let reason = format!("\u{202e}no\u{0}\n{}", "x".repeat(12_000));
    let Receipt::Failed { reason } = settled(&json!({ "success": false, "errorReason": reason })) else {
        panic!("not a failure")
    };
    assert!(reason.starts_with("no xxx") && reason.ends_with("… (cut)") && reason.chars().count() < 160);
    let Receipt::Success { transaction } =
        settled(&json!({ "success": true, "transaction": "0x\u{200b}\n<b>".repeat(500) }))
    else {
        panic!("not a success")
    };
    assert!(transaction.chars().count() < 160 && !transaction.contains(['\n', '\u{200b}']));
}

#[test]
fn a_second_402_says_why_in_its_price() {
    let again = |error: Value| {
        let mut price: Value = serde_json::from_str(&price(&[offer()])).unwrap();
        price["error"] = error;
        X402.receipt(&v2().quote, 402, &[payment_required(&price.to_string())], b"{}")
    };
    assert_eq!(
        again(json!("invalid_exact_evm_signature")),
        Receipt::Failed { reason: "invalid_exact_evm_signature".into() }
    );
    assert_eq!(again(json!("settlement_pending")), Receipt::Pending { transaction: String::new() });
    assert_eq!(again(json!(null)), Receipt::Absent);
    assert_eq!(X402.receipt(&v2().quote, 402, &[("payment-required".into(), "%".into())], b""), Receipt::Unreadable);
    assert_eq!(
        X402.receipt(&v2().quote, 402, &[], v1_price(&[]).as_bytes()),
        Receipt::Absent,
        "a version 2 reason is not in the body"
    );

    let body = v1_price(&[v1_offer()]);
    assert_eq!(
        X402.receipt(&v1().quote, 402, &[], body.as_bytes()),
        Receipt::Failed { reason: "X-PAYMENT header is required".into() }
    );
    assert_eq!(X402.receipt(&v1().quote, 402, &[], b""), Receipt::Absent);
    assert_eq!(X402.receipt(&v1().quote, 402, &[], b"<html>"), Receipt::Unreadable);
    assert_eq!(X402.receipt(&v1().quote, 402, &[], b"\xff"), Receipt::Unreadable);
}

#[test]
fn silence_is_absent_whatever_the_status() {
    for status in [200, 204, 307, 402, 500, 502] {
        assert_eq!(X402.receipt(&v2().quote, status, &[], b"{\"success\":true}"), Receipt::Absent);
    }
}
