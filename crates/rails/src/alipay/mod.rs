//! Alipay. The merchant's side: pages on which buyers pay, questions about trades, and refunds, which move money out. The payer's:
//! a 402 with `Payment-Needed`, which is judged here and paid by Alipay's own program.
//!
//! Promises: requests are built from checked fields only; an answer counts only if its signature holds over its bytes as they came;
//! money moved only where the gateway says so in that word. Never signs, sends, or takes a failure for a refusal.

mod answer;
mod key;
mod needed;
mod notice;
mod paid;
mod read;
mod sent;
mod terms;

use countersign_core::{
    Millis,
    payment::{Op, Quote},
    rail::{Challenge, Credential, Evidence, QuoteContext, QuoteError, Quoted, Rail, Receipt},
    signable::Signable,
};

use crate::json::Json;
pub use answer::{Said, Unverified};
pub use key::{NotAKey, PublicKey};
pub use needed::{HEADER, Sellers};
pub use notice::{BadNotice, Expected, Notice};
pub use paid::{Paid, is_shake};
pub use read::{RefundFound, Refunded, TradeFound, refund, refund_found, trade_found};
pub use sent::{Sent, page};
pub use terms::{BadField, Terms, fen, number};

/// Why nothing is bought.
const OFF: &str = "a purchase that Alipay's own program pays, which is off; the person can turn it on with `purchases = true` under `[alipay]`";

/// The Alipay rail. What it orders comes from our own tools, what it buys from a seller's own answer; a price that a caller brings
/// is refused.
#[derive(Debug, Clone, Default)]
pub struct Alipay {
    buys: Option<Sellers>,
}

impl Alipay {
    /// One that also buys; these sellers' signatures are checked, all others count as unknown.
    pub fn buying(sellers: Sellers) -> Self {
        Self { buys: Some(sellers) }
    }
}

impl Rail for Alipay {
    fn id(&self) -> &'static str {
        "alipay"
    }

    fn is_challenge(&self, status: u16, headers: &[(String, String)], _body: &[u8]) -> bool {
        status == 402 && headers.iter().any(|(name, _)| name == HEADER)
    }

    fn quote(&self, challenge: Challenge<'_>, context: QuoteContext<'_>) -> Result<Quoted, QuoteError> {
        match challenge {
            Challenge::Json(terms) if !context.claimed => terms::quote(terms.get(), &context),
            Challenge::Json(_) => {
                Err(QuoteError::Unsupported("Alipay is used through its own tools, not by a challenge".into()))
            }
            Challenge::Http { headers, .. } => {
                let kept = needed::Kept::of(headers).ok_or(QuoteError::NotThisRail)??;
                let sellers = self.buys.as_ref().ok_or_else(|| QuoteError::Unsupported(OFF.to_owned()))?;
                kept.quote(sellers, &context)
            }
        }
    }

    fn signables(
        &self,
        quote: &Quote,
        offer: &str,
        now: Millis,
        _random: [u8; 32],
    ) -> Result<Vec<Signable>, QuoteError> {
        if quote.op == Op::Pay {
            return Ok(vec![Signable::Handed(needed::Kept::read(offer)?.handed(now)?)]);
        }
        Ok(vec![Signable::Alipay(terms::order(offer, now)?)])
    }

    fn takes_header(&self, _offer: &str, _name: &str) -> bool {
        false
    }

    fn credential(
        &self,
        _quote: &Quote,
        offer: &str,
        signed: &[(Signable, Vec<u8>)],
    ) -> Result<Credential, QuoteError> {
        if let [(Signable::Handed(handed), _)] = signed {
            let needed = needed::Kept::read(offer)?.agreed(handed)?;
            return Ok(Credential { headers: [(HEADER.to_owned(), needed)].into(), ..Credential::default() });
        }
        let [(Signable::Alipay(order), signature)] = signed else {
            return Err(QuoteError::Malformed("the signed form is not an order".into()));
        };
        Ok(Sent::new(&order.parameters(), signature).credential())
    }

    fn receipt_headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// What our own carrier tells: the gateway's verified words, as 200 where money moved and as 402 where it was refused; or what
    /// the program that pays said.
    fn receipt(&self, quote: &Quote, status: u16, headers: &[(String, String)], body: &[u8]) -> Receipt {
        if quote.op == Op::Pay {
            return Paid::receipt(status, headers);
        }
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
