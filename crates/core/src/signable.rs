//! Every form that may ever be signed. There is no raw hash and no caller-supplied typed data.
//!
//! A new form is a new variant here and a new arm in the vault's signer, on purpose: that is the security review.

pub mod alipay;
pub mod handed;
pub mod spt;
pub mod tempo;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::{asset::Network, money::Amount};

/// A form that may be signed, complete: a signature is a pure function of it and the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
pub enum Signable {
    /// EIP-3009 `TransferWithAuthorization` under the token's own EIP-712 domain.
    Eip3009(Eip3009),
    /// A Tempo transaction that moves one token for a challenge of MPP.
    Tempo(tempo::Charge),
    /// A proof to a server of MPP that an account is ours.
    Proof(tempo::Proof),
    /// An order at Alipay's gateway: the exact text of the request.
    Alipay(alipay::Order),
    /// A purchase that a vendor's own program pays; nothing of ours signs it.
    Handed(handed::Handed),
    /// A token that Stripe issues for a seller to charge; nothing of ours signs it.
    Spt(spt::Spt),
}

/// The fields of an EIP-3009 transfer authorisation and its domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eip3009 {
    /// EVM chain id.
    pub chain_id: u64,
    /// `verifyingContract`: the token.
    pub token: Address,
    /// Domain `name`.
    pub name: String,
    /// Domain `version`.
    pub version: String,
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// Atomic units.
    pub value: Amount,
    /// Unix seconds; valid strictly after.
    pub valid_after: u64,
    /// Unix seconds; valid strictly before.
    pub valid_before: u64,
    /// Used once: random bytes, or made of the seller's challenge where the protocol ties the two together.
    pub nonce: B256,
}

impl Signable {
    /// The canonical bytes the ledger stores.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads [`Self::encode`] back; anything that does not encode to the same bytes again is refused.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let signable: Self = serde_json::from_slice(bytes).ok()?;
        (signable.encode() == bytes).then_some(signable)
    }

    /// The account whose key signs: a wallet's address, or `alipay:` and the merchant's app; the program that pays; or
    /// `stripe:` and the payment method.
    pub fn signer(&self) -> String {
        match self {
            Self::Eip3009(a) => a.from.to_string(),
            Self::Tempo(charge) => charge.from.to_string(),
            Self::Proof(proof) => proof.account.to_string(),
            Self::Alipay(order) => format!("alipay:{}", order.app_id),
            Self::Handed(handed) => handed.program.clone(),
            Self::Spt(spt) => spt.account(),
        }
    }

    /// The network it is valid on; none where no chain is.
    pub fn network(&self) -> Option<Network> {
        match self {
            Self::Eip3009(a) => Some(Network::eip155(a.chain_id)),
            Self::Tempo(charge) => Some(Network::eip155(charge.chain_id)),
            Self::Proof(proof) => Some(Network::eip155(proof.chain_id)),
            Self::Alipay(_) | Self::Handed(_) | Self::Spt(_) => None,
        }
    }

    /// The single-use number.
    pub fn nonce(&self) -> B256 {
        match self {
            Self::Eip3009(a) => a.nonce,
            Self::Tempo(charge) => charge.number(),
            Self::Proof(proof) => proof.number(),
            Self::Alipay(order) => order.number(),
            Self::Handed(handed) => handed.once(),
            Self::Spt(spt) => spt.number(),
        }
    }

    /// Unix seconds from which it can no longer be used.
    pub fn valid_before(&self) -> u64 {
        match self {
            Self::Eip3009(a) => a.valid_before,
            Self::Tempo(charge) => charge.valid_before,
            Self::Proof(proof) => proof.valid_before,
            Self::Alipay(order) => order.at.saturating_add(alipay::WINDOW),
            Self::Handed(handed) => handed.valid_before,
            Self::Spt(spt) => spt.valid_before,
        }
    }

    /// Unix seconds after which it can be used.
    pub fn valid_after(&self) -> u64 {
        match self {
            Self::Eip3009(a) => a.valid_after,
            Self::Tempo(_) | Self::Proof(_) | Self::Spt(_) => 0,
            Self::Alipay(order) => order.at,
            Self::Handed(handed) => handed.valid_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_bytes_decode_to_the_same_form_or_not_at_all() {
        let signable = Signable::Eip3009(Eip3009 {
            chain_id: 84532,
            token: Address::repeat_byte(1),
            name: "USDC".into(),
            version: "2".into(),
            from: Address::repeat_byte(2),
            to: Address::repeat_byte(3),
            value: Amount::parse_atomic("10000").unwrap(),
            valid_after: 0,
            valid_before: 1_800_000_060,
            nonce: B256::repeat_byte(7),
        });
        let bytes = signable.encode();
        assert_eq!(Signable::decode(&bytes), Some(signable));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(Signable::decode(text.replace("84532", "84533 ").as_bytes()), None);
        assert_eq!(Signable::decode(text.replace("\"name\"", "\"extra\":1,\"name\"").as_bytes()), None);
    }
}
