//! Requests to the outside: to sellers, with agent-given addresses, so nothing private is reached and nothing unbounded is read.
//!
//! Never follows a redirect with a payment, never sends a payment header to another origin, never reads past its limits.

mod address;
mod client;
mod inflate;
mod names;

pub use address::is_private;
pub use client::{Answer, Outgoing, Wire, WireError, WireLimits};
