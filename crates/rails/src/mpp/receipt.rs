//! What the server says about the money. Anybody can write it: never proof, and its words are cleaned.
//!
//! A refusal is no proof either: servers have answered 402 and taken the money all the same.

use countersign_core::{payment::Quote, rail::Receipt, text};

use super::{decode, problem};
use crate::json::Json;

/// Longest receipt, in bytes as received.
const MAX_RECEIPT: usize = 64 * 1024;

/// Reads the `Payment-Receipt` header of a success, else the problem with which the server refuses: another answer is no success
/// whatever it carries.
pub(super) fn read(quote: &Quote, status: u16, headers: &[(String, String)], body: &[u8]) -> Receipt {
    if !(200..300).contains(&status) {
        return problem::of(body).map_or(Receipt::Absent, |reason| Receipt::Doubtful { reason });
    }
    let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("payment-receipt"));
    found.map_or(Receipt::Absent, |(_, value)| success(quote, value).unwrap_or(Receipt::Unreadable))
}

/// A caller that brings the object of a JSON-RPC result has it in the other alphabet.
fn success(quote: &Quote, value: &str) -> Option<Receipt> {
    let decoded = decode(&value.replace('+', "-").replace('/', "_"), MAX_RECEIPT)?;
    let receipt = Json::parse(&decoded).ok()?;
    let said = |name: &str| receipt.get(name).and_then(Json::text);
    let method = quote.scheme.split('/').next();
    if said("status") != Some("success") || said("method") != method {
        return None;
    }
    let ours = quote.network.as_ref().and_then(|network| network.chain_id()).map(|id| id.to_string());
    if receipt.given("chainId").is_some_and(|chain| chain.number() != ours.as_deref()) {
        return None;
    }
    Some(Receipt::Success { transaction: text::clean(said("reference")?) })
}
