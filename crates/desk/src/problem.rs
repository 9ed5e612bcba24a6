//! Why something was not done: a stable code, a sentence for people, what to do next.

use crate::outcome::Outcome;

macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident = $text:literal, $status:literal, $title:literal, $next:literal;)+) => {
        /// The stable problem codes of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$meta])* $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)+ } }
            /// The HTTP status it travels with.
            pub const fn status(self) -> u16 { match self { $(Self::$variant => $status,)+ } }
            /// A short title.
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $title,)+ } }
            /// What the caller should do now.
            pub const fn next(self) -> &'static str { match self { $(Self::$variant => $next,)+ } }

            /// Reads [`Self::as_str`] back.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|c| c.as_str() == word)
            }
        }
    };
}

codes! {
    /// No token, or not one of ours.
    BadToken = "bad_token", 401, "Unknown token", "Send `Authorization: Bearer` with the token that `countersign agent add` printed.";
    /// The Host header is not ours.
    BadHost = "bad_host", 421, "Wrong host", "Call 127.0.0.1 with the port Countersign printed.";
    /// The request comes from a web page.
    BadOrigin = "bad_origin", 403, "Web pages may not call this service", "Call from a program, not from a browser.";
    /// No such route, or no such payment of this agent.
    NotFound = "not_found", 404, "Not found", "Check the path or the payment id; an agent sees only its own payments.";
    /// The route is there, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "Wrong method", "Use a method that `/v1/openapi.json` lists for this route.";
    /// Not JSON.
    UnsupportedMediaType = "unsupported_media_type", 415, "Send JSON", "Set `Content-Type: application/json`.";
    /// No wallet pays on that network.
    NoWallet = "no_wallet", 503, "No wallet", "Ask the person to create a wallet: `countersign wallet create`.";
    /// Nobody is there to ask.
    NoApprover = "no_approver", 403, "Nobody can be asked", "This payment needs a person; start Countersign with a window or `--approver terminal`.";
    /// The clock cannot be trusted.
    ClockSuspect = "clock_suspect", 503, "The clock looks wrong", "Ask the person to check the clock and run `countersign confirm clock`.";
    /// All signing is paused.
    Paused = "paused", 503, "Payments are paused", "Wait until the person resumes payments; do not retry in a loop.";
    /// The keys are locked.
    Locked = "locked", 503, "The wallet is locked", "Ask the person to unlock the keyring.";
    /// The ledger is damaged or read-only.
    ViewOnly = "view_only", 503, "Countersign can only look", "Ask the person to run `countersign verify`; nothing is paid until the ledger is in order.";
    /// The ledger cannot be written.
    StorageUnavailable = "storage_unavailable", 503, "The ledger cannot be written", "Ask the person to check the disk, then retry with the same key: it never pays twice.";
    /// Too many requests or questions.
    RateLimited = "rate_limited", 429, "Too many requests", "Wait for the time in `Retry-After`, then retry with the same key.";
    /// The request is too large.
    TooLarge = "too_large", 413, "Too large", "Send at most 1 MiB.";
    /// The request is malformed.
    BadRequest = "bad_request", 400, "Malformed request", "Correct the request as the detail says.";
    /// The key was used for another request.
    IdempotencyConflict = "idempotency_conflict", 409, "Key already used", "This key belongs to a different request; use a new key for a new purchase.";
    /// The payment can no longer be withdrawn.
    NotCancellable = "not_cancellable", 409, "Too late to cancel", "Only a waiting payment can be cancelled; look at its state.";
    /// An offer of a kind we do not pay.
    UnsupportedOffer = "unsupported_offer", 422, "Unsupported offer", "This seller cannot be paid from here; choose another.";
    /// A fault of form in the offer.
    MalformedOffer = "malformed_offer", 422, "Malformed offer", "The seller's offer is broken; choose another seller.";
    /// A token we do not know.
    UnknownAsset = "unknown_asset", 422, "Unknown token", "The person can add the token to config.toml if they trust it.";
    /// The token is described differently.
    AssetMismatch = "asset_mismatch", 422, "The token does not match", "The seller describes the token wrongly; choose another seller.";
    /// Nobody who may be paid.
    BadPayee = "bad_payee", 422, "Unacceptable payee", "The seller names an account that must not be paid; choose another seller.";
    /// The price no longer holds.
    OfferExpired = "offer_expired", 422, "The price has expired", "Nothing was paid. Ask for a new price, under a new key.";
    /// The price is that of an earlier payment.
    OfferUsed = "offer_used", 422, "The price was paid before", "Nothing was paid again. Ask for a new price, under a new key.";
    /// Too long a lifetime.
    LifetimeTooLong = "lifetime_too_long", 422, "Lifetime too long", "The seller wants an authorisation that lives too long; choose another seller.";
    /// Dearer than the caller's own maximum.
    OverMax = "over_max", 422, "Over your maximum", "Raise `max` if the price is acceptable.";
    /// The challenge belongs to another site.
    OriginMismatch = "origin_mismatch", 422, "The challenge is for another site", "Send the URL the challenge came from.";
    /// A private or unencrypted address.
    PrivateHost = "private_host", 422, "Private address", "Only public https addresses are fetched; the person can allow a host in config.toml.";
    /// A redirect we do not follow.
    RedirectRefused = "redirect_refused", 422, "Redirect refused", "Call the final address yourself.";
    /// Policy says no.
    DeniedByRule = "denied_by_rule", 403, "Refused by the person's rules", "Do not retry; the person's rules forbid this payment.";
    /// A budget is used up.
    OverBudget = "over_budget", 403, "Over budget", "Do not retry; `get_budget` or `GET /v1/budget` tells what is left.";
    /// The person said no.
    DeniedByHuman = "denied_by_human", 403, "The person said no", "Do not ask again for the same thing; tell the person what you would need.";
    /// Nobody answered in time.
    ApprovalExpired = "approval_expired", 403, "Nobody answered in time", "Ask again with a new key when the person is there.";
    /// Probably paid already.
    DuplicatePurchase = "duplicate_purchase", 409, "Probably paid already", "The same request was paid and its outcome is not known; look at your payments first.";
    /// Not enough money.
    InsufficientBalance = "insufficient_balance", 422, "Not enough money in the wallet", "Ask the person to add money to the wallet.";
    /// The seller does not answer.
    SellerUnreachable = "seller_unreachable", 502, "The seller does not answer", "Nothing was paid. Try again later with the same key.";
    /// Paid, outcome unknown.
    SettlementUnknown = "settlement_unknown", 200, "The outcome is not known", "Do not pay again; repeat with the same key or ask for the payment later.";
}

/// A request that ends without what was asked for.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// One sentence for people.
    pub detail: String,
    /// What the caller should do now.
    pub next: &'static str,
    /// The payment, whenever a row exists.
    pub outcome: Option<Box<Outcome>>,
    /// Seconds to wait, for 429.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem without a payment.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), next: code.next(), outcome: None, retry_after: None }
    }

    /// The same, about a payment.
    pub fn about(code: Code, detail: impl Into<String>, outcome: Outcome) -> Self {
        Self { outcome: Some(Box::new(outcome)), ..Self::new(code, detail) }
    }

    /// The same where something else than usual is to be done now.
    pub fn saying(self, next: &'static str) -> Self {
        Self { next, ..self }
    }
}
