//! What a payment is and what may happen to it.
//!
//! Pure: no IO, no clock, no randomness; they come in as arguments. Nothing here knows a database, a network or a window.

pub mod approval;
pub mod asset;
pub mod behind;
pub mod calendar;
pub mod lookalike;
pub mod money;
pub mod origin;
pub mod payment;
pub mod policy;
pub mod rail;
pub mod registry;
pub mod signable;
pub mod status;
pub mod text;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// Whole seconds since the epoch, rounded down; 0 before it.
    pub fn seconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(1000)).unwrap_or(0)
    }

    /// This moment and `seconds` more; stays at the end of time rather than wrapping.
    pub fn plus_seconds(self, seconds: u64) -> Self {
        let ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        Self(self.0.saturating_add(ms))
    }

    /// RFC 3339 in UTC, as every wire shows it.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |t| t.to_string())
    }
}

/// A moment read from an RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(pub Millis);

impl std::str::FromStr for Rfc3339 {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(|t| Self(Millis(t.as_millisecond())))
    }
}
