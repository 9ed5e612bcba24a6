//! Clients that start `countersign mcp`: the official one, and a bare one that shows every line.

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
};

use super::{
    Place,
    mcp::{request, with},
    service::{PATIENCE, program},
    world::stack,
};

/// A started program that speaks in lines of JSON. Killed when dropped.
pub struct Lines {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
}

impl Lines {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line:?}"));
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        Self { child, stdin, lines }
    }

    /// Writes one line.
    pub fn says(&mut self, value: &Value) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        writeln!(stdin, "{value}").and_then(|()| stdin.flush()).expect("the program reads");
    }

    /// The next line it writes.
    pub fn hears(&mut self) -> Value {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no line: {error}"))
    }

    /// One line for one line.
    pub fn asks(&mut self, value: &Value) -> Value {
        self.says(value);
        self.hears()
    }

    /// Closes its stdin, waits for its end and gives what it still wrote.
    pub fn ends(mut self) -> Vec<Value> {
        self.stdin = None;
        let status = self.child.wait().expect("an ended process");
        assert!(status.success(), "it ended with {status}");
        self.lines.iter().collect()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The official client with its bridge, connected.
pub fn official(place: &Place, agent: &str) -> Lines {
    let mut client = Lines::start(
        Command::new("node").current_dir(stack()).arg("stdio-client.mjs").arg(program()).args(arguments(place, agent)),
    );
    assert_eq!(client.hears()["ready"]["name"], "countersign");
    client
}

/// The bridge alone.
pub fn bare(place: &Place, agent: &str) -> Lines {
    Lines::start(Command::new(program()).args(arguments(place, agent)))
}

/// What a client's configuration says after the program's name.
pub fn arguments(place: &Place, agent: &str) -> Vec<String> {
    ["mcp", "--agent", agent, "--data-dir"]
        .map(str::to_owned)
        .into_iter()
        .chain([place.path().display().to_string()])
        .collect()
}

impl Lines {
    /// A tool call of the official client that must succeed.
    pub fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.asks(&json!({"call": tool, "arguments": arguments}));
        structured(&answer)
    }

    /// A tool call of the older era through a bare bridge that must succeed.
    pub fn tool(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.asks(&request("tools/call", &json!({"name": tool, "arguments": arguments})));
        structured(&answer)
    }
}

/// The structured result of an answer.
pub fn structured(answer: &Value) -> Value {
    let result = &answer["result"];
    assert!(result["structuredContent"].is_object() && result["isError"] != true, "{answer}");
    result["structuredContent"].clone()
}

/// A request of the newer era.
pub fn modern(id: u32, method: &str, params: &Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bare", "version": "1"},
    });
    with(&request(method, &with(params, "_meta", meta)), "id", json!(id))
}

/// The first message of the older era.
pub fn hello() -> Value {
    request(
        "initialize",
        &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bare", "version": "1"}}),
    )
}

/// Puts a token where the bridge looks for it, as `agent add --bridge` does.
#[cfg(unix)]
pub fn keep(place: &Path, agent: &str, token: &str) {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let folder = place.join("tokens");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder");
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(agent)).expect("a file");
    file.write_all(token.as_bytes()).expect("a token");
}
