//! What an agent may ask for, checked before anything happens.

use base64::Engine as _;
use countersign_core::{
    money::{Amount, Micro},
    origin::Origin,
    payment::{Digest, IdempotencyKey, Quote, Resource},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{collections::BTreeMap, sync::Arc};
use url::Url;

use crate::{
    carrier::Carrier,
    problem::{Code, Problem},
    seconds::Seconds,
};

/// Longest wait for a person in one call, seconds.
pub const MAX_WAIT: u64 = 150;
/// Wait where the caller does not say, seconds.
pub const DEFAULT_WAIT: u64 = 25;

/// The most you are willing to pay.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Max {
    /// A decimal number, such as 4.20.
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    pub amount: String,
    /// The reference currency, such as USD, or the token's symbol.
    pub currency: String,
}

/// An HTTP request that may cost money.
///
/// Body of `POST /v1/fetch`, arguments of the tool `fetch`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FetchRequest", description = "An HTTP request that may cost money.")]
pub struct FetchBody {
    /// HTTP method; GET if absent.
    #[schemars(extend("enum" = METHODS))]
    pub method: Option<String>,
    /// The http or https address to request.
    #[schemars(length(max = 8192), extend("format" = "uri"))]
    pub url: String,
    /// Headers to send. Payment, Host and connection headers cannot be set.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 64))]
    pub headers: std::collections::BTreeMap<String, String>,
    /// Text body; not together with body_base64.
    pub body: Option<String>,
    /// Binary body in base64; not together with body.
    #[schemars(extend("contentEncoding" = "base64"))]
    pub body_base64: Option<String>,
    /// Nothing dearer is paid.
    pub max: Option<Max>,
    /// Why you want it, shown to the person as your words.
    pub reason: Option<String>,
    /// Your name for this one purchase. The same key with the same request is the same payment for ever; a different request under
    /// it is refused.
    #[schemars(regex(pattern = r"^[\x21-\x7e]{1,128}$"))]
    pub idempotency_key: String,
    /// How long to wait for a person, in seconds; 25 if absent, 150 at most, larger values are clamped.
    pub wait_seconds: Option<Seconds>,
}

/// A challenge you received; you send the credential yourself.
///
/// Body of `POST /v1/payments`, arguments of the tool `pay`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PayRequest", description = "A challenge you received; you send the credential yourself.")]
pub struct PayBody {
    /// The payment protocol.
    #[schemars(extend("enum" = ["x402", "mpp"]))]
    pub rail: String,
    /// The http or https address that answered with the challenge: of the page, the MCP server or the A2A agent.
    #[schemars(length(max = 8192), extend("format" = "uri"))]
    pub url: String,
    /// The method that was answered with it; GET if absent.
    #[schemars(extend("enum" = METHODS))]
    pub method: Option<String>,
    /// What the seller sent, exactly as received: the PaymentRequired object (x402) or the challenge (mpp), the value of the
    /// PAYMENT-REQUIRED or WWW-Authenticate header, a whole MCP tool result or JSON-RPC error object, or an A2A task, message or
    /// metadata; 64 KB at most. An mpp challenge that came over HTTP is brought as the header's value: from one whose request is decoded
    /// only the JSON-RPC form of the credential can be made.
    #[schemars(schema_with = "challenge")]
    pub challenge: Box<RawValue>,
    /// Nothing dearer is paid.
    pub max: Option<Max>,
    /// Why you want it, shown to the person as your words.
    pub reason: Option<String>,
    /// Your name for this one purchase. The same key with the same request is the same payment for ever; a different request under
    /// it is refused.
    #[schemars(regex(pattern = r"^[\x21-\x7e]{1,128}$"))]
    pub idempotency_key: String,
    /// How long to wait for a person, in seconds; 25 if absent, 150 at most, larger values are clamped.
    pub wait_seconds: Option<Seconds>,
}

fn challenge(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [{"type": "object", "additionalProperties": true}, {"type": "string"}]})
}

