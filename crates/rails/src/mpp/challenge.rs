//! One challenge: kept as it was received, and read strictly from what is kept.

use countersign_core::{Millis, Rfc3339, rail::QuoteError};

use super::{decode, header::Params, malformed};
use crate::{
    evm,
    json::{Json, quote},
};

/// The fields that are echoed, in the order they are kept; whatever else a challenge has is ignored.
const FIELDS: [&str; 10] =
    ["id", "realm", "method", "intent", "request", "expires", "digest", "opaque", "description", "header"];
/// Longest `request`, in bytes as received.
const MAX_REQUEST: usize = 16 * 1024;
/// Longest protocol word, in bytes.
const MAX_WORD: usize = 256;
/// Longest id, in bytes: servers choose it and we only carry it.
const MAX_ID: usize = 1024;

/// A challenge as JSON text, each field byte for byte as it was received.
pub(super) struct Kept(pub(super) String);

/// What a challenge says, apart from what its request says.
pub(super) struct Challenge<'a> {
    pub(super) id: &'a str,
    pub(super) realm: &'a str,
    pub(super) method: &'a str,
    pub(super) intent: &'a str,
    /// The request's JSON text.
    pub(super) request: String,
    /// The request came as an object, as JSON-RPC carries it.
    pub(super) native: bool,
    pub(super) expires: Option<Millis>,
    pub(super) description: Option<&'a str>,
    /// The header the credential is wanted in.
    pub(super) header: &'static str,
}

/// Keeps a challenge that came as parameters of a header.
pub(super) fn keep_params(params: &Params) -> Kept {
    let field = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, value)| quote(value));
    keep(field)
}

/// Keeps a challenge that came as JSON.
pub(super) fn keep_json(json: &Json<'_>) -> Result<Kept, QuoteError> {
    if !json.is_object() {
        return Err(malformed("a challenge is not an object"));
    }
    Ok(keep(|name| json.get(name).map(|value| value.raw().to_owned())))
}

fn keep(field: impl Fn(&str) -> Option<String>) -> Kept {
    let fields = FIELDS.iter().filter_map(|name| field(name).map(|value| format!("\"{name}\":{value}")));
    Kept(format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
}

impl<'a> Challenge<'a> {
    pub(super) fn read(json: &'a Json<'a>) -> Result<Self, QuoteError> {
        let id = word(json, "id", MAX_ID)?.ok_or_else(|| missing("id"))?;
        let realm = word(json, "realm", MAX_WORD)?.ok_or_else(|| missing("realm"))?;
        let method = name(json, "method")?;
        let intent = name(json, "intent")?;
        let (request, native) = request(json)?;
        if word(json, "digest", MAX_WORD)?.is_some_and(|digest| !digest.starts_with("sha-256=")) {
            return Err(malformed("digest is not one of SHA-256"));
        }
        let description = json.given("description");
        let description = description.map(|d| d.text().ok_or_else(|| malformed("description is not a string")));
        Ok(Self {
            id,
            realm,
            method,
            intent,
            request,
            native,
            expires: word(json, "expires", MAX_WORD)?.map(moment).transpose()?,
            description: description.transpose()?,
            header: credential_header(word(json, "header", MAX_WORD)?)?,
        })
    }
}

/// The request's JSON text, and whether it came as an object.
fn request(json: &Json<'_>) -> Result<(String, bool), QuoteError> {
    let request = json.get("request").ok_or_else(|| missing("request"))?;
    if request.raw().len() > MAX_REQUEST.saturating_add(2) {
        return Err(malformed("request is longer than 16 KB"));
    }
    if request.is_object() {
        return Ok((request.raw().to_owned(), true));
    }
    let coded = request.text().ok_or_else(|| malformed("request is neither text nor an object"))?;
    let decoded = decode(coded, MAX_REQUEST).ok_or_else(|| malformed("request is not base64url text"))?;
    Ok((decoded, false))
}

/// Other headers are the agent's, or ours.
fn credential_header(name: Option<&str>) -> Result<&'static str, QuoteError> {
    let wanted = name.unwrap_or("Authorization");
    ["Authorization", "Payment-Authorization"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(wanted))
        .ok_or_else(|| QuoteError::Unsupported("it wants its credential in a header of its own".into()))
}

/// RFC 3339 in full: what jiff takes beyond that is no moment here.
fn moment(text: &str) -> Result<Millis, QuoteError> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"-:.+TtZz".contains(&b));
    let shaped = text.len() >= 20 && matches!(text.as_bytes().get(10), Some(b'T' | b't'));
    let read = text.parse::<Rfc3339>().ok().filter(|_| plain && shaped);
    read.map(|Rfc3339(moment)| moment).ok_or_else(|| malformed("expires is not a moment of RFC 3339"))
}

/// A method or an intent.
fn name<'a>(json: &'a Json<'a>, field: &str) -> Result<&'a str, QuoteError> {
    let name = word(json, field, 64)?.ok_or_else(|| missing(field))?;
    let letter = |b: u8| b.is_ascii_lowercase();
    let rest = |b: u8| letter(b) || b.is_ascii_digit() || b":_-".contains(&b);
    let shaped = name.bytes().next().is_some_and(letter) && name.bytes().all(rest);
    if shaped { Ok(name) } else { Err(malformed(format!("{field} is not a name of the protocol"))) }
}

pub(super) fn word<'a>(json: &'a Json<'a>, name: &str, most: usize) -> Result<Option<&'a str>, QuoteError> {
    let Some(value) = json.given(name) else { return Ok(None) };
    evm::plain(value, name, most).map(Some)
}

pub(super) fn missing(name: &str) -> QuoteError {
    malformed(format!("{name} is missing"))
}
