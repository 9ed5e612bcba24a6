//! Countersign's vault: the ledger and the keys, because "check, write down, sign" is one act.
//!
//! A payment is judged and written down in one durable transaction before any signature is computed; the marks that follow are
//! bookkeeping. Nothing outside this crate can make a [`Reservation`] or a [`Signed`], and neither can be copied. No network,
//! no async runtime, no window is known here.

#[cfg(not(unix))]
compile_error!(
    "Countersign's ledger cannot be kept safe on this system yet: owner and mode of its files, free space and the time since boot \
     are read in the Unix way only. Build it on Linux or macOS."
);

pub mod activity;
mod clock;
mod config;
mod error;
#[cfg(feature = "faults")]
mod faults;
pub mod keys;
mod ledger;
mod open;
mod point;
pub mod process;
mod record;
pub mod sign;
mod vault;
mod verbs;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{
    Agent, Confirm, Doubts, KnownPayee, PayeeKey, PayerFor, PolicyVersion, Scope, Set, SetBy, VerifyReport, Wallet,
};
pub use error::{Health, OpenError, SignError, VaultError};
#[cfg(feature = "faults")]
pub use faults::{Disk, DiskStep, Fail, Faults, reached};
pub use ledger::backup::{BackupError, Checked, Held, Restored, Settings, backup, take_in};
pub use open::{Limits, Open};
pub use record::{Explained, Filter, Note, Outcome, Page, Record, RefusedAs, Step};
pub use vault::Vault;
pub use verbs::{Admit, Admitted, Lookup, Rejudged, Reservation, Reserved, Signed, Waiting};
