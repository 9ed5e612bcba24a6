//! Digests and signatures of the forms that may be signed, and nothing else.
//!
//! The digest is made of the fields of a [`Signable`] alone; signatures are deterministic (RFC 6979, low s; PKCS#1 v1.5), so the
//! same form and key give the same bytes for ever. No function here takes a hash from outside.

use alloy::sol_types::{Eip712Domain, SolStruct as _, eip712_domain};
use alloy_primitives::{Address, B256, U256, keccak256};
use countersign_core::{
    payment::Digest,
    signable::{Eip3009, Signable, tempo},
};
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use crate::keys::{LockedKey, MerchantKey};

mod form {
    alloy::sol! {
        /// EIP-3009, as its EIP-712 type.
        struct TransferWithAuthorization {
            address from;
            address to;
            uint256 value;
            uint256 validAfter;
            uint256 validBefore;
            bytes32 nonce;
        }

        /// MPP's proof of an account, version 3, as its EIP-712 type.
        struct Proof {
            address account;
            string challengeId;
            string realm;
        }
    }
}

/// Why there is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The form names another account than the key's.
    #[error("the payment is to be made from {from}, but this is the key of {signer}")]
    OtherAccount {
        /// The form's account.
        from: Address,
        /// The key's account.
        signer: Address,
    },
    /// The key was wiped from memory.
    #[error("the wallet is locked")]
    Locked,
    /// The arithmetic gave no signature.
    #[error("the key gave no signature")]
    NoSignature,
}

/// A loaded key. Clones share it; all of them refuse once it is wiped.
#[derive(Clone)]
pub struct Signer {
    address: Address,
    key: Arc<RwLock<Option<LockedKey>>>,
}

impl Signer {
    pub(crate) fn new(key: LockedKey) -> Self {
        Self { address: key.address(), key: Arc::new(RwLock::new(Some(key))) }
    }

    /// The account it signs for.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Zeroes the key, once nobody is signing with it.
    pub(crate) fn wipe(&self) {
        self.key.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn sign_digest(&self, digest: B256) -> Result<Vec<u8>, SignError> {
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        let key = key.as_ref().ok_or(SignError::Locked)?;
        let (signature, recovery) = key
            .with(|key| key.sign_prehash_recoverable(digest.as_slice()))
            .and_then(Result::ok)
            .ok_or(SignError::NoSignature)?;
        let mut bytes = signature.to_bytes().to_vec();
        bytes.push(if recovery.is_y_odd() { 28 } else { 27 });
        Ok(bytes)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.address)
    }
}

/// Whoever's key a form is signed with.
pub(crate) enum Hand {
    /// A wallet.
    Wallet(Signer),
    /// A merchant at Alipay.
    Merchant(MerchantKey),
    /// Of nobody here: a vendor's own program pays, or Stripe issues a token.
    Nobody,
}

/// The wallet a form takes from; none where no wallet is asked.
pub(crate) fn wallet(signable: &Signable) -> Option<Address> {
    match signable {
        Signable::Eip3009(form) => Some(form.from),
        Signable::Tempo(charge) => Some(charge.from),
        Signable::Proof(proof) => Some(proof.account),
        Signable::Alipay(_) | Signable::Handed(_) | Signable::Spt(_) => None,
    }
}

/// What is kept of a form to know it again: the EIP-712 digest, the hash of a transaction's bytes, of an order its fields and the
/// text that is signed, or what is handed over or issued.
pub fn digest(signable: &Signable) -> B256 {
    match signable {
        Signable::Eip3009(a) => transfer(a).eip712_signing_hash(&domain(a)),
        Signable::Tempo(charge) => keccak256(charge.unsigned()),
        Signable::Proof(proof) => proved(proof),
        Signable::Alipay(order) => B256::from(Digest::of(&[&signable.encode(), order.text().as_bytes()]).0),
        Signable::Handed(_) | Signable::Spt(_) => B256::from(Digest::of(&[&signable.encode()]).0),
    }
}

/// Signs a form: by a wallet 65 bytes, r, s and v of 27 or 28; by a merchant SHA256withRSA over its text; nothing where
/// nobody here signs.
pub(crate) fn sign_by(hand: &Hand, signable: &Signable) -> Result<Vec<u8>, SignError> {
    match (hand, signable) {
        (Hand::Wallet(signer), _) => sign(signer, signable),
        (Hand::Merchant(key), Signable::Alipay(order)) => key.order(order).ok_or(SignError::NoSignature),
        (Hand::Nobody, Signable::Handed(_) | Signable::Spt(_)) => Ok(Vec::new()),
        (Hand::Merchant(_) | Hand::Nobody, _) => Err(SignError::NoSignature),
    }
}

/// Signs a form that takes from this wallet.
pub(crate) fn sign(signer: &Signer, signable: &Signable) -> Result<Vec<u8>, SignError> {
    let from = wallet(signable).ok_or(SignError::NoSignature)?;
    if from != signer.address {
        return Err(SignError::OtherAccount { from, signer: signer.address });
    }
    signer.sign_digest(digest(signable))
}

fn proved(proof: &tempo::Proof) -> B256 {
    let domain = eip712_domain! { name: "MPP", version: "3", chain_id: proof.chain_id, };
    let message =
        form::Proof { account: proof.account, challengeId: proof.challenge.clone(), realm: proof.realm.clone() };
    message.eip712_signing_hash(&domain)
}

fn transfer(a: &Eip3009) -> form::TransferWithAuthorization {
    form::TransferWithAuthorization {
        from: a.from,
        to: a.to,
        value: U256::from_be_bytes(a.value.to_be_bytes()),
        validAfter: U256::from(a.valid_after),
        validBefore: U256::from(a.valid_before),
        nonce: a.nonce,
    }
}

fn domain(a: &Eip3009) -> Eip712Domain {
    eip712_domain! {
        name: a.name.clone(),
        version: a.version.clone(),
        chain_id: a.chain_id,
        verifying_contract: a.token,
    }
}

#[cfg(test)]
pub(crate) mod tests;
