//! The port to whoever carries a payment out where no chain does: asked how it ended, again and again until it is known.

use async_trait::async_trait;
use countersign_core::{money::Amount, signable::Signable};
use countersign_vault::Record;
use std::fmt;

/// What a provider says, in words that are certainly its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The money moved: so much, under the provider's own number if it has one.
    Moved {
        /// The provider's number, if it gave one.
        transaction: Option<String>,
        /// Atomic units.
        amount: Amount,
    },
    /// It has not moved. It can still.
    NotMoved,
    /// It waits for somebody else, for as long as that takes.
    Open,
    /// It never will.
    Over,
}

/// Whoever carries out the payments of one protocol.
#[async_trait]
pub trait Provider: Send + Sync + fmt::Debug {
    /// Asks about a payment. Moves nothing.
    ///
    /// # Errors
    /// A sentence, when nothing was learnt.
    async fn look(&self, record: &Record, forms: &[Signable]) -> Result<Seen, String>;

    /// Whether there is anybody to ask about it: what was ordered for somebody else nobody here can look for.
    fn can_look(&self, record: &Record) -> bool;
}
