//! The official MCP clients, the conformance suite and the inspector: what `tests/conformance` holds.

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
};

use super::{Service, announced::Announced, mcp::with, service::PATIENCE};

/// Where the Node package lies.
fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

/// A script of the package, on the machine's own Node.
pub fn script(name: &str) -> Command {
    ready();
    let mut command = Command::new("node");
    command.arg(name).current_dir(package());
    command
}

/// A script of the package that needs Node 22, on the one that comes with it.
pub fn newer_script(name: &str) -> Command {
    ready();
    let mut command = Command::new(package().join("node_modules/.bin/node"));
    command.arg(name).current_dir(package());
    command
}

/// A tool of the package that needs Node 22, on the one that comes with it.
pub fn tool(name: &str) -> Command {
    ready();
    let bin = package().join("node_modules/.bin");
    let mut command = Command::new(bin.join("node"));
    command.arg(bin.join(name)).current_dir(package());
    command
}

fn ready() {
    assert!(
        package().join("node_modules").exists(),
        "run `cargo xtask test`, or `npm ci --ignore-scripts` in tests/conformance, first"
    );
}

/// An official client that does what it is told. Killed when dropped.
pub struct Official {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<Value>,
    /// Lines that nobody asked for yet.
    heard: Vec<Value>,
    calls: u64,
}

impl Official {
    /// Connects the client of this SDK, `1` or `2`, to a service.
    pub fn connect(service: &Service, token: &str, sdk: &str, extra: &[&str]) -> Self {
        Self::connect_to(service, token, sdk, extra, 6)
    }

    /// The same where the service offers another number of tools.
    pub fn connect_to(service: &Service, token: &str, sdk: &str, extra: &[&str], tools: usize) -> Self {
        let (client, ready) = Self::open(&format!("{}/mcp", service.url), token, sdk, extra);
        assert_eq!(ready["tools"].as_array().map(Vec::len), Some(tools), "{ready}");
        client
    }

    /// Connects the client of the first SDK to an MCP endpoint.
    pub fn at(mcp: &str, token: &str) -> Self {
        Self::open(mcp, token, "1", &[]).0
    }

    /// Connects it to an upstream behind the service.
    pub fn behind(service: &Service, name: &str, token: &str, sdk: &str, extra: &[&str]) -> Self {
        Self::open(&format!("{}/mcp/{name}", service.url), token, sdk, extra).0
    }

    fn open(mcp: &str, token: &str, sdk: &str, extra: &[&str]) -> (Self, Value) {
        let mut command = script("client.mjs");
        command.args(["--sdk", sdk, "--mcp", mcp, "--token", token]).args(extra);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node runs");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| json!({"event": "text", "text": line}));
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        let mut client = Self { child, stdin, lines, heard: Vec::new(), calls: 0 };
        let ready = client.event("ready");
        assert_eq!(ready["era"], if sdk == "1" { "legacy" } else { "modern" }, "{ready}");
        (client, ready)
    }

    /// Calls a tool and does not wait for it; `how` has the client's `timeout` in milliseconds, and whether it wants `progress`.
    pub fn start(&mut self, tool: &str, arguments: &Value, how: &Value) -> u64 {
        self.calls += 1;
        let mut command = with(how, "id", json!(self.calls));
        command["tool"] = json!(tool);
        command["arguments"] = arguments.clone();
        writeln!(self.stdin, "{command}").and_then(|()| self.stdin.flush()).expect("the client listens");
        self.calls
    }

    /// How a call ended: `result`, or the client's own `error`.
    pub fn end(&mut self, call: u64) -> Value {
        self.next(|line| line["id"] == call && (line["result"].is_object() || line["error"].is_object()))
    }

    /// Calls a tool that answers with structure.
    pub fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let call = self.start(tool, arguments, &json!({}));
        let end = self.end(call);
        let structured = end["result"]["structuredContent"].clone();
        assert!(structured.is_object(), "{tool} {arguments}: {end}");
        structured
    }

    /// The next event of this kind.
    pub fn event(&mut self, kind: &str) -> Value {
        self.next(|line| line["event"] == kind)
    }

    /// What was heard of this kind and not asked for yet.
    pub fn heard(&self, kind: &str) -> usize {
        self.heard.iter().filter(|line| line["event"] == kind).count()
    }

    fn next(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.heard.iter().position(&wanted) {
            return self.heard.remove(at);
        }
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => self.heard.push(line),
                Err(error) => panic!("the client said nothing more ({error}): {:?}", self.heard),
            }
        }
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server of the package with everything the conformance suite calls: `fixtures.mjs` of the older era, `modern.mjs` of the newer.
pub fn fixtures(name: &str) -> Announced {
    Announced::start(&mut script(name))
}
