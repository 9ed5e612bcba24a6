//! Where a price is found, and what the message around the offers must look like.
//!
//! One source, as the official client chooses it: the `PAYMENT-REQUIRED` header, else a version 1 body; never a mix of both.
//! What a caller brings is found in its message by [`super::carrier`].

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use countersign_core::rail::{Challenge, QuoteError};
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::{Version, carrier, malformed, terms::resource_url};
use crate::{
    json::{Json, JsonError, MAX_BYTES},
    web_host,
};

/// Most offers in one price.
const MAX_OFFERS: usize = 16;

/// The standard alphabet; padding may be missing, as JavaScript's `atob` takes it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a price reached us, which limits the versions it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    Header,
    Body,
    Caller(Brought),
}

/// What a caller's price came in, which is where its credential goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    Object,
    Header,
    Mcp,
    A2a,
}

impl Carrier {
    /// Only the header form is version 2's own; only a body is version 1's own.
    const fn is_header(self) -> bool {
        matches!(self, Self::Header | Self::Caller(Brought::Header))
    }
}

/// The text of a price, undecided.
pub(super) struct Envelope<'a> {
    pub(super) carrier: Carrier,
    text: Cow<'a, str>,
}

impl Envelope<'_> {
    pub(super) fn parse(&self) -> Result<Json<'_>, QuoteError> {
        Json::parse(&self.text).map_err(unreadable)
    }
}

/// The parts of `PaymentRequired` that are acted on or echoed.
pub(super) struct Required<'a> {
    pub(super) version: Version,
    pub(super) offers: &'a [Json<'a>],
    pub(super) resource: Option<&'a Json<'a>>,
    /// `resource.url`; version 1 names one in each offer instead.
    pub(super) url: Option<&'a str>,
    pub(super) extensions: Option<&'a Json<'a>>,
    pub(super) carrier: Carrier,
}

impl<'a> Required<'a> {
    pub(super) fn read(document: &'a Json<'a>, carrier: Carrier) -> Result<Self, QuoteError> {
        let version = match document.get("x402Version") {
            None if !carrier.is_header() => return Err(QuoteError::NotThisRail),
            version => match version.and_then(Json::number) {
                Some("2") if carrier == Carrier::Body => {
                    return Err(malformed("version 2 belongs in the PAYMENT-REQUIRED header, this is in the body"));
                }
                Some("1") if carrier.is_header() => {
                    return Err(malformed("version 1 belongs in the body, this is in the PAYMENT-REQUIRED header"));
                }
                Some("2") => Version::V2,
                Some("1") => Version::V1,
                _ => return Err(malformed("x402Version is neither 1 nor 2")),
            },
        };
        let offers = document.get("accepts").and_then(Json::list).ok_or_else(|| malformed("accepts is not a list"))?;
        if offers.len() > MAX_OFFERS {
            return Err(malformed("there are more than 16 offers"));
        }
        let part = |name: &str| match document.get(name) {
            Some(part) if part.is_object() || document.given(name).is_none() => Ok(Some(part)),
            Some(_) => Err(malformed(format!("{name} is not an object"))),
            None => Ok(None),
        };
        let (resource, extensions) = match version {
            Version::V1 => (None, None),
            Version::V2 => (part("resource")?, part("extensions")?),
        };
        let url = resource.map_or(Ok(None), |resource| resource_url(resource, "url"))?;
        Ok(Self { version, offers, resource, url, extensions, carrier })
    }

    /// Whether the price was taken from the seller's own answer.
    pub(super) const fn first_hand(&self) -> bool {
        !matches!(self.carrier, Carrier::Caller(_))
    }
}

pub(super) fn is_challenge(status: u16, headers: &[(String, String)], body: &[u8]) -> bool {
    status == 402 && (header(headers, "payment-required").next().is_some() || speaks_x402(body))
}

/// A body that can be read is asked for its field; one that cannot, for the bare name, so that a broken price is refused as broken.
fn speaks_x402(body: &[u8]) -> bool {
    match std::str::from_utf8(body).map_err(|_| JsonError::Syntax).and_then(Json::parse) {
        Ok(document) => document.get("x402Version").is_some(),
        Err(_) => {
            const NAME: &[u8] = b"\"x402Version\"";
            body.trim_ascii_start().starts_with(b"{") && body.windows(NAME.len()).any(|w| w == NAME)
        }
    }
}

pub(super) fn open(challenge: Challenge<'_>) -> Result<Envelope<'_>, QuoteError> {
    match challenge {
        Challenge::Json(brought) => {
            let (brought, text) = carrier::unwrap(brought.get())?;
            Ok(Envelope { carrier: Carrier::Caller(brought), text })
        }
        Challenge::Http { headers, body, .. } => {
            let mut found = header(headers, "payment-required");
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => Err(malformed("there are two PAYMENT-REQUIRED headers")),
                (Some(value), None) => {
                    Ok(Envelope { carrier: Carrier::Header, text: Cow::Owned(decode(value).map_err(unreadable)?) })
                }
                (None, _) if speaks_x402(body) => {
                    let text = std::str::from_utf8(body).map_err(|_| unreadable(JsonError::Syntax))?;
                    Ok(Envelope { carrier: Carrier::Body, text: Cow::Borrowed(text) })
                }
                (None, _) => Err(QuoteError::NotThisRail),
            }
        }
    }
}

/// The values of a header, without empty ones, which the official client takes for absent too.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |(n, v)| n.eq_ignore_ascii_case(name) && !v.is_empty()).map(|(_, v)| v.as_str())
}

/// Reads base64 JSON text of at most 64 KB.
pub(super) fn decode(value: &str) -> Result<String, JsonError> {
    if value.len() > MAX_BYTES.saturating_mul(2) {
        return Err(JsonError::TooLong);
    }
    BASE64.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(JsonError::Syntax)
}

pub(super) fn unreadable(error: JsonError) -> QuoteError {
    malformed(format!("the price cannot be read: {error}"))
}

pub(super) fn claimed_hosts(challenge: &RawValue) -> Vec<String> {
    let Ok((_, text)) = carrier::unwrap(challenge.get()) else { return Vec::new() };
    let Ok(document) = Json::parse(&text) else { return Vec::new() };
    let url = document.get("resource").and_then(|r| r.get("url"));
    let offers = document.get("accepts").and_then(Json::list).unwrap_or_default();
    let each = offers.iter().filter_map(|offer| offer.get("resource"));
    let mut hosts: Vec<_> = url.into_iter().chain(each).filter_map(Json::text).filter_map(web_host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}
