//! What a payment protocol must be able to do, purely: read a price, say what to sign, write the credential, read the receipt.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{
    Millis,
    asset::Network,
    origin::Origin,
    payment::{Quote, Resource},
    registry::Registry,
    signable::Signable,
};

/// A price as it reached us.
#[derive(Debug, Clone, Copy)]
pub enum Challenge<'a> {
    /// An HTTP answer. Header names in lower case.
    Http {
        /// Status code.
        status: u16,
        /// Headers in order.
        headers: &'a [(String, String)],
        /// Body, at most 64 KB.
        body: &'a [u8],
    },
    /// What the caller received, brought as JSON: the challenge object itself, a header's value, or a message that carries it.
    Json(&'a serde_json::value::RawValue),
}

/// What a rail may know when it reads a price.
#[derive(Debug, Clone, Copy)]
pub struct QuoteContext<'a> {
    /// Our table of chains and tokens.
    pub registry: &'a Registry,
    /// The paying account for each network that has one.
    pub wallets: &'a dyn Wallets,
    /// This moment: a price may say until when it holds.
    pub now: Millis,
    /// Where the price came from.
    pub origin: &'a Origin,
    /// That origin is only the caller's word.
    pub claimed: bool,
    /// What is bought.
    pub resource: &'a Resource,
}

/// Which of our accounts pays on a network.
pub trait Wallets: std::fmt::Debug {
    /// The paying account, if there is one for this network.
    fn payer(&self, network: &Network) -> Option<String>;
    /// Whether this account is one of ours.
    fn is_ours(&self, account: &str) -> bool;
    /// What pays where no chain does, if that was set up.
    fn card(&self) -> Option<Card> {
        None
    }
}

/// The person's payment method at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its id, `pm_…`.
    pub payment_method: String,
    /// Whether its money is real.
    pub live: bool,
}

/// Accounts by network name; `*` pays on every network. Used by tests and tools.
impl Wallets for BTreeMap<String, String> {
    fn payer(&self, network: &Network) -> Option<String> {
        self.get(network.as_str()).or_else(|| self.get("*")).cloned()
    }

    fn is_ours(&self, account: &str) -> bool {
        self.values().any(|own| own.eq_ignore_ascii_case(account))
    }
}

/// A price that can be paid, with what must be kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// The judged facts.
    pub quote: Quote,
    /// The offer and what else must be echoed, verbatim JSON; kept out of the quote because it may hold the seller's text.
    pub offer: String,
    /// The seller's own words, not cleaned.
    pub seller_says: Option<String>,
}

/// Why a price cannot be paid. Each has a stable code of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// Not a challenge of this rail at all.
    #[error("the answer asks for payment in a way Countersign does not know")]
    NotThisRail,
    /// Any fault of form.
    #[error("the seller's offer is malformed: {0}")]
    Malformed(String),
    /// Well formed, but a scheme, method or flow we do not pay.
    #[error("the seller's offer is of a kind Countersign does not pay: {0}")]
    Unsupported(String),
    /// A token that is not in our table.
    #[error("the seller wants a token Countersign does not know: {0}")]
    UnknownAsset(String),
    /// The offer's EIP-712 domain is not the token's.
    #[error("the seller describes the token differently from Countersign's table: {0}")]
    AssetMismatch(String),
    /// Nobody to pay, or somebody who must not be paid.
    #[error("the account to be paid is not acceptable: {0}")]
    BadPayee(String),
    /// It held until a moment that is over, or nearly.
    #[error("the seller's price has expired")]
    Expired,
    /// More than a day.
    #[error("the seller wants an authorisation that lives {0} seconds; the most is 86400")]
    LifetimeTooLong(u64),
    /// No wallet pays on that network.
    #[error("no wallet pays on {0}")]
    NoWallet(String),
    /// No payment method at Stripe pays.
    #[error("there is no payment method at Stripe that pays")]
    NoCard,
}

