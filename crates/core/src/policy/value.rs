//! What a condition compares to, in one spelling: hosts as A-labels, EVM accounts in EIP-55, money in micro-units.

use url::{Host, Url};

use super::field::{Field, Kind};
use crate::{
    Millis,
    asset::{AssetId, Network, parse_address},
    money::Micro,
    origin::Origin,
    payment::AgentName,
};

/// One value of a fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// `true` or `false`.
    Flag(bool),
    /// In the reference currency.
    Money(Micro),
    /// A moment.
    Time(Millis),
    /// Anything else.
    Text(String),
}

impl Value {
    pub(super) fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// An account in the spelling facts use: EIP-55 where it is an EVM address.
pub(super) fn account(text: &str) -> String {
    parse_address(text).map_or_else(|_| text.to_owned(), |address| address.to_string())
}

/// Refuses moments that RFC 3339 cannot write with a four-digit year.
pub(super) fn moment(at: Millis) -> Result<(), String> {
    let latest = 253_402_300_799_999;
    if (0..=latest).contains(&at.0) { Ok(()) } else { Err("lies outside the years 1970 to 9999".to_owned()) }
}

/// The value as the facts of `field` spell it.
pub(super) fn checked(field: Field, value: Value) -> Result<Value, String> {
    match (field.kind(), value) {
        (Kind::Money, Value::Text(text)) => Micro::parse(&text).map(Value::Money).map_err(|e| {
            format!("{text:?} is {e}; write an amount as text with at most six decimals, such as \"0.10\"")
        }),
        (Kind::Time, Value::Time(at)) => moment(at).map(|()| Value::Time(at)),
        (Kind::Flag, v @ Value::Flag(_)) | (Kind::Money, v @ Value::Money(_)) => Ok(v),
        (Kind::Text | Kind::Set, Value::Text(text)) => spelled(field, text).map(Value::Text),
        (Kind::Flag, _) => Err("compare it to true or false".to_owned()),
        (Kind::Money, _) => Err("write an amount as text, such as \"0.10\"".to_owned()),
        (Kind::Time, _) => Err("write a moment with its offset and no quotes, such as 2026-12-01T00:00:00Z".to_owned()),
        (Kind::Text | Kind::Set, _) => Err("write a text in quotes".to_owned()),
    }
}

fn spelled(field: Field, text: String) -> Result<String, String> {
    let refuse = |what: &str| format!("{text:?} is not {what}");
    match field {
        Field::Agent => text.parse::<AgentName>().map(|a| a.to_string()).map_err(|e| format!("{text:?}: {e}")),
        Field::PayeeOrigin if text.parse::<Origin>().is_ok_and(|origin| origin.is_program()) => Ok(text),
        Field::PayeeOrigin => {
            let url = Url::parse(&text).map_err(|_| refuse("an origin such as \"https://api.example\""))?;
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let origin = Origin::of(&url).ok().filter(|_| bare);
            origin
                .map(|o| o.to_string())
                .ok_or_else(|| refuse("an origin such as \"https://api.example\", without a path"))
        }
        Field::PayeeAccount | Field::Wallet => {
            let looks_evm = text.len() == 42 && text.starts_with("0x");
            if looks_evm && parse_address(&text).is_err() {
                return Err(refuse("an address whose capital letters fit its checksum; copy it again"));
            }
            Ok(account(&text))
        }
        Field::Asset => text
            .parse::<AssetId>()
            .map(|a| a.to_string())
            .map_err(|_| refuse("an asset id such as \"eip155:8453/erc20:0x…\" or \"iso4217:CNY\"")),
        Field::Network => {
            text.parse::<Network>().map(|n| n.to_string()).map_err(|_| refuse("a network id such as \"eip155:8453\""))
        }
        Field::Op => one_of(crate::payment::Op::ALL.iter().map(|op| op.as_str()), text),
        Field::Risk => one_of(super::Risk::ALL.iter().map(|risk| risk.as_str()), text),
        Field::Rail | Field::Scheme if !plain(&text) => Err(refuse("a name of a-z, A-Z, 0-9, '-', '_' and '.'")),
        Field::Method if text.is_empty() || !text.bytes().all(|b| b.is_ascii_uppercase()) => {
            Err(refuse("a method such as \"GET\", in capitals"))
        }
        _ => Ok(text),
    }
}

fn plain(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn one_of(names: impl Iterator<Item = &'static str> + Clone, text: String) -> Result<String, String> {
    if names.clone().any(|name| name == text) {
        return Ok(text);
    }
    Err(format!("{text:?} is none of: {}", names.collect::<Vec<_>>().join(", ")))
}

/// A prefix that fixes the whole origin, so that `https://a.example` cannot match `https://a.example.evil.example`.
pub(super) fn resource_prefix(text: String) -> Result<String, String> {
    let origin = Url::parse(&text).ok().and_then(|url| Origin::of(&url).ok());
    match origin {
        Some(origin) if text.strip_prefix(origin.as_str()).is_some_and(|path| path.starts_with('/')) => Ok(text),
        _ => Err(format!(
            "the prefix {text:?} must begin with a whole origin and a slash, such as \"https://api.example/v1\""
        )),
    }
}

/// A host suffix as an A-label; refused where strangers register names under it.
pub(super) fn host_suffix(text: &str) -> Result<String, String> {
    let host = idna::domain_to_ascii_strict(text)
        .map_err(|_| format!("{text:?} is not a host name; write it without scheme, port and leading dot"))?;
    let named = Host::parse(&host).is_ok_and(|h| matches!(h, Host::Domain(_)));
    if host.is_empty() || host.ends_with('.') || !named {
        return Err(format!("{text:?} is not a host name; write it without scheme, port and leading or trailing dot"));
    }
    if psl::domain_str(&host).is_none() {
        return Err(format!("{text:?} is a public suffix: anybody can have a name under it; name the whole domain"));
    }
    Ok(host)
}

/// The host of an origin's text, without the root's trailing dot.
pub(super) fn host_of(origin: &str) -> Option<String> {
    let origin: Origin = origin.parse().ok()?;
    let host = origin.host();
    Some(host.strip_suffix('.').unwrap_or(host).to_owned())
}

/// Whether `host` is `suffix` or ends in it at a label.
pub(super) fn under(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
