//! What stands between the guard and the MCP library: the same strict JSON as `/v1`, the rate, and which era speaks.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use countersign_desk::problem::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::delivery::Delivery;
use crate::{
    alipay,
    http::{Pace, ProblemResponse, body},
};

/// A tool's arguments as they were sent, so that a seller's challenge passes through without being written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments(pub String);

/// The header that names a session of the older era.
pub const SESSION: &str = "mcp-session-id";
/// The header that names a revision; revisions are dates, so they compare as text.
const REVISION: &str = "mcp-protocol-version";
/// The first revision without sessions.
const SESSIONLESS_SINCE: &str = "2026-07-28";

/// Who has to answer a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// The newer era: every request stands alone.
    Modern,
    /// The older era, in a session or to begin one.
    Session,
    /// The older era by a client that keeps no session.
    Sessionless,
}

impl Opening {
    fn of(headers: &HeaderMap, call: &Call<'_>, posted: bool) -> Self {
        let named = headers.get(REVISION).and_then(|revision| revision.to_str().ok());
        if call.method == "initialize" {
            Self::Session
        } else if call.is_modern() || named.is_some_and(|revision| revision >= SESSIONLESS_SINCE) {
            Self::Modern
        } else if headers.contains_key(SESSION) || !posted {
            Self::Session
        } else {
            Self::Sessionless
        }
    }
}

/// Reads a POST strictly, keeps the arguments of a tool call beside it, and says who has to answer.
pub async fn front(mut request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        let opening = Opening::of(request.headers(), &Call::default(), false);
        request.extensions_mut().insert(opening);
        return next.run(request).await;
    }
    match read(request).await {
        Ok(mut request) => {
            let delivery = Delivery::default();
            request.extensions_mut().insert(delivery.clone());
            next.run(request).await.map(|body| delivery.watch(body))
        }
        Err(problem) => ProblemResponse(problem).into_response(),
    }
}

async fn read(request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let bytes = body::strict(&parts.headers, body).await?;
    let call = Call::read(&bytes);
    // The guard leaves the rate of /mcp to us: a repeat of a known key is free, and only its tool can tell.
    if let (Some(pace), false) = (parts.extensions.get::<Pace>(), call.moves_money()) {
        pace.check()?;
    }
    parts.extensions.insert(call.arguments());
    parts.extensions.insert(Opening::of(&parts.headers, &call, true));
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// As much of a JSON-RPC message as is needed here.
#[derive(Debug, Default, Deserialize)]
struct Call<'a> {
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Debug, Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
struct Meta {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    revision: Option<serde::de::IgnoredAny>,
}

impl<'a> Call<'a> {
    /// Whatever is no such message is the library's to refuse.
    fn read(bytes: &'a [u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    fn moves_money(&self) -> bool {
        let name = self.params.as_ref().and_then(|params| params.name.as_deref());
        self.method == "tools/call" && name.is_some_and(|name| matches!(name, "fetch" | "pay") || alipay::is_ours(name))
    }

    /// Only the newer era names its revision in each request, and only it has `server/discover`.
    fn is_modern(&self) -> bool {
        let meta = self.params.as_ref().and_then(|params| params.meta).map(RawValue::get);
        let meta: Meta = meta.and_then(|meta| serde_json::from_str(meta).ok()).unwrap_or_default();
        self.method == "server/discover" || meta.revision.is_some()
    }

    fn arguments(&self) -> Arguments {
        let sent = self.params.as_ref().and_then(|params| params.arguments);
        Arguments(sent.map_or("{}", RawValue::get).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_kept_as_they_were_sent() {
        let sent = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"challenge":{"n":1.0e3}},"_meta":{}}}"#;
        let call = Call::read(sent);
        assert!(call.moves_money());
        assert_eq!(call.arguments(), Arguments(r#"{"challenge":{"n":1.0e3}}"#.to_owned()));
    }

    #[test]
    fn only_fetch_and_pay_move_money() {
        for (text, moves) in [
            (r#"{"method":"tools/call","params":{"name":"fetch"}}"#, true),
            (r#"{"method":"tools\/call","params":{"name":"f\u0065tch","arguments":{}}}"#, true),
            (r#"{"method":"tools/call","params":{"name":"get_payment"}}"#, false),
            (r#"{"method":"tools/list","params":{"name":"fetch"}}"#, false),
            (r#"{"method":"ping"}"#, false),
            (r#"[{"method":"tools/call","params":{"name":"fetch"}}]"#, false),
            (r#"{"method":7,"params":[]}"#, false),
            ("", false),
        ] {
            assert_eq!(Call::read(text.as_bytes()).moves_money(), moves, "{text}");
        }
    }

    #[test]
    fn the_era_is_told_by_the_request_itself() {
        let none = HeaderMap::new();
        let with =
            |name: &'static str, value: &str| HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let session = with(SESSION, "s");
        let call = r#"{"method":"tools/call","params":{"name":"fetch"}}"#;
        let modern =
            r#"{"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        for (headers, text, posted, opening) in [
            (&none, r#"{"method":"initialize","params":{"_meta":{}}}"#, true, Opening::Session),
            (&none, modern, true, Opening::Modern),
            (&session, modern, true, Opening::Modern),
            (&none, r#"{"method":"server/discover"}"#, true, Opening::Modern),
            (&with(REVISION, "2026-07-28"), call, true, Opening::Modern),
            (&with(REVISION, "2025-11-25"), call, true, Opening::Sessionless),
            (&session, call, true, Opening::Session),
            (&none, call, true, Opening::Sessionless),
            (&none, r#"{"method":"ping","params":{"_meta":7}}"#, true, Opening::Sessionless),
            (&none, "", false, Opening::Session),
            (&with(REVISION, "2026-07-28"), "", false, Opening::Modern),
        ] {
            assert_eq!(Opening::of(headers, &Call::read(text.as_bytes()), posted), opening, "{text} {headers:?}");
        }
    }

    #[test]
    fn a_call_without_arguments_has_none() {
        let call = Call::read(br#"{"method":"tools/call","params":{"name":"get_budget"}}"#);
        assert_eq!(call.arguments(), Arguments("{}".to_owned()));
    }
}
