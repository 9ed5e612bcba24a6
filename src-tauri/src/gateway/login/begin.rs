//! One login, in the order in which it happens: found, shown to the person, registered, opened in the browser, exchanged.

use anyhow::{Context as _, bail};
use countersign_core::{approval::Said, origin::Origin, text::clean};
use countersign_desk::wire::Wire;
use countersign_vault::keys::Secret;
use rmcp::{
    ServiceError,
    model::{ClientCapabilities, ClientRequest, RequestMetaObject, RequestOptionalParam},
    transport::{
        AuthorizationManager,
        auth::{AuthorizationCallback, AuthorizationMetadata, CredentialStore as _, InMemoryCredentialStore},
    },
};
use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
};
use tokio::sync::{OwnedMutexGuard, mpsc};
use url::Url;

use super::{
    Challenge, Login,
    callback::{Callback, one},
    configure,
    kept::Kept,
};
use crate::gateway::{
    Target,
    line::{Behalf, Line},
    mail::BOX,
    toll::{Booth, Toll},
};

/// Most parts of an error that are told.
const PARTS: usize = 8;
/// What authorization servers show the person as our name.
const OURSELVES: &str = "Countersign";

/// Who we are to an authorization server.
pub enum Introduced {
    /// Nobody it knows: by this document of ours if it takes one, else we register.
    Fresh(Option<Url>),
    /// Known under a name and perhaps a secret that the person was given.
    Known(String, Option<Secret>),
}

/// A login that could begin.
pub struct Found {
    login: Arc<Login>,
    kept: Kept,
    manager: AuthorizationManager,
    metadata: AuthorizationMetadata,
    scopes: Vec<String>,
    page: Url,
    former: Option<String>,
    _alone: OwnedMutexGuard<()>,
}

impl Found {
    /// Asks the upstream, and whom it names.
    pub(super) async fn find(login: Arc<Login>) -> anyhow::Result<Self> {
        let Ok(alone) = login.under_way.clone().try_lock_owned() else {
            bail!("a login at {} is under way already", login.name)
        };
        let place = login.kept();
        let kept = place.known().await?.map(|record| record.credentials);
        let heard = login.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let challenge = match heard {
            Some(challenge) => Some(challenge),
            None => login.provoked().await?,
        };
        let manager = login.nobody().await?;
        let found = manager.resolve_metadata_from_challenge(challenge.as_ref().map(|it| it.header.as_str())).await;
        let found = found.map_err(why).context("finding the authorization server")?;
        if !found.source.is_discovered() {
            bail!("{} says of no authorization server; there is nowhere to log in", login.name);
        }
        let page = fit(&found.metadata, &login.wire)?;
        let mut manager = manager;
        manager.set_metadata(found.metadata.clone());
        let asked = manager.select_initial_scopes(&[]).await;
        let same = kept.as_ref().is_some_and(|kept| kept.issuer == found.metadata.issuer);
        let former = kept.as_ref().filter(|_| !same).and_then(|kept| kept.issuer.clone());
        // What there was already stays; more is asked for, never instead.
        let mut scopes = kept.filter(|_| same).map(|kept| kept.granted_scopes).unwrap_or_default();
        scopes.extend(asked);
        let mut seen = HashSet::new();
        scopes.retain(|scope| seen.insert(scope.clone()));
        Ok(Self { login, kept: place, manager, metadata: found.metadata, scopes, page, former, _alone: alone })
    }

    /// What the person is asked, and what it comes to.
    pub fn question(&self) -> (Said, Vec<Said>) {
        let title = Said::AskLogin { upstream: self.login.name.to_string() };
        let issuer = self.metadata.issuer.as_deref().unwrap_or_default();
        let mut lines = vec![
            Said::Browser { host: host(&self.page) },
            Said::Issuer { issuer: clean(issuer) },
            Said::Server { url: clean(self.login.at.as_str()) },
        ];
        if let Some(former) = &self.former {
            lines.push(Said::FormerLogin { issuer: clean(former) });
        }
        lines.push(match self.scopes.as_slice() {
            [] => Said::NoScope {},
            scopes => Said::Scopes { scopes: clean(&scopes.join(" ")) },
        });
        lines.push(Said::LoginShared {});
        (title, lines)
    }

