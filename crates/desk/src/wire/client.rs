//! One HTTP request, bounded in every direction.

use countersign_core::origin::Origin;
use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use url::{Host, Url};

use super::address::is_private;

/// Most redirects an unpaid request follows.
const MAX_REDIRECTS: u8 = 5;
/// Most bytes of a 402 body that are read.
const MAX_CHALLENGE: usize = 64 * 1024;

/// How much is read and how long is waited.
#[derive(Debug, Clone, Copy)]
pub struct WireLimits {
    /// Largest body kept.
    pub max_response_bytes: usize,
    /// For one request, from connection to last byte.
    pub timeout: Duration,
}

/// A request about to leave.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Where.
    pub url: &'a Url,
    /// Headers, lower-case names.
    pub headers: &'a [(String, String)],
    /// Body.
    pub body: &'a [u8],
}

/// An answer, wholly read or cut at its limit.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers in order, lower-case names; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// Body; empty if it was larger than the limit.
    pub body: Vec<u8>,
    /// The body was larger than the limit and is not kept.
    pub too_large: bool,
    /// Where the answer came from, after redirects.
    pub url: Url,
    /// It came from another origin than the one asked.
    pub redirected: bool,
    /// When the request left.
    pub asked: Instant,
    /// When the answer's head was there.
    pub heard: Instant,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The address is private, or not encrypted.
    #[error("{0} is a private address, or not https")]
    Private(String),
    /// A redirect that is not followed.
    #[error("the seller redirects to {0}, which is not followed")]
    Redirect(String),
    /// No connection, no answer, a broken answer.
    #[error("{0}")]
    Unreachable(String),
}

/// The way out.
#[derive(Debug, Clone)]
pub struct Wire {
    client: Client,
    allowed: Arc<BTreeSet<String>>,
    limits: WireLimits,
}

impl Wire {
    /// Builds the client. `allowed` hosts may be private and may use http.
    pub fn new(allowed: impl IntoIterator<Item = String>, limits: WireLimits) -> Result<Self, reqwest::Error> {
        let allowed: Arc<BTreeSet<String>> = Arc::new(allowed.into_iter().collect());
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .timeout(limits.timeout)
            .dns_resolver(Arc::new(PublicOnly { allowed: allowed.clone() }))
            .build()?;
        Ok(Self { client, allowed, limits })
    }

    /// An unpaid request: a GET or HEAD follows up to five redirects, each target checked like the first.
    pub async fn ask(&self, request: &Outgoing<'_>) -> Result<Answer, WireError> {
        let mut url = request.url.clone();
        let mut headers = request.headers.to_vec();
        let reads = matches!(request.method, "GET" | "HEAD");
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.send(request.method, &url, &headers, request.body).await?;
            let Some(target) = redirect_target(&answer, &url) else {
                let redirected = url.origin() != request.url.origin();
                return Ok(Answer { redirected, url, ..answer });
            };
            let same = target.origin() == url.origin();
            let keeps_method = same && matches!(answer.status, 307 | 308);
            if !reads && !keeps_method {
                return if same { Ok(answer) } else { Err(WireError::Redirect(shown(&target))) };
            }
            if !same {
                headers.clear();
            }
            url = target;
        }
        Err(WireError::Redirect("more than five places in turn".to_owned()))
    }

    /// A paid request: sent once, never redirected. The caller's own headers stay behind if the payee is another origin than asked.
    pub async fn ask_paid(
        &self,
        request: &Outgoing<'_>,
        at: &Url,
        credential: &[(String, String)],
    ) -> Result<Answer, WireError> {
        let mut headers = if at.origin() == request.url.origin() { request.headers.to_vec() } else { Vec::new() };
        headers.extend_from_slice(credential);
        self.send(request.method, at, &headers, request.body).await
    }

    async fn send(
        &self,
        method: &str,
        url: &Url,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Answer, WireError> {
        self.check(url)?;
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|_| WireError::Unreachable("bad method".to_owned()))?;
        let mut request = self.client.request(method, url.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.body(body.to_vec());
        }
        let asked = Instant::now();
        let response = request.send().await.map_err(|error| unreachable_text(&error, url))?;
        self.read(response, url, asked).await
    }

    /// https only, public only; a host the person allowed may be both private and http.
    fn check(&self, url: &Url) -> Result<(), WireError> {
        let host = url.host_str().unwrap_or_default();
        if self.allowed.contains(host.trim_start_matches('[').trim_end_matches(']')) {
            return Ok(());
        }
        let private = match url.host() {
            Some(Host::Ipv4(ip)) => is_private(ip.into()),
            Some(Host::Ipv6(ip)) => is_private(ip.into()),
            Some(Host::Domain(name)) => local_name(name),
            None => true,
        };
        let web = Origin::of(url).is_ok() && url.scheme() == "https";
        if private || !web { Err(WireError::Private(shown(url))) } else { Ok(()) }
    }

    async fn read(&self, mut response: Response, url: &Url, asked: Instant) -> Result<Answer, WireError> {
        let heard = Instant::now();
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let limit = if status == 402 { MAX_CHALLENGE } else { self.limits.max_response_bytes };
        let mut body = Vec::new();
        let mut too_large = false;
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_text(&error, url))? {
            if body.len().saturating_add(chunk.len()) > limit {
                too_large = true;
                body = Vec::new();
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body, too_large, url: url.clone(), redirected: false, asked, heard })
    }
}

/// Where a redirect leads, if the answer is one.
fn redirect_target(answer: &Answer, at: &Url) -> Option<Url> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers.iter().find(|(name, _)| name == "location")?;
    let mut target = at.join(&location.1).ok()?;
    target.set_fragment(None);
    Some(target)
}

/// Names that mean this machine or this network by convention.
fn local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.')
        || [".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Scheme, host and port; a path or query may be private.
fn shown(url: &Url) -> String {
    Origin::of(url).map_or_else(|_| format!("a {} address", url.scheme()), |origin| origin.to_string())
}

fn unreachable_text(error: &reqwest::Error, url: &Url) -> WireError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(inner) = source {
        if inner.downcast_ref::<PrivateName>().is_some() || inner.to_string() == PrivateName.to_string() {
            return WireError::Private(shown(url));
        }
        last = inner.to_string();
        source = inner.source();
    }
    let what =
        if error.is_timeout() { "does not answer in time".to_owned() } else { format!("cannot be reached: {last}") };
    WireError::Unreachable(format!("{} {what}", shown(url)))
}

#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private address")]
struct PrivateName;

/// Resolves names and keeps the public addresses only, at the moment of connecting, so that a name cannot change in between.
#[derive(Debug)]
struct PublicOnly {
    allowed: Arc<BTreeSet<String>>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed.contains(name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() {
                return Err(Box::new(io::Error::other("no address")) as Box<dyn std::error::Error + Send + Sync>);
            }
            let usable: Vec<SocketAddr> = found.into_iter().filter(|a| allowed || !is_private(a.ip())).collect();
            if usable.is_empty() {
                return Err(Box::new(PrivateName) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}
