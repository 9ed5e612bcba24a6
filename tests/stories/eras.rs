//! Both eras of MCP while a person decides: sessions outlive a restart, and no client's impatience, link or task pays twice or approves.

use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{
    Mcp, Official, Place, Service,
    client::authorization,
    hostile_seller::{offer, required},
    mcp::{request, with},
    shop::{LIMITS, id},
};

const TASKS: &str = r#"{"extensions": {"io.modelcontextprotocol/tasks": {}}}"#;
const LINKS: &str = r#"{"elicitation": {"url": {}}}"#;

struct Desk {
    place: Place,
    service: Service,
    token: String,
    other: String,
}

fn desk(config: &str) -> Desk {
    let (place, _) = Place::with_wallet(config);
    place.policy(LIMITS);
    let (token, other) = (place.agent("researcher"), place.agent("other"));
    let service = place.serve("terminal");
    Desk { place, service, token, other }
}

impl Desk {
    fn mcp(&self) -> Mcp {
        Mcp::new(&self.service.url, &self.token)
    }

    /// Ends the program at once and starts it again where its clients look for it.
    fn restart(self) -> Self {
        let Self { place, service, token, other } = self;
        let url = service.url.clone();
        service.kill();
        let service = place.serve_again("terminal", &url);
        Self { place, service, token, other }
    }

    /// Every payment there is: its state and its key's payment.
    fn close(self) -> Vec<Value> {
        self.service.stop();
        let report = self.place.ok(&["verify", "--json"]);
        assert_eq!(report["faults"], json!([]), "{report}");
        self.place.ok(&["history", "--json"])["payments"].as_array().expect("payments").clone()
    }
}

/// Arguments of `pay` for $4.20, which asks.
pub fn dear(key: &str) -> Value {
    let url = format!("https://api.example/{key}");
    let challenge = required(&url, vec![with(&offer(), "amount", json!("4200000"))]);
    json!({"rail": "x402", "url": url, "challenge": challenge, "idempotency_key": key})
}

