//! A secret as it comes from its window: read in place where that is possible, wiped where a copy had to be made.

use countersign_vault::keys::Secret;
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use zeroize::Zeroize as _;

/// What was typed. Prints nothing of itself.
pub struct Typed(pub Secret);

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_string(Text)
    }
}

struct Text;

impl de::Visitor<'_> for Text {
    type Value = Typed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Typed, E> {
        Ok(Typed(Secret::copy_of(text.as_bytes())))
    }

    fn visit_string<E: de::Error>(self, mut text: String) -> Result<Typed, E> {
        let typed = Typed(Secret::copy_of(text.as_bytes()));
        text.zeroize();
        Ok(typed)
    }
}

impl Typed {
    /// Whether two texts are the same.
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The characters of it.
    pub fn length(&self) -> usize {
        std::str::from_utf8(self.0.expose()).map_or(0, |text| text.chars().count())
    }
}
