//! What a person is shown, and what their answer is about.

mod question;
mod said;
mod words;

pub use question::{Bar, History, Question, Warning};
pub use said::{Said, fill};

use serde::{Deserialize, Serialize};

use crate::payment::{Digest, PaymentId};

/// A person's yes about one payment, in one showing. Made by the window's command, the terminal and tests only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yes {
    /// Which payment was on screen.
    pub payment: PaymentId,
    /// Which showing: [`Question::display_hash`].
    pub display_hash: Digest,
    /// Where: `window`, `terminal`, `scripted`.
    pub through: String,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, about what was shown.
    Yes(Yes),
    /// No, or the window was closed.
    No,
    /// The one who could have answered is gone: not paid, and nobody's judgement of this payee.
    Gone(Gone),
    /// Nobody answered in time.
    Silence,
}

/// Why nobody is there to answer any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// The screen or the wallet was locked.
    Locked,
    /// The computer slept.
    Slept,
    /// The app was quit, or the terminal closed.
    Quit,
}

impl Gone {
    /// The word the ledger keeps: `lock`, `sleep`, `quit`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "lock",
            Self::Slept => "sleep",
            Self::Quit => "quit",
        }
    }
}
