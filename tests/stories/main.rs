//! The whole app over real connections: one story a file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "../support/mod.rs"]
mod support;

mod canary;
mod crowd;
mod examples;
mod hostile;
mod http;
mod kills;
mod mcp;
mod openapi;
mod pay;
mod programs;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod window;
