//! Named places for tests that kill the process in between. Without the feature `faults` they are nothing.

/// Marks a place where a process that dies must leave a sound ledger behind.
#[inline]
pub(crate) fn point(_name: &str) {
    #[cfg(feature = "faults")]
    crate::faults::reached(_name);
}
