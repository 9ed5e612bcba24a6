//! The EIP-3009 authorisation for a price: fields from our quote and table only.

use alloy_primitives::B256;
use countersign_core::{Millis, asset::parse_address, payment::Quote, rail::QuoteError, signable::Eip3009};

use super::{Version, malformed};

/// Seconds by which version 1 opens the window early, as the official client does.
const V1_EARLY: u64 = 600;

/// Completes the form: the window ends with the quote's lifetime or 300 s, whichever is sooner.
pub(super) fn complete(quote: &Quote, now: Millis, random: [u8; 32]) -> Result<Eip3009, QuoteError> {
    let fault = || malformed("the quote is not for an EIP-3009 transfer");
    let address = |text: &str| parse_address(text).map_err(|_| fault());
    let domain = quote.domain.as_ref().ok_or_else(fault)?;
    Ok(Eip3009 {
        chain_id: quote.network.as_ref().and_then(|network| network.chain_id()).ok_or_else(fault)?,
        token: quote.money.asset.token().ok_or_else(fault)?,
        name: domain.name.clone(),
        version: domain.version.clone(),
        from: address(&quote.wallet)?,
        to: address(&quote.payee.account)?,
        value: quote.money.amount,
        valid_after: match Version::of(quote) {
            Version::V1 => now.seconds().saturating_sub(V1_EARLY),
            Version::V2 => 0,
        },
        valid_before: quote.valid_before(now),
        nonce: B256::from(random),
    })
}
