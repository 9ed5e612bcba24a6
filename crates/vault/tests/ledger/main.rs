//! The ledger over real SQLite files in temporary directories.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod activity;
mod admission;
mod backup;
mod bound;
mod budgets;
mod ends;
mod hundred;
mod old;
mod pages;
mod payees;
mod people;
mod questions;
mod refunds;
mod renewed;
mod start;
mod states;
mod tamper;
