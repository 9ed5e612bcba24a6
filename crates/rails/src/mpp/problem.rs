//! Problem types with which a server refuses, from a fixed list: what is not on it is nobody's word.

use crate::json::Json;

/// Where they are defined.
const BASE: &str = "https://paymentauth.org/problems/";

/// The core types of the protocol, and those the official server adds.
const KNOWN: &[&str] = &[
    "payment-required",
    "payment-insufficient",
    "payment-expired",
    "verification-failed",
    "malformed-credential",
    "invalid-challenge",
    "method-unsupported",
    "payment-action-required",
    "invalid-payload",
    "bad-request",
    "internal-payment-error",
];

/// The type that a body names, if it is a known one.
pub(super) fn of(body: &[u8]) -> Option<&'static str> {
    let document = Json::parse(std::str::from_utf8(body).ok()?).ok()?;
    let named = document.get("type")?.text()?.strip_prefix(BASE)?;
    KNOWN.iter().copied().find(|known| *known == named)
}
