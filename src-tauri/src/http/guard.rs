//! What stands before every route: Host, Origin, token, rate. Web pages never get past it; nothing is recorded as a payment before it.
//!
//! At the door, which no browser can open and which drops other users unread, Host and Origin are held to be what a bridge
//! sends; token and rate are the same.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Version, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use countersign_core::payment::{AgentName, Caller, Program};
use countersign_desk::problem::{Code, Problem};
use std::sync::Arc;

use super::{App, problem::ProblemResponse, rate::Pace};

/// The page without a token.
pub const OPEN: &str = "/open";
/// The only Host at the door.
pub const AT_THE_DOOR: &str = "countersign";

/// How a connection came in. A request without it counts as one from the port.
#[derive(Debug, Clone)]
pub enum Way {
    /// Over TCP: only the token says who calls.
    Port,
    /// Through the door of this user, and what the system says is behind it.
    Door(Option<Program>),
}

/// The order is fixed: Host 421 → Origin 403 → token 401 → rate 429.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let admitted = admit(&app, &parts).await;
    note(&parts, admitted.as_ref().err());
    let mut request = Request::from_parts(parts, body);
    match admitted {
        Ok(None) => next.run(request).await,
        Ok(Some((caller, pace))) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(pace);
            next.run(request).await
        }
        Err(problem) => {
            let unknown = problem.code == Code::BadToken;
            let mut response = ProblemResponse(problem).into_response();
            if unknown {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

/// One line for every request: what got past the guard, and what did not and why. Never a query, a header or a body.
fn note(request: &Parts, refused: Option<&Problem>) {
    let (method, path) = (&request.method, request.uri.path());
    match refused {
        None => tracing::debug!(http.method = %method, http.path = path, "admitted"),
        Some(problem) => {
            tracing::debug!(http.method = %method, http.path = path, code = problem.code.as_str(), "refused");
        }
    }
}

async fn admit(app: &App, request: &Parts) -> Result<Option<(Caller, Pace)>, Problem> {
    let (hosts, program) = match request.extensions.get::<Way>() {
        Some(Way::Door(program)) => (vec![AT_THE_DOOR.to_owned()], program.clone()),
        Some(Way::Port) | None => (app.port.map(own).into_iter().flatten().collect(), None),
    };
    host(request, &hosts)?;
    let page = request.uri.path() == OPEN;
    origin(&request.headers, &hosts, page)?;
    if page && matches!(request.method, Method::GET | Method::HEAD) {
        return Ok(None);
    }
    let agent = token(app, &request.headers).await?;
    let pace = app.rates.take(&agent, app.desk.now());
    // A repeat of a known key is free: the routes that carry one decide after looking it up.
    if !carries_key(request) {
        pace.check()?;
    }
    if let Some(seen) = &program
        && let Err(error) = app.desk.vault().bind_agent(&agent, &seen.path).await
    {
        tracing::warn!(%error, agent.id = %agent, "an agent could not be bound to its program");
    }
    Ok(Some((app.sessions.caller(agent, program, app.desk.now()), pace)))
}

fn carries_key(request: &Parts) -> bool {
    let path = request.uri.path();
    let carries = || {
        matches!(path, "/v1/fetch" | "/v1/payments" | "/mcp")
            || path.strip_prefix("/v1/alipay/").is_some_and(crate::alipay::is_ours)
    };
    request.method == Method::POST && carries()
}

/// Exactly one Host header, exactly one of our names, and no absolute-form target.
fn host(request: &Parts, ours: &[String]) -> Result<(), Problem> {
    let refuse = || Problem::new(Code::BadHost, format!("the Host header must be one of {}", ours.join(", ")));
    if request.uri.authority().is_some() || request.version == Version::HTTP_2 {
        return Err(refuse());
    }
    let mut hosts = request.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(refuse()) };
    let host = host.to_str().map_err(|_| refuse())?;
    if ours.iter().any(|own| own == host) { Ok(()) } else { Err(refuse()) }
}

/// The three ways to write our address.
pub fn own(port: u16) -> [String; 3] {
    [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")]
}

/// No page calls us: any Origin but our own and any Sec-Fetch-Site is a browser's.
fn origin(headers: &HeaderMap, ours: &[String], page: bool) -> Result<(), Problem> {
    let refuse = || Problem::new(Code::BadOrigin, "requests from web pages are refused");
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().map_err(|_| refuse())?;
        if !ours.iter().any(|own| origin.strip_prefix("http://") == Some(own)) {
            return Err(refuse());
        }
    }
    let fetch = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?").to_owned());
    match (fetch("sec-fetch-site"), page) {
        (None, _) => {}
        (Some(site), true) if site == "none" => {}
        _ => return Err(refuse()),
    }
    match fetch("sec-fetch-dest") {
        Some(dest) if page && dest != "document" => Err(refuse()),
        _ => Ok(()),
    }
}

/// Which agent this token belongs to. A wrong one costs time, never a lock-out.
async fn token(app: &App, headers: &HeaderMap) -> Result<AgentName, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let bearer = match (given.next(), given.next()) {
        (Some(value), None) => {
            value.to_str().ok().and_then(|v| v.strip_prefix("Bearer ").or_else(|| v.strip_prefix("bearer ")))
        }
        _ => None,
    };
    if let Some(agent) = bearer.and_then(|token| app.desk.authenticate(token.trim())) {
        return Ok(agent);
    }
    if app.failures.note(app.desk.now()) {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    Err(Problem::new(
        Code::BadToken,
        if bearer.is_some() { "this token is not known" } else { "no bearer token was sent" },
    ))
}

/// Security headers on everything we answer.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let map = response.headers_mut();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        map.entry(name).or_insert(header::HeaderValue::from_static(value));
    }
    response
}

/// The constant page behind `GET /open`.
pub async fn open_page() -> Response {
    let body = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Countersign</title>\
        <p>Decide in the Countersign window. This page cannot approve anything.</p></html>";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    (StatusCode::OK, headers, body).into_response()
}