/// What is to be done with the money's help.
#[derive(Debug, Clone)]
pub enum Act {
    /// We make the request and pay its 402.
    Fetch {
        /// Headers to send, lower-case names.
        headers: Vec<(String, String)>,
        /// Body to send.
        body: Vec<u8>,
    },
    /// The caller brought the challenge and sends the credential itself.
    Pay {
        /// Which protocol.
        rail: String,
        /// The challenge, verbatim.
        challenge: String,
    },
    /// A call through us that was answered with a price.
    Call {
        /// What makes it again.
        carrier: Arc<dyn Carrier>,
        /// Who asked for the price.
        origin: Origin,
        /// The price, verbatim, by the protocol in which it is stated; none where the purchase is known from before.
        prices: BTreeMap<String, String>,
        /// Tool and arguments: tell two calls apart.
        what: Vec<u8>,
    },
}

/// A call through us that was answered with a price.
#[derive(Debug)]
pub struct Call<'a> {
    /// What makes it again.
    pub carrier: Arc<dyn Carrier>,
    /// Who asked for the price.
    pub origin: Origin,
    /// Where the server is, for the person: an address, or `program://name`.
    pub server: Url,
    /// The tool's name there.
    pub tool: &'a str,
    /// Its arguments, as they are sent.
    pub arguments: &'a [u8],
    /// The price, verbatim, by the protocol in which it is stated: what one of them says of another is not read. None where the
    /// purchase is known from before.
    pub prices: BTreeMap<String, String>,
    /// The name of this purchase.
    pub key: IdempotencyKey,
    /// Seconds to wait for a person.
    pub wait: u64,
}

/// A checked request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to do.
    pub act: Act,
    /// HTTP method, upper case.
    pub method: String,
    /// Where.
    pub url: Url,
    /// The caller's own maximum.
    pub max: Option<Max>,
    /// The agent's words.
    pub reason: Option<String>,
    /// The caller's name for this purchase.
    pub key: IdempotencyKey,
    /// Seconds to wait for a person.
    pub wait: u64,
    /// Digest of all that makes it this request: not reason, not wait.
    pub digest: Digest,
}

