#![expect(clippy::arithmetic_side_effects, reason = "the numbers of a test are known")]

use super::*;
use crate::keys::{Keys, KeysError, Secret, memory::MemoryStore};
use alloy_primitives::{Signature, address, b256, hex, keccak256};
use countersign_core::{
    money::Amount,
    signable::tempo::{Charge, Fee, Proof},
};
use std::process::Command;

const PAYER: Address = address!("5aC24a9D8d42cEc9E381C85E504cB81Ef6819D80");

/// The payment of the golden vectors, made by the official client 2.27.0 with clock and randomness fixed.
fn vector() -> Eip3009 {
    Eip3009 {
        chain_id: 84532,
        token: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
        name: "USDC".into(),
        version: "2".into(),
        from: PAYER,
        to: address!("209693Bc6afc0C5328bA36FaF03C514EF312287C"),
        value: Amount::parse_atomic("10000").unwrap(),
        valid_after: 0,
        valid_before: 1_800_000_060,
        nonce: B256::new(std::array::from_fn(|i| (7 * i + 1) as u8)),
    }
}

fn on_base() -> Eip3009 {
    Eip3009 {
        chain_id: 8453,
        token: address!("833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        name: "USD Coin".into(),
        ..vector()
    }
}

/// A payment from this account.
pub(crate) fn transfer_from(address: &str) -> Signable {
    Signable::Eip3009(Eip3009 { from: address.parse().unwrap(), ..vector() })
}

fn vector_keys() -> (Keys, Signer) {
    let keys = Keys::start(Box::new(MemoryStore::new()));
    let key = hex::encode(keccak256("x402-vector-key"));
    let address = keys.import(&Secret::new(key.into_bytes())).unwrap();
    assert_eq!(address, PAYER.to_string());
    let signer = keys.signer(&address).unwrap();
    (keys, signer)
}

#[test]
fn digests_are_those_of_the_official_client() {
    for (form, expected) in [
        (vector(), b256!("f1f4f5b0859aba48d69a01a25a8f41e3bd5c5023cc1e76e631361a387ce5aba8")),
        (on_base(), b256!("35888e0eb6cc1d8befd63a5c6db61eb92a7fef6ed415fe224ea7540a3de67354")),
        (
            Eip3009 { valid_after: 1_799_999_400, ..vector() },
            b256!("9352759ef80f6c1ea7c782966015d4beca06d556475d1cc24bb6f25d5a8a7ef5"),
        ),
    ] {
        assert_eq!(digest(&Signable::Eip3009(form)), expected);
    }
}

#[test]
fn the_digest_is_the_one_worked_out_by_hand() {
    let a = on_base();
    let word = |n: u64| U256::from(n).to_be_bytes::<32>();
    let domain = keccak256(
        [
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)").0,
            keccak256(&a.name).0,
            keccak256(&a.version).0,
            word(a.chain_id),
            a.token.into_word().0,
        ]
        .concat(),
    );
    let kind = "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    let message = keccak256(
        [
            keccak256(kind).0,
            a.from.into_word().0,
            a.to.into_word().0,
            a.value.to_be_bytes(),
            word(a.valid_after),
            word(a.valid_before),
            a.nonce.0,
        ]
        .concat(),
    );
    let by_hand = keccak256([&[0x19, 0x01][..], domain.as_slice(), message.as_slice()].concat());
    assert_eq!(digest(&Signable::Eip3009(a)), by_hand);
}

#[test]
fn every_field_is_in_the_digest() {
    let plain = vector();
    let forms = [
        Eip3009 { chain_id: 1, ..plain.clone() },
        Eip3009 { token: PAYER, ..plain.clone() },
        Eip3009 { name: "USDc".into(), ..plain.clone() },
        Eip3009 { version: "1".into(), ..plain.clone() },
        Eip3009 { from: plain.to, ..plain.clone() },
        Eip3009 { to: PAYER, ..plain.clone() },
        Eip3009 { value: Amount::parse_atomic("10001").unwrap(), ..plain.clone() },
        Eip3009 { valid_after: 1, ..plain.clone() },
        Eip3009 { valid_before: 1_800_000_061, ..plain.clone() },
        Eip3009 { nonce: B256::ZERO, ..plain.clone() },
        plain,
    ];
    let digests: std::collections::BTreeSet<_> = forms.iter().map(|f| digest(&Signable::Eip3009(f.clone()))).collect();
    assert_eq!(digests.len(), forms.len());
}

#[test]
fn the_signature_is_that_of_the_official_client() {
    let (_keys, signer) = vector_keys();
    let signature = sign(&signer, &Signable::Eip3009(vector())).unwrap();
    assert_eq!(
        hex::encode(signature),
        "f281c13b6ddcdf4be1f244f3b44f47fd3069ed789c76fe47c2ddeca9a73da50c634f215836a32b26e6b4a2e9df44492106af9987688af3c4a913a82dccbce7071b"
    );
}

