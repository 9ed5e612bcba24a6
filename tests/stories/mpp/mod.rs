//! MPP through the same desk: the official server on a real chain, hostile servers, questions that outlive their price.

mod asked;
mod called;
mod gateway;
mod hostile;
mod official;
mod stripe;
mod tempo;

/// Hostile challenges that end the same by whatever method: the seller's page, and what its buyer is told.
const BY_ANY_METHOD: [(&str, u16, &str); 27] = [
    ("expired", 422, "offer_expired"),
    ("no-expires", 422, "malformed_offer"),
    ("year", 422, "lifetime_too_long"),
    ("empty-id", 422, "malformed_offer"),
    ("repeated-param", 422, "malformed_offer"),
    ("bad-base64", 422, "malformed_offer"),
    ("not-json", 422, "malformed_offer"),
    ("fractional", 422, "malformed_offer"),
    ("negative", 422, "malformed_offer"),
    ("huge-amount", 422, "malformed_offer"),
    ("no-chain", 422, "malformed_offer"),
    ("wrong-chain", 422, "unknown_asset"),
    ("unknown-chain", 422, "unknown_asset"),
    ("unknown-token", 422, "unknown_asset"),
    ("pays-us", 422, "bad_payee"),
    ("pays-nobody", 422, "bad_payee"),
    ("padding", 422, "unsupported_offer"),
    ("padding-more", 422, "malformed_offer"),
    ("seventeen", 422, "malformed_offer"),
    ("session", 422, "unsupported_offer"),
    ("subscription", 422, "unsupported_offer"),
    ("cookie", 422, "unsupported_offer"),
    ("price-999", 403, "denied_by_rule"),
    ("price-25", 403, "denied_by_rule"),
    ("price-2", 403, "no_approver"),
    ("other-realm", 403, "no_approver"),
    ("redirected", 403, "no_approver"),
];