impl QuoteError {
    /// The stable problem code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotThisRail | Self::Unsupported(_) => "unsupported_offer",
            Self::Malformed(_) => "malformed_offer",
            Self::UnknownAsset(_) => "unknown_asset",
            Self::AssetMismatch(_) => "asset_mismatch",
            Self::BadPayee(_) => "bad_payee",
            Self::Expired => "offer_expired",
            Self::LifetimeTooLong(_) => "lifetime_too_long",
            Self::NoWallet(_) | Self::NoCard => "no_wallet",
        }
    }

    /// Whether the same answer may still be paid in another protocol it offers. Not where the price is broken or bad: who sends
    /// one such price is not asked for a better one.
    pub const fn leaves_others(&self) -> bool {
        matches!(
            self,
            Self::NotThisRail | Self::Unsupported(_) | Self::UnknownAsset(_) | Self::NoWallet(_) | Self::NoCard
        )
    }
}

/// What the paid request carries.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Credential {
    /// HTTP headers, in the protocol's own spelling.
    pub headers: BTreeMap<String, String>,
    /// JSON-RPC `_meta` entries.
    pub meta: serde_json::Map<String, serde_json::Value>,
    /// A2A message metadata; only where the price came in such metadata.
    #[serde(default)]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// What the seller says about the money, never proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Nothing.
    Absent,
    /// Something that cannot be read.
    Unreadable,
    /// Paid.
    Success {
        /// The transaction, empty if none was named.
        transaction: String,
    },
    /// On its way, not final.
    Pending {
        /// The transaction, if named.
        transaction: String,
    },
    /// Refused, in the seller's words.
    Failed {
        /// The protocol's reason.
        reason: String,
    },
    /// Refused as well, in a protocol whose servers have taken the money and refused all the same: nobody knows.
    Doubtful {
        /// The protocol's own word for the reason.
        reason: &'static str,
    },
}

/// What to look for on an EVM chain to know whether one signed form was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Chain id.
    pub chain_id: u64,
    /// The token contract; emits both logs, answers both calls.
    pub token: Address,
    /// Topics of the transfer log, and its data.
    pub transfer: (Vec<B256>, Bytes),
    /// Topics of the log that says the authorisation was used.
    pub used: Vec<B256>,
    /// Call data; answers 1 once the authorisation is used or cancelled. None where no contract tells: there the log of its use
    /// is looked for in every block of its window.
    pub state_call: Option<Bytes>,
    /// Call data; answers the payer's balance.
    pub balance_call: Bytes,
    /// Unix seconds of the first block that can use it; the chain takes none before.
    pub valid_from: u64,
    /// Unix seconds from which it can no longer be used.
    pub valid_before: u64,
}

impl Evidence {
    /// Whether a log with these topics and this data, `0x` and hex, is that of the use. Where no contract tells of a use, anybody
    /// might cause one like it with another amount.
    pub fn is_used_by(&self, data: &str) -> bool {
        self.state_call.is_some() || data.eq_ignore_ascii_case(&self.transfer.1.to_string())
    }
}

/// One payment protocol.
pub trait Rail: Send + Sync {
    /// The name in the API: `x402`, `mpp`.
    fn id(&self) -> &'static str;

    /// Whether this HTTP answer asks for payment in this protocol.
    fn is_challenge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> bool;

    /// Reads a price strictly and picks the offer to pay.
    fn quote(&self, challenge: Challenge<'_>, context: QuoteContext<'_>) -> Result<Quoted, QuoteError>;

    /// Everything that has to be signed for this price, complete: window from `now`; nonce from `random`, or from the kept offer
    /// where the protocol ties the two together.
    fn signables(&self, quote: &Quote, offer: &str, now: Millis, random: [u8; 32])
    -> Result<Vec<Signable>, QuoteError>;

    /// Whether the credential for this offer takes the request header of this name, lower case.
    fn takes_header(&self, offer: &str, name: &str) -> bool;

    /// Writes the credential from the kept offer and one signature (65 bytes, v = 27 or 28) a form.
    fn credential(&self, quote: &Quote, offer: &str, signed: &[(Signable, Vec<u8>)]) -> Result<Credential, QuoteError>;

    /// The headers a receipt may come in, lower case: a caller that brings one does not say which.
    fn receipt_headers(&self) -> &'static [&'static str];

    /// Reads what the seller says after the credential was sent.
    fn receipt(&self, quote: &Quote, status: u16, headers: &[(String, String)], body: &[u8]) -> Receipt;

    /// What on a chain would prove that this form was used.
    fn evidence(&self, signable: &Signable) -> Option<Evidence>;
}
