//! Doors in the data directory that only this user can open, and the program behind whoever knocks.
//!
//! Another user's connection is dropped before a byte of it is read. What the system says of a program is evidence; nothing
//! here lets anybody in because of it.

mod program;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Door, Knock, Line, knock};
#[cfg(windows)]
pub use windows::{Door, Knock, Line, knock};

/// Where setup verbs come in.
pub const CONTROL: &str = "control.sock";
/// Where agents come in.
pub const AGENTS: &str = "agents.sock";
