//! What a seller says after it was paid: the first byte is how, the rest the text.
//!
//! Whatever it is, it is read or not, its words are clean, and it never becomes proof.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    rail::{Rail as _, Receipt},
    text,
};
use countersign_rails::x402::X402;

use super::offer::Buyer;

/// An honest price, which was paid.
const PRICE: &str = include_str!("../corpus/offer/good-base");

/// Reads it as a settlement header of each version, as it is or as the base64 of it, and as the body of another 402.
pub fn receipt(data: &[u8]) -> bool {
    let Some((how, said)) = data.split_first() else { return false };
    let quote = Buyer::default().header(PRICE.as_bytes()).expect("an honest price").quote;
    let name = if how & 1 == 0 { "payment-response" } else { "x-payment-response" };
    let value = if how & 2 == 0 { STANDARD.encode(said) } else { String::from_utf8_lossy(said).into_owned() };
    let read = X402.receipt(&quote, 200, &[(name.to_owned(), value)], said);
    let again = X402.receipt(&quote, 402, &[], said);
    let price = X402.receipt(&quote, 402, &[("payment-required".to_owned(), STANDARD.encode(said))], b"{}");
    for receipt in [&read, &again, &price] {
        let words = match receipt {
            Receipt::Absent | Receipt::Unreadable | Receipt::Doubtful { .. } => continue,
            Receipt::Success { transaction } | Receipt::Pending { transaction } => transaction,
            Receipt::Failed { reason } => reason,
        };
        assert_eq!(&text::clean(words), words, "a seller's words are not clean");
    }
    assert!(
        !matches!((&again, &price), (Receipt::Success { .. }, _) | (_, Receipt::Success { .. })),
        "a 402 is no success"
    );
    matches!(read, Receipt::Success { .. } | Receipt::Pending { .. } | Receipt::Failed { .. })
}
