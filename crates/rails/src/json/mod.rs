//! Foreign JSON, read strictly and kept as it was written.
//!
//! Promises: at most [`MAX_BYTES`] and [`MAX_DEPTH`], no object with the same key twice, every value still knows its own source
//! text. Never turns a number into a float.

mod number;
mod reader;
mod stringify;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use reader::Reader;
pub(crate) use stringify::quote;

/// Longest document read, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// Deepest nesting of objects and lists read.
pub(crate) const MAX_DEPTH: u8 = 32;

/// Why a text is not JSON we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("it is not JSON")]
    Syntax,
    #[error("it is longer than 64 KB")]
    TooLong,
    #[error("it is nested deeper than 32 levels")]
    TooDeep,
    #[error("an object in it has the same key twice")]
    DuplicateKey,
}

/// A JSON value and its source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json<'a> {
    raw: &'a str,
    node: Node<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node<'a> {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Json<'a>>),
    Object(Vec<(String, Json<'a>)>),
}

/// Whether a text is an object with a member of this name. Looks no deeper, and checks nothing that [`Json::parse`] checks.
pub(crate) fn names(text: &str, name: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, IgnoredAny>>(text).is_ok_and(|members| members.contains_key(name))
}

impl<'a> Json<'a> {
    /// Reads a whole document.
    pub(crate) fn parse(text: &'a str) -> Result<Self, JsonError> {
        if text.len() > MAX_BYTES {
            return Err(JsonError::TooLong);
        }
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| JsonError::Syntax)?;
        Reader::new(raw.get()).value(MAX_DEPTH)
    }

    /// The source text, byte for byte.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw
    }

    /// The member of this name; none too if this is no object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match &self.node {
            Node::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The member of this name unless it is absent or `null`.
    pub(crate) fn given(&self, name: &str) -> Option<&Self> {
        self.get(name).filter(|value| value.node != Node::Null)
    }

    /// The characters of a string.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Node::Text(text) = &self.node { Some(text) } else { None }
    }

    /// The source text of a number.
    pub(crate) fn number(&self) -> Option<&'a str> {
        matches!(self.node, Node::Number).then_some(self.raw)
    }

    /// Yes or no.
    pub(crate) fn boolean(&self) -> Option<bool> {
        if let Node::Bool(value) = self.node { Some(value) } else { None }
    }

    /// The items of a list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Node::List(items) = &self.node { Some(items) } else { None }
    }

    /// The names of an object's members, in order; none of what is no object.
    pub(crate) fn names(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.node {
            Node::Object(members) => Some(members.iter().map(|(name, _)| name.as_str())),
            _ => None,
        }
    }

    /// Whether this is an object.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.node, Node::Object(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_twice_is_refused_at_every_level_however_it_is_spelled() {
        for twice in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":2,"a":1}}]"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(Json::parse(twice), Err(JsonError::DuplicateKey), "{twice}");
        }
        assert!(Json::parse(r#"{"a":{"a":1},"A":1}"#).is_ok());
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Json::parse(&nested(32)).is_ok());
        assert_eq!(Json::parse(&nested(33)), Err(JsonError::TooDeep));
        assert_eq!(Json::parse(&nested(30_000)), Err(JsonError::TooDeep));
        let padded = |n: usize| format!("\"{}\"", "x".repeat(n));
        assert!(Json::parse(&padded(MAX_BYTES - 2)).is_ok());
        assert_eq!(Json::parse(&padded(MAX_BYTES - 1)), Err(JsonError::TooLong));
    }

    #[test]
    fn only_strict_json_is_read() {
        for bad in [
            "",
            " ",
            "{",
            "{}{}",
            "{a:1}",
            "[1,]",
            "01",
            "+1",
            "1.",
            "NaN",
            "'a'",
            "\u{feff}{}",
            r#""\ud800""#,
            "\"\u{1}\"",
            "[1 2]",
            "tru",
            "nulll",
        ] {
            assert_eq!(Json::parse(bad), Err(JsonError::Syntax), "{bad:?}");
        }
    }
}
