//! The real outside: a local chain, the official facilitator and the official sellers, in one Node process.

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A running world. Ends when dropped, because its stdin closes.
pub struct World {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// The ready line: `rpc`, `facilitator`, `seller`, `seller_v1`, `token`, `pay_to`, `network`.
    pub ready: Value,
}

/// Where the Node package lies.
pub fn stack() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stack")
}

impl World {
    /// Starts it.
    pub fn start() -> Self {
        assert!(
            stack().join("node_modules").exists(),
            "run `cargo xtask test`, or `npm ci --ignore-scripts` in tests/stack, first"
        );
        let mut child = Command::new("node")
            .arg("world.mjs")
            .current_dir(stack())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let ready = read(&mut stdout);
        assert_eq!(ready["event"], "ready", "the world did not start: {ready}");
        Self { child, stdin, stdout, ready }
    }

    /// A text of the ready line.
    pub fn at(&self, key: &str) -> String {
        self.ready[key].as_str().unwrap_or_else(|| panic!("the world has no {key}")).to_owned()
    }

    /// `config.toml` for a service that checks settlements on this chain and may reach these sellers.
    pub fn config(&self) -> String {
        format!(
            "[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n[chains.\"{}\"]\nrpc = [\"{}\"]\n",
            self.at("network"),
            self.at("rpc")
        )
    }

    /// Gives an address whole tokens.
    pub fn mint(&mut self, address: &str, amount: &str) {
        self.tell(&json!({"cmd": "mint", "address": address, "amount": amount}));
    }

    /// What an address holds, in whole tokens.
    pub fn balance(&mut self, address: &str) -> String {
        self.tell(&json!({"cmd": "balance", "address": address}))["balance"].as_str().expect("a balance").to_owned()
    }

    /// Blocks pass, and seconds with them.
    pub fn mine(&mut self, blocks: u64, seconds: u64) {
        self.tell(&json!({"cmd": "mine", "blocks": blocks, "seconds": seconds}));
    }

    fn tell(&mut self, command: &Value) -> Value {
        let stdin = self.stdin.as_mut().expect("the world listens");
        writeln!(stdin, "{command}").and_then(|()| stdin.flush()).expect("the world listens");
        let answer = read(&mut self.stdout);
        assert_eq!(answer["ok"], true, "{command}: {answer}");
        answer
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}

fn read(stdout: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the world speaks");
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("the world said: {line:?}"))
}
