//! Prices: the `PAYMENT-REQUIRED` header of version 2, the body of version 1, and a challenge that a caller brings.
//!
//! What is accepted names a token and a chain of our own table and a positive amount, and leads to a signature of exactly that,
//! to exactly the payee of an offer that was sent.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    Millis,
    origin::Origin,
    payment::{Digest, Resource},
    rail::{Challenge, QuoteContext, QuoteError, Quoted, Rail as _},
    registry::Registry,
    signable::Signable,
};
use countersign_rails::x402::{X402, claimed_hosts};
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

pub(super) const NOW: Millis = Millis(1_800_000_000_000);
pub(super) const PAYER: &str = "0x5aC24a9D8d42cEc9E381C85E504cB81Ef6819D80";

/// Somebody who buys at `https://api.example`.
pub(super) struct Buyer {
    registry: Registry,
    wallets: BTreeMap<String, String>,
    origin: Origin,
    resource: Resource,
}

impl Default for Buyer {
    fn default() -> Self {
        Self {
            registry: Registry::builtin("USD"),
            wallets: BTreeMap::from([("*".to_owned(), PAYER.to_owned())]),
            origin: "https://api.example".parse().expect("an origin"),
            resource: Resource {
                method: "GET".into(),
                path: "https://api.example/cheap".into(),
                request: Digest::of(&[b"GET"]),
            },
        }
    }
}

impl Buyer {
    /// What they know of the price.
    pub(super) fn context(&self, claimed: bool) -> QuoteContext<'_> {
        let Self { registry, wallets, origin, resource } = self;
        QuoteContext { registry, wallets, now: NOW, origin, claimed, resource }
    }

    fn quote(&self, challenge: Challenge<'_>, claimed: bool) -> Result<Quoted, QuoteError> {
        X402.quote(challenge, self.context(claimed))
    }

    fn http(&self, headers: &[(String, String)], body: &[u8]) -> Result<Quoted, QuoteError> {
        assert!(
            X402.is_challenge(402, headers, body)
                || self.quote(Challenge::Http { status: 402, headers, body }, false).is_err()
        );
        self.quote(Challenge::Http { status: 402, headers, body }, false)
    }

    /// The text comes as a header.
    pub(super) fn header(&self, text: &[u8]) -> Result<Quoted, QuoteError> {
        self.http(&[("payment-required".to_owned(), STANDARD.encode(text))], b"{}")
    }
}

/// Reads bytes as a price in each way it can come.
pub fn offer(data: &[u8]) -> bool {
    let buyer = Buyer::default();
    let as_it_is = [("payment-required".to_owned(), String::from_utf8_lossy(data).into_owned())];
    let mut read = vec![buyer.header(data), buyer.http(&[], data), buyer.http(&as_it_is, b"")];
    let raw = std::str::from_utf8(data).ok().and_then(|text| serde_json::from_str::<Box<RawValue>>(text).ok());
    if let Some(raw) = raw {
        claimed_hosts(&raw);
        read.push(buyer.quote(Challenge::Json(&raw), true));
    }
    let mut accepted = false;
    for quoted in read.into_iter().flatten() {
        accepted = true;
        honest(&buyer, &quoted, data);
    }
    accepted
}

fn honest(buyer: &Buyer, quoted: &Quoted, sent: &[u8]) {
    let quote = &quoted.quote;
    let asset = buyer.registry.asset(&quote.money.asset).expect("a token of our table");
    let network = quote.network.as_ref().expect("a chain");
    let chain = buyer.registry.chain(network).expect("a chain of our table");
    assert_eq!(asset.id.network().as_ref(), Some(network));
    assert_eq!((quote.testnet, quote.decimals, &quote.symbol), (chain.testnet, asset.decimals, &asset.symbol));
    assert!(!quote.money.amount.is_zero() && quote.money == quote.exposure);
    assert_eq!((quote.scheme.as_str(), quote.wallet.as_str(), &quote.domain), ("exact", PAYER, &asset.eip712));

    // Numbers beyond a double's reach are kept as they are written, and cannot be compared here.
    let (Ok(kept), Some(price)) = (serde_json::from_str::<Value>(&quoted.offer), whole(sent)) else { return };
    let accepted = &kept["accepted"];
    let offers = price["accepts"].as_array().expect("offers");
    assert!(offers.contains(accepted), "an offer that was not sent: {accepted}");
    let said = |name: &str| accepted[name].as_str().unwrap_or_default().to_lowercase();

    let forms = X402.signables(quote, &quoted.offer, NOW, [7; 32]).expect("an accepted price can be signed");
    let [Signable::Eip3009(form)] = &forms[..] else { panic!("{} forms", forms.len()) };
    assert_eq!(form.value.to_string(), said(if quote.version == 1 { "maxAmountRequired" } else { "amount" }));
    assert_eq!((form.value, form.to.to_string()), (quote.money.amount, quote.payee.account.clone()));
    assert_eq!(
        (form.to.to_string().to_lowercase(), form.token.to_string().to_lowercase()),
        (said("payTo"), said("asset"))
    );
    assert_eq!((Some(form.chain_id), form.from.to_string().as_str()), (network.chain_id(), PAYER));
    assert!(!form.to.is_zero() && form.to != form.from && form.to != form.token);
    assert!((1_800_000_010..=1_800_000_300).contains(&form.valid_before));
    assert_eq!(Signable::decode(&forms[0].encode()).as_ref(), Some(&forms[0]));
    assert!(X402.evidence(&forms[0]).is_some());
    let signature = [&[1; 64][..], &[27]].concat();
    let credential = X402.credential(quote, &quoted.offer, &[(forms[0].clone(), signature)]);
    assert_eq!(credential.expect("what was signed can be sent").headers.len(), 1);
}

/// The price as it was sent, itself or in base64.
fn whole(sent: &[u8]) -> Option<Value> {
    let decoded = STANDARD.decode(sent).unwrap_or_default();
    [sent, &decoded].into_iter().find_map(|text| serde_json::from_slice(text).ok())
}
