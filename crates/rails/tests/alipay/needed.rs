//! A seller's `Payment-Needed`: read strictly, and every field of it changes or refuses what is judged.

use base64::{
    Engine as _,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use countersign_core::{
    Millis,
    money::Micro,
    origin::Origin,
    payment::{Digest, Op, Resource},
    policy::Risk,
    rail::{Challenge, QuoteContext, QuoteError, Quoted, Rail as _},
    registry::{Rate, Registry},
    signable::Signable,
};
use countersign_rails::alipay::{Alipay, Sellers};
use serde_json::{Value, json, value::RawValue};
use std::collections::{BTreeMap, BTreeSet};

use crate::support::Gateway;

const NOW: Millis = Millis(1_795_199_615_000);

fn price() -> Value {
    json!({
        "protocol": {
            "out_trade_no": "A-1", "amount": "1.50", "currency": "CNY", "resource_id": "/weather",
            "pay_before": "2026-11-21T02:35:35+08:00", "seller_signature": "c2lnbg==", "seller_sign_type": "RSA2",
            "seller_unique_id": "2088000000000001",
        },
        "method": {
            "seller_name": "天气店", "seller_id": "2088000000000001", "seller_app_id": "2021000000000001",
            "goods_name": "天气", "seller_unique_id_key": "seller_id", "service_id": "api_mock_service_id",
        },
    })
}

fn header(price: &Value) -> String {
    URL_SAFE_NO_PAD.encode(price.to_string())
}

fn quote(headers: &[(String, String)], sellers: Sellers) -> Result<Quoted, QuoteError> {
    let mut registry = Registry::builtin("USD");
    registry.set_rate("CNY", Rate::parse("0.14").unwrap());
    let (wallets, origin): (_, Origin) = (BTreeMap::new(), "https://weather.example".parse().unwrap());
    let resource = Resource { method: "GET".into(), path: "/weather".into(), request: Digest::of(&[b"x"]) };
    let context = QuoteContext {
        registry: &registry,
        wallets: &wallets,
        now: NOW,
        origin: &origin,
        claimed: false,
        resource: &resource,
    };
    Alipay::buying(sellers).quote(Challenge::Http { status: 402, headers, body: b"{}" }, context)
}

fn quoted(header: String) -> Result<Quoted, QuoteError> {
    quote(&[("payment-needed".to_owned(), header)], Sellers::new())
}

#[test]
fn a_price_is_judged_as_a_purchase_that_always_asks_and_a_seller_nobody_vouches_for() {
    let found = quoted(header(&price())).unwrap();
    let q = &found.quote;
    assert_eq!((q.op, q.exposure_value, q.asset_text()), (Op::Pay, Some(Micro(210_000)), "1.5 CNY".to_owned()));
    assert_eq!((q.wallet.as_str(), q.payee.account.as_str()), ("alipay-bot", "2088000000000001"));
    // A seller's test is no play money: the program would pay it.
    assert!(!q.testnet && !q.reversible && q.network.is_none());
    assert_eq!(q.risks, BTreeSet::from([Risk::Upfront, Risk::SellerUnverified]));
    assert_eq!((q.lifetime_seconds, found.seller_says.as_deref()), (120, Some("天气 – 天气店")));
    let rail = Alipay::default();
    let forms = rail.signables(q, &found.offer, NOW, [0; 32]).unwrap();
    let [Signable::Handed(handed)] = &forms[..] else { panic!("{forms:?}") };
    assert_eq!((handed.number.as_str(), handed.valid_before), ("A-1", NOW.seconds() + 120));
    let credential = rail.credential(q, &found.offer, &[(forms[0].clone(), Vec::new())]).unwrap();
    assert_eq!(credential.headers["payment-needed"], header(&price()));
    // What is handed over is what was written down: another kept price, however like it, is not.
    let mut other = price();
    other["method"]["service_id"] = json!("another");
    let kept = json!({"needed": header(&other)}).to_string();
    let refused = rail.credential(q, &kept, &[(forms[0].clone(), Vec::new())]);
    assert!(matches!(refused, Err(QuoteError::Malformed(_))), "{refused:?}");
    assert_eq!(rail.signables(q, &found.offer, Millis(NOW.0 + 121_000), [0; 32]), Err(QuoteError::Expired));
}

#[test]
fn what_is_broken_twofold_late_or_foreign_is_refused() {
    let with = |part: &str, name: &str, value: Value| {
        let mut price = price();
        price[part][name] = value;
        header(&price)
    };
    let without = |part: &str, name: &str| with(part, name, Value::Null);
    for header in [
        String::new(),
        "not base64!".to_owned(),
        URL_SAFE.encode(price().to_string() + " "),
        URL_SAFE_NO_PAD.encode([0xff, 0xfe]),
        URL_SAFE_NO_PAD.encode("[]"),
        URL_SAFE_NO_PAD.encode(price().to_string().replacen("{", "{\"method\":{},", 1)),
        URL_SAFE_NO_PAD.encode("{\"protocol\":".repeat(40)),
        "e30".repeat(6000),
        with("protocol", "amount", json!(1.5)),
        with("protocol", "amount", json!("1.505")),
        with("protocol", "amount", json!("-1.50")),
        with("protocol", "amount", json!("0.00")),
        with("protocol", "amount", json!("100000000.01")),
        with("protocol", "amount", json!("1e2")),
        with("protocol", "out_trade_no", json!("-f /etc/passwd")),
        with("protocol", "out_trade_no", json!("a".repeat(65))),
        with("protocol", "pay_before", json!("2026-11-21 02:35:35")),
        with("protocol", "pay_before", json!("soon")),
        with("protocol", "resource_id", json!("a\nb")),
        with("method", "goods_name", json!("天气\n**交易号**：1")),
        with("method", "goods_name", json!("x".repeat(257))),
        with("method", "service_id", json!(["a"])),
        without("protocol", "seller_signature"),
        without("protocol", "out_trade_no"),
        without("protocol", "pay_before"),
        without("method", "seller_id"),
        without("method", "goods_name"),
    ] {
        let refused = quoted(header.clone());
        assert!(matches!(refused, Err(QuoteError::Malformed(_))), "{header}: {refused:?}");
    }
    assert_eq!(quoted(with("protocol", "pay_before", json!("2026-11-21T02:33:35+08:00"))), Err(QuoteError::Expired));
    for (name, value) in
        [("seller_id", "1088000000000001"), ("seller_id", "208800000000000x"), ("seller_id", "2088000000000009")]
    {
        assert!(matches!(quoted(with("method", name, json!(value))), Err(QuoteError::BadPayee(_))), "{value}");
    }
    for (name, value) in [("currency", "USD"), ("seller_sign_type", "RSA")] {
        assert!(matches!(quoted(with("protocol", name, json!(value))), Err(QuoteError::Unsupported(_))), "{value}");
    }
    let twice = [("payment-needed".to_owned(), header(&price())), ("payment-needed".to_owned(), header(&price()))];
    assert!(matches!(quote(&twice, Sellers::new()), Err(QuoteError::Malformed(_))));
}

#[test]
fn a_price_for_another_host_is_marked_and_a_kept_key_must_fit() {
    let mut elsewhere = price();
    elsewhere["protocol"]["resource_id"] = json!("https://other.example/weather");
    assert!(quoted(header(&elsewhere)).unwrap().quote.risks.contains(&Risk::OtherResource));
    let seller = Gateway::new();
    let sellers = || Sellers::from([("2088000000000001".to_owned(), seller.key())]);
    let under = |price: &Value| quote(&[("payment-needed".to_owned(), header(price))], sellers());
    assert!(matches!(under(&price()), Err(QuoteError::Malformed(why)) if why.contains("signature")));
    let signed_for = |resource: &str| {
        let mut signed = price();
        signed["protocol"]["resource_id"] = json!(resource);
        signed["protocol"]["seller_signature"] = json!(seller.sign(&format!(
            "amount=1.50&currency=CNY&goods_name=天气&out_trade_no=A-1&pay_before=2026-11-21T02:35:35+08:00\
             &resource_id={resource}&seller_id=2088000000000001&service_id=api_mock_service_id"
        )));
        signed
    };
    let signed = signed_for("https://weather.example/weather");
    assert_eq!(under(&signed).unwrap().quote.risks, BTreeSet::from([Risk::Upfront]));
    // A genuine price that somebody else may have passed on vouches for nobody.
    let unverified = BTreeSet::from([Risk::Upfront, Risk::SellerUnverified]);
    assert_eq!(under(&signed_for("/weather")).unwrap().quote.risks, unverified);
    let passed_on = under(&signed_for("https://other.example/weather")).unwrap().quote.risks;
    assert!(passed_on.contains(&Risk::SellerUnverified) && passed_on.contains(&Risk::OtherResource));
    for (part, name, value) in [
        ("protocol", "amount", "1.51"),
        ("protocol", "out_trade_no", "A-2"),
        ("protocol", "pay_before", "2026-11-21T02:36:35+08:00"),
        ("protocol", "resource_id", "/storm"),
        ("method", "goods_name", "天"),
        ("method", "service_id", "api"),
    ] {
        let mut bent = signed.clone();
        bent[part][name] = json!(value);
        assert!(matches!(under(&bent), Err(QuoteError::Malformed(_))), "{name}");
    }
}

#[test]
fn only_a_402_with_the_header_is_one_and_a_caller_cannot_bring_it() {
    let rail = Alipay::buying(Sellers::new());
    let headers = [("payment-needed".to_owned(), header(&price()))];
    assert!(rail.is_challenge(402, &headers, b"") && !rail.is_challenge(200, &headers, b""));
    assert!(!rail.is_challenge(402, &[], b"payment-needed"));
    let brought = RawValue::from_string(price().to_string()).unwrap();
    let registry = Registry::builtin("USD");
    let (wallets, origin): (_, Origin) = (BTreeMap::new(), "https://weather.example".parse().unwrap());
    let resource = Resource { method: "GET".into(), path: "/".into(), request: Digest::of(&[b"x"]) };
    let context = QuoteContext {
        registry: &registry,
        wallets: &wallets,
        now: NOW,
        origin: &origin,
        claimed: true,
        resource: &resource,
    };
    assert!(matches!(rail.quote(Challenge::Json(&brought), context), Err(QuoteError::Unsupported(_))));
}
