//! A buyer, a seller's price, and the way through the rail.

use alloy::{
    primitives::{Address, B256},
    signers::{SignerSync as _, local::PrivateKeySigner},
    sol,
    sol_types::{SolStruct as _, eip712_domain},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    Millis,
    origin::Origin,
    payment::{Digest, Resource},
    policy::Risk,
    rail::{Challenge, QuoteContext, QuoteError, Quoted, Rail as _},
    registry::Registry,
    signable::{Eip3009, Signable},
};
use countersign_rails::x402::X402;
use serde_json::{Value, json, value::RawValue};
use std::collections::BTreeMap;

pub const NOW: Millis = Millis(1_800_000_000_000);
pub const KEY: &str = "0x65b0ebda0a2c1d177cd13a92f94cf3933e67429e11f1e9c61cc3845da3ad5769";
pub const PAYER: &str = "0x5aC24a9D8d42cEc9E381C85E504cB81Ef6819D80";
pub const SELLER: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
pub const USDC_BASE: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
pub const USDC_SEPOLIA: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

/// Who buys, and what they know.
pub struct Buyer {
    pub registry: Registry,
    pub wallets: BTreeMap<String, String>,
    pub origin: Origin,
    pub claimed: bool,
    pub resource: Resource,
}

impl Default for Buyer {
    fn default() -> Self {
        Self {
            registry: Registry::builtin("USD"),
            wallets: BTreeMap::from([("*".to_owned(), PAYER.to_owned())]),
            origin: "https://api.example".parse().unwrap(),
            claimed: false,
            resource: Resource {
                method: "GET".into(),
                path: "https://api.example/cheap".into(),
                request: Digest::of(&[b"GET"]),
            },
        }
    }
}

impl Buyer {
    pub fn context(&self) -> QuoteContext<'_> {
        let Self { registry, wallets, origin, claimed, resource } = self;
        QuoteContext { registry, wallets, now: NOW, origin, claimed: *claimed, resource }
    }

    pub fn http(&self, headers: &[(String, String)], body: &[u8]) -> Result<Quoted, QuoteError> {
        X402.quote(Challenge::Http { status: 402, headers, body }, self.context())
    }

    /// The text arrives as a version 2 header.
    pub fn v2(&self, text: &str) -> Result<Quoted, QuoteError> {
        self.http(&[payment_required(text)], b"{}")
    }

    /// The text arrives as a version 1 body.
    pub fn v1(&self, text: &str) -> Result<Quoted, QuoteError> {
        self.http(&[], text.as_bytes())
    }

    /// A caller brings the object.
    pub fn brought(&self, text: &str) -> Result<Quoted, QuoteError> {
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        X402.quote(Challenge::Json(&raw), self.context())
    }

    pub fn risks(&self, text: &str) -> Vec<Risk> {
        self.v2(text).unwrap().quote.risks.into_iter().collect()
    }
}

pub fn payment_required(text: &str) -> (String, String) {
    ("payment-required".to_owned(), STANDARD.encode(text))
}

/// An honest version 2 offer on Base.
pub fn offer() -> Value {
    json!({
        "scheme": "exact", "network": "eip155:8453", "amount": "30000", "asset": USDC_BASE, "payTo": SELLER, "maxTimeoutSeconds": 60,
        "extra": { "name": "USD Coin", "version": "2" }
    })
}

/// An honest version 2 offer on Base Sepolia.
pub fn test_offer() -> Value {
    with(
        with(with(offer(), "/network", json!("eip155:84532")), "/asset", json!(USDC_SEPOLIA)),
        "/extra/name",
        json!("USDC"),
    )
}

/// An honest version 1 offer on Base Sepolia.
pub fn v1_offer() -> Value {
    json!({
        "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "30000", "resource": "https://api.example/cheap", "description": "Test goods",
        "mimeType": "application/json", "payTo": SELLER, "maxTimeoutSeconds": 60, "asset": USDC_SEPOLIA, "extra": { "name": "USDC", "version": "2" }
    })
}

/// The same with one field set.
pub fn with(mut value: Value, pointer: &str, to: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), to);
    value
}

/// The same without one field.
pub fn without(mut value: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    value
}

pub fn price(offers: &[Value]) -> String {
    json!({ "x402Version": 2, "error": "Payment required", "resource": { "url": "https://api.example/cheap", "description": "Test goods" }, "accepts": offers }).to_string()
}

pub fn v1_price(offers: &[Value]) -> String {
    json!({ "x402Version": 1, "error": "X-PAYMENT header is required", "accepts": offers }).to_string()
}

sol! {
    struct TransferWithAuthorization { address from; address to; uint256 value; uint256 validAfter; uint256 validBefore; bytes32 nonce; }
}

/// The EIP-712 digest, computed apart from the rail.
pub fn digest(form: &Eip3009) -> B256 {
    let domain = eip712_domain! {
        name: form.name.clone(), version: form.version.clone(), chain_id: form.chain_id, verifying_contract: form.token,
    };
    let Eip3009 { from, to, valid_after, valid_before, nonce, .. } = form.clone();
    let value = form.value.units();
    let message = TransferWithAuthorization {
        from,
        to,
        value,
        validAfter: valid_after.try_into().unwrap(),
        validBefore: valid_before.try_into().unwrap(),
        nonce,
    };
    message.eip712_signing_hash(&domain)
}

pub fn sign(form: &Eip3009) -> Vec<u8> {
    let signer: PrivateKeySigner = KEY.parse().unwrap();
    assert_eq!(signer.address(), PAYER.parse::<Address>().unwrap());
    signer.sign_hash_sync(&digest(form)).unwrap().as_bytes().to_vec()
}

pub fn form(quoted: &Quoted, now: Millis, random: [u8; 32]) -> Eip3009 {
    let [Signable::Eip3009(form)] =
        <[Signable; 1]>::try_from(X402.signables(&quoted.quote, &quoted.offer, now, random).unwrap()).unwrap();
    form
}

/// The payment payload a quoted price leads to.
pub fn paid(quoted: &Quoted) -> Value {
    let form = form(quoted, NOW, [7; 32]);
    let signature = sign(&form);
    let credential = X402.credential(&quoted.quote, &quoted.offer, &[(Signable::Eip3009(form), signature)]).unwrap();
    let (_, header) = credential.headers.first_key_value().unwrap();
    serde_json::from_slice(&STANDARD.decode(header).unwrap()).unwrap()
}
