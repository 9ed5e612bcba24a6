//! Alipay's rail: answers verified over their bytes, words that mean what they say, notices, and orders as facts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects, reason = "tests may panic")]

mod answers;
mod needed;
mod notices;
mod orders;
mod support;
