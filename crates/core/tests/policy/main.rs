//! The policy engine as a whole: the worked decisions of its design, and the laws that hold for every policy.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests may stop where something is wrong")]

mod changes;
mod counting;
mod edits;
mod file;
mod fuzz;
mod laws;
mod left;
mod presets;
mod random;
mod replayed;
mod semantics;
mod windows;
mod worked;
mod world;
