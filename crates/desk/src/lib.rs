//! The story of one payment, and the port to the person.

pub mod approver;
pub mod event;
