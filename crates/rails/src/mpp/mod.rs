//! MPP, the HTTP authentication scheme `Payment`: intent `charge`, by method `evm`, paid by an EIP-3009 authorisation, or by method
//! `tempo`, paid by a Tempo transaction that the server sends; one of nothing by a proof of the account; or by method `stripe`, paid
//! by a token that Stripe issues for it.
//!
//! Promises: of each challenge every field is read strictly and sent back as it was received; what is not paid here is refused by
//! its name. A server may confirm a fact of a token, never supply one. Never signs, sends, or trusts a receipt.

mod carrier;
mod challenge;
mod charge;
mod credential;
mod header;
mod offer;
mod problem;
mod receipt;
mod stripe;
mod tempo;
mod ways;

use countersign_core::{
    Millis,
    payment::Quote,
    rail::{Challenge, Credential, Evidence, QuoteContext, QuoteError, Quoted, Rail, Receipt},
    signable::Signable,
};

use crate::evm;
pub use stripe::{Issued, Standing, issued, may_ask, standing};
pub use ways::{UnknownWay, Ways};

/// The MPP rail.
#[derive(Debug, Clone, Default)]
pub struct Mpp {
    on: Ways,
}

impl Mpp {
    /// Pays these ways and refuses all others.
    pub fn new(on: Ways) -> Self {
        Self { on }
    }
}

impl Rail for Mpp {
    fn id(&self) -> &'static str {
        "mpp"
    }

    /// Only a 402 is ever paid: servers send challenges with other answers too.
    fn is_challenge(&self, status: u16, headers: &[(String, String)], _body: &[u8]) -> bool {
        status == 402 && carrier::lines(headers).any(header::names_payment)
    }

    fn quote(&self, challenge: Challenge<'_>, context: QuoteContext<'_>) -> Result<Quoted, QuoteError> {
        offer::choose(&carrier::open(challenge)?, &self.on, &context)
    }

    fn signables(
        &self,
        quote: &Quote,
        offer: &str,
        now: Millis,
        _random: [u8; 32],
    ) -> Result<Vec<Signable>, QuoteError> {
        Ok(vec![match quote.scheme.as_str() {
            "tempo/charge" => tempo::complete(quote, offer, now)?,
            "stripe/charge" => Signable::Spt(stripe::complete(quote, offer, now)?),
            _ => Signable::Eip3009(charge::complete(quote, offer, now)?),
        }])
    }

    fn takes_header(&self, offer: &str, name: &str) -> bool {
        credential::takes_header(offer, name)
    }

    fn credential(
        &self,
        _quote: &Quote,
        offer: &str,
        signed: &[(Signable, Vec<u8>)],
    ) -> Result<Credential, QuoteError> {
        credential::write(offer, signed)
    }

    fn receipt_headers(&self) -> &'static [&'static str] {
        &["payment-receipt"]
    }

    fn receipt(&self, quote: &Quote, status: u16, headers: &[(String, String)], body: &[u8]) -> Receipt {
        receipt::read(quote, status, headers, body)
    }

    fn evidence(&self, signable: &Signable) -> Option<Evidence> {
        evm::evidence::of(signable)
    }
}

fn malformed(what: impl Into<String>) -> QuoteError {
    QuoteError::Malformed(what.into())
}

/// Reads base64url text, padded or not, of at most so many bytes.
fn decode(coded: &str, most: usize) -> Option<String> {
    use base64::{
        Engine as _, alphabet,
        engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    };
    const BASE64URL: GeneralPurpose = GeneralPurpose::new(
        &alphabet::URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    if coded.len() > most {
        return None;
    }
    BASE64URL.decode(coded).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}
