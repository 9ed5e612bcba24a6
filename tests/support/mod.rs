//! What every story needs: the real program on a throw-away data directory, the real world of chain and sellers, and a client.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod client;
pub mod hostile_seller;
pub mod service;
pub mod world;

pub use client::Client;
pub use service::{Place, Service};
pub use world::World;
