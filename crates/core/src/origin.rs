//! Who a request really went to: scheme, host and port, hosts as A-labels.

use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};
use url::Url;

/// Why a text is not an http(s) origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an http or https address")]
pub struct OriginError;

/// `https://host` or `https://host:port`; the port only where it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Origin(String);

impl Origin {
    /// The origin of an http(s) URL without userinfo.
    pub fn of(url: &Url) -> Result<Self, OriginError> {
        let web = matches!(url.scheme(), "http" | "https");
        if !web || url.host_str().is_none_or(str::is_empty) || !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The text, `scheme://host[:port]`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host alone, an A-label or an address.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => rest,
        }
    }

    /// The part of the host somebody registered (`example.co.uk` of `api.example.co.uk`); the whole host where there is none.
    pub fn registrable(&self) -> &str {
        let host = self.host();
        let address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        if address { host } else { psl::domain_str(host).unwrap_or(host) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::of(&Url::parse(text).map_err(|_| OriginError)?)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path_case_or_default_port() {
        let origin: Origin = "HTTPS://Api.Example.co.uk:443/a?b#c".parse().unwrap();
        assert_eq!(origin.as_str(), "https://api.example.co.uk");
        assert_eq!(origin.registrable(), "example.co.uk");
        let origin: Origin = "http://[::1]:8080/".parse().unwrap();
        assert_eq!((origin.as_str(), origin.host(), origin.registrable()), ("http://[::1]:8080", "[::1]", "[::1]"));
        let origin: Origin = "http://127.0.0.1:8080/".parse().unwrap();
        assert_eq!(origin.registrable(), "127.0.0.1", "an address has no registered part");
        assert_eq!("https://münchen.example/".parse::<Origin>().unwrap().host(), "xn--mnchen-3ya.example");
    }

    #[test]
    fn userinfo_and_other_schemes_are_refused() {
        for bad in [
            "https://api.example@evil.example/",
            "https://u:p@h/",
            "file:///etc/passwd",
            "javascript:1",
            "mcp://tool/x",
            "",
            "https://",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
