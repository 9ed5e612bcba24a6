//! The window and the nonce of the EIP-3009 authorisation for a price.

use alloy_primitives::B256;
use countersign_core::{Millis, payment::Quote, rail::QuoteError, signable::Eip3009};

use super::Version;
use crate::evm;

/// Seconds by which version 1 opens the window early, as the official client does.
const V1_EARLY: u64 = 600;

/// Completes the form: the window ends with the quote's lifetime or 300 s, whichever is sooner.
pub(super) fn complete(quote: &Quote, now: Millis, random: [u8; 32]) -> Result<Eip3009, QuoteError> {
    let valid_after = match Version::of(quote) {
        Version::V1 => now.seconds().saturating_sub(V1_EARLY),
        Version::V2 => 0,
    };
    evm::transfer(quote, valid_after, quote.valid_before(now), B256::from(random))
}
