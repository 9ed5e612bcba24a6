//! The values a payment passes through. A [`Reservation`] and a [`Signed`] can be made by this crate only, once each.
//!
//! ```compile_fail
//! fn twice(r: countersign_vault::Reservation) -> (countersign_vault::Reservation, countersign_vault::Reservation) {
//!     (r.clone(), r) // no Clone: a reservation is signed once
//! }
//! ```
//!
//! ```compile_fail
//! fn forge(record: countersign_vault::Record) -> countersign_vault::Reservation {
//!     countersign_vault::Reservation { record, forms: vec![] } // private fields
//! }
//! ```
//!
//! ```compile_fail
//! fn forge(record: countersign_vault::Record) -> countersign_vault::Signed {
//!     countersign_vault::Signed { record, forms: vec![], offer: String::new() } // private fields
//! }
//! ```

use countersign_core::{
    approval::History,
    behind::Behind,
    payment::{Caller, Digest, IdempotencyKey, PaymentId},
    policy::NeedsHuman,
    rail::Quoted,
    signable::Signable,
};

use crate::{ledger::Dropped, record::Record};

/// A priced request that wants to be paid.
#[derive(Debug, Clone)]
pub struct Admit {
    /// Fresh name, from random bytes.
    pub payment: PaymentId,
    /// Who asks.
    pub caller: Caller,
    /// The caller's name for it.
    pub key: IdempotencyKey,
    /// Digest of the whole request as the API defines it.
    pub request: Digest,
    /// The price and what must be kept beside it.
    pub quoted: Quoted,
    /// What would be signed if it goes through at once.
    pub signables: Vec<Signable>,
    /// The agent's reason, not cleaned.
    pub reason: Option<String>,
    /// The whole URL, kept where it can be forgotten.
    pub url: String,
}

/// What the ledger knows of a key.
#[derive(Debug)]
pub enum Lookup {
    /// Nothing.
    New,
    /// The same request came before.
    Same(Box<Record>),
    /// Another request used this key.
    Conflict,
}

/// What became of an admission.
#[derive(Debug)]
pub enum Admitted {
    /// Durable and held; may be signed.
    Reserved(Box<Reservation>),
    /// A person decides.
    Waiting(Box<Waiting>),
    /// Policy said no; recorded.
    Refused(Box<Record>),
    /// The same request came before.
    Same(Box<Record>),
    /// The same purchase is waiting under another key; this key now means that payment, for ever.
    Joined(Box<Record>),
    /// Another request used this key.
    Conflict,
    /// Too many questions; nothing was recorded, the key is free.
    TooMany {
        /// When to come back.
        retry_after_seconds: u64,
    },
}

/// What became of a yes.
#[derive(Debug)]
pub enum Reserved {
    /// Durable and held; may be signed.
    Reservation(Box<Reservation>),
    /// Policy now says no, or the question was over; recorded.
    Refused(Box<Record>),
    /// There is a reason that was not on screen: to be shown again.
    Again(Box<Waiting>),
    /// Somebody else moved it first; as it stands.
    Moved(Box<Record>),
}

/// What became of a second look at a waiting payment.
#[derive(Debug)]
pub enum Rejudged {
    /// It goes through by itself after all.
    Reserved(Box<Reservation>),
    /// Policy now says no; recorded.
    Refused(Box<Record>),
    /// A person still decides.
    Still,
    /// It is no longer waiting; as it stands.
    Moved(Box<Record>),
}

/// A payment only a person can let through. The row is durable; nothing is held.
#[derive(Debug)]
pub struct Waiting {
    /// The question, answered once.
    pub needs: NeedsHuman,
    /// The payment.
    pub record: Record,
    /// What is known of this payee.
    pub history: History,
    /// What is known of the one that asked first, beside its token.
    pub behind: Behind,
    /// The agent's reason, not cleaned.
    pub reason: Option<String>,
    /// The seller's words, not cleaned.
    pub seller: Option<String>,
}

/// A payment that is written down and held in every budget. Dropped unsigned, it frees its hold.
#[derive(Debug)]
pub struct Reservation {
    pub(crate) record: Record,
    pub(crate) forms: Vec<Signable>,
    pub(crate) offer: String,
    pub(crate) dropped: Dropped,
}

impl Reservation {
    /// The payment.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What will be signed.
    pub fn signables(&self) -> &[Signable] {
        &self.forms
    }
}

/// A payment whose signatures were computed: all of them.
pub struct Signed {
    pub(crate) record: Record,
    pub(crate) forms: Vec<(Signable, Vec<u8>)>,
    pub(crate) offer: String,
}

impl Signed {
    /// The payment.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Every form with its signature (65 bytes, v = 27 or 28).
    pub fn forms(&self) -> &[(Signable, Vec<u8>)] {
        &self.forms
    }

    /// The kept offer, verbatim.
    pub fn offer(&self) -> &str {
        &self.offer
    }
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").field("payment", &self.record.id).finish_non_exhaustive()
    }
}
