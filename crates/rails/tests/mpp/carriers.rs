//! Challenges that a caller brings: a header's value, one challenge, an MCP error, an MCP result.

use countersign_core::policy::Risk;
use serde_json::{Value, json};

use crate::support::{Buyer, carried, challenge, line, request, with, without};

fn buyer() -> Buyer {
    Buyer { claimed: true, ..Buyer::default() }
}

/// A challenge as JSON-RPC carries it.
fn native() -> Value {
    with(challenge(), "/request", request())
}

fn error(code: i64, data: &Value) -> Value {
    json!({"code": code, "message": "Payment Required", "data": data})
}

#[test]
fn a_header_or_a_challenge_with_a_coded_request_is_answered_with_a_header() {
    for brought in [json!(line(&challenge())), challenge(), json!({"challenges": [challenge()]})] {
        let buyer = buyer();
        let quoted = buyer.brought(&brought).unwrap_or_else(|e| panic!("{brought}: {e}"));
        assert!(quoted.quote.risks.contains(&Risk::SellerUnverified));
        let credential = buyer.paid(&quoted).1;
        assert!(credential.meta.is_empty());
        assert_eq!(carried(&credential).1["challenge"], challenge());
    }
}

#[test]
fn a_price_of_json_rpc_is_answered_in_meta_with_its_request_untouched() {
    let mut odd = native();
    odd["request"]["methodDetails"]["permit2Address"] = Value::Null;
    odd["unknown"] = json!(1);
    let data = json!({"httpStatus": 402, "challenges": [odd]});
    for brought in [
        error(-32042, &data),
        error(402, &data),
        json!({"content": [], "isError": true, "_meta": {"org.paymentauth/payment-required": data}}),
        data.clone(),
        odd.clone(),
    ] {
        let buyer = buyer();
        let quoted = buyer.brought(&brought).unwrap_or_else(|e| panic!("{brought}: {e}"));
        let (form, credential) = buyer.paid(&quoted);
        assert!(credential.headers.is_empty());
        let sent = &credential.meta["org.paymentauth/credential"];
        assert_eq!(sent["challenge"], without(odd.clone(), "/unknown"));
        assert_eq!(sent["payload"]["nonce"], form.nonce.to_string());
        assert_eq!(sent["source"], format!("did:pkh:eip155:84532:{}", form.from));
    }
}

#[test]
fn what_only_looks_like_a_price_is_none() {
    for (brought, code) in [
        (error(-32042, &json!({"elicitations": [{"url": "https://x.example"}]})), "unsupported_offer"),
        (error(-32042, &json!({"challenges": []})), "unsupported_offer"),
        (error(-32042, &json!({"challenges": [{}]})), "malformed_offer"),
        (error(-32042, &json!({"challenges": {}})), "malformed_offer"),
        (error(-32602, &json!({"challenges": [native()]})), "unsupported_offer"),
        (json!({"content": [], "_meta": {"x402/payment": {}}}), "unsupported_offer"),
        (json!({"id": 7}), "unsupported_offer"),
        (json!([native()]), "unsupported_offer"),
        (json!("Basic realm=\"x\""), "unsupported_offer"),
        (json!("text"), "unsupported_offer"),
    ] {
        assert_eq!(buyer().brought(&brought).unwrap_err().code(), code, "{brought}");
    }
}

#[test]
fn a_server_that_says_it_refused_a_payment_gets_no_second_one() {
    let data = json!({"challenges": [native()], "failure": {"reason": "verification-failed"}});
    let refused = buyer().brought(&error(-32043, &data)).unwrap_err();
    assert_eq!(refused.code(), "unsupported_offer");
    assert!(refused.to_string().contains("no second"), "{refused}");
}

#[test]
fn a_brought_realm_that_is_another_host_is_found_and_one_that_is_no_host_says_nothing() {
    for (realm, other) in [
        ("api.example", false),
        ("API.example", false),
        ("https://api.example", false),
        ("api.example:443", false),
        ("api.example:8443", false),
        ("https://API.example/x?y", false),
        ("acme/tool", false),
        ("7", false),
        ("MPP: 2.0 Payment", false),
        ("MPP Payment", false),
        ("tool", false),
        ("evil.example", true),
        ("https://evil.example", true),
        ("10.0.0.1", true),
        ("https://evil.example/", true),
        ("https://evil.example/api.example", true),
        ("http://evil.example:8080/x", true),
        ("evil.example/x", true),
        ("u@evil.example", true),
        ("api.example@evil.example", true),
        ("evil.example@api.example", true),
        ("[2001:db8::1]", true),
        ("https://[2001:db8::1]/", true),
    ] {
        let quoted = buyer().brought(&with(native(), "/realm", json!(realm))).unwrap();
        assert_eq!(quoted.quote.risks.contains(&Risk::OtherResource), other, "{realm}");
    }
}
