//! How long a caller wants to wait.

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use std::{
    fmt,
    num::{IntErrorKind, ParseIntError},
    str::FromStr,
};

/// A whole number of seconds, however large and however JSON writes it: whoever waits has a maximum of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl FromStr for Seconds {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        match text.parse::<u64>() {
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => Ok(Self(u64::MAX)),
            parsed => parsed.map(Self),
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u64(Number)
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of seconds")
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
        Ok(Seconds(seconds))
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Seconds, E> {
        if seconds < 0.0 || seconds.fract() != 0.0 {
            return Err(E::invalid_value(de::Unexpected::Float(seconds), &self));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, and a cast stops at the largest"
        )]
        Ok(Seconds(seconds as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_however_they_are_written_and_nothing_else_is() {
        for (text, seconds) in [("0", 0), ("25", 25), ("25.0", 25), ("2e1", 20), ("99999999999999999999", u64::MAX)] {
            assert_eq!(serde_json::from_str::<Seconds>(text).unwrap(), Seconds(seconds), "{text}");
        }
        for text in ["-1", "-1.0", "1.5", "\"1\"", "null", "[]", "true"] {
            assert!(serde_json::from_str::<Seconds>(text).is_err(), "{text}");
        }
        assert_eq!("99999999999999999999".parse(), Ok(Seconds(u64::MAX)));
        for text in ["", "-1", "1.5", "x", " 1"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }
}
