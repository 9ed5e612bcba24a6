//! What every story needs: the real program on a throw-away data directory, the real world of chain and sellers, and a client.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

pub mod a2m;
pub mod agent;
pub mod alipay;
pub mod announced;
#[cfg(target_os = "linux")]
pub mod attacker;
pub mod bridge;
#[cfg(target_os = "linux")]
pub mod browser;
pub mod client;
#[cfg(target_os = "linux")]
pub mod driver;
pub mod guarded;
pub mod hostile_mpp;
pub mod hostile_seller;
pub mod mcp;
pub mod mppx;
pub mod node;
pub mod official;
pub mod python;
pub mod raw;
#[cfg(target_os = "linux")]
pub mod rss;
pub mod seller;
pub mod service;
pub mod shapes;
pub mod shop;
pub mod stripe;
pub mod tempo;
pub mod till;
pub mod tls;
pub mod twisted;
pub mod world;

pub use a2m::A2m;
pub use agent::Agent;
pub use alipay::AlipayDouble;
pub use client::Client;
pub use hostile_mpp::HostileMpp;
pub use mcp::Mcp;
pub use mppx::Mppx;
pub use node::{Behaves, NodeDouble};
pub use official::Official;
pub use service::{Place, Service, ended};
pub use shop::Shop;
pub use stripe::StripeShop;
pub use tempo::Tempo;
pub use till::Till;
pub use world::World;

use std::time::{Duration, Instant};

/// Asks until there is an answer, for as long as [`service::PATIENCE`]; for what no line or answer announces.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + service::PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {:?}: {what}", service::PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
