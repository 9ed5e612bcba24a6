//! Countersign vault.
