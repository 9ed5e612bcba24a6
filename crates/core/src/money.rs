//! Amounts: checked integers, decimal strings on every wire, never floats.

use alloy_primitives::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

use crate::asset::AssetId;

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Anything but `0` or digits without a leading zero.
    #[error("not a plain decimal number")]
    Malformed,
    /// More decimals than the asset or the reference currency has.
    #[error("more decimals than the currency has")]
    TooPrecise,
    /// Above 2^256 - 1, or above what a reference value can hold.
    #[error("number too large")]
    TooLarge,
}

/// Atomic units of some asset, 0 to 2^256 - 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(U256);

impl Amount {
    /// No money.
    pub const ZERO: Self = Self(U256::ZERO);

    /// Wraps a number of atomic units.
    pub const fn new(units: U256) -> Self {
        Self(units)
    }

    /// The number of atomic units.
    pub const fn units(self) -> U256 {
        self.0
    }

    /// Reads atomic units strictly: `0` or `[1-9][0-9]{0,77}`.
    pub fn parse_atomic(text: &str) -> Result<Self, AmountError> {
        if text.is_empty() || text.len() > 78 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AmountError::Malformed);
        }
        if text.len() > 1 && text.starts_with('0') {
            return Err(AmountError::Malformed);
        }
        U256::from_str_radix(text, 10).map(Self).map_err(|_| AmountError::TooLarge)
    }

    /// Reads human units such as `4.20` for an asset with `decimals` places.
    pub fn parse_human(text: &str, decimals: u8) -> Result<Self, AmountError> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if text.ends_with('.') || !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AmountError::Malformed);
        }
        let kept = part.trim_end_matches('0');
        if kept.len() > usize::from(decimals) {
            return Err(AmountError::TooPrecise);
        }
        let whole = Self::parse_atomic(whole)?.0;
        let fraction = format!("{kept:0<width$}", width = usize::from(decimals));
        let fraction = if fraction.is_empty() {
            U256::ZERO
        } else {
            U256::from_str_radix(&fraction, 10).map_err(|_| AmountError::TooLarge)?
        };
        ten_to(decimals)
            .and_then(|scale| whole.checked_mul(scale))
            .and_then(|units| units.checked_add(fraction))
            .map(Self)
            .ok_or(AmountError::TooLarge)
    }

    /// Exact human units without trailing zeros: `4.2`, `0.03`, `10`.
    pub fn human(self, decimals: u8) -> String {
        let digits = self.0.to_string();
        let places = usize::from(decimals);
        let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
        let (whole, part) = padded.split_at(padded.len().saturating_sub(places));
        match part.trim_end_matches('0') {
            "" => whole.to_owned(),
            part => format!("{whole}.{part}"),
        }
    }

    /// Sum, or `None` past 2^256 - 1.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Difference, or `None` below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Whether this is no money at all.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Big-endian bytes: byte order is number order, as the ledger stores them.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    /// Reads [`Self::to_be_bytes`] back.
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_be_bytes(bytes))
    }
}

/// 10 to the power of `decimals`, or `None` past 2^256.
pub(crate) fn ten_to(decimals: u8) -> Option<U256> {
    U256::from(10).checked_pow(U256::from(decimals))
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({})", self.0)
    }
}

/// Millionths of the reference currency, what policy judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micro(pub u128);

impl Micro {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads `4.20`; at most six decimals.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let units = Amount::parse_human(text, 6)?.0;
        u128::try_from(units).map(Self).map_err(|_| AmountError::TooLarge)
    }

    /// Sum, or `None` past the largest value.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// What is left of `self` after `other`, never below zero.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// At least two decimals, at most six: `4.20`, `0.0001`.
impl fmt::Display for Micro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(1_000_000).unwrap_or(0);
        let part = self.0.checked_rem(1_000_000).unwrap_or(0);
        let part = format!("{part:06}");
        let (two, four) = part.split_at(2);
        write!(f, "{whole}.{two}{}", four.trim_end_matches('0'))
    }
}

macro_rules! decimal_string {
    ($type:ty, $parse:path) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                $parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
decimal_string!(Amount, Amount::parse_atomic);
decimal_string!(Micro, Micro::parse);

/// So many atomic units of one asset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Of what.
    pub asset: AssetId,
    /// How many atomic units.
    pub amount: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_are_an_atomic_amount() {
        for bad in ["", "+1", " 1", "1 ", "-1", "01", "00", "1e4", "0x10", "1_000", "0.01", "１", "1.", &"9".repeat(79)]
        {
            assert_eq!(Amount::parse_atomic(bad), Err(AmountError::Malformed), "{bad:?}");
        }
        let max = U256::MAX.to_string();
        assert_eq!(Amount::parse_atomic(&max).map(|a| a.to_string()), Ok(max));
        assert_eq!(
            Amount::parse_atomic("115792089237316195423570985008687907853269984665640564039457584007913129639936"),
            Err(AmountError::TooLarge)
        );
    }

    #[test]
    fn human_units_are_exact_both_ways() {
        for (human, decimals, units) in
            [("4.2", 6, "4200000"), ("0.000001", 6, "1"), ("10", 0, "10"), ("1", 18, "1000000000000000000")]
        {
            let amount = Amount::parse_human(human, decimals).unwrap();
            assert_eq!(amount.to_string(), units);
            assert_eq!(amount.human(decimals), human);
        }
        assert_eq!(Amount::parse_human("0.0000001", 6), Err(AmountError::TooPrecise));
        assert_eq!(Amount::parse_human("1.", 6), Err(AmountError::Malformed));
        assert_eq!(Amount::parse_human(".5", 6), Err(AmountError::Malformed));
        assert_eq!(Amount::parse_human("4.20", 6).map(|a| a.human(6)), Ok("4.2".to_owned()));
    }

    #[test]
    fn reference_values_show_two_to_six_decimals() {
        for (text, shown) in [("4.2", "4.20"), ("0.0001", "0.0001"), ("60", "60.00"), ("0.000001", "0.000001")] {
            assert_eq!(Micro::parse(text).map(|m| m.to_string()), Ok(shown.to_owned()));
        }
        assert_eq!(Micro::parse("0.0000001"), Err(AmountError::TooPrecise));
    }
}