/// Headers an agent may not set: they belong to the connection or carry payments.
const FORBIDDEN: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "expect",
    "accept-encoding",
    "payment-signature",
    "payment-required",
    "payment-response",
    "x-payment",
    "x-payment-response",
    "sign-in-with-x",
    "payment-authorization",
    "payment-needed",
    "payment-proof",
];

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Request {
    /// Whether whoever would get the payment is not there any more.
    pub(crate) fn is_moot(&self) -> bool {
        matches!(&self.act, Act::Call { carrier, .. } if carrier.is_gone())
    }

    /// Checks the body of a fetch.
    pub fn fetch(body: FetchBody) -> Result<Self, Problem> {
        let method = method(body.method)?;
        let url = url(&body.url)?;
        let headers = headers(body.headers)?;
        let bytes = match (body.body, body.body_base64) {
            (Some(_), Some(_)) => return Err(bad("send `body` or `body_base64`, not both")),
            (Some(text), None) => text.into_bytes(),
            (None, Some(coded)) => base64::engine::general_purpose::STANDARD
                .decode(coded)
                .map_err(|_| bad("`body_base64` is not base64"))?,
            (None, None) => Vec::new(),
        };
        if !bytes.is_empty() && matches!(method.as_str(), "GET" | "HEAD") {
            return Err(bad("a GET or HEAD request has no body"));
        }
        let head = serde_json::to_vec(&headers).unwrap_or_default();
        let digest = Digest::of(&[
            b"fetch",
            method.as_bytes(),
            url.as_str().as_bytes(),
            &head,
            &bytes,
            &max_bytes(body.max.as_ref()),
        ]);
        Ok(Self {
            act: Act::Fetch { headers, body: bytes },
            method,
            url,
            max: body.max,
            reason: body.reason,
            key: key(&body.idempotency_key)?,
            wait: body.wait_seconds.map_or(DEFAULT_WAIT, |Seconds(wait)| wait.min(MAX_WAIT)),
            digest,
        })
    }

    /// Checks the body of a payment whose challenge the caller brought.
    pub fn pay(body: PayBody) -> Result<Self, Problem> {
        let method = method(body.method)?;
        let url = url(&body.url)?;
        let challenge = body.challenge.get().to_owned();
        if challenge.len() > 64 * 1024 {
            return Err(Problem::new(Code::MalformedOffer, "the challenge is larger than 64 KB"));
        }
        let digest = Digest::of(&[
            b"pay",
            body.rail.as_bytes(),
            method.as_bytes(),
            url.as_str().as_bytes(),
            challenge.as_bytes(),
            &max_bytes(body.max.as_ref()),
        ]);
        Ok(Self {
            act: Act::Pay { rail: body.rail, challenge },
            method,
            url,
            max: body.max,
            reason: body.reason,
            key: key(&body.idempotency_key)?,
            wait: body.wait_seconds.map_or(DEFAULT_WAIT, |Seconds(wait)| wait.min(MAX_WAIT)),
            digest,
        })
    }

    /// A call through us. Its digest is that of server, tool and arguments.
    pub fn call(call: Call<'_>) -> Self {
        let Call { carrier, origin, mut server, tool, arguments, prices, key, wait } = call;
        let digest = Self::digest_of_call(&server, tool, arguments);
        server.set_fragment(Some(tool));
        let what = [tool.as_bytes(), b"\0", arguments].concat();
        let act = Act::Call { carrier, origin, prices, what };
        Self {
            act,
            method: "CALL".to_owned(),
            url: server,
            max: None,
            reason: None,
            key,
            wait: wait.min(MAX_WAIT),
            digest,
        }
    }

    /// The digest of such a call, before it is made.
    pub fn digest_of_call(server: &Url, tool: &str, arguments: &[u8]) -> Digest {
        Digest::of(&[b"call", server.as_str().as_bytes(), tool.as_bytes(), arguments])
    }

    /// What is bought, when the price came from `from` (the URL after redirects).
    pub fn resource(&self, from: &Url) -> Resource {
        let body: &[u8] = match &self.act {
            Act::Fetch { body, .. } => body,
            Act::Pay { .. } => &[],
            Act::Call { what, .. } => what,
        };
        let mut path = from.clone();
        path.set_query(None);
        // Of a call it is the tool, which is what is bought.
        if !matches!(self.act, Act::Call { .. }) {
            path.set_fragment(None);
        }
        Resource {
            method: self.method.clone(),
            path: path.to_string(),
            request: Digest::of(&[self.method.as_bytes(), self.url.as_str().as_bytes(), body]),
        }
    }

    /// Refuses a price above the caller's own maximum.
    pub fn check_max(&self, quote: &Quote, reference: &str) -> Result<(), Problem> {
        let Some(max) = &self.max else { return Ok(()) };
        let price = quote.exposure_value.map_or_else(|| quote.asset_text(), |v| format!("{v} {reference}"));
        let within = if max.currency == quote.symbol {
            Amount::parse_human(&max.amount, quote.decimals).map(|most| quote.exposure.amount <= most)
        } else if max.currency == reference {
            Micro::parse(&max.amount).map(|most| quote.exposure_value.is_some_and(|v| v <= most))
        } else {
            return Err(bad(format!("`max.currency` must be {reference} or {}", quote.symbol)));
        };
        match within {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::new(
                Code::OverMax,
                format!("the price is {price}, your maximum {} {}", max.amount, max.currency),
            )),
            Err(error) => Err(bad(format!("`max.amount`: {error}"))),
        }
    }
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadRequest, detail)
}

fn key(text: &str) -> Result<IdempotencyKey, Problem> {
    text.parse().map_err(|error| bad(format!("`idempotency_key`: {error}")))
}

