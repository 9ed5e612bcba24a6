//! What a condition compares to, in one spelling: hosts as A-labels, EVM accounts in EIP-55, money in micro-units.

use url::{Host, Url};

use super::field::{Field, Kind};
use crate::{
    Millis,
    approval::Said,
    asset::{AssetId, Network, parse_address},
    money::{AmountError, Micro},
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
pub(super) fn moment(key: &str, at: Millis) -> Result<(), Said> {
    let latest = 253_402_300_799_999;
    if (0..=latest).contains(&at.0) { Ok(()) } else { Err(Said::FileYears { key: key.to_owned() }) }
}

/// An amount in the reference currency.
pub(super) fn amount(key: &str, text: &str) -> Result<Micro, Said> {
    Micro::parse(text).map_err(|error| {
        let (key, text) = (key.to_owned(), quoted(text));
        match error {
            AmountError::Malformed => Said::FileAmount { key, text },
            AmountError::TooPrecise => Said::FilePrecise { key, text },
            AmountError::TooLarge => Said::FileHuge { key, text },
        }
    })
}

/// A text of the file as a sentence shows it: in quotes, with nothing invisible in it.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// The value as the facts of `field` spell it.
pub(super) fn checked(field: Field, key: &str, value: Value) -> Result<Value, Said> {
    let named = || key.to_owned();
    match (field.kind(), value) {
        (Kind::Money, Value::Text(text)) => amount(key, &text).map(Value::Money),
        (Kind::Time, Value::Time(at)) => moment(key, at).map(|()| Value::Time(at)),
        (Kind::Flag, v @ Value::Flag(_)) | (Kind::Money, v @ Value::Money(_)) => Ok(v),
        (Kind::Text | Kind::Set, Value::Text(text)) => spelled(field, key, text).map(Value::Text),
        (Kind::Flag, _) => Err(Said::FileFlag { key: named() }),
        (Kind::Money, _) => Err(Said::FileAmountText { key: named() }),
        (Kind::Time, _) => Err(Said::FileMoment { key: named() }),
        (Kind::Text | Kind::Set, _) => Err(Said::FileQuotes { key: named() }),
    }
}

fn spelled(field: Field, at: &str, text: String) -> Result<String, Said> {
    let (key, bad) = (at.to_owned(), quoted(&text));
    match field {
        Field::Agent => {
            text.parse::<AgentName>().map(|a| a.to_string()).map_err(|_| Said::FileAgent { key, text: bad })
        }
        Field::PayeeOrigin if text.parse::<Origin>().is_ok_and(|origin| origin.is_program()) => Ok(text),
        Field::PayeeOrigin => {
            let bare = |url: &Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let origin = Url::parse(&text).ok().filter(bare).and_then(|url| Origin::of(&url).ok());
            origin.map(|o| o.to_string()).ok_or(Said::FileOrigin { key, text: bad })
        }
        Field::PayeeAccount | Field::Wallet => {
            let looks_evm = text.len() == 42 && text.starts_with("0x");
            if looks_evm && parse_address(&text).is_err() {
                return Err(Said::FileChecksum { key, text: bad });
            }
            Ok(account(&text))
        }
        Field::Asset => text.parse::<AssetId>().map(|a| a.to_string()).map_err(|_| Said::FileAsset { key, text: bad }),
        Field::Network => {
            text.parse::<Network>().map(|n| n.to_string()).map_err(|_| Said::FileNetwork { key, text: bad })
        }
        Field::Op => one_of(crate::payment::Op::ALL.iter().map(|op| op.as_str()), key, text),
        Field::Risk => one_of(super::Risk::ALL.iter().map(|risk| risk.as_str()), key, text),
        Field::Rail | Field::Scheme if !plain(&text) => Err(Said::FileName { key, text: bad }),
        Field::Method if text.is_empty() || !text.bytes().all(|b| b.is_ascii_uppercase()) => {
            Err(Said::FileMethod { key, text: bad })
        }
        _ => Ok(text),
    }
}

fn plain(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn one_of(names: impl Iterator<Item = &'static str> + Clone, key: String, text: String) -> Result<String, Said> {
    if names.clone().any(|name| name == text) {
        return Ok(text);
    }
    Err(Said::FileNoneOf { key, text: quoted(&text), names: names.collect::<Vec<_>>().join(", ") })
}

/// A prefix that fixes the whole origin, so that `https://a.example` cannot match `https://a.example.evil.example`.
pub(super) fn resource_prefix(key: &str, text: String) -> Result<String, Said> {
    let origin = Url::parse(&text).ok().and_then(|url| Origin::of(&url).ok());
    match origin {
        Some(origin) if text.strip_prefix(origin.as_str()).is_some_and(|path| path.starts_with('/')) => Ok(text),
        _ => Err(Said::FilePrefix { key: key.to_owned(), text: quoted(&text) }),
    }
}

/// A host suffix as an A-label; refused where strangers register names under it.
pub(super) fn host_suffix(key: &str, text: &str) -> Result<String, Said> {
    let no_host = || Said::FileHost { key: key.to_owned(), text: quoted(text) };
    let host = idna::domain_to_ascii_strict(text).map_err(|_| no_host())?;
    let named = Host::parse(&host).is_ok_and(|h| matches!(h, Host::Domain(_)));
    if host.is_empty() || host.ends_with('.') || !named {
        return Err(no_host());
    }
    if psl::domain_str(&host).is_none() {
        return Err(Said::FileSuffix { key: key.to_owned(), text: quoted(text) });
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
