//! One HTTP request, bounded in every direction.

use countersign_core::origin::Origin;
use reqwest::{Client, ClientBuilder, Method, Response, dns::Resolve, header, redirect::Policy};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use url::{Host, Url};

use super::{
    address::is_private,
    inflate::{Body, Bounds, Stop, is_gzip},
    names::{PrivateName, PublicOnly, SystemNames},
};

/// Most redirects an unpaid request follows.
const MAX_REDIRECTS: u8 = 5;
/// How much of a 402 body is read: so much once unpacked, and no more than so many times what was sent.
const CHALLENGE: Bounds = Bounds { most: 64 * 1024, ratio: Some(100) };
/// How long a 402 body may take.
const CHALLENGE_TIME: Duration = Duration::from_secs(10);

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
    /// Headers in order, lower-case names; values as Latin-1, which every value is.
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

impl Answer {
    /// What a server that is not spoken to in plain HTTP said, put as if it were.
    pub fn told(status: u16, headers: Vec<(String, String)>, body: Vec<u8>, url: Url) -> Self {
        let now = Instant::now();
        Self { status, headers, body, too_large: false, url, redirected: false, asked: now, heard: now }
    }
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
        Self::with_names(allowed, limits, Arc::new(SystemNames))
    }

    fn with_names(
        allowed: impl IntoIterator<Item = String>,
        limits: WireLimits,
        names: Arc<dyn Resolve>,
    ) -> Result<Self, reqwest::Error> {
        let allowed: Arc<BTreeSet<String>> = Arc::new(allowed.into_iter().collect());
        let client = client(&allowed, names).no_gzip().timeout(limits.timeout).build()?;
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
        // A request has one header of a name; where both want it, it carries the money.
        headers.retain(|(name, _)| credential.iter().all(|(taken, _)| !taken.eq_ignore_ascii_case(name)));
        headers.extend_from_slice(credential);
        self.send(request.method, at, &headers, request.body).await
    }

    /// A request of ours: sent once, never redirected, by whatever method.
    pub async fn ask_once(&self, request: &Outgoing<'_>) -> Result<Answer, WireError> {
        self.send(request.method, request.url, request.headers, request.body).await
    }

    /// The same way out for answers that are never larger than this.
    #[must_use]
    pub fn narrowed(&self, most: usize) -> Self {
        let max_response_bytes = self.limits.max_response_bytes.min(most);
        Self { limits: WireLimits { max_response_bytes, ..self.limits }, ..self.clone() }
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
        let mut request = self.client.request(method, url.clone()).header(header::ACCEPT_ENCODING, "gzip");
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

    /// The client behind this way out, for a protocol that speaks HTTP itself. It follows no redirect and connects to public
    /// addresses only; which URL it is given has to pass [`Self::check`] first. It has no time limit of its own for an answer.
    pub fn bare(&self) -> Result<Client, reqwest::Error> {
        client(&self.allowed, Arc::new(SystemNames)).build()
    }

    /// https only, public only; a host the person allowed may be both private and http.
    ///
    /// # Errors
    /// [`WireError::Private`].
    pub fn check(&self, url: &Url) -> Result<(), WireError> {
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

    async fn read(&self, response: Response, url: &Url, asked: Instant) -> Result<Answer, WireError> {
        let heard = Instant::now();
        let status = response.status().as_u16();
        let encoding = response.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let encoding = encoding.map(str::to_owned);
        let unpacked = encoding.as_deref().is_some_and(is_gzip);
        let told = |name: &header::HeaderName| {
            !unpacked || (*name != header::CONTENT_ENCODING && *name != header::CONTENT_LENGTH)
        };
        let headers = response.headers().iter().filter(|(name, _)| told(name));
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), latin1(value.as_bytes()))).collect();
        let read = if status == 402 {
            let body = whole(response, Body::of(encoding.as_deref(), CHALLENGE), url);
            let late = || WireError::Unreachable(format!("{} does not send its price in time", shown(url)));
            tokio::time::timeout(CHALLENGE_TIME, body).await.map_err(|_| late())?
        } else {
            let bounds = Bounds { most: self.limits.max_response_bytes, ratio: None };
            whole(response, Body::of(encoding.as_deref(), bounds), url).await
        };
        let body = read?;
        let too_large = body.is_none();
        let body = body.unwrap_or_default();
        Ok(Answer { status, headers, body, too_large, url: url.clone(), redirected: false, asked, heard })
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn client(allowed: &Arc<BTreeSet<String>>, names: Arc<dyn Resolve>) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .dns_resolver(Arc::new(PublicOnly::new(allowed.clone(), names)))
}

