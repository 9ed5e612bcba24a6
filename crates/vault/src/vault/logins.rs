//! Logins at MCP servers behind us, in the store that keeps the keys. What is in one is its owner's business; here it is bytes.

use super::{Vault, aside, people::told};
use crate::{error::VaultError, keys::Secret};

impl Vault {
    /// The login kept under this upstream's name.
    pub async fn login(&self, upstream: &str) -> Result<Option<Secret>, VaultError> {
        let (keys, entry) = (self.0.shared.keys.clone(), entry_of(upstream));
        aside(move || keys.secret(&entry)).await?.map_err(told)
    }

    /// Keeps a login, instead of the one before.
    pub async fn keep_login(&self, upstream: &str, login: Secret) -> Result<(), VaultError> {
        let (keys, entry) = (self.0.shared.keys.clone(), entry_of(upstream));
        aside(move || keys.set(&entry, login)).await?.map_err(told)
    }

    /// Forgets a login; there need be none.
    pub async fn forget_login(&self, upstream: &str) -> Result<(), VaultError> {
        let (keys, entry) = (self.0.shared.keys.clone(), entry_of(upstream));
        aside(move || keys.delete(&entry)).await?.map_err(told)
    }
}

/// No wallet and no key of the ledger's is called like it.
fn entry_of(upstream: &str) -> String {
    format!("login:{upstream}")
}
