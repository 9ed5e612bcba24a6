//! x402 (v2 and v1), scheme `exact`, paid by an EIP-3009 authorisation.
//!
//! Promises: terms are read once and strictly from one offer, checked against our own table, and echoed as the seller wrote them.
//! A seller may confirm a fact of the token, never supply one. Never signs, sends, or trusts a receipt.

mod authorization;
mod carrier;
mod credential;
mod envelope;
mod offer;
mod receipt;
mod terms;
mod v1;

use countersign_core::{
    Millis,
    payment::Quote,
    rail::{Challenge, Credential, Evidence, QuoteContext, QuoteError, Quoted, Rail, Receipt},
    signable::Signable,
};
use serde_json::value::RawValue;

use crate::evm;

/// The x402 rail.
#[derive(Debug, Clone, Copy, Default)]
pub struct X402;

impl Rail for X402 {
    fn id(&self) -> &'static str {
        "x402"
    }

    fn is_challenge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> bool {
        envelope::is_challenge(status, headers, body)
    }

    fn quote(&self, challenge: Challenge<'_>, context: QuoteContext<'_>) -> Result<Quoted, QuoteError> {
        let envelope = envelope::open(challenge)?;
        let document = envelope.parse()?;
        let required = envelope::Required::read(&document, envelope.carrier)?;
        offer::choose(&required, &context)
    }

    fn signables(
        &self,
        quote: &Quote,
        _offer: &str,
        now: Millis,
        random: [u8; 32],
    ) -> Result<Vec<Signable>, QuoteError> {
        Ok(vec![Signable::Eip3009(authorization::complete(quote, now, random)?)])
    }

    fn takes_header(&self, _offer: &str, name: &str) -> bool {
        matches!(name, "payment-signature" | "x-payment")
    }

    fn credential(&self, quote: &Quote, offer: &str, signed: &[(Signable, Vec<u8>)]) -> Result<Credential, QuoteError> {
        credential::write(quote, offer, signed)
    }

    fn receipt_headers(&self) -> &'static [&'static str] {
        &["payment-response", "x-payment-response"]
    }

    fn receipt(&self, quote: &Quote, status: u16, headers: &[(String, String)], body: &[u8]) -> Receipt {
        receipt::read(quote, status, headers, body)
    }

    fn evidence(&self, signable: &Signable) -> Option<Evidence> {
        evm::evidence::of(signable)
    }
}

/// The web hosts which a challenge says it is for, as A-labels: of `resource.url` (v2) or of each offer's `resource` (v1).
///
/// For a challenge that a caller brings; one read from an HTTP answer is compared with its origin by [`Rail::quote`]. Empty where
/// nothing is named, where the name is no web address (`mcp://tool/x`), and where the challenge cannot be read.
pub fn claimed_hosts(challenge: &RawValue) -> Vec<String> {
    envelope::claimed_hosts(challenge)
}

/// What version of the protocol an offer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

impl Version {
    const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    const fn of(quote: &Quote) -> Self {
        if quote.version == 1 { Self::V1 } else { Self::V2 }
    }
}

fn malformed(what: impl Into<String>) -> QuoteError {
    QuoteError::Malformed(what.into())
}
