//! The whole app over real connections: one story a file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "../support/mod.rs"]
mod support;

mod alipay;
#[cfg(unix)]
mod bridge;
#[cfg(target_os = "linux")]
mod browser;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod bus;
mod canary;
mod cli;
#[cfg(unix)]
mod codes;
mod conformance;
mod conformance_client;
mod connect;
mod corpus;
mod crowd;
#[cfg(feature = "faults")]
mod disk;
#[cfg(all(feature = "ui-automation", target_os = "linux"))]
mod driven;
mod eras;
mod examples;
mod gateway;
mod gateway_eras;
mod gateway_shapes;
mod gateway_together;
mod gateway_waits;
mod hostile;
mod http;
mod kills;
mod login;
mod login_hostile;
mod mcp;
mod mpp;
mod network;
#[cfg(all(feature = "gui", not(feature = "ui-automation"), target_os = "linux"))]
mod notices;
mod openapi;
#[cfg(target_os = "linux")]
mod outbound;
mod pay;
#[cfg(all(feature = "ui-automation", target_os = "linux"))]
mod pressed;
mod programs;
#[cfg(all(feature = "faults", unix))]
mod restore;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod screen;
mod settle;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod start;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod storm;
mod waits;
#[cfg(all(feature = "gui", not(feature = "ui-automation"), target_os = "linux"))]
mod wayland;
#[cfg(all(feature = "gui", not(feature = "ui-automation"), target_os = "linux"))]
mod window;
