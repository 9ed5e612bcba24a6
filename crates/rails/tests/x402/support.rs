//! A buyer, a seller's price, and the way through the rail.

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

#[path = "../wallet/mod.rs"]
mod wallet;

pub use wallet::*;

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

pub fn price(offers: &[Value]) -> String {
    json!({ "x402Version": 2, "error": "Payment required", "resource": { "url": "https://api.example/cheap", "description": "Test goods" }, "accepts": offers }).to_string()
}

pub fn v1_price(offers: &[Value]) -> String {
    json!({ "x402Version": 1, "error": "X-PAYMENT header is required", "accepts": offers }).to_string()
}

pub fn form(quoted: &Quoted, now: Millis, random: [u8; 32]) -> Eip3009 {
    let [Signable::Eip3009(form)] =
        <[Signable; 1]>::try_from(X402.signables(&quoted.quote, &quoted.offer, now, random).unwrap()).unwrap()
    else {
        panic!("another form")
    };
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
