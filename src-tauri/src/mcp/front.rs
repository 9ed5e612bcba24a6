//! What stands between the guard and the MCP library: the same strict JSON as `/v1`, and the rate.

use axum::{
    body::Body,
    extract::Request,
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use countersign_desk::problem::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use crate::http::{Pace, ProblemResponse, body};

/// A tool's arguments as they were sent, so that a seller's challenge passes through without being written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments(pub String);

/// Reads a POST strictly and keeps the arguments of a tool call beside it.
pub async fn front(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match read(request).await {
        Ok(request) => next.run(request).await,
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
}

impl<'a> Call<'a> {
    /// Whatever is no such message is the library's to refuse.
    fn read(bytes: &'a [u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    fn moves_money(&self) -> bool {
        let name = self.params.as_ref().and_then(|params| params.name.as_deref());
        self.method == "tools/call" && matches!(name, Some("fetch" | "pay"))
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
    fn a_call_without_arguments_has_none() {
        let call = Call::read(br#"{"method":"tools/call","params":{"name":"get_budget"}}"#);
        assert_eq!(call.arguments(), Arguments("{}".to_owned()));
    }
}
