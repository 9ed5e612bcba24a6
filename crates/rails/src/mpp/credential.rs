//! The credential: the challenge as it was received, and what was signed or issued for it.

use alloy_primitives::hex;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_core::{
    rail::{Credential, QuoteError},
    signable::{Eip3009, Signable, tempo::Charge},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::{challenge::Challenge, charge, malformed, stripe, tempo};
use crate::{evm, json::Json};

/// Longest header value sent: servers on Node take 16 KB of headers in all.
const MAX_HEADER: usize = 12 * 1024;
/// Most bytes of a credential beside its challenge, with an authorisation.
pub(super) const AUTHORISATION: usize = 800;

/// Writes the header, or for a challenge that came over JSON-RPC the `_meta` entry.
///
/// The kept challenge is read again and must still say what was signed.
pub(super) fn write(offer: &str, signed: &[(Signable, Vec<u8>)]) -> Result<Credential, QuoteError> {
    let [(form, signature)] = signed else {
        return Err(malformed("a charge needs exactly one signature"));
    };
    let issued = matches!(form, Signable::Spt(_));
    if !issued && (signature.len() != 65 || !matches!(signature.last(), Some(27 | 28))) {
        return Err(malformed("the signature is not 65 bytes ending in 27 or 28"));
    }
    let kept = Json::parse(offer).map_err(|e| malformed(format!("the kept challenge cannot be read: {e}")))?;
    let challenge = Challenge::read(&kept)?;
    let (payload, source) = match form {
        Signable::Eip3009(form) => {
            charge::agree(&challenge, form)?;
            (authorisation(form, signature), Some((form.chain_id, form.from)))
        }
        Signable::Tempo(form) => {
            tempo::agree(&challenge, form)?;
            (transaction(form, signature), Some((form.chain_id, form.from)))
        }
        Signable::Proof(proof) => {
            tempo::agree_proof(&challenge, proof)?;
            (proved(signature), Some((proof.chain_id, proof.account)))
        }
        Signable::Spt(form) => (stripe::payload(&challenge, form, signature)?, None),
        Signable::Alipay(_) | Signable::Handed(_) => return Err(malformed("a charge is not paid by an order")),
    };
    let source = source.map(|(chain_id, from)| format!(",\"source\":\"did:pkh:eip155:{chain_id}:{from}\""));
    let object = format!("{{\"challenge\":{offer},\"payload\":{payload}{}}}", source.unwrap_or_default());
    if challenge.native {
        let object: Value = serde_json::from_str(&object).map_err(|_| malformed("the challenge cannot be echoed"))?;
        let meta = Map::from_iter([("org.paymentauth/credential".to_owned(), object)]);
        return Ok(Credential { meta, ..Credential::default() });
    }
    let value = format!("Payment {}", URL_SAFE_NO_PAD.encode(object));
    Ok(Credential { headers: BTreeMap::from([(challenge.header.to_owned(), value)]), ..Credential::default() })
}

/// Whether the credential for a kept challenge takes this header.
pub(super) fn takes_header(offer: &str, name: &str) -> bool {
    let kept = Json::parse(offer).ok();
    let challenge = kept.as_ref().and_then(|kept| Challenge::read(kept).ok());
    challenge.is_some_and(|challenge| !challenge.native && challenge.header.eq_ignore_ascii_case(name))
}

/// Most bytes of a credential beside its challenge, with a transaction for so many accounts beside the payee.
pub(super) const fn of_transaction(splits: usize) -> usize {
    splits.saturating_mul(320).saturating_add(1200)
}

/// Whether the credential for a challenge, with so many bytes beside it, is one that servers take.
pub(super) fn fits(challenge: &str, native: bool, payload: usize) -> bool {
    native || challenge.len().saturating_add(payload).saturating_mul(4).div_ceil(3) <= MAX_HEADER
}

fn transaction(form: &Charge, signature: &[u8]) -> String {
    format!("{{\"type\":\"transaction\",\"signature\":\"{}\"}}", hex::encode_prefixed(form.signed(signature)))
}

fn proved(signature: &[u8]) -> String {
    format!("{{\"type\":\"proof\",\"signature\":\"{}\"}}", hex::encode_prefixed(signature))
}

fn authorisation(form: &Eip3009, signature: &[u8]) -> String {
    format!(
        "{{\"type\":\"authorization\",{},\"signature\":\"{}\"}}",
        evm::members(form),
        hex::encode_prefixed(signature)
    )
}
