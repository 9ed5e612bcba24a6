//! The port to whoever issues the tokens that a seller charges, where no form of ours is signed.
//!
//! Pricing, asking, budgets, the ledger and repeats are those of every other payment: a token is asked for once its payment is
//! written down, and is shown to nobody before it is written down, too.

use async_trait::async_trait;
use countersign_core::{
    asset::Network,
    rail::{Card, Wallets},
    signable::spt::Spt,
};
use std::fmt;

/// Why there is no token to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotIssued {
    /// It was refused: there is none.
    Refused(String),
    /// There may be one, which nobody was shown. Asked for again it is the same.
    Unclear(String),
}

/// Whoever issues tokens.
#[async_trait]
pub trait Issuer: Send + Sync + fmt::Debug {
    /// Looks again for what pays, if that could not be read.
    async fn knock(&self);

    /// What pays, as far as is known; none where nothing was set up.
    fn card(&self) -> Option<Card>;

    /// Asks for a form's token. However often it is asked for, it is one.
    ///
    /// # Errors
    /// There is none, or nobody knows.
    async fn issue(&self, form: &Spt) -> Result<String, NotIssued>;
}

/// An agent's accounts, and what pays where no chain does.
#[derive(Debug)]
pub(crate) struct Purse<'a> {
    pub own: &'a dyn Wallets,
    pub card: Option<Card>,
}

impl Wallets for Purse<'_> {
    fn payer(&self, network: &Network) -> Option<String> {
        self.own.payer(network)
    }

    fn is_ours(&self, account: &str) -> bool {
        self.own.is_ours(account)
    }

    fn card(&self) -> Option<Card> {
        self.card.clone()
    }
}