    /// Makes us known, and says which page to open.
    pub async fn begin(self, introduced: Introduced) -> anyhow::Result<UnderWay> {
        let Self { login, kept, mut manager, metadata, scopes, _alone: alone, .. } = self;
        let callback = Callback::open().await?;
        let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let takes_documents = metadata.additional_fields.get("client_id_metadata_document_supported");
        let takes_documents = takes_documents.and_then(serde_json::Value::as_bool) == Some(true);
        let at = callback.redirect();
        let secret = match introduced {
            Introduced::Known(id, secret) => {
                let secret = secret.map(|secret| std::str::from_utf8(secret.expose()).map(str::to_owned)).transpose();
                let secret = secret.context("a client secret is text")?;
                configure(&mut manager, metadata, id, secret.clone(), at)?;
                secret
            }
            Introduced::Fresh(Some(document)) if takes_documents => {
                configure(&mut manager, metadata, document.into(), None, at)?;
                None
            }
            Introduced::Fresh(_) if metadata.registration_endpoint.is_none() => {
                bail!("the authorization server takes no stranger: get a client id there and say `--client-id ID`")
            }
            Introduced::Fresh(_) => {
                let registered = manager.register_client(OURSELVES, at, &names).await.map_err(why);
                registered.context("registering at the authorization server")?.client_secret
            }
        };
        // Until the answer is there, what was kept before stays.
        let fresh = InMemoryCredentialStore::new();
        manager.set_credential_store(fresh.clone());
        let page: Url = manager.get_authorization_url(&names).await.map_err(why)?.parse()?;
        let state = one(&page, "state").context("the page has no state")?;
        Ok(UnderWay { login, kept, manager, fresh, secret, callback, page, state, _alone: alone })
    }
}

/// A login the browser is at.
pub struct UnderWay {
    login: Arc<Login>,
    kept: Kept,
    manager: AuthorizationManager,
    fresh: InMemoryCredentialStore,
    secret: Option<String>,
    callback: Callback,
    page: Url,
    state: String,
    _alone: OwnedMutexGuard<()>,
}

impl UnderWay {
    /// What the browser opens.
    pub fn page(&self) -> &Url {
        &self.page
    }

    /// Waits for the browser, and keeps what it brings; the scopes that were granted.
    pub async fn end(self) -> anyhow::Result<Vec<String>> {
        let answer = self.callback.answer(self.state).await?;
        let answer = AuthorizationCallback::from_redirect_url(answer.as_str()).map_err(why)?;
        let exchanged = self.manager.exchange_code_for_token_with_issuer(
            &answer.code,
            &answer.csrf_token,
            answer.issuer.as_deref(),
        );
        exchanged.await.map_err(why)?;
        let got = self.fresh.load().await?.context("the authorization server gave nothing")?;
        let scopes = got.granted_scopes.clone();
        self.login.begins(self.kept, got, self.secret, self.manager).await?;
        Ok(scopes)
    }
}

impl Login {
    /// What the upstream says to somebody without a login; none if it lets them in.
    async fn provoked(&self) -> anyhow::Result<Option<Challenge>> {
        let stranger = super::Client::new(Toll::new(self.wire.bare()?), self.stranger().await?);
        let behalf = Behalf { capabilities: ClientCapabilities::default(), session: None };
        let line = match Line::open_as(&Target::Url(self.at.clone()), &self.wire, Some(stranger), &behalf).await {
            Ok(line) => line,
            Err(error) => return Challenge::of(error.as_ref()).map(Some).ok_or(error).context("reaching the upstream"),
        };
        let request = ClientRequest::ListToolsRequest(RequestOptionalParam::default());
        let (to, _unread) = mpsc::channel(BOX);
        match line.call(request, RequestMetaObject::default(), to, &Booth::default(), std::future::pending()).await {
            Err(error @ ServiceError::TransportSend(_)) => Ok(Challenge::of(&error)),
            _ => Ok(None),
        }
    }

    /// Somebody without a login, who gets none.
    async fn stranger(&self) -> anyhow::Result<AuthorizationManager> {
        let mut manager = self.nobody().await?;
        manager.set_credential_store(InMemoryCredentialStore::new());
        Ok(manager)
    }
}

/// Whether this authorization server can be used: it names itself, offers PKCE with S256, and is nowhere we must not go.
/// The page where people log in.
pub fn fit(metadata: &AuthorizationMetadata, wire: &Wire) -> anyhow::Result<Url> {
    if metadata.issuer.is_none() {
        bail!("the authorization server does not say who it is");
    }
    let methods = metadata.code_challenge_methods_supported.iter().flatten();
    if !methods.into_iter().any(|method| method == "S256") {
        bail!("the authorization server does not offer PKCE with S256");
    }
    let allowed = |address: &String| -> anyhow::Result<Url> {
        let url = Url::parse(address).ok().filter(|url| Origin::of(url).is_ok());
        let url =
            url.with_context(|| format!("the authorization server names {}, which is no web address", clean(address)))?;
        wire.check(&url).context("the authorization server names an address that must not be used")?;
        Ok(url)
    };
    metadata.registration_endpoint.as_ref().map(allowed).transpose()?;
    allowed(&metadata.token_endpoint)?;
    allowed(&metadata.authorization_endpoint)
}

fn host(url: &Url) -> String {
    Origin::of(url).map_or_else(|_| "no website".to_owned(), |origin| origin.to_string())
}

/// The library's error with its reasons, for people.
fn why(error: rmcp::transport::auth::AuthError) -> anyhow::Error {
    let whole = format!("{:#}", anyhow::Error::new(error));
    let parts: Vec<String> = whole.split(": ").take(PARTS).map(clean).collect();
    anyhow::Error::msg(parts.join(": "))
}
