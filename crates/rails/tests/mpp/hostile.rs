//! Challenges no honest server sends, and those that fooled other clients: each gets its exact code.

use countersign_core::{Millis, policy::Risk, rail::Rail as _, signable::Signable};
use serde_json::{Value, json};

use crate::support::{
    Buyer, NOW, PAYER, USDC_BASE, USDC_SEPOLIA, asking, challenge, coded, line, request, with, without,
};

fn code(line: &str) -> &'static str {
    Buyer::default().lines(&[line]).map_or_else(|e| e.code(), |_| "payable")
}

#[test]
fn every_bad_request_gets_its_code() {
    let set = |pointer: &str, value: Value| asking(&with(request(), pointer, value));
    let split = json!([{"recipient": PAYER, "amount": "9999"}]);
    for (what, line, expected) in [
        ("amount 0", set("/amount", json!("0")), "malformed_offer"),
        ("amount negative", set("/amount", json!("-1")), "malformed_offer"),
        ("amount fractional", set("/amount", json!("0.5")), "malformed_offer"),
        ("amount in exponents", set("/amount", json!("1e4")), "malformed_offer"),
        ("amount with zeros before it", set("/amount", json!("010000")), "malformed_offer"),
        ("amount a number", set("/amount", json!(10000)), "malformed_offer"),
        ("amount above 2^128", set("/amount", json!("340282366920938463463374607431768211456")), "malformed_offer"),
        ("amount above 2^256", set("/amount", json!("9".repeat(78))), "malformed_offer"),
        ("amount hidden", set("/amount", json!("1\u{200b}0")), "malformed_offer"),
        ("no amount", asking(&without(request(), "/amount")), "malformed_offer"),
        ("no chain", asking(&without(request(), "/methodDetails/chainId")), "malformed_offer"),
        ("no details", asking(&without(request(), "/methodDetails")), "malformed_offer"),
        ("chain a text", set("/methodDetails/chainId", json!("84532")), "malformed_offer"),
        ("chain a fraction", set("/methodDetails/chainId", json!(84532.0)), "malformed_offer"),
        ("chain unknown", set("/methodDetails/chainId", json!(424_242)), "unknown_asset"),
        ("token of another chain", set("/currency", json!(USDC_BASE)), "unknown_asset"),
        ("token a symbol", set("/currency", json!("USDC")), "unknown_asset"),
        ("decimals of another token", set("/methodDetails/decimals", json!(2)), "asset_mismatch"),
        ("pays nobody", set("/recipient", json!("0x0000000000000000000000000000000000000000")), "bad_payee"),
        ("pays the token", set("/recipient", json!(USDC_SEPOLIA)), "bad_payee"),
        ("pays us", set("/recipient", json!(PAYER)), "bad_payee"),
        ("no recipient", asking(&without(request(), "/recipient")), "malformed_offer"),
        ("splits", set("/methodDetails/splits", split), "unsupported_offer"),
        ("splits no list", set("/methodDetails/splits", json!({})), "malformed_offer"),
        ("no credential type", asking(&without(request(), "/methodDetails/credentialTypes")), "unsupported_offer"),
        ("only permit2", set("/methodDetails/credentialTypes", json!(["permit2", "hash"])), "unsupported_offer"),
        ("a list", asking(&json!([request()])), "malformed_offer"),
        ("key twice", line(&with(challenge(), "/request", json!("eyJhIjoxLCJhIjoyfQ"))), "malformed_offer"),
        ("not base64", line(&with(challenge(), "/request", json!("%%%"))), "malformed_offer"),
        ("standard base64", line(&with(challenge(), "/request", json!("eyI/Ijoi+++In0"))), "malformed_offer"),
        ("splits empty", set("/methodDetails/splits", json!([])), "payable"),
        ("external id", set("/externalId", json!("order 7")), "payable"),
    ] {
        assert_eq!(code(&line), expected, "{what}");
    }
}