/// Reads a body to its end; none if it is larger than its bounds.
async fn whole(mut response: Response, mut body: Body, url: &Url) -> Result<Option<Vec<u8>>, WireError> {
    let stopped = |stop| match stop {
        Stop::TooLarge => Ok(None),
        Stop::Broken => Err(WireError::Unreachable(format!("{} sends what cannot be unpacked", shown(url)))),
    };
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_text(&error, url))? {
        if let Err(stop) = body.take(&chunk) {
            return stopped(stop);
        }
    }
    body.end().map_or_else(stopped, |bytes| Ok(Some(bytes)))
}

/// Where a redirect leads, if the answer is one.
fn redirect_target(answer: &Answer, at: &Url) -> Option<Url> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // An address in other letters than ASCII is none: which bytes they stand for is anybody's guess.
    let location = answer.headers.iter().find(|(name, _)| name == "location").filter(|(_, to)| to.is_ascii())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::names::tests::Table;

    fn limits() -> WireLimits {
        WireLimits { max_response_bytes: 1024, timeout: Duration::from_secs(5) }
    }

    async fn ask(wire: &Wire, url: &str) -> Result<Answer, WireError> {
        let url = Url::parse(url).unwrap();
        wire.ask(&Outgoing { method: "GET", url: &url, headers: &[], body: &[] }).await
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_not_fetched() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let inside = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", "0.0.0.0"];
        let names = inside.iter().enumerate().map(|(n, address)| (format!("inside-{n}.example"), vec![*address]));
        let wire = Wire::with_names([], limits(), Arc::new(Table::of(names))).unwrap();
        for (n, address) in inside.iter().enumerate() {
            let url = format!("https://inside-{n}.example:{port}/");
            let refused = ask(&wire, &url).await.unwrap_err();
            assert_eq!(refused, WireError::Private(format!("https://inside-{n}.example:{port}")), "{address}");
        }
        assert!(listener.accept().is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn a_credential_takes_the_place_of_the_callers_header_of_its_name_and_any_value_is_read() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = vec![0; 4096];
            let n = std::io::Read::read(&mut stream, &mut head).unwrap();
            let answer = b"HTTP/1.1 402 Payment Required\r\nX: caf\xe9\r\nX: two\r\nContent-Length: 0\r\n\r\n";
            std::io::Write::write_all(&mut stream, answer).unwrap();
            String::from_utf8_lossy(&head[..n]).to_lowercase()
        });
        let wire = Wire::new(["127.0.0.1".to_owned()], limits()).unwrap();
        let own = [("authorization", "Bearer own"), ("x-own", "kept")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let outgoing = Outgoing { method: "GET", url: &url, headers: &own, body: &[] };
        let credential = [("Authorization".to_owned(), "Payment abc".to_owned())];
        let answer = wire.ask_paid(&outgoing, &url, &credential).await.unwrap();
        let head = heard.join().unwrap();
        assert!(head.contains("authorization: payment abc") && head.contains("x-own: kept"), "{head}");
        assert!(!head.contains("bearer"), "{head}");
        let values: Vec<&str> = answer.headers.iter().filter(|(n, _)| n == "x").map(|(_, v)| v.as_str()).collect();
        assert_eq!(values, ["caf\u{e9}", "two"]);
    }

    #[test]
    fn a_redirect_leads_where_plain_letters_say_and_nowhere_else() {
        let at = Url::parse("https://a.example/x").unwrap();
        let target = |to: &str| {
            let headers = vec![("location".to_owned(), to.to_owned())];
            redirect_target(&Answer::told(302, headers, Vec::new(), at.clone()), &at).map(String::from)
        };
        assert_eq!(target("/y#z").as_deref(), Some("https://a.example/y"));
        assert_eq!(target("https://b.example/").as_deref(), Some("https://b.example/"));
        for odd in ["https://b\u{e9}.example/", "/caf\u{c3}\u{a9}"] {
            assert_eq!(target(odd), None, "{odd}");
        }
    }

    #[tokio::test]
    async fn a_name_may_be_private_only_where_a_person_allowed_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            std::io::Read::read(&mut stream, &mut [0; 1024]).unwrap();
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
        });
        let names = ["mine.example", "other.example"].map(|name| (name.to_owned(), vec!["127.0.0.1"]));
        let wire = Wire::with_names(["mine.example".to_owned()], limits(), Arc::new(Table::of(names))).unwrap();
        assert_eq!(ask(&wire, &format!("http://mine.example:{port}/")).await.unwrap().body, b"hi");
        let refused = ask(&wire, &format!("https://other.example:{port}/")).await;
        assert!(matches!(refused, Err(WireError::Private(_))), "{refused:?}");
    }
}
