//! The setup verbs: the same operations, whether the data directory is free or a running Countersign holds it.
//!
//! While it runs, a verb travels over a socket only this user can open. Tightening acts at once; loosening asks the person.

mod client;
mod login;
mod op;
mod pairing;
mod perform;
mod server;

pub use client::{NotRunning, call};
pub use op::{Line, Op, Reply, is_page};
pub use pairing::Pairing;
pub use perform::perform;
pub use server::{Counter, change_id, serve};
