//! The payment protocols Countersign speaks, one module each.
//!
//! Pure: no clock, no randomness, no IO and no keys; a rail reads prices and writes credentials, it never sends or signs.

use countersign_core::rail::Rail;

mod json;
pub mod x402;

/// Every rail of this build, in the order an answer is shown to them.
pub fn all() -> Vec<Box<dyn Rail>> {
    vec![Box::new(x402::X402)]
}
