//! HTTP bodies of `/v1/fetch` and `/v1/payments`, which are the arguments of the MCP tools too.
//!
//! What is accepted names no key twice and is at most 32 deep, and what becomes of it is a request that may be made.

use countersign_desk::{
    request::{Act, FetchBody, MAX_WAIT, PayBody, Request},
    strict,
};
use serde_json::Value;

use super::offer::offer;

/// Reads bytes as a body of either kind.
pub fn body(data: &[u8]) -> bool {
    if strict::check(data).is_err() {
        return false;
    }
    let value: Value = serde_json::from_slice(data).expect("what is strict JSON is JSON");
    let (depth, members) = shape(data);
    assert!(depth <= 32, "{depth} deep");
    assert_eq!(members, count(&value), "a key twice");
    let fetch = serde_json::from_slice::<FetchBody>(data).ok().and_then(|body| Request::fetch(body).ok());
    let pay = serde_json::from_slice::<PayBody>(data).ok().and_then(|body| Request::pay(body).ok());
    for request in [&fetch, &pay].into_iter().flatten() {
        may_be_made(request);
    }
    fetch.is_some() || pay.is_some()
}

fn may_be_made(request: &Request) {
    let url = &request.url;
    assert!(matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty()));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    assert!(
        (1..=128).contains(&request.key.as_str().len()) && request.key.as_str().bytes().all(|b| b.is_ascii_graphic())
    );
    assert!(request.wait <= MAX_WAIT && request.method.bytes().all(|b| b.is_ascii_uppercase()));
    match &request.act {
        Act::Fetch { headers, body } => {
            for (name, value) in headers {
                let words = ["host", "connection", "x-payment", "payment-signature", "content-length"];
                assert!(!words.contains(&name.to_ascii_lowercase().as_str()), "{name}");
                assert!(!name.is_empty() && !name.contains([':', ' ']) && !value.contains(['\r', '\n', '\0']));
            }
            assert!(body.is_empty() || !matches!(request.method.as_str(), "GET" | "HEAD"));
        }
        Act::Call { .. } => unreachable!("no body makes a call"),
        Act::Pay { challenge, .. } => {
            assert!(challenge.len() <= 64 * 1024);
            offer(challenge.as_bytes());
        }
    }
}

/// Depth and number of members as they are written, told from the text alone.
fn shape(text: &[u8]) -> (usize, usize) {
    let (mut depth, mut deepest, mut members) = (0_usize, 0, 0);
    let mut bytes = text.iter();
    let mut quoted = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth -= 1,
            b':' if !quoted => members += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    (deepest, members)
}

/// Members that are left when a later one of the same name replaces an earlier one.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(object) => object.len() + object.values().map(count).sum::<usize>(),
        _ => 0,
    }
}
