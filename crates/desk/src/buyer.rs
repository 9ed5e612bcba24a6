//! The port to a program of a payment's vendor, which pays out of the person's account there and makes the paid request itself.
//!
//! Pricing, asking, budgets, the ledger and repeats are those of every other payment; nothing of ours signs.

use async_trait::async_trait;
use countersign_core::{rail::Credential, signable::handed::Handed};
use std::fmt;

use crate::wire::{Answer, Outgoing};

/// A program that pays.
#[async_trait]
pub trait Buyer: Send + Sync + fmt::Debug {
    /// Whether it is there and can make this request.
    ///
    /// # Errors
    /// A sentence that says what is in the way.
    fn takes(&self, request: &Outgoing<'_>) -> Result<(), String>;

    /// Hands a purchase over: once, however often it is called and whatever happened in between. `first` says that it never was
    /// before: only then can what goes wrong mean that nothing was handed over.
    ///
    /// # Errors
    /// A sentence, when nobody knows what became of it.
    async fn buy(
        &self,
        purchase: &Handed,
        credential: &Credential,
        request: &Outgoing<'_>,
        first: bool,
    ) -> Result<Answer, String>;

    /// Asks what became of a purchase that was handed over, by the vendor's number of it.
    ///
    /// # Errors
    /// A sentence, when nothing was learnt.
    async fn ask(&self, number: &str, request: &Outgoing<'_>) -> Result<Answer, String>;
}
