//! A buyer, a server's challenge, and the way through the rail.

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

#[path = "../wallet/mod.rs"]
mod wallet;

pub use wallet::*;

/// Five minutes later.
pub const EXPIRES: &str = "2027-01-15T08:05:00.000Z";

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
        let [Signable::Eip3009(form)] = <[Signable; 1]>::try_from(forms).unwrap() else { panic!("another form") };
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
