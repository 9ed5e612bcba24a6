//! Shops on the official MPP server: `tests/stack/mpp-seller.mjs`, and over MCP `tests/stack/mpp-mcp-seller.mjs`.

use serde_json::Value;
use std::process::Command;

use super::{World, announced::Announced, world::stack};

/// A running one.
pub struct Mppx(Announced);

impl Mppx {
    /// Starts it in this world.
    pub fn start(world: &World) -> Self {
        Self(run("mpp-seller.mjs", world))
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.0.url)
    }

    /// Pages that got a credential, and transactions that moved money.
    pub async fn seen(&self) -> Value {
        self.0.seen().await
    }
}

/// Starts the paid MCP server in this world.
pub fn over_mcp(world: &World) -> Announced {
    run("mpp-mcp-seller.mjs", world)
}

fn run(script: &str, world: &World) -> Announced {
    let mut command = Command::new("node");
    command.current_dir(stack()).args([script, "--rpc", &world.at("rpc"), "--pay-to", &world.at("pay_to")]);
    Announced::start(&mut command)
}
