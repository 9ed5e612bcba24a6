//! Reads a JSON body strictly: content type, size, depth, duplicate keys, types; in that order.

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, header},
};
use countersign_desk::{
    problem::{Code, Problem},
    strict::check,
};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Largest body.
pub const MAX_BODY: usize = 1024 * 1024;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Reads and checks a whole JSON body.
pub async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = strict(&parts.headers, body).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(Code::BadRequest, format!("the body is not as expected: {error}")))
}

/// The bytes of a body that is JSON as we accept it, whatever its members are.
pub async fn strict(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Code::UnsupportedMediaType, "the body must be sent as application/json"));
    }
    let bytes = read(body).await?;
    check(&bytes)?;
    Ok(bytes)
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::TooLarge, "the body is larger than 1 MiB");
    if usize::try_from(body.size_hint().lower()).map_or(true, |least| least > MAX_BODY) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if std::error::Error::source(&error).is_some_and(|e| e.to_string().contains("length limit")) => {
            Err(too_large())
        }
        Ok(Err(_)) => Err(Problem::new(Code::BadRequest, "the body did not arrive whole")),
        Err(_) => Err(Problem::new(Code::BadRequest, "the body did not arrive within 5 seconds")),
    }
}
