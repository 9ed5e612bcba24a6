//! JSON as an agent may send it: not deeper than 32, and no key twice in one object.

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::{collections::HashSet, fmt};

use crate::problem::{Code, Problem};

const MAX_DEPTH: usize = 32;

/// Refuses JSON that is too deep or names a key twice.
pub fn check(bytes: &[u8]) -> Result<(), Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let bad =
        |error: serde_json::Error| Problem::new(Code::BadRequest, format!("the body is not acceptable JSON: {error}"));
    de::DeserializeSeed::deserialize(Strict(0), &mut reader).map_err(bad)?;
    reader.end().map_err(bad)
}

/// So many lists and objects stand around it.
struct Strict(usize);

impl<'de> de::DeserializeSeed<'de> for Strict {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    /// How deep the parts of a list or an object here are.
    fn inside<E: de::Error>(&self) -> Result<usize, E> {
        if self.0 < MAX_DEPTH { Ok(self.0.saturating_add(1)) } else { Err(E::custom("nested deeper than 32")) }
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
        let inside = self.inside()?;
        while seq.next_element_seed(Strict(inside))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Strict(inside))?;
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
        assert!(check(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).is_ok());
        for inner in ["[]", "{}"] {
            assert!(check(deep(32).replace('1', inner).as_bytes()).is_err(), "an empty {inner} is a level too");
        }
        assert!(check("[".repeat(100_000).as_bytes()).is_err());
        for bad in [r#"{"a":1,"a":2}"#, r#"{"x":{"a":1,"\u0061":2}}"#, "{} x", "", "{\"a\":}", "\u{feff}{}"] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check(br#"{"a":[{"b":1},{"b":1.5e3}],"c":null,"d":true}"#).is_ok());
    }
}