fn max_bytes(max: Option<&Max>) -> Vec<u8> {
    max.map(|m| format!("{}\0{}", m.amount, m.currency).into_bytes()).unwrap_or_default()
}

fn method(method: Option<String>) -> Result<String, Problem> {
    let method = method.unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase();
    if METHODS.contains(&method.as_str()) {
        Ok(method)
    } else {
        Err(bad(format!("`method` must be one of {}", METHODS.join(", "))))
    }
}

fn url(text: &str) -> Result<Url, Problem> {
    if text.len() > 8 * 1024 {
        return Err(bad("`url` is longer than 8 KB"));
    }
    let mut url = Url::parse(text).map_err(|error| bad(format!("`url`: {error}")))?;
    Origin::of(&url).map_err(|_| bad("`url` must be an http or https address without a user name"))?;
    url.set_fragment(None);
    Ok(url)
}

fn headers(given: std::collections::BTreeMap<String, String>) -> Result<Vec<(String, String)>, Problem> {
    if given.len() > 64 {
        return Err(bad("more than 64 headers"));
    }
    let mut headers = Vec::with_capacity(given.len());
    for (name, value) in given {
        let lower = name.to_ascii_lowercase();
        let token =
            !lower.is_empty() && lower.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if !token || FORBIDDEN.contains(&lower.as_str()) {
            return Err(bad(format!("the header {:?} cannot be set", countersign_core::text::clean(&name))));
        }
        if value.len() > 8 * 1024 || !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b) || b >= 0x80) {
            return Err(bad(format!("the value of header {lower} is not acceptable")));
        }
        headers.push((lower, value));
    }
    headers.sort();
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(json: &str) -> Result<Request, Problem> {
        Request::fetch(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_digest_covers_the_request_but_not_the_reason_or_the_wait() {
        let one =
            fetch(r#"{"url":"https://a.example/x?q=1","idempotency_key":"k","reason":"r","wait_seconds":3}"#).unwrap();
        let same = fetch(r#"{"url":"https://a.example/x?q=1#frag","method":"get","idempotency_key":"other"}"#).unwrap();
        assert_eq!(one.digest, same.digest);
        for other in [
            r#"{"url":"https://a.example/x?q=2","idempotency_key":"k"}"#,
            r#"{"url":"https://a.example/x?q=1","idempotency_key":"k","method":"POST"}"#,
            r#"{"url":"https://a.example/x?q=1","idempotency_key":"k","headers":{"a":"b"}}"#,
            r#"{"url":"https://a.example/x?q=1","idempotency_key":"k","max":{"amount":"1","currency":"USD"}}"#,
        ] {
            assert_ne!(one.digest, fetch(other).unwrap().digest, "{other}");
        }
    }

    #[test]
    fn payment_and_connection_headers_cannot_be_set_by_an_agent() {
        for name in ["PAYMENT-SIGNATURE", "X-Payment", "Host", "content-length", "Sign-In-With-X", "bad name", ""] {
            let json = serde_json::json!({"url": "https://a.example/", "idempotency_key": "k", "headers": {name: "x"}});
            assert_eq!(fetch(&json.to_string()).unwrap_err().code, Code::BadRequest, "{name}");
        }
        let json =
            serde_json::json!({"url": "https://a.example/", "idempotency_key": "k", "headers": {"a": "x\r\ny: z"}});
        assert_eq!(fetch(&json.to_string()).unwrap_err().code, Code::BadRequest);
    }

    #[test]
    fn waits_are_clamped_and_odd_addresses_refused() {
        assert_eq!(
            fetch(r#"{"url":"https://a.example/","idempotency_key":"k","wait_seconds":9999}"#).unwrap().wait,
            MAX_WAIT
        );
        for url in ["ftp://a.example/", "https://u@a.example/", "nonsense", "https://"] {
            let json = serde_json::json!({"url": url, "idempotency_key": "k"});
            assert_eq!(fetch(&json.to_string()).unwrap_err().code, Code::BadRequest, "{url}");
        }
    }
}
