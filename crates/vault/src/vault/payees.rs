//! Payees a person said yes to, and what was judged lately.

use countersign_core::{Millis, origin::Origin, policy::Past};
use std::collections::BTreeMap;

use super::{Vault, aside};
use crate::{
    config::{KnownPayee, PayeeKey},
    error::VaultError,
    ledger::verb,
};

impl Vault {
    /// Every payee a person said yes to and did not forget, the newest first.
    pub async fn payees(&self) -> Result<Vec<KnownPayee>, VaultError> {
        self.0.read(verb::payees)
    }

    /// The person's names for origins.
    pub async fn payee_labels(&self) -> Result<BTreeMap<Origin, String>, VaultError> {
        self.0.read(verb::names)
    }

    /// Forgets one of them until the next yes to it. Its account may then change without standing out, so this loosens.
    pub async fn forget_payee(&self, payee: PayeeKey) -> Result<(), VaultError> {
        self.0.change(move |tx| verb::forget(tx, &payee)).await
    }

    /// Names an origin in the person's words; none takes the name away.
    pub async fn label_payee(&self, origin: Origin, label: Option<String>) -> Result<(), VaultError> {
        self.0.change(move |tx| verb::label(tx, origin.as_str(), label.as_deref())).await
    }

    /// What was judged since a moment, oldest first, and whether that is all: of more than `most` payments the latest are read.
    pub async fn past(&self, since: Millis, most: usize) -> Result<(Vec<Past>, bool), VaultError> {
        let own = self.clone();
        aside(move || own.0.look_back(|conn| verb::past(conn, since, most))).await?
    }
}