fn capable(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_clients_do_not_notice_a_restart_or_a_long_pause() {
    let long = std::env::var("COUNTERSIGN_IDLE_SECONDS").ok().map(|text| text.parse().expect("seconds"));
    let pause = long.map_or(Duration::from_millis(1500), Duration::from_secs);
    let mut desk = desk(if long.is_some() { "" } else { "[mcp]\nsession_idle_seconds = 1\n" });
    for sdk in ["1", "2"] {
        let mut client = Official::connect(&desk.service, &desk.token, sdk, &[]);
        let mut second = Official::connect(&desk.service, &desk.token, sdk, &[]);
        // Longer than a session stays awake; `cargo xtask soak idle` waits ten minutes, past every keep-alive there is.
        std::thread::sleep(pause);
        assert_eq!(client.call("get_budget", &json!({}))["currency"], "USD");

        let key = format!("in-the-middle-{sdk}");
        let call = client.start("pay", &dear(&key), &json!({"timeout": 2000}));
        let question = desk.service.event("question");
        desk = desk.restart();
        let end = client.end(call);
        assert!(end["error"].is_object(), "the answer died with the program: {end}");
        let again = client.call("pay", &dear(&key));
        assert_eq!(
            (again["status"].as_str(), id(&again)),
            (Some("expired"), question["payment_id"].as_str().unwrap().to_owned())
        );
        let listed = second.call("list_payments", &json!({"limit": 1}));
        assert_eq!(listed["payments"][0]["id"], question["payment_id"], "two clients at once see the same");
    }
    assert_eq!(desk.close().len(), 2, "nothing was paid, and nothing twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_and_tries_again_pays_once() {
    let mut desk = desk("");
    for (sdk, progress) in [("1", true), ("2", false)] {
        let mut client = Official::connect(&desk.service, &desk.token, sdk, &[]);
        let key = format!("impatient-{sdk}");
        let call = client.start("pay", &dear(&key), &json!({"timeout": 700, "progress": progress}));
        let question = desk.service.event("question");
        let end = client.end(call);
        assert!(end["error"]["message"].as_str().is_some_and(|m| m.contains("timed out")), "{end}");
        let listed = client.call("list_payments", &json!({"status": "pending_approval"}));
        assert_eq!(listed["payments"][0]["id"], question["payment_id"], "a timeout withdraws nothing: {listed}");
        desk.service.answer(true, question["payment_id"].as_str().expect("an id"));
        let again = client.call("pay", &dear(&key));
        assert_eq!((&again["status"], &again["payment"]["id"]), (&json!("authorized"), &question["payment_id"]));
        assert_eq!(authorization(&client.call("pay", &dear(&key))), authorization(&again), "one key, one signature");

        let key = format!("patient-{sdk}");
        let patient = with(&dear(&key), "wait_seconds", json!(1));
        let call = client.start("pay", &patient, &json!({"progress": progress}));
        let question = desk.service.event("question");
        let pending = client.end(call)["result"]["structuredContent"].clone();
        assert_eq!((&pending["status"], &pending["payment_id"]), (&json!("pending_approval"), &question["payment_id"]));
        assert!(pending["expires_at"].is_string() && pending["poll_after_ms"].is_u64(), "{pending}");
        assert!(pending["next_step"].as_str().is_some_and(|n| n.contains("get_payment")), "{pending}");
        let other_key =
            with(&with(&patient, "idempotency_key", json!(format!("{key}-again"))), "wait_seconds", json!(0));
        let joined = client.call("pay", &other_key);
        assert_eq!((&joined["status"], &joined["payment_id"]), (&pending["status"], &pending["payment_id"]));
        desk.service.answer(true, question["payment_id"].as_str().expect("an id"));
        let paid = client.call("get_payment", &json!({"payment_id": question["payment_id"]}));
        assert_eq!(paid["status"], "authorized", "{paid}");
        let signed = authorization(&paid).expect("what it waited for");
        assert_eq!(authorization(&client.call("pay", &other_key)), Some(signed), "both keys mean the same payment");
    }
    assert_eq!(desk.close().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_a_client_accepts_by_itself_approves_nothing() {
    let mut desk = desk("");
    for sdk in ["1", "2"] {
        for (says, left) in [("accept", "pending_approval"), ("decline", "cancelled")] {
            let mut client = Official::connect(&desk.service, &desk.token, sdk, &["--elicit", says]);
            let key = format!("link-{sdk}-{says}");
            let call = client.start("pay", &with(&dear(&key), "wait_seconds", json!(1)), &json!({}));
            let asked = client.event("asked");
            assert_eq!(asked["params"]["url"], format!("{}/open", desk.service.url), "{asked}");
            let question = desk.service.event("question");
            let end = client.end(call)["result"]["structuredContent"].clone();
            assert_eq!(
                (end["status"].as_str(), &end["payment"]["id"]),
                (Some(left), &question["payment_id"]),
                "{sdk} {says}: {end}"
            );
            assert_eq!(client.heard("asked"), 0, "it was asked once");
            if left == "pending_approval" {
                desk.service.answer(false, question["payment_id"].as_str().expect("an id"));
                let over = client.call("get_payment", &json!({"payment_id": question["payment_id"]}));
                assert_eq!(over["code"], "denied_by_human", "{over}");
            }
        }
    }
    let states: Vec<Value> = desk.close().iter().map(|payment| payment["state"].clone()).collect();
    assert_eq!(states, vec!["refused"; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shown_link_belongs_to_one_call_of_one_agent() {
    let mut desk = desk("");
    let (mcp, other) = (desk.mcp(), Mcp::new(&desk.service.url, &desk.other));
    let call = |key: &str, more: Value| {
        let mut params = json!({"name": "pay", "arguments": with(&dear(key), "wait_seconds", json!(1))});
        for (name, value) in more.as_object().expect("an object") {
            params[name] = value.clone();
        }
        params
    };
    let first = mcp.modern_as(capable(LINKS), "tools/call", &call("one", json!({}))).await;
    let asked = first.last()["result"].clone();
    assert_eq!(
        (asked["resultType"].as_str(), asked["inputRequests"].as_object().map(|all| all.len())),
        (Some("input_required"), Some(1)),
        "{asked}"
    );
    let state = asked["requestState"].as_str().expect("a state");
    let accept = json!({"requestState": state, "inputResponses": {"decide": {"action": "accept"}}});
    let spoilt = json!({"requestState": format!("{state}x"), "inputResponses": {"decide": {"action": "accept"}}});
    for (client, params) in
        [(&other, call("one", accept.clone())), (&mcp, call("two", accept.clone())), (&mcp, call("one", spoilt))]
    {
        let answer = client.modern_as(capable(LINKS), "tools/call", &params).await;
        assert_eq!(answer.last()["error"]["code"], -32602, "{params}: {answer:?}");
    }
    let again = mcp.modern_as(capable(LINKS), "tools/call", &call("one", accept.clone())).await;
    assert_eq!(again.last()["result"]["structuredContent"]["status"], "pending_approval", "{again:?}");
    let question = desk.service.answer_next(true);
    let paid = mcp.modern_as(capable(LINKS), "tools/call", &call("one", accept)).await;
    let paid = &paid.last()["result"]["structuredContent"];
    assert_eq!(
        (paid["status"].as_str(), &paid["payment"]["id"]),
        (Some("authorized"), &question["payment_id"]),
        "{paid}"
    );
    let no_wait = with(&dear("three"), "wait_seconds", json!(0));
    let at_once = mcp.modern_as(capable(LINKS), "tools/call", &json!({"name": "pay", "arguments": no_wait})).await;
    assert_eq!(at_once.last()["result"]["structuredContent"]["status"], "pending_approval", "{at_once:?}");
    assert_eq!(desk.close().len(), 2, "a refused state starts nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_the_payment_it_waits_for_and_nobody_elses() {
    let mut desk = desk("");
    let (mcp, other) = (desk.mcp(), Mcp::new(&desk.service.url, &desk.other));
    let task = async |client: &Mcp, method: &str, task: &str| {
        let params = json!({"taskId": task, "inputResponses": {}});
        client.modern_as(capable(TASKS), method, &params).await.last().clone()
    };
    let begun = mcp.modern_as(capable(TASKS), "tools/call", &json!({"name": "pay", "arguments": dear("task")})).await;
    let begun = begun.last()["result"].clone();
    assert_eq!((begun["resultType"].as_str(), begun["status"].as_str()), (Some("task"), Some("working")), "{begun}");
    assert_eq!(begun["ttlMs"], 120_000, "the question's life: {begun}");
    let name = begun["taskId"].as_str().expect("a task").to_owned();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for (client, task_id) in
            [(&other, name.as_str()), (&mcp, "task_00000000000000000000000000000000"), (&mcp, "nonsense")]
        {
            let answer = task(client, method, task_id).await;
            assert_eq!(answer["error"]["code"], -32602, "{method} {task_id}: {answer}");
        }
        let undeclared = mcp.modern(method, &json!({"taskId": name, "inputResponses": {}})).await;
        assert_eq!((undeclared.status, &undeclared.last()["error"]["code"]), (400, &json!(-32021)), "{undeclared:?}");
    }
    for method in ["tasks/update", "tasks/cancel"] {
        assert_eq!(task(&mcp, method, &name).await["result"]["resultType"], "complete");
    }
    let working = task(&mcp, "tasks/get", &name).await;
    assert_eq!(working["result"]["status"], "working", "a cancelled task withdraws nothing: {working}");
    let question = desk.service.answer_next(true);
    let get = json!({"name": "get_payment", "arguments": {"payment_id": question["payment_id"]}});
    mcp.modern("tools/call", &get).await;
    let done = task(&mcp, "tasks/get", &name).await["result"].clone();
    let paid = done["result"]["structuredContent"].clone();
    assert_eq!((done["status"].as_str(), paid["status"].as_str()), (Some("completed"), Some("authorized")), "{done}");
    assert_eq!(paid["payment"]["id"], question["payment_id"]);
    let signed = authorization(&paid).expect("a credential");

    let unanswered =
        mcp.modern_as(capable(TASKS), "tools/call", &json!({"name": "pay", "arguments": dear("unanswered")})).await;
    let unanswered = unanswered.last()["result"]["taskId"].as_str().expect("a task").to_owned();
    let withdrawn =
        mcp.modern_as(capable(TASKS), "tools/call", &json!({"name": "pay", "arguments": dear("withdrawn")})).await;
    let withdrawn = withdrawn.last()["result"]["taskId"].as_str().expect("a task").to_owned();
    mcp.structured("cancel_payment", &json!({"payment_id": withdrawn.replace("task_", "pay_")})).await;
    assert_eq!(task(&mcp, "tasks/get", &withdrawn).await["result"]["status"], "cancelled");

    let desk = desk.restart();
    let again = task(&mcp, "tasks/get", &name).await["result"].clone();
    assert_eq!(authorization(&again["result"]["structuredContent"]), Some(signed), "{again}");
    let over = task(&mcp, "tasks/get", &unanswered).await["result"].clone();
    assert_eq!(
        (over["status"].as_str(), over["result"]["structuredContent"]["status"].as_str()),
        (Some("completed"), Some("expired")),
        "{over}"
    );
    let cheap = json!({"name": "get_budget", "arguments": {}});
    let plain = mcp.modern_as(capable(TASKS), "tools/call", &cheap).await;
    assert_eq!(plain.last()["result"]["resultType"], "complete", "what asks nobody is no task: {plain:?}");
    desk.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_package_for_tasks_follows_one_to_its_payment() {
    let mut desk = desk("");
    let mut client = Official::connect(&desk.service, &desk.token, "2", &["--tasks"]);
    let call = client.start("pay", &dear("followed"), &json!({}));
    let question = desk.service.answer_next(true);
    let paid = client.end(call)["result"]["structuredContent"].clone();
    assert_eq!((&paid["status"], &paid["payment"]["id"]), (&json!("authorized"), &question["payment_id"]), "{paid}");
    assert!(authorization(&paid).is_some(), "{paid}");
    assert_eq!(client.call("get_budget", &json!({}))["currency"], "USD", "what asks nobody is no task");
    assert_eq!(desk.close().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_its_agents_own_and_outlives_the_program() {
    let desk = desk("");
    let mut mcp = desk.mcp();
    mcp.begin(json!({})).await;
    let mut other = Mcp::new(&desk.service.url, &desk.other);
    other.session = mcp.session.clone();
    let look = request("tools/list", &json!({}));
    assert_eq!(other.send(&look).await.status, 404, "another agent's session is not there");
    other.end().await;
    assert_eq!(mcp.send(&look).await.status, 200, "and cannot be ended");

    let desk = desk.restart();
    assert_eq!(other.send(&look).await.status, 404);
    assert_eq!(mcp.send(&look).await.status, 200);
    assert!((200..300).contains(&mcp.end().await));
    assert_eq!(mcp.send(&look).await.status, 404, "an ended session is over");
    let desk = desk.restart();
    assert_eq!(mcp.send(&look).await.status, 404);
    mcp.session = Some("../../ledger.db".to_owned());
    assert_eq!(mcp.send(&look).await.status, 404, "a name of no session opens nothing");
    mcp.session = None;
    assert_eq!(mcp.send(&look).await.status, 200, "who keeps no session needs none");
    desk.close();
}
