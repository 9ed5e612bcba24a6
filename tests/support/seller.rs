//! A paid MCP server on the official packages: `tests/stack/mcp-seller.mjs`.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::{Place, Service, World, ended, world::stack};

/// A running one. Killed when dropped.
pub struct Seller {
    child: Child,
    url: String,
}

impl Seller {
    /// Starts it in this world.
    pub fn start(world: &World) -> Self {
        let mut child = Command::new("node")
            .current_dir(stack())
            .args([
                "mcp-seller.mjs",
                "--port",
                "0",
                "--facilitator",
                &world.at("facilitator"),
                "--pay-to",
                &world.at("pay_to"),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("the seller speaks");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the seller said: {line:?}"));
        Self { child, url: ready["url"].as_str().expect("an address").to_owned() }
    }

    /// Its address.
    pub fn mcp(&self) -> String {
        format!("{}/mcp", self.url)
    }

    /// Changes it.
    pub async fn becomes(&self, how: &Value) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let sent = client.post(format!("{}/control", self.url)).json(how).send().await.expect("an answer");
        assert!(sent.status().is_success());
    }

    /// What arrived there.
    pub async fn seen(&self) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.get(format!("{}/seen", self.url)).send().await.expect("an answer").json().await.expect("JSON")
    }
}

impl Drop for Seller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
