//! The x402 rail against the official client's bytes, hostile sellers and arbitrary input.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod carriers;
mod checks;
mod choosing;
mod fuzz;
mod hostile;
mod official;
mod receipts;
mod support;
