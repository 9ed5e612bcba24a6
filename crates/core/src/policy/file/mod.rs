//! The policy file: TOML in, TOML out. Unknown keys are errors; a file is taken whole or not at all.

mod keys;
mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;
