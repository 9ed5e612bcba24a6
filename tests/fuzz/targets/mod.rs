//! What is fuzzed: each target takes any bytes, must not panic, and must keep its promise about whatever it accepts.
//!
//! `cargo xtask fuzz TARGET` runs one with new inputs, guided by coverage; the stories replay the corpus through all of them.

mod amount;
mod body;
mod challenge;
mod offer;
mod policy;
mod receipt;

pub use amount::amount;
pub use body::body;
pub use challenge::challenge;
pub use offer::offer;
pub use policy::policy;
pub use receipt::receipt;

/// A target: whether it took the input for what it should be.
pub type Target = fn(&[u8]) -> bool;

/// All of them, by the name of their folder in the corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("amount", amount),
    ("body", body),
    ("challenge", challenge),
    ("offer", offer),
    ("policy", policy),
    ("receipt", receipt),
];
