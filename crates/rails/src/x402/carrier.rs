//! A price as a caller received it: the bare object, a header's value, an MCP result or error, an A2A message.
//!
//! Finds the one `PaymentRequired` in it, in the order of the official clients; never mixes two sources and never looks deeper
//! than those clients do. Whatever else the message says is ignored.

use countersign_core::rail::QuoteError;
use std::borrow::Cow;

use super::{
    envelope::{Brought, decode, unreadable},
    malformed,
};
use crate::json::{Json, names};

/// The member of A2A metadata that carries a price.
const REQUIRED: &str = "x402.payment.required";
/// The member that says where the A2A payment stands.
const STATUS: &str = "x402.payment.status";

/// The text of the price, and what it came in.
pub(super) fn unwrap(brought: &str) -> Result<(Brought, Cow<'_, str>), QuoteError> {
    if names(brought, "x402Version") {
        return Ok((Brought::Object, Cow::Borrowed(brought)));
    }
    let document = Json::parse(brought).map_err(unreadable)?;
    if let Some(header) = document.text() {
        return Ok((Brought::Header, Cow::Owned(decode(header).map_err(unreadable)?)));
    }
    if document.get("isError").is_some() {
        return Ok((Brought::Mcp, result(&document)?));
    }
    if document.get("code").is_some() {
        return Ok((Brought::Mcp, error(&document)?));
    }
    if let Some(metadata) = metadata(&document)? {
        return Ok((Brought::A2a, Cow::Borrowed(agreed(metadata)?.raw())));
    }
    Err(QuoteError::NotThisRail)
}

/// An MCP tool result: its structured content, else its first text.
fn result<'a>(result: &Json<'a>) -> Result<Cow<'a, str>, QuoteError> {
    if result.get("isError").and_then(Json::boolean) != Some(true) {
        return Err(malformed("an MCP result asks for payment only with isError true"));
    }
    if let Some(price) = result.get("structuredContent").filter(|content| is_price(content)) {
        return Ok(Cow::Borrowed(price.raw()));
    }
    let first = result.get("content").and_then(Json::list).and_then(<[_]>::first);
    let text = first.filter(|part| part.get("type").and_then(Json::text) == Some("text"));
    let Some(text) = text.and_then(|part| part.get("text")).and_then(Json::text) else {
        return Err(QuoteError::NotThisRail);
    };
    match Json::parse(text) {
        Ok(price) if is_price(&price) => Ok(Cow::Owned(text.to_owned())),
        _ => Err(QuoteError::NotThisRail),
    }
}

/// A JSON-RPC error: its data, or `x402` in it. Code -32042 is also that of a page to open and of another payment protocol.
fn error<'a>(error: &Json<'a>) -> Result<Cow<'a, str>, QuoteError> {
    if !matches!(error.get("code").and_then(Json::number), Some("402" | "-32042")) {
        return Err(QuoteError::NotThisRail);
    }
    let data = error.get("data").ok_or(QuoteError::NotThisRail)?;
    let price = [Some(data), data.get("x402")].into_iter().flatten().find(|price| is_price(price));
    price.map(|price| Cow::Borrowed(price.raw())).ok_or(QuoteError::NotThisRail)
}

/// The metadata of an A2A message: given itself, or the message, or the task that waits for it.
fn metadata<'d, 'a>(document: &'d Json<'a>) -> Result<Option<&'d Json<'a>>, QuoteError> {
    let has = |holder: &&'d Json<'a>| holder.get(REQUIRED).is_some();
    let of_message = |message: &'d Json<'a>| message.get("metadata").filter(has);
    if let Some(found) = Some(document).filter(has).or_else(|| of_message(document)) {
        return Ok(Some(found));
    }
    let Some(status) = document.get("status") else { return Ok(None) };
    let Some(found) = status.get("message").and_then(of_message) else { return Ok(None) };
    if status.get("state").and_then(Json::text) == Some("input-required") {
        Ok(Some(found))
    } else {
        Err(malformed("an A2A task asks for payment only in the state input-required"))
    }
}

fn agreed<'d, 'a>(metadata: &'d Json<'a>) -> Result<&'d Json<'a>, QuoteError> {
    if metadata.get(STATUS).and_then(Json::text) != Some("payment-required") {
        return Err(malformed(format!("{STATUS} is not payment-required")));
    }
    metadata
        .get(REQUIRED)
        .filter(|price| price.is_object())
        .ok_or_else(|| malformed(format!("{REQUIRED} is not an object")))
}

fn is_price(json: &Json<'_>) -> bool {
    json.get("x402Version").is_some() && json.get("accepts").and_then(Json::list).is_some()
}
