//! What the tests of every protocol that signs an EIP-3009 authorisation share: a wallet, tokens, and the signature apart from the rail.

use alloy::{
    primitives::B256,
    signers::{SignerSync as _, local::PrivateKeySigner},
    sol,
    sol_types::{SolStruct as _, eip712_domain},
};
use countersign_core::{Millis, signable::Eip3009};
use serde_json::Value;

/// 2027-01-15T08:00:00Z.
pub const NOW: Millis = Millis(1_800_000_000_000);
pub const KEY: &str = "0x65b0ebda0a2c1d177cd13a92f94cf3933e67429e11f1e9c61cc3845da3ad5769";
pub const PAYER: &str = "0x5aC24a9D8d42cEc9E381C85E504cB81Ef6819D80";
pub const SELLER: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
pub const USDC_BASE: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
pub const USDC_SEPOLIA: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

/// The same with one field set.
pub fn with(mut value: Value, pointer: &str, to: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), to);
    value
}

/// The same without one field.
pub fn without(mut value: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    value
}

sol! {
    struct TransferWithAuthorization { address from; address to; uint256 value; uint256 validAfter; uint256 validBefore; bytes32 nonce; }
}

/// The EIP-712 digest, computed apart from the rail.
pub fn digest(form: &Eip3009) -> B256 {
    let domain = eip712_domain! {
        name: form.name.clone(), version: form.version.clone(), chain_id: form.chain_id, verifying_contract: form.token,
    };
    let Eip3009 { from, to, valid_after, valid_before, nonce, .. } = form.clone();
    let message = TransferWithAuthorization {
        from,
        to,
        value: form.value.units(),
        validAfter: valid_after.try_into().unwrap(),
        validBefore: valid_before.try_into().unwrap(),
        nonce,
    };
    message.eip712_signing_hash(&domain)
}

pub fn sign_with(key: &str, form: &Eip3009) -> Vec<u8> {
    let signer: PrivateKeySigner = key.parse().unwrap();
    assert_eq!(signer.address(), form.from);
    signer.sign_hash_sync(&digest(form)).unwrap().as_bytes().to_vec()
}

/// A signature by the payer's own key.
pub fn sign(form: &Eip3009) -> Vec<u8> {
    assert_eq!(form.from.to_string(), PAYER);
    sign_with(KEY, form)
}
