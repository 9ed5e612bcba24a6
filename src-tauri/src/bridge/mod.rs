//! `countersign mcp`: a client's stdin and stdout on one side, the running Countersign's `/mcp` on the other.
//!
//! A pump that knows no tools and neither era: every line travels as it was written, and so does every answer. It learns only
//! what HTTP wants said beside a message (revision, method, name, session), keeps the opening of a session in order, and
//! opens a lost one again. It decides nothing, repeats only what the server says it did not take, and holds no key.

mod desktop;
mod exchange;
mod message;
mod pump;
pub mod renew;
mod stream;
#[cfg(test)]
#[cfg(unix)]
mod tests;
pub mod token;
mod way;

pub use pump::Bridge;
