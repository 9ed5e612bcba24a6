//! Countersign: stands between AI agents and a person's money.
//!
//! The app names concrete things; what a payment is and how it is told lives in the packages below it.

mod alipay;
mod app;
mod backup;
mod bridge;
mod cli;
mod config;
mod connect;
mod control;
mod door;
#[cfg(feature = "faults")]
mod faults;
mod gateway;
#[cfg(feature = "gui")]
mod gui;
mod http;
mod log;
mod mcp;
mod opener;
mod program;
mod stripe;
mod terminal;

pub use cli::main;
