//! The programs of docs/examples, as they stand there, against the real service and the official sellers.

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::OnceLock,
};

use crate::support::{Shop, python::python, shop::id, world::stack};

#[path = "../../docs/examples/rust/buy.rs"]
#[allow(dead_code, reason = "the example's `main` is its command line")]
mod buy;

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(path)
}

/// A Python program of ours on the official packages; what it compiles stays out of the tree.
fn with_python(path: &Path) -> Command {
    let python = python("examples", "python");
    let mut command = Command::new(&python);
    command.arg(path).env("PYTHONPYCACHEPREFIX", python.with_file_name("compiled"));
    command
}

/// A TypeScript example, compiled once for all tests, which checks its types too.
fn with_node(name: &str) -> Command {
    static COMPILED: OnceLock<PathBuf> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let folder = example("typescript");
        let output = Command::new("npm").args(["run", "--silent", "build"]).current_dir(&folder).output();
        let output = output.expect("npm runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        folder.join("dist")
    });
    let mut command = Command::new("node");
    command.arg(compiled.join(name));
    command
}

type Running = tokio::task::JoinHandle<Output>;

/// Starts an example as a person would: settings in the environment, words on the command line.
fn start(shop: &Shop, mut command: Command, words: &[&str]) -> Running {
    command.args(words).stdin(Stdio::null());
    command.env("COUNTERSIGN_URL", &shop.service.url).env("COUNTERSIGN_TOKEN", &shop.token);
    tokio::task::spawn_blocking(move || command.output().expect("the example starts"))
}

