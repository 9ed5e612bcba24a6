//! A paid MCP server on the official packages: `tests/stack/mcp-seller.mjs`.

use serde_json::Value;
use std::process::{Command, Stdio};

use super::{Place, Service, World, announced::Announced, ended, world::stack};

/// Starts it in this world.
pub fn start(world: &World) -> Announced {
    let mut command = Command::new("node");
    command.current_dir(stack()).args(["mcp-seller.mjs", "--port", "0"]);
    command.args(["--facilitator", &world.at("facilitator"), "--pay-to", &world.at("pay_to")]);
    Announced::start(&mut command)
}

/// Puts an upstream behind a running service; the person says yes or no. What they were shown, and how the verb ended.
pub fn put_behind(place: &Place, service: &mut Service, name: &str, target: &[&str], yes: bool) -> (Value, i32) {
    let mut verb = place.command(&[&["--json", "gateway", "add", name], target].concat());
    let verb =
        verb.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let change = service.event("change");
    service.answer(yes, change["change_id"].as_str().expect("an id"));
    let output = verb.wait_with_output().expect("the verb ends");
    (change, ended(&output).0)
}
