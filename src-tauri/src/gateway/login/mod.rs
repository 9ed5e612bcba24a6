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
        auth::{AuthorizationMetadata, OAuthClientConfig, StoredCredentials},
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
            kept: Mutex::new(Kept::new(self.vault.clone(), name.clone(), at.clone())),
            vault: self.vault.clone(),
            client: tokio::sync::Mutex::default(),
            heard: Mutex::default(),
            under_way: Arc::default(),
        });
        all.insert(name.clone(), login.clone());
        login
    }

    /// Closes what is open for an upstream that is gone.
    ///
    /// # Errors
    /// When the key store fails.
    pub async fn close(&self, name: &Name) -> anyhow::Result<()> {
        let gone = self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        match gone {
            Some(login) => login.kept().close().await,
            None => Ok(()),
        }
    }
}

/// One upstream's login, or the place for it. All connections share it, so that what is renewed once is renewed for all.
pub struct Login {
    name: Name,
    at: Url,
    wire: Wire,
    vault: Vault,
    kept: Mutex<Kept>,
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

    /// Whether there is one, as far as it was needed yet.
    pub fn is_known(&self) -> bool {
        self.kept().record().is_some()
    }

    fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What an agent is told of this error, if it is about a login. The challenge is remembered for the next login.
    pub fn told(&self, error: &(dyn Error + 'static)) -> Option<ErrorData> {
        let challenge = Challenge::of(error)?;
        let granted = self.kept().record().map(|record| record.credentials.granted_scopes).unwrap_or_default();
        let told = challenge.told(&self.name, &self.at, &granted);
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        Some(told)
    }

    /// The library's side of the login that is kept; a server that is not the one it came from ends it.
    async fn restored(&self) -> anyhow::Result<AuthorizationManager> {
        let Some(Record { client_secret, credentials, .. }) = self.kept().known().await? else {
            return self.nobody().await;
        };
        let mut manager = self.nobody().await?;
        let found = manager.resolve_metadata().await.context("finding the authorization server of the login")?;
        if !found.source.is_discovered() {
            bail!("the upstream names no authorization server just now; its login is kept until it names one again");
        }
        let metadata = found.metadata;
        if metadata.issuer != credentials.issuer {
            tracing::warn!(upstream = %self.name, "the authorization server is another; its login is forgotten");
            self.kept().forget().await?;
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
        manager.set_credential_store(self.kept());
        Ok(manager)
    }

    /// Keeps a new login, unless the place for it was closed since it began. It is used from here on, in open connections too.
    async fn begins(
        &self,
        kept: Kept,
        credentials: StoredCredentials,
        secret: Option<String>,
        mut manager: AuthorizationManager,
    ) -> anyhow::Result<()> {
        let mut client = self.client.lock().await;
        kept.keep(credentials, secret).await.context("keeping the login")?;
        manager.set_credential_store(kept);
        self.becomes(&mut client, manager).await
    }

    /// From here on, for open connections too.
    async fn becomes(&self, client: &mut Option<Client>, manager: AuthorizationManager) -> anyhow::Result<()> {
        match &*client {
            Some(client) => *client.auth_manager.lock().await = manager,
            None => *client = Some(Client::new(Toll::new(self.wire.bare()?), manager)),
        }
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Forgets it: in the store, in every open connection, and in whatever is under way to renew it or to log in anew.
    pub async fn forget(&self) -> anyhow::Result<()> {
        let mut client = self.client.lock().await;
        let forgotten = self.kept().close().await;
        let next = Kept::new(self.vault.clone(), self.name.clone(), self.at.clone());
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = next;
        self.becomes(&mut client, self.nobody().await?).await?;
        forgotten
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

#[cfg(test)]
mod tests {
    use super::{
        kept::tests::{credentials, vault},
        *,
    };
    use countersign_desk::wire::WireLimits;
    use std::time::Duration;

    #[tokio::test]
    async fn a_login_outlives_an_upstream_that_names_no_authorization_server_for_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = Url::parse(&format!("http://{}/mcp", listener.local_addr().unwrap())).unwrap();
        let empty = tokio::spawn(async move { axum::serve(listener, axum::Router::new()).await });
        let limits = WireLimits { max_response_bytes: 1 << 20, timeout: Duration::from_secs(60) };
        let wire = Wire::new(["127.0.0.1".to_owned()], limits).unwrap();
        let login = Logins::new(vault(dir.path()), wire).of(&"mail".parse().unwrap(), &at);
        login.kept().keep(credentials("one", "https://as.example"), None).await.unwrap();
        assert!(login.client().await.is_err_and(|error| error.to_string().contains("names no authorization server")));
        assert!(login.kept().known().await.unwrap().is_some());
        login.forget().await.unwrap();
        assert!(login.client().await.is_ok() && login.kept().known().await.unwrap().is_none());
        empty.abort();
    }
}
