//! Who a request really went to: scheme, host and port, hosts as A-labels; or a program that runs here, under the person's name for it.

use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};
use url::Url;

/// Why a text is not an http(s) origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an http or https address")]
pub struct OriginError;

/// The scheme of what is no website. No web origin has it, and no request of an agent can name it.
const PROGRAM: &str = "program://";

/// `https://host` or `https://host:port`; the port only where it is not the scheme's own. Or `program://name`.
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

    /// The origin of a program on this computer: the name the person gave it, 1 to 40 of a-z, 0-9 and `-`.
    pub fn of_program(name: &str) -> Result<Self, OriginError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=40).contains(&name.len()) && name.bytes().all(plain) {
            Ok(Self(format!("{PROGRAM}{name}")))
        } else {
            Err(OriginError)
        }
    }

    /// Whether it is a program on this computer rather than a website.
    pub fn is_program(&self) -> bool {
        self.0.starts_with(PROGRAM)
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
        if let Some(name) = text.strip_prefix(PROGRAM) {
            return Self::of_program(name);
        }
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
    fn a_program_has_an_origin_that_no_address_can_have() {
        let origin = Origin::of_program("weather-2").unwrap();
        assert_eq!(
            (origin.as_str(), origin.host(), origin.registrable()),
            ("program://weather-2", "weather-2", "weather-2")
        );
        assert_eq!("program://weather-2".parse::<Origin>().unwrap(), origin);
        assert!(origin.is_program() && !"https://weather-2".parse::<Origin>().unwrap().is_program());
        assert!(Origin::of(&Url::parse("program://weather-2").unwrap()).is_err(), "no address an agent gives is one");
        for bad in ["", "Weather", "api.example.com", "a/b", "a:1", "u@a", &"a".repeat(41)] {
            assert!(Origin::of_program(bad).is_err() && format!("program://{bad}").parse::<Origin>().is_err(), "{bad}");
        }
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
