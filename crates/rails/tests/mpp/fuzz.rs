//! Arbitrary input: nothing panics, and nothing is signed but what the echoed challenge says.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_core::rail::Quoted;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use crate::support::{Buyer, PAYER, SELLER, USDC_BASE, USDC_SEPOLIA, carried, challenge, coded, line, request};

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

fn any_request() -> impl Strategy<Value = Value> {
    let amount = prop_oneof![any::<u64>().prop_map(|n| json!(n.to_string())), Just(json!("0")), Just(json!("1e3"))];
    let address = || select(vec![USDC_BASE, USDC_SEPOLIA, PAYER, SELLER, "0x0"]).prop_map(|a| json!(a));
    let chain = select(vec![json!(84532), json!(8453), json!("84532"), json!(0), Value::Null]);
    (amount, address(), address(), chain).prop_map(|(amount, currency, recipient, chain)| {
        let mut request = request();
        request["amount"] = amount;
        request["currency"] = currency;
        request["recipient"] = recipient;
        request["methodDetails"]["chainId"] = chain;
        request["methodDetails"].as_object_mut().unwrap().remove("decimals");
        request
    })
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
    fn a_line_of_nearly_right_pieces_is_refused_or_signed_as_it_says(
        pieces in prop::collection::vec(select(vec![
            "Payment ", "Basic ", ", ", "\"", "\\", "\\u00", "id=\"a\"", "id=b", "realm=\"api.example\"", "method=\"evm\"", "intent=\"charge\"",
            "expires=\"2027-01-15T08:05:00Z\"", "REQUEST", "header=\"Payment-Authorization\"", "=", " ", "é",
        ]), 0..24)
    ) {
        let sent = pieces.concat().replace("REQUEST", &format!("request=\"{}\"", coded(&request())));
        let buyer = Buyer::default();
        if let Ok(quoted) = buyer.lines(&[&sent]) {
            signs_what_it_echoes(&buyer, &quoted, &sent)?;
        }
    }

    #[test]
    fn an_honest_line_with_one_change_is_refused_or_signed_as_it_says(request in any_request(), at in 0_usize..400, c in any::<char>()) {
        let mut challenge = challenge();
        challenge["request"] = json!(coded(&request));
        let honest = line(&challenge);
        let at = honest.floor_char_boundary(at.min(honest.len()));
        let changed = format!("{}{c}{}", &honest[..at], &honest[at..]);
        let buyer = Buyer::default();
        for sent in [honest, changed] {
            if let Ok(quoted) = buyer.lines(&[&sent]) {
                signs_what_it_echoes(&buyer, &quoted, &sent)?;
            }
        }
    }

    #[test]
    fn any_json_a_caller_brings_is_refused_or_read(name in "[a-z_]{0,10}", number in any::<i64>(), text in ".{0,60}") {
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
