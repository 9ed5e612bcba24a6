//! The payment payload, byte for byte as the official client writes it for the same inputs.

use alloy_primitives::hex;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    payment::Quote,
    rail::{Credential, QuoteError},
    signable::{Eip3009, Signable},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::{Version, malformed, terms::Terms};
use crate::{evm, json::Json};

/// Writes header, `_meta` entry and, for a price that came over A2A, message metadata from the kept offer and the one signature.
///
/// The kept offer is read again and must still say what was signed.
pub(super) fn write(quote: &Quote, offer: &str, signed: &[(Signable, Vec<u8>)]) -> Result<Credential, QuoteError> {
    let [(Signable::Eip3009(form), signature)] = signed else {
        return Err(malformed("x402 needs exactly one signature"));
    };
    if signature.len() != 65 || !matches!(signature.last(), Some(27 | 28)) {
        return Err(malformed("the signature is not 65 bytes ending in 27 or 28"));
    }
    let kept = Json::parse(offer).map_err(|e| malformed(format!("the kept offer cannot be read: {e}")))?;
    let accepted = kept.get("accepted").ok_or_else(|| malformed("the kept offer is incomplete"))?;
    let version = Version::of(quote);
    agree(&Terms::read(version, accepted)?, form)?;

    let transfer = transfer(form, signature);
    let part = |name: &str| kept.get(name).map(|json| format!(",\"{name}\":{}", json.stringify())).unwrap_or_default();
    let (payload, header) = match version {
        Version::V1 => {
            let field = |name: &str| accepted.get(name).map(Json::stringify).unwrap_or_default();
            let payload = format!(
                "{{\"x402Version\":1,\"scheme\":{},\"network\":{},\"payload\":{transfer}}}",
                field("scheme"),
                field("network")
            );
            (payload, "X-PAYMENT")
        }
        Version::V2 => {
            let (extensions, resource) = (part("extensions"), part("resource"));
            let payload = format!(
                "{{\"x402Version\":2,\"payload\":{transfer}{extensions}{resource},\"accepted\":{}}}",
                accepted.stringify()
            );
            (payload, "PAYMENT-SIGNATURE")
        }
    };
    let object: Value = serde_json::from_str(&payload).map_err(|_| malformed("the offer cannot be echoed"))?;
    let metadata = match kept.get("carrier").and_then(Json::text) {
        Some("a2a") => Map::from_iter([
            ("x402.payment.status".to_owned(), "payment-submitted".into()),
            ("x402.payment.payload".to_owned(), object.clone()),
        ]),
        _ => Map::new(),
    };
    Ok(Credential {
        headers: BTreeMap::from([(header.to_owned(), STANDARD.encode(&payload))]),
        meta: Map::from_iter([("x402/payment".to_owned(), object)]),
        metadata,
    })
}

fn agree(terms: &Terms<'_>, form: &Eip3009) -> Result<(), QuoteError> {
    let same = terms.chain_id == form.chain_id
        && terms.asset == Some(form.token)
        && terms.pay_to == Some(form.to)
        && terms.amount == form.value
        && terms.name == Some(&form.name)
        && terms.token_version == Some(&form.version);
    if same { Ok(()) } else { Err(malformed("the kept offer is not the one that was signed")) }
}

fn transfer(form: &Eip3009, signature: &[u8]) -> String {
    format!("{{\"authorization\":{{{}}},\"signature\":\"{}\"}}", evm::members(form), hex::encode_prefixed(signature))
}
