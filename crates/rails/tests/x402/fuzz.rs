//! Arbitrary input: nothing panics, and nothing is signed but what the echoed offer says.

use countersign_core::rail::{Challenge, Quoted, Rail as _};
use countersign_rails::x402::{X402, claimed_hosts};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json, value::RawValue};

use crate::support::{
    Buyer, NOW, PAYER, SELLER, USDC_BASE, USDC_SEPOLIA, form, offer, paid, payment_required, price, v1_offer, v1_price,
};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "[0-9]{1,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let object = vec(("[a-z0-9]{0,3}|.{0,4}", inner.clone()), 0..5)
            .prop_map(|members| Value::Object(Map::from_iter(members)));
        prop_oneof![vec(inner, 0..5).prop_map(Value::from), object]
    })
}

/// An offer whose fields are each right, nearly right or anything.
fn any_offer(one: Value) -> impl Strategy<Value = Value> {
    let text = |choices: &[&str]| select(choices.iter().map(|c| json!(c)).collect::<Vec<_>>());
    let field = prop_oneof![
        (
            "network|scheme",
            text(&["exact", "eip155:8453", "eip155:84532", "eip155:08453", "upto", "base", "base-sepolia"])
        ),
        (
            "amount|maxAmountRequired",
            prop_oneof![text(&["0", "1", "01", "1e3", "30001"]), any::<u64>().prop_map(|n| json!(n.to_string()))]
        ),
        (
            "asset|payTo",
            text(&[USDC_BASE, USDC_SEPOLIA, PAYER, SELLER, "0x1111111111111111111111111111111111111111", "0x0"])
        ),
        (
            "maxTimeoutSeconds",
            prop_oneof![
                any::<i64>().prop_map(Value::from),
                (0..90_000_i64).prop_map(Value::from),
                any::<f64>().prop_map(Value::from)
            ]
        ),
        ("resource|description|extra", any_json()),
        ("[a-zA-Z]{1,8}", any_json()),
    ];
    vec(field, 0..4).prop_map(move |fields| {
        let mut offer = one.clone();
        offer.as_object_mut().unwrap().extend(fields);
        offer
    })
}

/// What is signed is what the echoed offer says, and the offer is one that was sent.
fn signs_what_it_echoes(quoted: &Quoted, offers: &[Value]) -> Result<(), TestCaseError> {
    let form = form(quoted, NOW, [7; 32]);
    let kept: Value = serde_json::from_str(&quoted.offer).unwrap();
    let accepted = &kept["accepted"];
    prop_assert!(offers.iter().any(|offer| offer == accepted));
    let text = |name: &str| accepted[name].as_str().unwrap_or_default().to_lowercase();
    let amount = if quoted.quote.version == 1 { text("maxAmountRequired") } else { text("amount") };
    prop_assert_eq!(form.value.to_string(), amount);
    prop_assert_eq!(form.to.to_string().to_lowercase(), text("payTo"));
    prop_assert_eq!(form.token.to_string().to_lowercase(), text("asset"));
    prop_assert_eq!(form.from.to_string(), PAYER);
    prop_assert!(form.valid_before <= 1_800_000_300);
    let payload = paid(quoted);
    prop_assert_eq!(&payload["payload"]["authorization"]["value"], &json!(form.value.to_string()));
    if quoted.quote.version == 2 {
        prop_assert!(means_the_same(&payload["accepted"], accepted));
    }
    Ok(())
}

/// Deep equality as JavaScript and Python see it: 1.0 is 1.
fn means_the_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| means_the_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| means_the_same(a, b)))
        }
        _ => one == other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_answers_never_panic(
        status in any::<u16>(),
        headers in vec((prop_oneof![Just("payment-required".to_owned()), Just("payment-response".to_owned()), ".*"], ".*"), 0..4),
        body in vec(any::<u8>(), 0..200),
    ) {
        let buyer = Buyer::default();
        X402.is_challenge(status, &headers, &body);
        let refused = X402.quote(Challenge::Http { status, headers: &headers, body: &body }, buyer.context()).is_err();
        prop_assert!(refused);
        let quoted = buyer.v2(&price(&[offer()])).unwrap();
        X402.receipt(&quoted.quote, status, &headers, &body);
    }

    #[test]
    fn arbitrary_json_never_panics(any in any_json(), url in ".*") {
        let buyer = Buyer::default();
        let text = any.to_string();
        prop_assert!(buyer.v2(&text).is_err() && buyer.v1(&text).is_err() && buyer.brought(&text).is_err());
        let wrapped = json!({ "x402Version": 2, "accepts": [any], "resource": { "url": url }, "extensions": any }).to_string();
        prop_assert!(buyer.v2(&wrapped).is_err());
        claimed_hosts(&RawValue::from_string(wrapped).unwrap());
        let quoted = buyer.v2(&price(&[offer()])).unwrap();
        X402.receipt(&quoted.quote, 402, &[payment_required(&text)], text.as_bytes());
        prop_assert!(X402.credential(&quoted.quote, &text, &[]).is_err());
    }

    #[test]
    fn a_cut_or_changed_byte_never_panics_and_never_signs_another_thing(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = price(&[offer()]).into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(quoted) = Buyer::default().v2(&text)
        {
            let sent: Value = serde_json::from_str(&text).unwrap();
            signs_what_it_echoes(&quoted, sent["accepts"].as_array().unwrap())?;
        }
    }

    #[test]
    fn whatever_is_payable_signs_exactly_what_it_echoes(
        offers in vec(any_offer(offer()), 1..4),
        old in vec(any_offer(v1_offer()), 1..4),
        extensions in option::of(any_json()),
    ) {
        let mut price: Value = serde_json::from_str(&price(&offers)).unwrap();
        if let Some(extensions) = extensions {
            price["extensions"] = extensions;
        }
        if let Ok(quoted) = Buyer::default().v2(&price.to_string()) {
            signs_what_it_echoes(&quoted, &offers)?;
        }
        if let Ok(quoted) = Buyer::default().v1(&v1_price(&old)) {
            signs_what_it_echoes(&quoted, &old)?;
        }
    }
}