#[test]
fn signatures_recover_to_the_payer_with_a_low_s_and_v_27_or_28() {
    let (_keys, signer) = vector_keys();
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..200 {
        let form = Signable::Eip3009(Eip3009 { valid_before: n, ..vector() });
        let bytes = sign(&signer, &form).unwrap();
        assert_eq!(bytes.len(), 65);
        let signature = Signature::from_raw(&bytes).unwrap();
        assert_eq!(signature.recover_address_from_prehash(&digest(&form)).unwrap(), PAYER);
        assert!(signature.normalize_s().is_none(), "high s");
        seen.insert(bytes[64]);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [27, 28]);
}

#[test]
fn the_same_form_has_the_same_signature_in_another_process() {
    if let Ok(file) = std::env::var("COUNTERSIGN_CHILD_SIGNS_INTO") {
        let (_keys, signer) = vector_keys();
        std::fs::write(file, sign(&signer, &Signable::Eip3009(on_base())).unwrap()).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signature");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sign::tests::the_same_form_has_the_same_signature_in_another_process"])
        .env("COUNTERSIGN_CHILD_SIGNS_INTO", &file)
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let (_keys, signer) = vector_keys();
    let ours = sign(&signer, &Signable::Eip3009(on_base())).unwrap();
    assert_eq!(std::fs::read(file).unwrap(), ours);
}

#[test]
fn a_form_of_another_account_is_refused() {
    let (keys, signer) = vector_keys();
    let other = keys.create().unwrap();
    let refused = sign(&signer, &transfer_from(&other)).unwrap_err();
    assert_eq!(refused, SignError::OtherAccount { from: other.parse().unwrap(), signer: PAYER });
}

#[test]
fn a_signer_refuses_from_the_moment_the_keys_are_forgotten() {
    let (keys, signer) = vector_keys();
    let form = Signable::Eip3009(vector());
    let before = sign(&signer, &form).unwrap();
    keys.forget_cached();
    assert_eq!(sign(&signer, &form), Err(SignError::Locked));
    assert_eq!(sign(&keys.signer(&PAYER.to_string()).unwrap(), &form), Ok(before));
    keys.delete(&format!("wallet:{PAYER}")).unwrap();
    assert_eq!(keys.signer(&PAYER.to_string()).unwrap_err(), KeysError::NoEntry(PAYER.to_string()));
}

/// The known vector of the official client, made with anvil's first public key.
#[test]
fn signatures_of_a_transaction_and_of_a_proof_are_those_of_the_official_client() {
    let keys = Keys::start(Box::new(MemoryStore::new()));
    let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let from = keys.import(&Secret::new(key.into())).unwrap();
    let signer = keys.signer(&from).unwrap();
    let vector = |sponsored| Charge {
        chain_id: 42431,
        token: address!("20c0000000000000000000000000000000000000"),
        from: address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        to: address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        value: Amount::parse_atomic("10000").unwrap(),
        splits: Vec::new(),
        realm: "api.example.com".into(),
        challenge: "EriIrRclvOAYEs_yRsJvslorvLAXLwlHTsWs3OMedcY".into(),
        fee: Fee { sponsored, gas: 500_000, price: 25_000_000_000, tip: 1_000_000_000 },
        valid_before: 1_893_456_000,
    };
    for (sponsored, expected) in [
        (
            false,
            "d5d7a2b87e7077ff8b2dd270f9bfa284c602394befd12fd3ca74e3e09cf6a5eb171812abbd06f4fa775de396d06bd118d0aa778df5f7a2242cf467d9d6c97e881c",
        ),
        (
            true,
            "0168fd18a7d3b2048ac83670ef97f16d0913534aab24b1bc4bd3cad24291cde40af8e76e38220f2c79d07d9ab19364b5bf6bfc4afa25c6b8ffde825fd22529f71b",
        ),
    ] {
        let signature = sign(&signer, &Signable::Tempo(vector(sponsored))).unwrap();
        assert_eq!(hex::encode(&signature), expected, "sponsored: {sponsored}");
        let sent = hex::encode(vector(sponsored).signed(&signature));
        assert!(sent.starts_with("76f9") && sent.ends_with(&format!("c0b841{expected}")), "{sent}");
    }
    let proof = Signable::Proof(Proof {
        chain_id: 42431,
        account: vector(false).from,
        realm: vector(false).realm,
        challenge: vector(false).challenge,
        valid_before: 1_893_456_000,
    });
    assert_eq!(digest(&proof), b256!("3653364c5aaa78ff153e7fe7cdf12d2933977af716157a7a2a905a4424c7bcb5"));
    assert_eq!(
        hex::encode(sign(&signer, &proof).unwrap()),
        "7f7935ac522ff16fd9707ed5558aa7b509cd4e6d8f4a002c41b8677029de1dd615fc34d551c9fa043d116164c3a6f2d68f67042ffd2d503a051deec438a855c81b"
    );
    let (_others, other) = vector_keys();
    assert!(matches!(sign(&other, &Signable::Tempo(vector(false))), Err(SignError::OtherAccount { .. })));
}
