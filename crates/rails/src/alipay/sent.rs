//! A signed request as it is sent: common parameters in the address, the content in the body, as the official SDK does.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::rail::Credential;
use serde_json::json;
use url::Url;

const NAME: &str = "alipay";

/// Query and body of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    query: String,
    body: String,
}

impl Sent {
    /// Puts a signature beside the parameters it is of.
    pub fn new(parameters: &[(&str, String)], signature: &[u8]) -> Self {
        let (content, common): (Vec<_>, Vec<_>) = parameters.iter().partition(|(name, _)| *name == "biz_content");
        let pairs = |all: &[&(&str, String)]| {
            all.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect::<Vec<String>>().join("&")
        };
        let query = format!("{}&sign={}", pairs(&common), coded(&STANDARD.encode(signature)));
        Self { query, body: pairs(&content) }
    }

    /// As the desk carries it to whoever sends it.
    pub fn credential(&self) -> Credential {
        let request = json!({"query": self.query, "body": self.body});
        Credential { meta: [(NAME.to_owned(), request)].into_iter().collect(), ..Credential::default() }
    }

    /// Reads [`Self::credential`] back.
    pub fn of(credential: &Credential) -> Option<Self> {
        let request = credential.meta.get(NAME)?;
        let part = |name: &str| request.get(name)?.as_str().map(str::to_owned);
        Some(Self { query: part("query")?, body: part("body")? })
    }

    /// Where it goes, and what is posted there.
    pub fn at(&self, gateway: &Url) -> (Url, &[u8]) {
        let mut url = gateway.clone();
        url.set_query(Some(&self.query));
        (url, self.body.as_bytes())
    }
}

/// The address of a buyer's page: everything in the query.
pub fn page(gateway: &Url, sent: &Sent) -> Url {
    let mut url = gateway.clone();
    url.set_query(Some(&format!("{}&{}", sent.query, sent.body)));
    url
}

/// Percent-encodes all that is not unreserved: nothing is read differently by servers that take `+` for a space.
fn coded(value: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    out
}
