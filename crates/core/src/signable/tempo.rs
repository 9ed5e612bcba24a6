//! A charge by method `tempo`: one Tempo transaction (type 0x76) that moves one token to the payee, and to whom the price names
//! besides, within seconds or never.
//!
//! The bytes are a function of the form alone, and [`Transaction::read`] reads them back: what is judged is what is signed.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde::{Deserialize, Serialize};

use crate::money::Amount;

mod rlp;
mod transaction;

pub use transaction::{Call, Transaction};

/// Seconds between making a transaction and its end: the chain takes none that ends later than 30 seconds from its own time.
pub const WINDOW: u64 = 25;
/// The longest window that is ever signed, in seconds.
pub const LONGEST: u64 = 30;

/// The fields of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// EVM chain id.
    pub chain_id: u64,
    /// The TIP-20 token that moves, and in which the fee is paid where we pay it.
    pub token: Address,
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// What `to` gets, atomic units.
    pub value: Amount,
    /// Who else gets something, in the price's order.
    pub splits: Vec<Split>,
    /// The server's name for itself.
    pub realm: String,
    /// The server's name for this price.
    pub challenge: String,
    /// What the transaction may cost.
    pub fee: Fee,
    /// Unix seconds; valid strictly before.
    pub valid_before: u64,
}

/// One more account of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Who gets it.
    pub to: Address,
    /// Atomic units.
    pub value: Amount,
    /// The price's memo for it.
    pub memo: Option<B256>,
}

/// Most gas that a sponsor grants.
const MOST_SPONSORED: u64 = 2_000_000;

/// What a transaction may cost beyond what it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// The server pays it.
    pub sponsored: bool,
    /// Most gas.
    pub gas: u64,
    /// Most for one gas, in 10⁻¹⁸ USD.
    pub price: u64,
    /// Of that most for the block's producer.
    pub tip: u64,
}

impl Fee {
    /// For so many accounts beside the payee. A first payment to an account makes room for it on the chain, which takes 300 000; and
    /// servers try a transaction out before they send it, which takes half a million that nobody pays.
    pub fn for_splits(splits: usize, sponsored: bool) -> Self {
        let more = u64::try_from(splits).unwrap_or(u64::MAX).saturating_mul(300_000);
        let gas = 800_000_u64.saturating_add(more);
        Self {
            sponsored,
            gas: if sponsored { gas.min(MOST_SPONSORED) } else { gas },
            price: 25_000_000_000,
            tip: 1_000_000_000,
        }
    }

    /// The most it takes from the payer, in atomic units of a token of six decimals.
    pub fn most(&self) -> Amount {
        if self.sponsored {
            return Amount::ZERO;
        }
        let units =
            U256::from(self.gas).saturating_mul(U256::from(self.price)).div_ceil(U256::from(1_000_000_000_000_u64));
        Amount::new(units)
    }
}

/// The fields of a proof that an account is ours: what a charge of nothing asks for. It moves no money; a server may take it as a
/// login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// EVM chain id.
    pub chain_id: u64,
    /// Whose it is.
    pub account: Address,
    /// The server's name for itself: the host that is asked, and no other.
    pub realm: String,
    /// The server's name for what it asks.
    pub challenge: String,
    /// Unix seconds from which the server's challenge is over.
    pub valid_before: u64,
}

impl Proof {
    /// One challenge is one number.
    pub fn number(&self) -> B256 {
        number(&self.realm, &self.challenge)
    }
}

impl Charge {
    /// What ties the transfer to its challenge on chain, and to nothing of ours.
    pub fn memo(&self) -> B256 {
        memo(&self.realm, &self.challenge)
    }

    /// One challenge is one number: it can be paid once.
    pub fn number(&self) -> B256 {
        number(&self.realm, &self.challenge)
    }

    /// What is signed is the Keccak hash of these bytes.
    pub fn unsigned(&self) -> Vec<u8> {
        transaction::write(self, None)
    }

    /// The transaction with its payer's signature: 65 bytes, v = 27 or 28.
    pub fn signed(&self, signature: &[u8]) -> Vec<u8> {
        transaction::write(self, Some(signature))
    }

    /// The calls it makes, payee first.
    fn calls(&self) -> Vec<(Address, Bytes)> {
        let first = transaction::transfer(self.to, self.value, Some(self.memo()));
        let more = self.splits.iter().map(|split| transaction::transfer(split.to, split.value, split.memo));
        std::iter::once(first).chain(more).map(|data| (self.token, data)).collect()
    }
}

/// What one challenge is known by, whatever is signed for it.
pub(super) fn number(realm: &str, challenge: &str) -> B256 {
    keccak256(format!("{challenge}{realm}"))
}

/// The memo of a challenge: a mark of the protocol, its version, a piece of the realm's hash, nothing for the client, which would
/// be public for ever, and a piece of the challenge's hash.
pub fn memo(realm: &str, challenge: &str) -> B256 {
    let (mark, realm, challenge) = (keccak256("mpp"), keccak256(realm), keccak256(challenge));
    let start = |hash: &B256, most: usize| hash.iter().take(most).copied().collect::<Vec<u8>>();
    let all = [start(&mark, 4), vec![1], start(&realm, 10), vec![0; 10], start(&challenge, 7)].concat();
    B256::try_from(all.as_slice()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
