//! Reads a JSON body strictly: content type, size, depth, duplicate keys, types; in that order.

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, header},
};
use countersign_desk::problem::{Code, Problem};
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use std::{collections::HashSet, fmt, time::Duration};

/// Largest body.
pub const MAX_BODY: usize = 1024 * 1024;
const MAX_DEPTH: usize = 32;
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

/// Refuses JSON that is too deep or names a key twice.
pub fn check(bytes: &[u8]) -> Result<(), Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let bad =
        |error: serde_json::Error| Problem::new(Code::BadRequest, format!("the body is not acceptable JSON: {error}"));
    de::DeserializeSeed::deserialize(Strict(0), &mut reader).map_err(bad)?;
    reader.end().map_err(bad)
}

struct Strict(usize);

impl<'de> de::DeserializeSeed<'de> for Strict {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.0 > MAX_DEPTH {
            return Err(de::Error::custom("nested deeper than 32"));
        }
        deserializer.deserialize_any(self)
    }
}

macro_rules! accepts {
    ($($name:ident: $type:ty),*) => { $(fn $name<E>(self, _: $type) -> Result<(), E> { Ok(()) })* };
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    accepts!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Strict(self.0.saturating_add(1)))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Strict(self.0.saturating_add(1)))?;
            if !keys.insert(key) {
                return Err(de::Error::custom("a key stands twice in one object"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_duplicates_and_trailing_text_are_refused() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(check(deep(32).as_bytes()).is_ok());
        assert!(check(deep(33).as_bytes()).is_err());
        assert!(check("[".repeat(100_000).as_bytes()).is_err());
        for bad in [r#"{"a":1,"a":2}"#, r#"{"x":{"a":1,"\u0061":2}}"#, "{} x", "", "{\"a\":}", "\u{feff}{}"] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check(br#"{"a":[{"b":1},{"b":1.5e3}],"c":null,"d":true}"#).is_ok());
    }
}
