//! The ledger: one writing thread over one SQLite file; private to this crate.

/// Frees the hold of a reservation that is dropped unsigned.
#[derive(Debug)]
pub(crate) struct Dropped;
