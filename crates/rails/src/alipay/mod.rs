//! Alipay's gateway, the merchant's side: pages on which buyers pay, questions about trades, and refunds, which move money out.
//!
//! Promises: requests are built from checked fields only; an answer counts only if its signature holds over its bytes as they came;
//! money moved only where the gateway says so in that word. Never signs, sends, or takes a failure for a refusal.

mod answer;
mod key;
mod notice;
mod read;
mod sent;
mod terms;

use countersign_core::{
    Millis,
    payment::Quote,
    rail::{Challenge, Credential, Evidence, QuoteContext, QuoteError, Quoted, Rail, Receipt},
    signable::Signable,
};

use crate::json::Json;
pub use answer::{Said, Unverified};
pub use key::{NotAKey, PublicKey};
pub use notice::{BadNotice, Expected, Notice};
pub use read::{RefundFound, Refunded, TradeFound, refund, refund_found, trade_found};
pub use sent::{Sent, page};
pub use terms::{BadField, Terms, fen, number};

/// The Alipay rail. What it orders comes from our own tools; a price that a caller brings is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alipay;

impl Rail for Alipay {
    fn id(&self) -> &'static str {
        "alipay"
    }

    /// No answer of a server is paid this way.
    fn is_challenge(&self, _status: u16, _headers: &[(String, String)], _body: &[u8]) -> bool {
        false
    }

    fn quote(&self, challenge: Challenge<'_>, context: QuoteContext<'_>) -> Result<Quoted, QuoteError> {
        match challenge {
            Challenge::Json(terms) if !context.claimed => terms::quote(terms.get(), &context),
            _ => Err(QuoteError::Unsupported("Alipay is used through its own tools, not by a challenge".into())),
        }
    }

    fn signables(
        &self,
        _quote: &Quote,
        offer: &str,
        now: Millis,
        _random: [u8; 32],
    ) -> Result<Vec<Signable>, QuoteError> {
        Ok(vec![Signable::Alipay(terms::order(offer, now)?)])
    }

    fn takes_header(&self, _offer: &str, _name: &str) -> bool {
        false
    }

    fn credential(
        &self,
        _quote: &Quote,
        _offer: &str,
        signed: &[(Signable, Vec<u8>)],
    ) -> Result<Credential, QuoteError> {
        let [(Signable::Alipay(order), signature)] = signed else {
            return Err(QuoteError::Malformed("the signed form is not an order".into()));
        };
        Ok(Sent::new(&order.parameters(), signature).credential())
    }

    fn receipt_headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// What our own carrier tells: the gateway's verified words, as 200 where money moved and as 402 where it was refused.
    fn receipt(&self, _quote: &Quote, status: u16, _headers: &[(String, String)], body: &[u8]) -> Receipt {
        let Some(said) = std::str::from_utf8(body).ok().and_then(|text| Json::parse(text).ok()) else {
            return Receipt::Absent;
        };
        let word = |name: &str| said.get(name).and_then(|value| value.text()).unwrap_or_default().to_owned();
        match (status, said.get("fundChange").and_then(Json::text)) {
            (200, Some("Y")) => Receipt::Success { transaction: word("tradeNo") },
            (402, _) => Receipt::Failed { reason: word("refused") },
            _ => Receipt::Absent,
        }
    }

    fn evidence(&self, _signable: &Signable) -> Option<Evidence> {
        None
    }
}
