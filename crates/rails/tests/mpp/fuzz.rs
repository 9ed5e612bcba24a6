//! Arbitrary input: nothing panics, and nothing is signed but what the echoed challenge says.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_core::rail::Quoted;
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;

use crate::support::{Buyer, PAYER, SELLER, USDC_BASE, USDC_SEPOLIA, carried, challenge, coded, line, request, with};

/// What is signed is what the sent challenge says, and the challenge is sent as it came.
fn signs_what_it_echoes(buyer: &Buyer, quoted: &Quoted, sent: &str) -> Result<(), TestCaseError> {
    let (form, credential) = buyer.paid(quoted);
    let (_, carried) = carried(&credential);
    let echoed = carried["challenge"]["request"].as_str().unwrap();
    prop_assert!(sent.contains(echoed), "{echoed} was not sent");
    let bytes = URL_SAFE_NO_PAD.decode(echoed.trim_end_matches('=')).unwrap();
    let said: Value = serde_json::from_slice(&bytes).unwrap();
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_lowercase();
    prop_assert_eq!(form.value.to_string(), text("amount"));
    prop_assert_eq!(form.to.to_string().to_lowercase(), text("recipient"));
    prop_assert_eq!(form.token.to_string().to_lowercase(), text("currency"));
    prop_assert_eq!(json!(form.chain_id), said["methodDetails"]["chainId"].clone());
    prop_assert_eq!(form.from.to_string(), PAYER);
    prop_assert!((1_800_000_005..=1_800_000_300).contains(&form.valid_before));
    Ok(())
}

/// Runs a test on many inputs and answers how many were accepted: one that accepts nothing proves nothing of what is signed.
fn accepted<S: Strategy>(inputs: &S, test: impl Fn(S::Value) -> Result<bool, TestCaseError>) -> u32 {
    let count = Cell::new(0_u32);
    let counted = |input| test(input).map(|accepted| count.set(count.get().saturating_add(u32::from(accepted))));
    TestRunner::default().run(inputs, counted).unwrap();
    count.get()
}

/// Whether a line is payable; if so, it is signed as it says.
fn pays_what_it_says(sent: &str) -> Result<bool, TestCaseError> {
    let buyer = Buyer::default();
    let Ok(quoted) = buyer.lines(&[sent]) else { return Ok(false) };
    signs_what_it_echoes(&buyer, &quoted, sent).map(|()| true)
}

fn any_request() -> impl Strategy<Value = Value> {
    let amount = prop_oneof![any::<u64>().prop_map(|n| json!(n.to_string())), Just(json!("0")), Just(json!("1e3"))];
    let address = || select(vec![USDC_BASE, USDC_SEPOLIA, PAYER, SELLER, "0x0"]).prop_map(|a| json!(a));
    let chain = select(vec![json!(84532), json!(8453), json!("84532"), json!(0), Value::Null]);
    let odd = (amount, address(), address(), chain).prop_map(|(amount, currency, recipient, chain)| {
        let mut request = request();
        request["amount"] = amount;
        request["currency"] = currency;
        request["recipient"] = recipient;
        request["methodDetails"]["chainId"] = chain;
        request["methodDetails"].as_object_mut().unwrap().remove("decimals");
        request
    });
    let dear = any::<u64>().prop_map(|n| with(request(), "/amount", json!(n.to_string())));
    prop_oneof![2 => Just(request()), 1 => dear, 2 => odd]
}

/// The parameters of an honest challenge in any order and however they are set apart, with something odd among them or not.
fn any_line() -> impl Strategy<Value = String> {
    let request = format!("request=\"{}\"", coded(&request()));
    let parts =
        ["id=\"a\"", "realm=\"api.example\"", "method=\"evm\"", "intent=charge", "expires=\"2027-01-15T08:05:00Z\""];
    let parts: Vec<String> = parts.map(str::to_owned).into_iter().chain([request]).collect();
    let commas = prop::collection::vec(select(vec![", ", ",", " ,\t", ", , "]), 7);
    let odd = select(vec![
        "Payment ",
        "Basic ",
        "\"",
        "\\",
        "\\u00",
        "id=\"b\"",
        "x=\"\\\"\"",
        "x=y",
        "header=\"Payment-Authorization\"",
        "=",
        " ",
        "é",
    ]);
    let odd = prop::option::of((0_usize..6, odd));
    (Just(parts).prop_shuffle(), commas, odd).prop_map(|(mut parts, commas, odd)| {
        if let Some((at, odd)) = odd {
            parts.insert(at, odd.to_owned());
        }
        let parts = parts.into_iter().zip(commas).map(|(part, comma)| part + comma);
        format!("Payment {}", parts.collect::<String>())
    })
}

#[test]
fn a_line_of_nearly_right_pieces_is_refused_or_signed_as_it_says() {
    assert!(accepted(&any_line(), |sent| pays_what_it_says(&sent)) > 30);
}

#[test]
fn an_honest_line_with_one_change_is_refused_or_signed_as_it_says() {
    // A backslash only writes the character behind it in another way.
    let change = any::<char>().prop_filter("an escape", |c| *c != '\\');
    let inputs = (any_request(), any::<prop::sample::Index>(), prop::option::of(change));
    let paid = accepted(&inputs, |(request, at, change)| {
        let mut sent = line(&with(challenge(), "/request", json!(coded(&request))));
        if let Some(change) = change {
            sent.insert(sent.floor_char_boundary(at.index(sent.len())), change);
        }
        pays_what_it_says(&sent)
    });
    assert!(paid > 30);
}

#[test]
fn a_challenge_a_caller_brings_with_one_change_is_refused_or_signed_as_it_says() {
    let names = ["id", "realm", "method", "intent", "request", "expires", "header", "digest", "opaque", "x"];
    let texts = prop_oneof![".{0,20}", Just(coded(&request())), Just("2027-01-15T08:01:00Z".to_owned())];
    let changes = prop::option::of((select(names.to_vec()), texts));
    let paid = accepted(&(any_request(), changes), |(request, change)| {
        let mut brought = with(challenge(), "/request", json!(coded(&request)));
        if let Some((name, text)) = change {
            brought[name] = json!(text);
        }
        let buyer = Buyer::default();
        let Ok(quoted) = buyer.brought(&brought) else { return Ok(false) };
        signs_what_it_echoes(&buyer, &quoted, &brought.to_string()).map(|()| true)
    });
    assert!(paid > 30);
}

proptest! {
    #[test]
    fn lines_of_any_text_never_panic(texts in prop::collection::vec(".{0,200}", 0..4), raw in any::<Vec<u8>>()) {
        let latin: String = raw.into_iter().map(char::from).collect();
        let mut lines: Vec<&str> = texts.iter().map(String::as_str).collect();
        lines.push(&latin);
        prop_assert!(Buyer::default().lines(&lines).is_err());
    }

    #[test]
    fn any_json_a_caller_brings_never_panics(name in "[a-z_]{0,10}", number in any::<i64>(), text in ".{0,60}") {
        for brought in [
            json!({name.clone(): number}),
            json!({"code": number, "data": {"challenges": [{"id": text, "realm": text, "method": text, "intent": text, "request": text}]}}),
            json!({"id": text, "realm": number, "method": "evm", "intent": "charge", "request": {name: text}}),
            json!(text),
        ] {
            prop_assert!(Buyer::default().brought(&brought).is_err());
        }
    }
}
