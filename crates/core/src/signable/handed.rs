//! A purchase that a vendor's own program pays, out of the person's account there.
//!
//! Nothing of ours signs it. It stands among the forms because it is treated as one: judged, counted and written down before it
//! leaves, and never a second time.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::{money::Amount, payment::Digest};

/// Alipay's program for agents that pay.
pub const ALIPAY_BOT: &str = "alipay-bot";

/// What is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    /// The program that pays.
    pub program: String,
    /// The seller's account with its vendor.
    pub seller: String,
    /// The seller's number of the purchase.
    pub number: String,
    /// Fen.
    pub amount: Amount,
    /// Unix seconds before which it is not handed over.
    pub valid_after: u64,
    /// Unix seconds from which it is not handed over any more.
    pub valid_before: u64,
    /// Of the seller's price as it was written, which is what the program gets.
    pub price: Digest,
}

impl Handed {
    /// One purchase of one seller, whatever else is said of it.
    pub fn once(&self) -> B256 {
        let parts = [b"handed", self.program.as_bytes(), self.seller.as_bytes(), self.number.as_bytes()];
        B256::from(Digest::of(&parts).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_is_one_of_its_seller_and_number_whatever_else_is_said_of_it() {
        let amount = |text| Amount::parse_atomic(text).unwrap();
        let one = Handed {
            program: ALIPAY_BOT.into(),
            seller: "2088000000000001".into(),
            number: "A1".into(),
            amount: amount("100"),
            valid_after: 0,
            valid_before: 300,
            price: Digest([1; 32]),
        };
        let dearer = Handed { amount: amount("200"), price: Digest([2; 32]), valid_before: 400, ..one.clone() };
        assert_eq!(one.once(), dearer.once());
        assert_ne!(one.once(), Handed { number: "A2".into(), ..one.clone() }.once());
        assert_ne!(one.once(), Handed { seller: "2088000000000002".into(), ..one.clone() }.once());
    }
}
