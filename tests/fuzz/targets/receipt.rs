//! What a seller says after it was paid: the first byte is how, the rest the text.
//!
//! Whatever it is, it is read or not, its words are clean, and it never becomes proof.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use countersign_core::{
    rail::{Rail as _, Receipt},
    text,
};
use countersign_rails::{mpp::Mpp, x402::X402};

use super::{challenge, offer::Buyer};

/// An honest price, which was paid.
const PRICE: &str = include_str!("../corpus/offer/good-base");
/// The same in the other protocol.
const CHALLENGE: &str = include_str!("../corpus/challenge/good-plain");

/// Reads it as a receipt of one of the protocols.
pub fn receipt(data: &[u8]) -> bool {
    let Some((how, said)) = data.split_first() else { return false };
    if how & 4 == 0 { by_x402(*how, said) } else { by_mpp(*how, said) }
}

/// Reads it as a receipt header, as it is or as the base64url of it, and as the body of an answer that is no success.
fn by_mpp(how: u8, said: &[u8]) -> bool {
    let rail = Mpp::default();
    let quote = challenge::of_line(CHALLENGE).expect("an honest challenge").quote;
    let value = if how & 2 == 0 { URL_SAFE_NO_PAD.encode(said) } else { String::from_utf8_lossy(said).into_owned() };
    let headers = [("payment-receipt".to_owned(), value)];
    for status in [302, 402, 500] {
        let refused = rail.receipt(&quote, status, &headers, said);
        assert!(matches!(refused, Receipt::Absent | Receipt::Doubtful { .. }), "a {status} is no success");
    }
    let Receipt::Success { transaction } = rail.receipt(&quote, 200, &headers, said) else { return false };
    assert_eq!(text::clean(&transaction), transaction, "a seller's words are not clean");
    true
}

/// Reads it as a settlement header of each version, as it is or as the base64 of it, and as the body of another 402.
fn by_x402(how: u8, said: &[u8]) -> bool {
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
