//! Countersign rails.
