//! The doubles of what a desktop has on the session bus: the notification server and the tray's host.

#![allow(dead_code, reason = "each kind of build uses its own part")]

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
};

use crate::support::service::PATIENCE;

/// The doubles of the notification server and the tray's host; see `tests/support/desktop-double.py`.
pub struct Bus {
    child: Child,
    stdin: ChildStdin,
    said: Receiver<Value>,
}

impl Bus {
    /// Notifications and a tray; none without a session bus.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// Notifications alone.
    pub fn without_tray() -> Option<Self> {
        Self::with(&["--no-tray"])
    }

    fn with(arguments: &[&str]) -> Option<Self> {
        std::env::var_os("DBUS_SESSION_BUS_ADDRESS")?;
        let double = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/desktop-double.py");
        let mut command = Command::new("/usr/bin/python3");
        let mut child =
            command.arg(double).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (stdin, stdout) = (child.stdin.take()?, child.stdout.take()?);
        let (say, said) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str(&line) else { continue };
                if say.send(value).is_err() {
                    return;
                }
            }
        });
        let mut bus = Self { child, stdin, said };
        bus.hear("ready");
        Some(bus)
    }

    /// Gives the doubles an order.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush()).expect("the double listens");
    }

    /// The next event of this kind.
    pub fn hear(&mut self, kind: &str) -> Value {
        loop {
            let value = self.said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {kind} on the bus"));
            if value["event"] == kind {
                return value;
            }
        }
    }

    /// What the tray's menu says, top to bottom.
    pub fn menu(&mut self) -> Vec<String> {
        self.tell("tray");
        let lines = self.hear("tray-state")["menu"].as_array().cloned().unwrap_or_default();
        lines.iter().filter_map(|line| line["label"].as_str().map(|label| label.replace('_', ""))).collect()
    }

    /// What was said of this kind and not yet heard.
    pub fn rest(&mut self, kind: &str) -> Vec<Value> {
        self.said.try_iter().filter(|value| value["event"] == kind).collect()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
