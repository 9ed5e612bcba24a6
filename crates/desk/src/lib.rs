//! Countersign's desk: the story of one payment, told top to bottom in `pay.rs`, and the port to the person.
//!
//! Knows the core and the vault; never a web framework, a window, a database or a key. Nothing here can approve: an approval is a
//! value only a person's answer makes, and only the vault signs.

pub mod approver;
mod ask;
pub mod buyer;
pub mod carrier;
mod deliver;
mod desk;
pub mod event;
mod habits;
pub mod issue;
pub mod issuer;
pub mod outcome;
mod pay;
pub mod problem;
pub mod provider;
mod receipt;
pub mod request;
pub mod seconds;
pub mod settle;
pub mod shape;
mod story;
pub mod strict;
pub mod view;
pub mod wire;

pub use desk::{Desk, DeskParts, HealthWord, Standing};
pub use habits::Habits;
pub use story::Told;
