//! A buyer, a server's challenge, and the way through the rail.

use alloy::{
    primitives::{Address, B256},
    signers::{SignerSync as _, local::PrivateKeySigner},
    sol,
    sol_types::{SolStruct as _, eip712_domain},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_core::{
    Millis,
    origin::Origin,
    payment::{Digest, Resource},
    rail::{Challenge, Credential, QuoteContext, QuoteError, Quoted, Rail as _},
    registry::Registry,
    signable::{Eip3009, Signable},
};
use countersign_rails::mpp::Mpp;
use serde_json::{Value, json, value::RawValue};
use std::collections::BTreeMap;

/// 2027-01-15T08:00:00Z.
pub const NOW: Millis = Millis(1_800_000_000_000);
/// Five minutes later.
pub const EXPIRES: &str = "2027-01-15T08:05:00.000Z";
pub const KEY: &str = "0x65b0ebda0a2c1d177cd13a92f94cf3933e67429e11f1e9c61cc3845da3ad5769";
pub const PAYER: &str = "0x5aC24a9D8d42cEc9E381C85E504cB81Ef6819D80";
pub const SELLER: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
pub const USDC_SEPOLIA: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
pub const USDC_BASE: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

/// Who buys, and what they know.
pub struct Buyer {
    pub rail: Mpp,
    pub now: Millis,
    pub wallets: BTreeMap<String, String>,
    pub origin: Origin,
    pub claimed: bool,
}

impl Default for Buyer {
    fn default() -> Self {
        Self {
            rail: Mpp::default(),
            now: NOW,
            wallets: BTreeMap::from([("*".to_owned(), PAYER.to_owned())]),
            origin: "https://api.example".parse().unwrap(),
            claimed: false,
        }
    }
}

impl Buyer {
    fn quote(&self, challenge: Challenge<'_>) -> Result<Quoted, QuoteError> {
        let registry = Registry::builtin("USD");
        let resource =
            Resource { method: "GET".into(), path: "https://api.example/x".into(), request: Digest::of(&[b"GET"]) };
        self.rail.quote(
            challenge,
            QuoteContext {
                registry: &registry,
                wallets: &self.wallets,
                now: self.now,
                origin: &self.origin,
                claimed: self.claimed,
                resource: &resource,
            },
        )
    }

    /// The lines arrive with a 402.
    pub fn lines(&self, lines: &[&str]) -> Result<Quoted, QuoteError> {
        let headers: Vec<_> = lines.iter().map(|line| ("www-authenticate".to_owned(), (*line).to_owned())).collect();
        self.quote(Challenge::Http { status: 402, headers: &headers, body: b"{}" })
    }

    /// A caller brings the JSON.
    pub fn brought(&self, json: &Value) -> Result<Quoted, QuoteError> {
        let raw = RawValue::from_string(json.to_string()).unwrap();
        self.quote(Challenge::Json(&raw))
    }

    /// The form, its signature and what carries them.
    pub fn paid(&self, quoted: &Quoted) -> (Eip3009, Credential) {
        let forms = self.rail.signables(&quoted.quote, &quoted.offer, self.now, [7; 32]).unwrap();
        let [Signable::Eip3009(form)] = <[Signable; 1]>::try_from(forms).unwrap();
        let signed = [(Signable::Eip3009(form.clone()), sign(&form))];
        (form, self.rail.credential(&quoted.quote, &quoted.offer, &signed).unwrap())
    }
}

/// An honest request for $0.01 of play money.
pub fn request() -> Value {
    json!({
        "amount": "10000", "currency": USDC_SEPOLIA, "recipient": SELLER,
        "methodDetails": {"chainId": 84532, "credentialTypes": ["authorization"], "decimals": 6},
    })
}

pub fn coded(request: &Value) -> String {
    URL_SAFE_NO_PAD.encode(request.to_string())
}

/// The parameters of an honest challenge.
pub fn challenge() -> Value {
    json!({"id": "chal-1", "realm": "api.example", "method": "evm", "intent": "charge", "request": coded(&request()), "expires": EXPIRES})
}

/// Parameters as one challenge of a line.
pub fn line(params: &Value) -> String {
    let params = params.as_object().unwrap().iter();
    let params: Vec<_> = params.map(|(name, value)| format!("{name}=\"{}\"", value.as_str().unwrap())).collect();
    format!("Payment {}", params.join(", "))
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

/// An honest challenge with another request.
pub fn asking(request: &Value) -> String {
    line(&with(challenge(), "/request", json!(coded(request))))
}

/// What the one header of a credential carries.
pub fn carried(credential: &Credential) -> (String, Value) {
    let [(name, value)] = credential.headers.iter().collect::<Vec<_>>()[..] else { panic!("not one header") };
    let object = URL_SAFE_NO_PAD.decode(value.strip_prefix("Payment ").unwrap()).unwrap();
    (name.clone(), serde_json::from_slice(&object).unwrap())
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
    let message = TransferWithAuthorization {
        from,
        to,
        value: form.value.units(),
        validAfter: valid_after.try_into().unwrap(),
        validBefore: valid_before.try_into().unwrap(),
        nonce,
    };
    message.eip712_signing_hash(&domain)
}

pub fn sign_with(key: &str, form: &Eip3009) -> Vec<u8> {
    let signer: PrivateKeySigner = key.parse().unwrap();
    assert_eq!(signer.address(), form.from);
    signer.sign_hash_sync(&digest(form)).unwrap().as_bytes().to_vec()
}

fn sign(form: &Eip3009) -> Vec<u8> {
    assert_eq!(form.from, PAYER.parse::<Address>().unwrap());
    sign_with(KEY, form)
}
