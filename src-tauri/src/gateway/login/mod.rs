//! Logging in to upstreams: OAuth as the official library does it, over our own way out, with the tokens in the vault.
//!
//! Nothing an agent brings is ever passed on, no agent sees a token, and a token goes to the one address it was got for.
//! A person sees which server their browser will open before anything is registered there. See docs/adr/0012.

mod begin;
mod callback;
mod kept;
mod need;
mod outside;

pub use begin::{Found, Introduced};
pub use need::Challenge;

use anyhow::{Context as _, bail};
use countersign_desk::wire::Wire;
use countersign_vault::Vault;
use rmcp::{
    ErrorData,
    transport::{
        AuthClient, AuthorizationManager,
        auth::{AuthorizationMetadata, OAuthClientConfig},
    },
};
use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};
use url::Url;

use super::{Gateway, Name, Target, toll::Toll};
use kept::{Kept, Record};
use outside::Outside;

/// The client every connection to an upstream goes through: with the upstream's login, where there is one.
pub type Client = AuthClient<Toll>;

/// The logins of all upstreams.
pub struct Logins {
    vault: Vault,
    wire: Wire,
    all: Mutex<HashMap<Name, Arc<Login>>>,
}

impl Logins {
    /// None is read yet.
    pub fn new(vault: Vault, wire: Wire) -> Self {
        Self { vault, wire, all: Mutex::default() }
    }

    /// The one of this upstream.
    pub fn of(&self, name: &Name, at: &Url) -> Arc<Login> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(login) = all.get(name).filter(|login| login.at == *at) {
            return login.clone();
        }
        let login = Arc::new(Login {
            name: name.clone(),
            at: at.clone(),
            wire: self.wire.clone(),
            kept: Kept::new(self.vault.clone(), name.clone(), at.clone()),
            client: tokio::sync::Mutex::default(),
            heard: Mutex::default(),
            under_way: Arc::default(),
        });
        all.insert(name.clone(), login.clone());
        login
    }

    /// Closes what is open for an upstream that is gone.
    pub fn close(&self, name: &Name) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// One upstream's login, or the place for it. All connections share it, so that what is renewed once is renewed for all.
pub struct Login {
    name: Name,
    at: Url,
    wire: Wire,
    kept: Kept,
    client: tokio::sync::Mutex<Option<Client>>,
    heard: Mutex<Option<Challenge>>,
    under_way: Arc<tokio::sync::Mutex<()>>,
}

impl Login {
    /// What connections are made with.
    ///
    /// # Errors
    /// A login that cannot be read, or whose authorization server cannot be found.
    pub async fn client(&self) -> anyhow::Result<Client> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = Client::new(Toll::new(self.wire.bare()?), self.restored().await?);
        Ok(client.insert(made).clone())
    }

    /// What an agent is told of this error, if it is about a login. The challenge is remembered for the next login.
    pub fn told(&self, error: &(dyn Error + 'static)) -> Option<ErrorData> {
        let challenge = Challenge::of(error)?;
        let granted = self.kept.record().map(|record| record.credentials.granted_scopes).unwrap_or_default();
        let told = challenge.told(&self.name, &self.at, &granted);
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        Some(told)
    }

    /// The library's side of the login that is kept; a server that is not the one it came from ends it.
    async fn restored(&self) -> anyhow::Result<AuthorizationManager> {
        let Some(Record { client_secret, credentials, .. }) = self.kept.read().await? else {
            return self.nobody().await;
        };
        let mut manager = self.nobody().await?;
        let metadata = manager.resolve_metadata().await.map(|found| found.metadata);
        let metadata = metadata.context("finding the authorization server of the login")?;
        if metadata.issuer != credentials.issuer {
            tracing::warn!(upstream = %self.name, "the authorization server is another; its login is forgotten");
            self.kept.forget().await?;
            return Ok(manager);
        }
        begin::fit(&metadata, &self.wire)?;
        configure(&mut manager, metadata, credentials.client_id, client_secret, self.at.as_str())?;
        Ok(manager)
    }

    /// Without a login.
    async fn nobody(&self) -> anyhow::Result<AuthorizationManager> {
        let outside = Arc::new(Outside::new(&self.wire));
        let mut manager = AuthorizationManager::new_with_oauth_http_client(self.at.as_str(), outside).await?;
        manager.set_credential_store(self.kept.clone());
        Ok(manager)
    }

    /// From here on, for open connections too.
    async fn becomes(&self, manager: AuthorizationManager) -> anyhow::Result<()> {
        let mut client = self.client.lock().await;
        match &*client {
            Some(client) => *client.auth_manager.lock().await = manager,
            None => *client = Some(Client::new(Toll::new(self.wire.bare()?), manager)),
        }
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Forgets it: in the store, and in every open connection.
    pub async fn forget(&self) -> anyhow::Result<()> {
        self.kept.forget().await?;
        self.becomes(self.nobody().await?).await
    }
}

/// Who we are at this authorization server.
fn configure(
    manager: &mut AuthorizationManager,
    metadata: AuthorizationMetadata,
    client_id: String,
    secret: Option<String>,
    redirect: &str,
) -> anyhow::Result<()> {
    manager.set_metadata(metadata);
    let known = OAuthClientConfig::new(client_id, redirect);
    let known = secret.into_iter().fold(known, OAuthClientConfig::with_client_secret);
    Ok(manager.configure_client(known)?)
}

impl Gateway {
    /// The login of an upstream; a program has none.
    pub(super) fn login(&self, name: &Name) -> anyhow::Result<Arc<Login>> {
        let entry = self.book()?.get(name).with_context(|| format!("there is no upstream {name}"))?;
        match entry.target {
            Target::Url(url) => Ok(self.logins.of(name, &url)),
            Target::Command(_) => bail!("{name} is a program on this computer and knows no login"),
        }
    }

    /// Finds out where an upstream's login is; nobody is told of it yet.
    ///
    /// # Errors
    /// It wants none, or what it names must not be used.
    pub async fn find_login(&self, name: &Name) -> anyhow::Result<Found> {
        Found::find(self.login(name)?).await
    }

    /// Forgets an upstream's login.
    ///
    /// # Errors
    /// There is no such upstream, or the key store fails.
    pub async fn logout(&self, name: &Name) -> anyhow::Result<()> {
        self.login(name)?.forget().await
    }
}
