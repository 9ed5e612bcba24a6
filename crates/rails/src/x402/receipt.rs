//! What the seller says about the money. Anybody can write it: never proof, and its words are cleaned.

use countersign_core::{payment::Quote, rail::Receipt, text};

use super::{
    Version,
    envelope::{decode, header},
    v1,
};
use crate::json::Json;

/// Not an end: the transfer was broadcast and its result not seen.
const PENDING: &str = "settlement_pending";

/// Reads the settlement header, else the error with which a 402 repeats its price.
pub(super) fn read(quote: &Quote, status: u16, headers: &[(String, String)], body: &[u8]) -> Receipt {
    let settlement =
        header(headers, "payment-response").next().or_else(|| header(headers, "x-payment-response").next());
    match settlement {
        Some(value) => settled(quote, value).unwrap_or(Receipt::Unreadable),
        None if status == 402 => refused(quote, headers, body),
        None => Receipt::Absent,
    }
}

fn settled(quote: &Quote, value: &str) -> Option<Receipt> {
    let decoded = decode(value).ok()?;
    let answer = Json::parse(&decoded).ok()?;
    let transaction = match answer.given("transaction") {
        Some(transaction) => text::clean(transaction.text()?),
        None => String::new(),
    };
    if answer.get("success")?.boolean()? {
        return on_our_network(quote, &answer).then_some(Receipt::Success { transaction });
    }
    let said = |name| answer.given(name).and_then(Json::text).filter(|text| !text.is_empty());
    let reason = said("errorReason").or_else(|| said("errorMessage")).unwrap_or_default();
    Some(failed(reason, transaction))
}

/// A network that is not named is not another one.
fn on_our_network(quote: &Quote, answer: &Json<'_>) -> bool {
    let Some(named) = answer.given("network") else { return true };
    let Some(named) = named.text() else { return false };
    let ours = quote.network.as_ref();
    ours.is_some_and(|ours| {
        ours.as_str() == named || (ours.chain_id().is_some() && ours.chain_id() == v1::chain_id(named))
    })
}

/// A second 402 with an `error`: its reason in the header (v2) or the body (v1).
fn refused(quote: &Quote, headers: &[(String, String)], body: &[u8]) -> Receipt {
    let again = match Version::of(quote) {
        Version::V2 => header(headers, "payment-required").next().map(decode),
        Version::V1 if body.is_empty() => None,
        Version::V1 => Some(String::from_utf8(body.to_vec()).map_err(|_| crate::json::JsonError::Syntax)),
    };
    let Some(again) = again else { return Receipt::Absent };
    let Ok(again) = again else { return Receipt::Unreadable };
    let Ok(again) = Json::parse(&again) else { return Receipt::Unreadable };
    match again.given("error").and_then(Json::text) {
        Some(error) => failed(error, String::new()),
        None => Receipt::Absent,
    }
}

fn failed(reason: &str, transaction: String) -> Receipt {
    if reason == PENDING { Receipt::Pending { transaction } } else { Receipt::Failed { reason: text::clean(reason) } }
}
