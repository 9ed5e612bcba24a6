//! What is kept of a login: in the vault's key store and in memory, nowhere else, bound to one address and one issuer.

use anyhow::bail;
use async_trait::async_trait;
use countersign_vault::{Vault, keys::Secret};
use rmcp::transport::auth::{AuthError, CredentialStore, StoredCredentials};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;
use zeroize::Zeroizing;

use crate::gateway::Name;

const VERSION: u8 = 1;

/// One login. It has no `Debug`: tokens are in it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Record {
    version: u8,
    /// The upstream's address. A token goes nowhere else.
    at: String,
    /// What the authorization server gave us to prove who we are.
    pub client_secret: Option<String>,
    /// Tokens, their scopes, our name there, and the issuer of all that.
    pub credentials: StoredCredentials,
}

/// The login of one upstream, if there is one, from here until it is closed: by a logout, or with its upstream. What was begun
/// before that and ends later keeps nothing.
#[derive(Clone)]
pub struct Kept(Arc<Inner>);

struct Inner {
    vault: Vault,
    name: Name,
    at: Url,
    record: Mutex<Option<Record>>,
    /// Held while the store is written; whether nothing may be written any more.
    closed: tokio::sync::Mutex<bool>,
}

impl Kept {
    /// Of this upstream. Nothing is read yet.
    pub fn new(vault: Vault, name: Name, at: Url) -> Self {
        Self(Arc::new(Inner { vault, name, at, record: Mutex::default(), closed: tokio::sync::Mutex::default() }))
    }

    /// What is in memory.
    pub fn record(&self) -> Option<Record> {
        self.lock().clone()
    }

    /// What is in memory, else what is in the store: memory may be ahead of a store that failed.
    pub async fn known(&self) -> anyhow::Result<Option<Record>> {
        match self.record() {
            Some(record) => Ok(Some(record)),
            None => self.read().await,
        }
    }

    /// Reads what is in the store. A login at another address is none.
    async fn read(&self) -> anyhow::Result<Option<Record>> {
        let closed = self.0.closed.lock().await;
        if *closed {
            return Ok(None);
        }
        let found = self.0.vault.login(self.0.name.as_str()).await?;
        let record = found.and_then(|text| serde_json::from_slice::<Record>(text.expose()).ok());
        let record = record.filter(|record| record.version == VERSION && record.at == self.0.at.as_str());
        self.lock().clone_from(&record);
        Ok(record)
    }

    /// Keeps a login, with what it was made with.
    pub async fn keep(&self, credentials: StoredCredentials, client_secret: Option<String>) -> anyhow::Result<()> {
        let closed = self.0.closed.lock().await;
        if *closed {
            bail!("the login was forgotten meanwhile");
        }
        let record = Record { version: VERSION, at: self.0.at.as_str().to_owned(), client_secret, credentials };
        // Memory first: what the server has replaced must not be sent again, even where the store fails.
        *self.lock() = Some(record.clone());
        let text = Zeroizing::new(serde_json::to_vec(&record)?);
        Ok(self.0.vault.keep_login(self.0.name.as_str(), Secret::copy_of(&text)).await?)
    }

    /// Forgets it, here and there.
    pub async fn forget(&self) -> anyhow::Result<()> {
        let closed = self.0.closed.lock().await;
        *self.lock() = None;
        if *closed {
            return Ok(());
        }
        Ok(self.0.vault.forget_login(self.0.name.as_str()).await?)
    }

    /// Forgets it, and keeps nothing from here on.
    pub async fn close(&self) -> anyhow::Result<()> {
        let mut closed = self.0.closed.lock().await;
        *closed = true;
        *self.lock() = None;
        Ok(self.0.vault.forget_login(self.0.name.as_str()).await?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Record>> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CredentialStore for Kept {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        Ok(self.record().map(|record| record.credentials))
    }

    /// What a refresh brought: other tokens for the same client.
    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let secret = self.record().and_then(|record| record.client_secret);
        self.keep(credentials, secret).await.map_err(|error| AuthError::CredentialStoreError(error.to_string()))
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.forget().await.map_err(|error| AuthError::CredentialStoreError(error.to_string()))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use countersign_core::{Millis, policy::Policy, registry::Registry};
    use countersign_vault::{
        ManualClock, Open,
        keys::{Keys, memory::MemoryStore},
    };
    use serde_json::json;

    /// A vault with nothing in it.
    pub fn vault(dir: &std::path::Path) -> Vault {
        let clock = Arc::new(ManualClock::new(Millis(1_795_000_000_000)));
        let policy = Policy::preset("everyday", "USD").unwrap();
        let keys = Keys::start(Box::new(MemoryStore::new()));
        let open = Open::new(dir.join("data"), clock, keys, Arc::new(Registry::builtin("USD")), policy);
        Vault::open(Open { min_free_bytes: 0, ..open }).unwrap()
    }

    pub fn credentials(client: &str, issuer: &str) -> StoredCredentials {
        serde_json::from_value(json!({
            "client_id": client, "token_response": {"access_token": "t", "token_type": "bearer"}, "issuer": issuer,
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn a_refresh_that_ends_after_a_logout_keeps_nothing_and_takes_nothing_from_the_next_login() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault(dir.path());
        let at = Url::parse("https://mail.example/mcp").unwrap();
        let new = || Kept::new(vault.clone(), "mail".parse().unwrap(), at.clone());
        let (before, after) = (new(), new());
        before.keep(credentials("one", "https://as.example"), None).await.unwrap();
        assert!(after.known().await.unwrap().is_some());
        before.close().await.unwrap();
        assert!(before.save(credentials("one", "https://as.example")).await.is_err());
        assert!(before.record().is_none() && new().known().await.unwrap().is_none());
        after.keep(credentials("two", "https://as.example"), None).await.unwrap();
        before.clear().await.unwrap();
        assert!(new().known().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn memory_is_ahead_of_a_store_that_has_something_older() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault(dir.path());
        let at = Url::parse("https://mail.example/mcp").unwrap();
        let new = || Kept::new(vault.clone(), "mail".parse().unwrap(), at.clone());
        let (ours, other) = (new(), new());
        ours.keep(credentials("newer", "https://as.example"), None).await.unwrap();
        other.keep(credentials("older", "https://as.example"), None).await.unwrap();
        assert_eq!(ours.known().await.unwrap().unwrap().credentials.client_id, "newer");
    }
}
