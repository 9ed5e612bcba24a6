//! Why a change of the limits is not made: tagged, so that the page says it in the person's language.

use countersign_core::{
    approval::Said,
    policy::{EditError, PolicyError},
};
use countersign_vault::VaultError;
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LimitsError {
    /// Not a command of this window.
    WrongWindow,
    /// Not an amount: digits, a point, at most six digits after it.
    Amount { text: String },
    /// Not a name of what it should name.
    Name { text: String },
    /// It is not there, or not any more.
    NoSuch { what: String },
    /// Written by hand in a way the control cannot show.
    ByHand { what: String },
    /// Everything asks, so there is nothing a threshold could let through.
    NothingAllowed,
    /// The value of the payment is not known, so a yes has no amount to be held to.
    NoValue,
    /// A budget counts the payments of this rule.
    Counted { what: String },
    /// No port has this number.
    Port,
    /// No policy: where it is wrong, if that is known, and what to write instead.
    Policy {
        #[cfg_attr(test, ts(type = "Array<Said>"))]
        says: Vec<Said>,
    },
    /// A file is named by its whole path.
    WholePath,
    /// The file is not restored, and why.
    Backup {
        #[cfg_attr(test, ts(type = "Array<Said>"))]
        says: Vec<Said>,
    },
    /// The limits were changed meanwhile.
    Changed,
    /// Something in limits or settings has not been confirmed by anybody.
    Unconfirmed,
    /// What was typed is not what had to be typed.
    NotTyped,
    /// The wait is not over.
    TooEarly { seconds: u32 },
    /// Nothing waits for this confirmation any more.
    Over,
    /// The person said no in the window that asks.
    Declined,
    /// Nobody answered there in time.
    Unanswered,
    /// The ledger said no.
    Failed { text: String },
}

impl From<EditError> for LimitsError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NoSuch(what) => Self::NoSuch { what },
            EditError::ByHand(what) => Self::ByHand { what },
            EditError::NothingAllowed => Self::NothingAllowed,
            EditError::NoValue => Self::NoValue,
            EditError::NoProcess => Self::Over,
            EditError::Counted(what) => Self::Counted { what },
            EditError::Policy(error) => error.into(),
        }
    }
}

impl From<PolicyError> for LimitsError {
    fn from(error: PolicyError) -> Self {
        Self::Policy { says: error.told() }
    }
}

impl From<VaultError> for LimitsError {
    fn from(error: VaultError) -> Self {
        Self::Failed { text: error.to_string() }
    }
}
