#![cfg(feature = "faults")]
//! Empty.
