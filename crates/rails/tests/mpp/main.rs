//! The MPP rail against the official library's bytes, hostile servers and arbitrary input.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod carriers;
mod fuzz;
mod headers;
mod hostile;
mod official;
mod receipts;
mod stripe;
mod support;
mod tempo;
mod ways;
