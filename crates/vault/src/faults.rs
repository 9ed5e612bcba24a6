//! Faults on command, for tests only.
