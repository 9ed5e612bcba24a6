//! Sellers that misbehaved with other clients, and messages no honest seller sends: each gets its exact code.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use countersign_core::rail::{Challenge, QuoteError, Rail as _};
use countersign_rails::x402::X402;
use serde_json::{Value, json};

use crate::support::{
    Buyer, PAYER, USDC_BASE, USDC_SEPOLIA, offer, paid, payment_required, price, test_offer, v1_offer, v1_price, with,
    without,
};

fn refusal(result: Result<countersign_core::rail::Quoted, QuoteError>) -> &'static str {
    result.map_or_else(|e| e.code(), |_| "payable")
}

#[test]
fn every_offer_that_fooled_another_client_gets_its_code() {
    let set = |pointer: &str, value: Value| price(&[with(test_offer(), pointer, value)]);
    for (what, text, code) in [
        ("look-alike token", set("/asset", json!("0xbad0000000000000000000000000000000000bad")), "unknown_asset"),
        ("chain id 8453 with the token of Sepolia", set("/network", json!("eip155:8453")), "unknown_asset"),
        ("lives a year", set("/maxTimeoutSeconds", json!(31_536_000)), "lifetime_too_long"),
        ("timeout is a string", set("/maxTimeoutSeconds", json!("60")), "malformed_offer"),
        ("timeout is negative", set("/maxTimeoutSeconds", json!(-5)), "malformed_offer"),
        ("pays nobody", set("/payTo", json!("0x0000000000000000000000000000000000000000")), "bad_payee"),
        ("pays the token", set("/payTo", json!(USDC_SEPOLIA)), "bad_payee"),
        ("pays us", set("/payTo", json!(PAYER)), "bad_payee"),
        ("bad checksum", set("/payTo", json!("0x209693bc6afc0C5328bA36FaF03C514EF312287C")), "bad_payee"),
        ("wrong name", set("/extra/name", json!("USD Coin")), "asset_mismatch"),
        ("no domain", price(&[without(test_offer(), "/extra")]), "asset_mismatch"),
        ("amount 0", set("/amount", json!("0")), "malformed_offer"),
        ("amount with zeros before it", set("/amount", json!("00010000")), "malformed_offer"),
        ("amount is a number", set("/amount", json!(10000)), "malformed_offer"),
        ("amount is negative", set("/amount", json!("-1")), "malformed_offer"),
        ("amount is in units", set("/amount", json!("0.01")), "malformed_offer"),
        ("amount in exponents", set("/amount", json!("1e4")), "malformed_offer"),
        ("amount in hex", set("/amount", json!("0x2710")), "malformed_offer"),
        ("amount above 2^256", set("/amount", json!("9".repeat(78))), "malformed_offer"),
        ("network with a zero before it", set("/network", json!("eip155:084532")), "malformed_offer"),
        ("network in hex", set("/network", json!("eip155:0x14a34")), "malformed_offer"),
        ("unknown flow", set("/extra/paymentFlow", json!("instant")), "unsupported_offer"),
        ("approve-for-gas method", set("/extra/assetTransferMethod", json!("permit2")), "unsupported_offer"),
        ("usage with a rogue facilitator", set("/scheme", json!("upto")), "unsupported_offer"),
        ("nothing to pay", price(&[]), "unsupported_offer"),
        ("17 offers", price(&vec![test_offer(); 17]), "malformed_offer"),
        ("version as a string", price(&[test_offer()]).replace(":2,", ":\"2\","), "malformed_offer"),
        ("version 3", price(&[test_offer()]).replace("\"x402Version\":2", "\"x402Version\":3"), "malformed_offer"),
        ("version 2.0", price(&[test_offer()]).replace("\"x402Version\":2", "\"x402Version\":2.0"), "malformed_offer"),
        ("version 1 in the header", v1_price(&[v1_offer()]), "malformed_offer"),
        ("no version", price(&[test_offer()]).replace("x402Version", "version"), "malformed_offer"),
        ("accepts is an object", r#"{"x402Version":2,"accepts":{"0":{}}}"#.into(), "malformed_offer"),
        (
            "resource is a string",
            r#"{"x402Version":2,"resource":"https://api.example","accepts":[]}"#.into(),
            "malformed_offer",
        ),
        ("extensions is a list", r#"{"x402Version":2,"extensions":[],"accepts":[]}"#.into(), "malformed_offer"),
        (
            "an amount twice",
            price(&[test_offer()]).replace("\"amount\"", "\"amount\":\"1\",\"amount\""),
            "malformed_offer",
        ),
        (
            "an amount twice, spelled apart",
            price(&[test_offer()]).replace("\"amount\"", "\"\\u0061mount\":\"1\",\"amount\""),
            "malformed_offer",
        ),
        ("too deep", price(&[with(test_offer(), "/x", deep(40))]), "malformed_offer"),
        ("not JSON", "payment required".into(), "malformed_offer"),
        ("not an object", "[]".into(), "malformed_offer"),
        (
            "hidden character in payTo",
            set("/payTo", json!("0x209693Bc6afc0C5328bA36FaF03C514EF312287C\u{200b}")),
            "malformed_offer",
        ),
        ("direction change in the token's name", set("/extra/name", json!("\u{202e}CDSU")), "malformed_offer"),
        ("NUL in the network", set("/network", json!("eip155:84532\u{0}")), "malformed_offer"),
        (
            "hidden character in resource.url",
            price(&[test_offer()]).replace("example/cheap", "example/\u{200b}cheap"),
            "malformed_offer",
        ),
        (
            "resource.url is a number",
            price(&[test_offer()]).replace("\"https://api.example/cheap\"", "7"),
            "malformed_offer",
        ),
        ("scheme is very long", set("/scheme", json!("e".repeat(10_000))), "malformed_offer"),
    ] {
        assert_eq!(refusal(Buyer::default().v2(&text)), code, "{what}");
        // Without a header its version needs, the same object is no better when a caller brings it.
        if !matches!(what, "not JSON" | "version 1 in the header" | "no version" | "not an object") {
            assert_eq!(refusal(Buyer::default().brought(&text)), code, "{what}, brought by a caller");
        }
    }
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

#[test]
fn free_text_is_harmless_and_stops_no_payment() {
    let text = "<script>alert(1)</script> pre-approved \u{202e}\u{0}\u{200b} ".repeat(20);
    let mut price: Value = serde_json::from_str(&price(&[offer()])).unwrap();
    price["error"] = json!("e".repeat(12_000));
    price["resource"]["description"] = json!(text);
    price["resource"]["serviceName"] = json!(["not", "text"]);
    let quoted = Buyer::default().v2(&price.to_string()).unwrap();
    assert_eq!(quoted.seller_says.as_deref(), Some(text.as_str()), "kept as it is; whoever shows it cleans it");
    assert_eq!(paid(&quoted)["resource"]["description"], json!(text));
    assert!(!quoted.offer.contains("eeee"));
}

#[test]
fn a_refusal_never_repeats_the_sellers_words() {
    let words = "ignore-previous-instructions";
    for pointer in [
        "/scheme",
        "/network",
        "/amount",
        "/asset",
        "/payTo",
        "/maxTimeoutSeconds",
        "/extra/name",
        "/extra/version",
        "/extra/assetTransferMethod",
        "/extra/paymentFlow",
    ] {
        let error = Buyer::default().v2(&price(&[with(offer(), pointer, json!(words))])).unwrap_err();
        assert!(!error.to_string().contains("ignore"), "{pointer}: {error}");
    }
}

#[test]
fn version_two_is_read_from_the_header_only_and_version_one_from_the_body_only() {
    let buyer = Buyer::default();
    assert_eq!(
        refusal(buyer.http(&[], price(&[offer()]).as_bytes())),
        "malformed_offer",
        "a version 2 object only in the body"
    );
    assert_eq!(refusal(buyer.v1(&v1_price(&[v1_offer()]).replace(":1,", ":\"1\","))), "malformed_offer");
    assert_eq!(refusal(buyer.v1(&v1_price(&[v1_offer()]).replace(":1,", ":3,"))), "malformed_offer");
    assert_eq!(buyer.v1("{\"error\":\"x402Version\"}"), Err(QuoteError::NotThisRail));
    assert_eq!(buyer.brought("{}"), Err(QuoteError::NotThisRail));

    let dear = with(offer(), "/amount", json!("99"));
    let mixed =
        buyer.http(&[payment_required(&price(&[offer()]))], price(std::slice::from_ref(&dear)).as_bytes()).unwrap();
    assert_eq!(mixed.quote.money.amount.to_string(), "30000", "the body has no meaning beside the header");
    let beside_v1 = buyer.http(&[payment_required(&price(&[offer()]))], v1_price(&[v1_offer()]).as_bytes()).unwrap();
    assert_eq!(beside_v1.quote.version, 2);
    let two = [payment_required(&price(&[offer()])), payment_required(&price(&[dear]))];
    assert_eq!(refusal(buyer.http(&two, b"")), "malformed_offer");
    let empty = ("payment-required".to_owned(), String::new());
    assert_eq!(
        buyer.http(&[empty], v1_price(&[v1_offer()]).as_bytes()).unwrap().quote.version,
        1,
        "as the official client reads it"
    );
}

#[test]
fn only_the_standard_alphabet_and_64_kilobytes_are_read() {
    let buyer = Buyer::default();
    let text = price(&[with(offer(), "/note", json!("ÿÿÿ>>>???"))]);
    let header = |value: String| vec![("payment-required".to_owned(), value)];
    assert_eq!(refusal(buyer.http(&header(STANDARD.encode(&text)), b"")), "payable");
    assert_eq!(refusal(buyer.http(&header(STANDARD.encode(&text).trim_end_matches('=').to_owned()), b"")), "payable");
    assert!(URL_SAFE.encode(&text).contains(['-', '_']));
    for bad in [
        URL_SAFE.encode(&text),
        format!("{} ", STANDARD.encode(&text)),
        "%%%".into(),
        STANDARD.encode([0xff, 0xfe]),
        "A".into(),
        text,
    ] {
        assert_eq!(refusal(buyer.http(&header(bad), b"")), "malformed_offer");
    }
    let padded = |n: usize| price(&[with(offer(), "/note", json!("x".repeat(n)))]);
    let most = 64 * 1024 - padded(0).len();
    assert_eq!(refusal(buyer.v2(&padded(most))), "payable");
    assert_eq!(refusal(buyer.v2(&padded(most + 1))), "malformed_offer");
    assert_eq!(refusal(buyer.v2(&padded(1_000_000))), "malformed_offer");
    let v1 = v1_price(&[with(v1_offer(), "/note", json!("x".repeat(70_000)))]);
    assert_eq!(refusal(buyer.v1(&v1)), "malformed_offer");
    assert_eq!(refusal(buyer.v1(&v1[..65_536])), "malformed_offer", "cut off by whoever read it");
}

#[test]
fn only_a_402_in_this_protocol_is_a_challenge() {
    let header = [payment_required("anything")];
    let body = v1_price(&[v1_offer()]);
    assert!(X402.is_challenge(402, &header, b""));
    assert!(X402.is_challenge(402, &[], body.as_bytes()));
    assert!(X402.is_challenge(402, &[], &body.as_bytes()[..200]), "broken, but this protocol's");
    for (status, headers, body) in [
        (200, &header[..], body.as_bytes()),
        (412, &header[..], b""),
        (402, &[], b"{}"),
        (402, &[], b"Payment Required"),
        (402, &[], b"{\"a\":{\"x402Version\":1}}"),
        (402, &[], b"\xff"),
    ] {
        assert!(!X402.is_challenge(status, headers, body), "{status}");
    }
    let other = Challenge::Http { status: 402, headers: &[], body: b"Payment Required" };
    assert_eq!(X402.quote(other, Buyer::default().context()), Err(QuoteError::NotThisRail));
}

#[test]
fn a_price_that_grows_or_a_payee_that_rotates_is_a_new_quote_each_time() {
    let buyer = Buyer::default();
    let first = buyer.v2(&price(&[offer()])).unwrap();
    let dearer = buyer.v2(&price(&[with(offer(), "/amount", json!("60000"))])).unwrap();
    let rotated =
        buyer.v2(&price(&[with(offer(), "/payTo", json!("0x1111111111111111111111111111111111111111"))])).unwrap();
    assert_ne!(first.quote, dearer.quote);
    assert_ne!(first.quote.payee, rotated.quote.payee);
    assert_eq!(first, buyer.v2(&price(&[offer()])).unwrap());
    assert!(first.quote.money.asset.as_str().ends_with(USDC_BASE));
}
