//! What can go wrong, as far as somebody acts on it. Every error path ends without a signature.

use countersign_core::status::{Event, Status};

/// Why a data directory cannot be used at all. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it: exit status 5.
    #[error("another instance of Countersign is using {0}")]
    InUse(String),
    /// Written by a newer version.
    #[error("{path} was written by a newer Countersign (format {found}, this one knows {known})")]
    Newer {
        /// Which file.
        path: String,
        /// Its format.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// A database, but not ours.
    #[error("{0} is a database of another program")]
    Foreign(String),
    /// A symbolic link, or not a plain file or directory.
    #[error("{0} is a symbolic link or not a plain file; Countersign does not follow it")]
    NotPlain(String),
    /// Belongs to somebody else.
    #[error("{0} belongs to another user")]
    Owner(String),
    /// The SQLite in use has a known fault.
    #[error("SQLite {0} is too old to be trusted with money")]
    OldSqlite(String),
    /// The file system said no.
    #[error("cannot open {path}: {why}")]
    Io {
        /// Which file.
        path: String,
        /// In the system's words.
        why: String,
    },
    /// A restore that was interrupted cannot be taken back yet.
    #[error(
        "a backup was being restored in {dir} when Countersign ended, and what was there before cannot be put back: {why}"
    )]
    HalfRestored {
        /// Where.
        dir: String,
        /// In the words of whatever said no.
        why: String,
    },
    /// A failure inside the database that says nothing about the file.
    #[error("cannot open the ledger: {0}")]
    Database(String),
}

/// Whether money can move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It can.
    Ok,
    /// A person stopped all signing.
    Paused,
    /// The keys are locked.
    Locked,
    /// The ledger may be read, not written; why.
    ViewOnly(String),
    /// Writing failed and has not recovered; why.
    Storage(String),
}

/// Why a call to the vault did not do what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Too much is queued; try again soon.
    #[error("too many requests are waiting")]
    Busy,
    /// A person stopped all signing, or this agent's.
    #[error("payments are paused")]
    Paused,
    /// The keys are locked.
    #[error("the wallet is locked")]
    Locked,
    /// The ledger may be read, not written.
    #[error("the ledger is open for viewing only: {0}")]
    ViewOnly(String),
    /// A write failed, or the disk is nearly full. Nothing was signed.
    #[error("the ledger could not be written: {0}")]
    Storage(String),
    /// There is no such payment, agent or wallet.
    #[error("not found")]
    NotFound,
    /// The payment's state does not allow it.
    #[error("a payment that is {} cannot become {}", .from.as_str(), .event.as_str())]
    Illegal {
        /// Where it stands.
        from: Status,
        /// What was tried.
        event: Event,
    },
    /// What should be signed is not what was quoted.
    #[error("what was to be signed differs from the price in {0}")]
    Mismatch(&'static str),
    /// What was to be signed carries the single-use number of an earlier payment.
    #[error("this price was paid before: its single-use number belongs to an earlier payment")]
    Used,
    /// The name is taken, or the input is not acceptable.
    #[error("{0}")]
    Refused(String),
}

/// Why a reservation was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A person stopped all signing, or this agent's.
    #[error("payments are paused")]
    Paused,
    /// The keys are locked.
    #[error("the wallet is locked")]
    Locked,
    /// The ledger is not healthy.
    #[error("the ledger is not healthy: {0}")]
    Unhealthy(String),
    /// There is no key for the paying account.
    #[error("there is no key for {0}")]
    NoKey(String),
    /// There is no merchant whose key would sign an order.
    #[error("there is no key for {0}")]
    NoMerchant(String),
    /// The key store did not answer, or the form cannot be signed.
    #[error("signing failed: {0}")]
    Failed(String),
}
