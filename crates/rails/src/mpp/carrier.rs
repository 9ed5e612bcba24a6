//! Where challenges are found: the `WWW-Authenticate` lines of an answer, or what a caller received and brings.
//!
//! A caller brings a header's value, one challenge, or an MCP error or result that carries several. In JSON-RPC the request of a
//! challenge is an object; in a header it is base64url text. Each is echoed in the form it came in.

use countersign_core::rail::{Challenge, QuoteError};

use super::{
    challenge::{self, Kept},
    header, malformed,
};
use crate::json::{Json, JsonError, MAX_BYTES, names};

/// Most challenges in one price.
const MAX_CHALLENGES: usize = 16;
/// The member of an MCP result's `_meta` that carries a price.
const REQUIRED: &str = "org.paymentauth/payment-required";

/// Every challenge of a price, each kept as it was received, or why it cannot be.
pub(super) struct Opened {
    pub(super) challenges: Vec<Result<Kept, QuoteError>>,
    /// The price was taken from the seller's own answer.
    pub(super) first_hand: bool,
}

/// The lines that can carry challenges.
pub(super) fn lines(headers: &[(String, String)]) -> impl Iterator<Item = &str> {
    headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate")).map(|(_, value)| value.as_str())
}

pub(super) fn open(challenge: Challenge<'_>) -> Result<Opened, QuoteError> {
    let (challenges, first_hand) = match challenge {
        Challenge::Http { headers, .. } => (of_lines(lines(headers))?, true),
        Challenge::Json(brought) => (brought_by_caller(brought.get())?, false),
    };
    match challenges.len() {
        0 => Err(QuoteError::NotThisRail),
        n if n > MAX_CHALLENGES => Err(malformed("there are more than 16 challenges")),
        _ => Ok(Opened { challenges, first_hand }),
    }
}

fn of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Result<Kept, QuoteError>>, QuoteError> {
    let lines: Vec<&str> = lines.collect();
    if lines.iter().fold(0_usize, |sum, line| sum.saturating_add(line.len())) > MAX_BYTES {
        return Err(malformed("the challenges are longer than 64 KB"));
    }
    let all = lines.into_iter().flat_map(header::challenges);
    Ok(all.map(|params| params.map(|params| challenge::keep_params(&params))).collect())
}

fn brought_by_caller(brought: &str) -> Result<Vec<Result<Kept, QuoteError>>, QuoteError> {
    // What another protocol's callers bring may be larger than what is read here, and is theirs to refuse.
    let known = ["id", "code", "challenges", "_meta"].iter().any(|name| names(brought, name));
    if !known && !brought.starts_with('"') {
        return Err(QuoteError::NotThisRail);
    }
    let document = Json::parse(brought).map_err(unreadable)?;
    if let Some(line) = document.text() {
        return of_lines(std::iter::once(line));
    }
    let holder = if document.get("code").is_some() {
        error(&document)?
    } else if let Some(meta) = document.get("_meta") {
        meta.get(REQUIRED).ok_or(QuoteError::NotThisRail)?
    } else {
        &document
    };
    if let Some(list) = holder.get("challenges") {
        let list = list.list().ok_or_else(|| malformed("challenges is not a list"))?;
        return Ok(list.iter().map(challenge::keep_json).collect());
    }
    let challenge = ["id", "realm", "method", "intent", "request"].iter().all(|name| holder.get(name).is_some());
    if challenge { Ok(vec![challenge::keep_json(holder)]) } else { Err(QuoteError::NotThisRail) }
}

/// A JSON-RPC error. -32042 is also MCP's word for a page to open, so only challenges make it a price.
fn error<'d, 'a>(error: &'d Json<'a>) -> Result<&'d Json<'a>, QuoteError> {
    let data = error.get("data").filter(|data| data.get("challenges").is_some()).ok_or(QuoteError::NotThisRail)?;
    match error.get("code").and_then(Json::number) {
        Some("-32042" | "402") => Ok(data),
        Some("-32043") => Err(QuoteError::Unsupported(
            "the server says that it refused a payment; whether that one was taken is not known, so there is no second"
                .into(),
        )),
        _ => Err(QuoteError::NotThisRail),
    }
}

fn unreadable(error: JsonError) -> QuoteError {
    malformed(format!("the price cannot be read: {error}"))
}
