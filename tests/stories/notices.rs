//! Notifications and the tray, over the real session bus: each question is told once, and nothing anybody puts on the bus approves.
//!
//! Needs an X display and a session bus with Python's `gi`, as `cargo xtask test` provides; says so and does nothing without.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
};

use crate::{
    screen,
    support::{Client, Place, hostile_seller::HostileSeller, service::PATIENCE, until},
};

/// The doubles of the notification server and the tray's host; see `tests/support/desktop-double.py`.
struct Bus {
    child: Child,
    stdin: ChildStdin,
    said: Receiver<Value>,
}

impl Bus {
    fn start() -> Option<Self> {
        std::env::var_os("DBUS_SESSION_BUS_ADDRESS")?;
        let double = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/desktop-double.py");
        let mut command = Command::new("/usr/bin/python3");
        let mut child = command.arg(double).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
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

    fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush()).expect("the double listens");
    }

    /// The next event of this kind.
    fn hear(&mut self, kind: &str) -> Value {
        loop {
            let value = self.said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {kind} on the bus"));
            if value["event"] == kind {
                return value;
            }
        }
    }

    /// What the tray's menu says, top to bottom.
    fn menu(&mut self) -> Vec<String> {
        self.tell("tray");
        let lines = self.hear("tray-state")["menu"].as_array().cloned().unwrap_or_default();
        lines.iter().filter_map(|line| line["label"].as_str().map(|label| label.replace('_', ""))).collect()
    }

    /// What was said of this kind and not yet heard.
    fn rest(&mut self, kind: &str) -> Vec<Value> {
        self.said.try_iter().filter(|value| value["event"] == kind).collect()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_told_once_and_neither_a_notification_nor_the_tray_can_approve_it() {
    let Some(_turn) = screen::turn().await else { return };
    let Some(mut bus) = Bus::start() else {
        println!("skipped: there is no session bus with Python's gi; `cargo xtask test` brings one");
        return;
    };
    let (place, payer) = Place::with_wallet("[server]\nport = 0\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let token = place.agent("researcher");
    place.ok(&["confirm", "policy", "--json"]);
    let seller = HostileSeller::start(&payer).await;
    let service = place.desktop();
    bus.hear("tray");
    let client = Client::new(&service.url, &token);
    let asking = tokio::spawn({
        let (client, url) = (client.clone(), seller.case("no-receipt"));
        async move { client.fetch_waiting(&url, "one", 100).await }
    });
    let told = bus.hear("notify");
    assert_eq!(told["summary"], "Countersign asks");
    let body = told["body"].as_str().unwrap();
    assert!(body.starts_with("researcher wants to pay 0.01 USD to http://127.0.0.1:"), "{body}");
    assert!(!body.contains("please"), "no word of the agent's: {body}");
    let actions: Vec<&str> = told["actions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(actions, ["show", "Show"], "its only action opens the window");

    for id in 0..8 {
        for key in ["show", "default", "approve", "yes", "pay", "review"] {
            bus.tell(&format!("action {id} {key}"));
        }
    }
    let menu = until("the question in the tray's menu", async || {
        let menu = bus.menu();
        menu.iter().any(|line| line == "1 question waiting").then_some(menu)
    })
    .await;
    for label in menu.iter().filter(|label| !label.is_empty() && *label != "Quit" && !label.starts_with("Pause")) {
        bus.tell(&format!("click {label}"));
    }
    bus.menu();
    let (_, list) = client.get("/v1/payments").await;
    assert_eq!(list["payments"][0]["state"], "waiting", "something on the bus moved the payment: {list}");
    assert_eq!(seller.credentials("no-receipt").len(), 0);
    assert_eq!(bus.rest("notify"), Vec::<Value>::new(), "one question, one notification");

    bus.tell("click Pause until resumed");
    let (status, refused) = asking.await.unwrap();
    assert_eq!((status, refused["code"].as_str()), (503, Some("paused")), "{refused}");
    assert_eq!(refused["outcome"]["payment"]["state"], "refused", "{refused}");
    bus.tell("click Pause for 1 hour");
    until("a longer pause stays", async || {
        let (_, health) = client.get("/healthz").await;
        (health["status"] == "paused").then_some(())
    })
    .await;
    assert_eq!(seller.credentials("no-receipt").len(), 0);
    service.stop();
}
