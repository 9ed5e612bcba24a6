//! The currencies that are paid by method `stripe`, with the smallest sum that Stripe charges in each.

use alloy_primitives::U256;
use countersign_core::{
    asset::{Asset, Transfer},
    money::Amount,
    rail::QuoteError,
};

use crate::mpp::malformed;

/// Stripe takes no sum of more than eight digits.
const MOST: u64 = 99_999_999;
/// Code, digits after the point, and the least that is charged, in smallest units as Stripe counts them. From Stripe's list, as
/// `mppx` 0.11 has it; a currency that is not on it is not paid in.
const KNOWN: [(&str, u8, u64); 32] = [
    ("aed", 2, 200),
    ("ars", 2, 50),
    ("aud", 2, 50),
    ("bgn", 2, 100),
    ("brl", 2, 50),
    ("cad", 2, 50),
    ("chf", 2, 50),
    ("cop", 2, 50),
    ("czk", 2, 1500),
    ("dkk", 2, 250),
    ("eur", 2, 50),
    ("gbp", 2, 30),
    ("hkd", 2, 400),
    ("huf", 2, 17500),
    ("idr", 2, 50),
    ("ils", 2, 50),
    ("inr", 2, 50),
    ("jpy", 0, 50),
    ("krw", 0, 50),
    ("mxn", 2, 1000),
    ("myr", 2, 200),
    ("nok", 2, 300),
    ("nzd", 2, 50),
    ("php", 2, 50),
    ("pln", 2, 200),
    ("ron", 2, 200),
    ("rub", 2, 50),
    ("sek", 2, 300),
    ("sgd", 2, 50),
    ("thb", 2, 1000),
    ("usd", 2, 50),
    ("zar", 2, 50),
];

/// The asset of a currency, if so much of it can be charged.
pub(super) fn asset(currency: &str, amount: Amount) -> Result<Asset, QuoteError> {
    let known = KNOWN.iter().find(|(code, ..)| *code == currency);
    let (_, decimals, least) = known.ok_or_else(|| QuoteError::UnknownAsset(format!("the currency {currency:?}")))?;
    if amount.units() < U256::from(*least) {
        return Err(QuoteError::Unsupported(format!("it is less than Stripe charges in {currency}")));
    }
    if amount.units() > U256::from(MOST) {
        return Err(QuoteError::Unsupported(format!("it is more than Stripe charges at once in {currency}")));
    }
    let symbol = currency.to_ascii_uppercase();
    let id = format!("iso4217:{symbol}").parse().map_err(|_| malformed("the currency has no code"))?;
    // How it moves says nothing where no chain is.
    Ok(Asset { id, peg: Some(symbol.clone()), symbol, decimals: *decimals, eip712: None, transfer: Transfer::Eip3009 })
}
