//! A shop on the official MPP server: `tests/stack/mpp-seller.mjs`.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::{World, world::stack};

/// A running one. Killed when dropped.
pub struct Mppx {
    child: Child,
    url: String,
}

impl Mppx {
    /// Starts it in this world.
    pub fn start(world: &World) -> Self {
        let mut child = Command::new("node")
            .current_dir(stack())
            .args(["mpp-seller.mjs", "--rpc", &world.at("rpc"), "--pay-to", &world.at("pay_to")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("the seller speaks");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the seller said: {line:?}"));
        Self { child, url: ready["url"].as_str().expect("an address").to_owned() }
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Pages that got a credential, and transactions that moved money.
    pub async fn seen(&self) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.get(self.page("/seen")).send().await.expect("an answer").json().await.expect("JSON")
    }
}

impl Drop for Mppx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