#[test]
fn every_bad_parameter_gets_its_code() {
    let set = |name: &str, value: &str| line(&with(challenge(), &format!("/{name}"), json!(value)));
    for (what, line, expected) in [
        ("no expiry", line(&without(challenge(), "/expires")), "malformed_offer"),
        ("expired", set("expires", "2027-01-15T07:59:59Z"), "offer_expired"),
        ("about to expire", set("expires", "2027-01-15T08:00:04.999Z"), "offer_expired"),
        ("lives a year", set("expires", "2028-01-15T08:00:00Z"), "lifetime_too_long"),
        ("expiry without a zone", set("expires", "2027-01-15T08:05:00"), "malformed_offer"),
        ("expiry with a named zone", set("expires", "2027-01-15T08:05:00Z[UTC]"), "malformed_offer"),
        ("expiry a number", set("expires", "1800000300"), "malformed_offer"),
        ("id empty", set("id", ""), "malformed_offer"),
        ("id endless", set("id", &"x".repeat(1025)), "malformed_offer"),
        ("no realm", line(&without(challenge(), "/realm")), "malformed_offer"),
        ("method in capitals", set("method", "EVM"), "malformed_offer"),
        ("credential as a cookie", set("header", "Cookie"), "unsupported_offer"),
        ("another zone", set("expires", "2027-01-15T09:04:00+01:00"), "payable"),
    ] {
        assert_eq!(code(&line), expected, "{what}");
    }
}

#[test]
fn a_realm_that_is_not_the_host_asks_and_a_short_life_is_said() {
    let risks = |line: &str| Buyer::default().lines(&[line]).unwrap().quote.risks;
    assert!(risks(&line(&challenge())).is_empty());
    for realm in
        ["evil.example", "MPP Payment", "api.example.evil", "example", "https://evil.example/", "x@api.example"]
    {
        let found = risks(&line(&with(challenge(), "/realm", json!(realm))));
        assert!(found.contains(&Risk::OtherResource), "{realm}");
    }
    let short = with(challenge(), "/expires", json!("2027-01-15T08:00:29Z"));
    assert_eq!(risks(&line(&short)).into_iter().collect::<Vec<_>>(), [Risk::ShortLife]);
}

#[test]
fn the_window_ends_with_the_challenge_and_never_later_than_five_minutes() {
    for (expires, seconds) in
        [("2027-01-15T08:00:30Z", 30), ("2027-01-15T08:04:59.9Z", 299), ("2027-01-15T12:00:00Z", 300)]
    {
        let buyer = Buyer::default();
        let quoted = buyer.lines(&[&line(&with(challenge(), "/expires", json!(expires)))]).unwrap();
        assert_eq!(buyer.paid(&quoted).0.valid_before, NOW.seconds() + seconds, "{expires}");
        assert_eq!(buyer.paid(&quoted).0.valid_after, 0);
        // Decided a minute later, the challenge still ends when it ends.
        let later = Buyer { now: NOW.plus_seconds(60), ..Buyer::default() };
        let forms = later.rail.signables(&quoted.quote, &quoted.offer, later.now, [0; 32]);
        match forms {
            Ok(forms) => {
                assert_eq!(forms[0].valid_before(), NOW.seconds() + if seconds == 300 { 360 } else { seconds })
            }
            Err(error) => assert_eq!((error.code(), seconds), ("offer_expired", 30)),
        }
    }
}

#[test]
fn a_kept_challenge_that_was_changed_is_not_signed_and_not_sent() {
    let buyer = Buyer::default();
    let quoted = buyer.lines(&[&line(&challenge())]).unwrap();
    let (form, _) = buyer.paid(&quoted);
    let honest = challenge()["request"].as_str().unwrap().to_owned();
    let said = |pointer: &str, value: Value| coded(&with(request(), pointer, value));
    let sent = |offer: &str| {
        let signed = [(Signable::Eip3009(form.clone()), vec![27; 65])];
        buyer.rail.credential(&quoted.quote, offer, &signed).is_ok()
    };
    assert!(sent(&quoted.offer), "what was signed is sent");
    for (what, from, to) in [
        ("amount", honest.as_str(), said("/amount", json!("20000"))),
        ("recipient", honest.as_str(), said("/recipient", json!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"))),
        ("currency", honest.as_str(), said("/currency", json!(USDC_BASE))),
        ("chain", honest.as_str(), said("/methodDetails/chainId", json!(8453))),
        ("id", "chal-1", "chal-2".to_owned()),
        ("realm", "api.example", "api.exampl3".to_owned()),
        ("expiry", "08:05:00", "08:00:20".to_owned()),
    ] {
        let offer = quoted.offer.replace(from, &to);
        assert_ne!(offer, quoted.offer, "{what}");
        assert!(!sent(&offer), "another {what} was sent");
        if from == honest {
            assert!(
                buyer.rail.signables(&quoted.quote, &offer, NOW, [0; 32]).is_err(),
                "another {what} was to be signed"
            );
        }
    }
    let late = Millis(NOW.0 + 296_000);
    let expired = buyer.rail.signables(&quoted.quote, &quoted.offer, late, [0; 32]).unwrap_err();
    assert_eq!(expired.code(), "offer_expired");
}