/// What an example printed that must have worked.
fn page(output: &Output) -> Value {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    serde_json::from_str(out.trim()).unwrap_or_else(|e| panic!("{e}: {out}{err}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_buy_what_the_limits_allow_and_say_why_they_may_not() {
    let mut shop = Shop::open("deny", "");
    let (cheap, report) = (shop.page("/cheap"), shop.page("/report"));
    let programs: [(&str, &dyn Fn() -> Command); 3] = [
        ("curl", &|| Command::new(example("curl/buy.sh"))),
        ("python", &|| with_python(&example("python/buy.py"))),
        ("typescript", &|| with_node("buy.js")),
    ];
    let runs: Vec<_> = programs
        .iter()
        .map(|(name, program)| {
            let bought = start(&shop, program(), &[&cheap, &format!("{name}-cheap")]);
            let refused = start(&shop, program(), &[&report, &format!("{name}-report")]);
            (name, bought, refused)
        })
        .collect();
    let rust = buy::Countersign::new(shop.service.url.clone(), shop.token.clone()).expect("a client");
    let first = rust.buy(&cheap, "rust-cheap").await.expect("a page");
    assert_eq!(rust.buy(&cheap, "rust-cheap").await.expect("the same page"), first);
    let refused = rust.buy(&report, "rust-report").await.expect_err("nobody allows it");
    assert!(refused.to_string().starts_with("no_approver: "), "{refused}");
    for (name, bought, refused) in runs {
        let bought = page(&bought.await.expect("an output"));
        assert_eq!((bought["path"].as_str(), bought["fact"].is_string()), (Some("/cheap"), true), "{name}: {bought}");
        let refused = refused.await.expect("an output");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("no_approver"), "{name}: {said}");
        assert!(said.contains("needs a person"), "{name} does not pass on what to do next: {said}");
    }
    let again =
        page(&start(&shop, Command::new(example("curl/buy.sh")), &[&cheap, "curl-cheap"]).await.expect("an output"));
    assert!(again["delivery"].as_u64().is_some_and(|delivery| delivery <= 4), "a repeat was delivered anew: {again}");
    let (_, list) = shop.client.get("/v1/payments").await;
    let payments = list["payments"].as_array().expect("a list");
    let (refused, paid): (Vec<_>, Vec<_>) = payments.iter().partition(|payment| payment["state"] == "refused");
    assert_eq!((refused.len(), paid.len()), (4, 4), "{list}");
    for payment in paid {
        shop.verified(payment["id"].as_str().expect("an id")).await;
    }
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.88");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_on_the_official_mcp_clients_wait_for_the_person() {
    let mut shop = Shop::open("terminal", "");
    let report = shop.page("/report");
    let bought = start(&shop, with_python(&example("python/agent.py")), &[&report, "python"]);
    let question = shop.service.answer_next(true);
    assert_eq!(page(&bought.await.expect("an output"))["report"], "Quarterly figures");
    let refused = start(&shop, with_node("agent.js"), &[&report, "typescript"]);
    shop.service.answer_next(false);
    let refused = refused.await.expect("an output");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("denied"), "{refused:?}");
    let again = page(&start(&shop, with_node("agent.js"), &[&report, "python"]).await.expect("an output"));
    assert_eq!(again["delivery"], 1, "the same key from another client is the same purchase");
    shop.verified(question["payment_id"].as_str().expect("an id")).await;
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "95.8");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_paid_mcp_tool_is_paid_and_every_carrier_is_read_by_the_official_packages() {
    let mut shop = Shop::open("deny", "");
    let tool = PaidTool::start(&shop.world.at("facilitator"), &shop.world.at("pay_to"));
    let bought = start(&shop, with_python(&example("python/paid_tool.py")), &[&tool.url, "fortune", "a-fortune"]);
    assert_eq!(page(&bought.await.expect("an output"))["delivery"], 1);
    let (_, list) = shop.client.get("/v1/payments").await;
    let payment = &list["payments"][0];
    assert_eq!(payment["amount"]["amount"], "0.02", "{list}");
    assert!(["claimed", "verified"].contains(&payment["settlement"].as_str().expect("a word")), "no receipt: {list}");
    let proved = shop.verified(payment["id"].as_str().expect("an id")).await;
    assert_eq!((proved["status"].as_str(), proved["payment"]["state"].as_str()), (Some("authorized"), Some("settled")));
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.98");

    let url = shop.page("/cheap");
    let offer = reqwest::get(&url).await.expect("an answer");
    let header = offer.headers()["payment-required"].to_str().expect("text").to_owned();
    let mut challenges = carriers(&json!({"write": header}));
    challenges.as_object_mut().expect("carriers").insert("header".to_owned(), json!(header));
    let mut credentials = serde_json::Map::new();
    for (carrier, challenge) in challenges.as_object().expect("carriers") {
        let (status, outcome) = shop.client.pay(&url, challenge, carrier).await;
        assert_eq!((status, outcome["status"].as_str()), (200, Some("authorized")), "{carrier}: {outcome}");
        assert_eq!(outcome["credential"].get("metadata").is_some(), carrier.starts_with("a2a"), "{carrier}: {outcome}");
        let (_, again) = shop.client.pay(&url, challenge, carrier).await;
        assert_eq!(again["credential"], outcome["credential"], "{carrier}: the same call, the same credential");
        let (_, looked) = shop.client.get(&format!("/v1/payments/{}", id(&outcome))).await;
        assert_eq!(looked["payment"]["id"], outcome["payment"]["id"]);
        credentials.insert(carrier.clone(), outcome["credential"].clone());
    }
    let read = carriers(&json!({"read": credentials}));
    assert_eq!(
        read,
        json!({"header": 1, "object": 1, "mcp_result": 1, "mcp_text": 1, "mcp_error": 1, "a2a_metadata": 2, "a2a_task": 2})
    );
    shop.close();
}

/// The official packages write a price into each carrier, or read a credential out of each.
fn carriers(asked: &Value) -> Value {
    let mut command = with_python(&stack().join("carriers.py"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
    writeln!(child.stdin.take().expect("a pipe"), "{asked}").expect("python reads");
    page(&child.wait_with_output().expect("an output"))
}

/// A paid MCP tool on the official Python packages. Ends when dropped, because its stdin closes.
struct PaidTool {
    child: Child,
    stdin: Option<ChildStdin>,
    url: String,
}

impl PaidTool {
    fn start(facilitator: &str, pay_to: &str) -> Self {
        let mut command = with_python(&stack().join("paid_tool_server.py"));
        command.args([facilitator, pay_to]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the tool said {line:?}"));
        Self { stdin: child.stdin.take(), child, url: ready["mcp"].as_str().expect("an address").to_owned() }
    }
}

impl Drop for PaidTool {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}
