//! Byte equality with the official client, for inputs it was really given (`fixtures/official-2.27.json`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{Millis, rail::Rail as _, signable::Signable};
use countersign_rails::x402::X402;
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Buyer, KEY, digest, form, sign};

#[derive(Deserialize)]
struct Fixture {
    private_key: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    version: u8,
    required: String,
    now: i64,
    random: String,
    digest: String,
    header_name: String,
    header_value: String,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/official-2.27.json")).unwrap()
}

#[test]
fn digest_signature_and_header_equal_those_of_the_official_client() {
    let Fixture { private_key, cases } = fixture();
    assert_eq!(private_key, KEY);
    assert!(cases.len() >= 12);
    for case in cases {
        let name = &case.name;
        let buyer = Buyer::default();
        let quoted = if case.version == 1 { buyer.v1(&case.required) } else { buyer.v2(&case.required) };
        let quoted = quoted.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(buyer.brought(&case.required).map(|q| q.offer), Ok(quoted.offer.clone()), "{name}");

        let random = alloy::hex::decode_to_array(&case.random).unwrap();
        let form = form(&quoted, Millis(case.now * 1000), random);
        assert_eq!(digest(&form).to_string(), case.digest, "{name}");
        let signature = sign(&form);
        let credential =
            X402.credential(&quoted.quote, &quoted.offer, &[(Signable::Eip3009(form), signature)]).unwrap();
        let header = &credential.headers[&case.header_name];
        let text = |header: &str| String::from_utf8(STANDARD.decode(header).unwrap()).unwrap();
        assert_eq!(text(header), text(&case.header_value), "{name}");
        assert_eq!(header, &case.header_value, "{name}");
        assert_eq!(credential.headers.len(), 1, "{name}");
        assert_eq!(credential.meta["x402/payment"], serde_json::from_str::<Value>(&text(header)).unwrap(), "{name}");
    }
}

#[test]
fn the_golden_vectors_are_met() {
    let cases = fixture().cases;
    let of = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
    for (name, digest) in [
        ("golden case 1", "0xf1f4f5b0859aba48d69a01a25a8f41e3bd5c5023cc1e76e631361a387ce5aba8"),
        ("golden case on Base", "0x35888e0eb6cc1d8befd63a5c6db61eb92a7fef6ed415fe224ea7540a3de67354"),
        ("golden case of version 1", "0x9352759ef80f6c1ea7c782966015d4beca06d556475d1cc24bb6f25d5a8a7ef5"),
    ] {
        assert_eq!(of(name).digest, digest);
    }
    let one = Buyer::default().v2(&of("golden case 1").required).unwrap();
    let random = std::array::from_fn(|i| u8::try_from((7 * i + 1) % 256).unwrap());
    let signature = alloy::hex::encode_prefixed(sign(&form(&one, Millis(1_800_000_000_000), random)));
    assert_eq!(
        signature,
        "0xf281c13b6ddcdf4be1f244f3b44f47fd3069ed789c76fe47c2ddeca9a73da50c634f215836a32b26e6b4a2e9df44492106af9987688af3c4a913a82dccbce7071b"
    );
}
