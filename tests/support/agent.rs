//! The official TypeScript SDK's client, as the shopping agent of `tests/stack/agent.mjs`.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::{Shop, world::stack};

/// A running agent; it buys `/cheap`, `/report` and `/huge`. Killed when dropped.
pub struct Agent {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Agent {
    /// Sends it shopping.
    pub fn start(shop: &Shop, extra: &[&str]) -> Self {
        let mcp = format!("{}/mcp", shop.service.url);
        let seller = shop.world.at("seller");
        let mut child = Command::new("node")
            .current_dir(stack())
            .args(["agent.mjs", "--mcp", &mcp, "--token", &shop.token, "--seller", &seller])
            .args(extra)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, stdout }
    }

    /// The next line it says.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the agent speaks");
        assert!(!line.is_empty(), "the agent ended: {:?}", self.child.wait());
        line
    }

    /// The next purchase it reports, with `--json`.
    pub fn purchase(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the agent said: {line:?}"))
    }

    /// Waits for its end.
    pub fn finish(mut self) {
        let status = self.child.wait().expect("an ended process");
        assert!(status.success(), "the agent ended with {status}");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
