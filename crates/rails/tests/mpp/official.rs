//! Equality with the official library, for challenges it really wrote (`fixtures/mppx-0.11.json`), and known answers.

use countersign_core::{Millis, rail::Rail as _, signable::Signable};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::support::{Buyer, KEY, carried, challenge, coded, digest, line, request, sign_with, with};

#[derive(Deserialize)]
struct Fixture {
    private_key: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    line: String,
    authorization: String,
}

#[test]
fn a_credential_says_what_the_official_clients_says_and_echoes_the_challenge_byte_for_byte() {
    let Fixture { private_key, cases } = serde_json::from_str(include_str!("../fixtures/mppx-0.11.json")).unwrap();
    assert_eq!(private_key, KEY);
    assert_eq!(cases.len(), 3);
    for Case { name, line, authorization } in cases {
        let buyer = Buyer::default();
        let quoted = buyer.lines(&[&line]).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (header, ours) = carried(&buyer.paid(&quoted).1);
        let headers = BTreeMap::from([("Authorization".to_owned(), authorization)]);
        let (_, theirs) = carried(&countersign_core::rail::Credential { headers, ..Default::default() });
        assert_eq!(ours, theirs, "{name}");
        let asked = if name == "with everything" { "Payment-Authorization" } else { "Authorization" };
        assert_eq!(header, asked, "{name}");
        for echoed in ["id", "request"] {
            assert!(line.contains(&format!("{echoed}=\"{}\"", ours["challenge"][echoed].as_str().unwrap())), "{name}");
        }
    }
}

/// Known answers of the protocol's reference, made with anvil's first public key.
#[test]
fn nonce_digest_and_signature_are_those_of_the_known_vector() {
    let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let seller = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let buyer = Buyer {
        now: Millis(1_893_455_700_000),
        wallets: BTreeMap::from([("*".to_owned(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".to_owned())]),
        origin: "https://api.example.com".parse().unwrap(),
        ..Buyer::default()
    };
    let request = with(with(request(), "/amount", json!("1000000")), "/recipient", json!(seller));
    let mut challenge = with(challenge(), "/request", json!(coded(&request)));
    for (field, value) in
        [("/id", "aB3cDeF4gHiJkLmN"), ("/realm", "api.example.com"), ("/expires", "2030-01-01T00:00:00Z")]
    {
        challenge = with(challenge, field, json!(value));
    }
    let quoted = buyer.lines(&[&line(&challenge)]).unwrap();
    let forms = buyer.rail.signables(&quoted.quote, &quoted.offer, buyer.now, [0; 32]).unwrap();
    let [Signable::Eip3009(form)] = &forms[..] else { panic!("{} forms", forms.len()) };
    assert_eq!(form.nonce.to_string(), "0x899e3a8fe6830644e150b972d4ba1fce69bcdf0bf9ea7f13d57cada71c6f281d");
    assert_eq!(digest(form).to_string(), "0xa07f8c38ce1528d4c70d76755059fbd70ab1323f2a60a5da31c6df7a903bc4c6");
    assert_eq!(
        alloy::hex::encode_prefixed(sign_with(key, form)),
        "0x3677aeb98d2ab6f63a07be5c19dfcc307f148e912a9ddb86eeef660f1e3aef0c69dd8047ca223344e107ee289b0259d224add92fc5cac93a31cb5f120bfeadc41b"
    );
    assert_eq!(form.valid_before, 1_893_456_000);
}

#[test]
fn a_request_that_is_not_canonical_is_echoed_as_it_came() {
    let spaced = request().to_string().replace(':', " : ").replace(',', " ,\n");
    let coded = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE, &spaced);
    let buyer = Buyer::default();
    let quoted = buyer.lines(&[&line(&with(challenge(), "/request", json!(coded)))]).unwrap();
    let (_, sent): (_, Value) = carried(&buyer.paid(&quoted).1);
    assert_eq!(sent["challenge"]["request"], json!(coded), "padding and white space are the server's");
}
