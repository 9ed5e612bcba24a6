//! A server in a program of its own that says where it is in its first line: JSON with a `url`.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// A running one. Killed when dropped.
pub struct Announced {
    child: Child,
    /// Its address.
    pub url: String,
}

impl Announced {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("the server speaks");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the server said: {line:?}"));
        Self { child, url: ready["url"].as_str().expect("an address").to_owned() }
    }

    /// Its MCP endpoint.
    pub fn mcp(&self) -> String {
        format!("{}/mcp", self.url)
    }

    /// Changes it.
    pub async fn becomes(&self, how: &Value) {
        let sent = client().post(format!("{}/control", self.url)).json(how).send().await.expect("an answer");
        assert!(sent.status().is_success());
    }

    /// What arrived there.
    pub async fn seen(&self) -> Value {
        client().get(format!("{}/seen", self.url)).send().await.expect("an answer").json().await.expect("JSON")
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP client that goes straight there, and nowhere else.
pub fn client() -> reqwest::Client {
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(none).build().expect("a client")
}
