//! What is kept of a login: in the vault's key store and in memory, nowhere else, bound to one address and one issuer.

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

/// The login of one upstream, if there is one.
#[derive(Clone)]
pub struct Kept(Arc<Inner>);

struct Inner {
    vault: Vault,
    name: Name,
    at: Url,
    record: Mutex<Option<Record>>,
}

impl Kept {
    /// Of this upstream. Nothing is read yet.
    pub fn new(vault: Vault, name: Name, at: Url) -> Self {
        Self(Arc::new(Inner { vault, name, at, record: Mutex::default() }))
    }

    /// What is in memory.
    pub fn record(&self) -> Option<Record> {
        self.lock().clone()
    }

    /// Reads what is in the store. A login at another address is none.
    pub async fn read(&self) -> anyhow::Result<Option<Record>> {
        let found = self.0.vault.login(self.0.name.as_str()).await?;
        let record = found.and_then(|text| serde_json::from_slice::<Record>(text.expose()).ok());
        let record = record.filter(|record| record.version == VERSION && record.at == self.0.at.as_str());
        self.lock().clone_from(&record);
        Ok(record)
    }

    /// Keeps a login, with what it was made with.
    pub async fn keep(&self, credentials: StoredCredentials, client_secret: Option<String>) -> anyhow::Result<()> {
        let record = Record { version: VERSION, at: self.0.at.as_str().to_owned(), client_secret, credentials };
        // Memory first: what the server has replaced must not be sent again, even where the store fails.
        *self.lock() = Some(record.clone());
        let text = Zeroizing::new(serde_json::to_vec(&record)?);
        Ok(self.0.vault.keep_login(self.0.name.as_str(), Secret::copy_of(&text)).await?)
    }

    /// Forgets it, here and there.
    pub async fn forget(&self) -> anyhow::Result<()> {
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
