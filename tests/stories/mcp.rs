//! MCP: the official TypeScript client shops through it, and a bare client looks at the edges of both protocol eras.

use serde_json::{Value, json};

use crate::support::{
    Agent, Client, Mcp, Place, Service, Shop,
    client::authorization,
    hostile_seller::{offer, required},
    mcp::{request, with},
    shop::{LIMITS, id},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_buys_silently_waits_for_a_person_and_takes_a_no() {
    let mut shop = Shop::open("terminal", "");
    let mut agent = Agent::start(&shop, &["--json", "--run", "trip"]);

    let cheap = agent.purchase();
    assert_eq!(cheap["status"], "completed", "{cheap}");
    assert!(cheap["body"].as_str().is_some_and(|b| b.contains("Honey keeps")), "{cheap}");

    let question = shop.service.answer_next(true);
    assert_eq!(question["amount"], "4.20 USD");
    let report = agent.purchase();
    assert_eq!(
        (report["status"].as_str(), &report["payment_id"]),
        (Some("completed"), &question["payment_id"]),
        "{report}"
    );
    assert!(report["body"].as_str().is_some_and(|b| b.contains("Quarterly figures")), "{report}");

    let huge = agent.purchase();
    assert_eq!((huge["status"].as_str(), huge["code"].as_str()), (Some("denied"), Some("denied_by_rule")), "{huge}");
    agent.finish();

    let mut again = Agent::start(&shop, &["--json", "--run", "trip"]);
    for first in [&cheap, &report, &huge] {
        assert_eq!(&again.purchase(), first, "the same keys are the same payments");
    }
    again.finish();

    let mut refused = Agent::start(&shop, &["--json", "--run", "second-trip"]);
    refused.purchase();
    shop.service.answer_next(false);
    let no = refused.purchase();
    assert_eq!((no["status"].as_str(), no["code"].as_str()), (Some("denied"), Some("denied_by_human")), "{no}");
    refused.purchase();
    refused.finish();

    shop.verified(cheap["payment_id"].as_str().expect("an id")).await;
    shop.verified(report["payment_id"].as_str().expect("an id")).await;
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_finds_its_payment_again() {
    let mut shop = Shop::open("terminal", "");
    let mcp = Mcp::new(&shop.service.url, &shop.token);
    let arguments = json!({"url": shop.page("/report"), "idempotency_key": "left", "reason": "figures"});
    let left = {
        let (mcp, arguments) = (mcp.clone(), arguments.clone());
        tokio::spawn(async move { mcp.call("fetch", &arguments).await })
    };
    let question = shop.service.event("question");
    left.abort();

    let pending = mcp.structured("list_payments", &json!({"status": "pending_approval"})).await;
    assert_eq!(pending["payments"][0]["id"], question["payment_id"], "{pending}");
    let still = mcp.structured("fetch", &with(&arguments, "wait_seconds", json!(0))).await;
    assert_eq!(
        (still["status"].as_str(), &still["payment"]["id"]),
        (Some("pending_approval"), &question["payment_id"])
    );
    assert!(still["next"].as_str().is_some_and(|n| n.contains("do not start another")), "{still}");
    let cancelled =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": "tired"}});
    assert_eq!(mcp.send(&cancelled).await.status, 202);
    let look = mcp.structured("get_payment", &json!({"payment_id": question["payment_id"], "wait_seconds": 0})).await;
    assert_eq!(look["status"], "pending_approval", "a client's cancellation is not the payment's: {look}");

    let waiting = {
        let (mcp, id) = (mcp.clone(), question["payment_id"].clone());
        tokio::spawn(async move { mcp.structured("get_payment", &json!({"payment_id": id})).await })
    };
    shop.service.answer(true, question["payment_id"].as_str().expect("an id"));
    let paid = waiting.await.expect("an answer");
    assert_eq!(paid["status"], "completed", "{paid}");
    let receipt = mcp.result("resources/read", &json!({"uri": format!("receipt://{}", id(&paid))})).await;
    let text: Value = serde_json::from_str(receipt["contents"][0]["text"].as_str().expect("text")).expect("JSON");
    assert_eq!((&text["status"], &text["payment"]["id"]), (&paid["status"], &paid["payment"]["id"]));
    shop.verified(&id(&paid)).await;

    let asked = mcp
        .structured(
            "fetch",
            &json!({"url": shop.page("/report?again"), "idempotency_key": "withdrawn", "wait_seconds": 0}),
        )
        .await;
    let gone = mcp.structured("cancel_payment", &json!({"payment_id": id(&asked)})).await;
    assert_eq!(gone["status"], "cancelled", "{gone}");
    let late = mcp.problem("cancel_payment", &json!({"payment_id": id(&paid)})).await;
    assert_eq!(late["code"], "not_cancellable", "{late}");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_hears_progress_if_it_asked_for_it() {
    let mut shop = Shop::open("terminal", "");
    let mcp = Mcp::new(&shop.service.url, &shop.token);
    let call = |key: &str, meta: Value| {
        let arguments =
            json!({"url": shop.page(&format!("/report?{key}")), "idempotency_key": key, "wait_seconds": 12});
        request("tools/call", &json!({"name": "fetch", "arguments": arguments, "_meta": meta}))
    };
    let (loud, quiet) = (call("loud", json!({"progressToken": "p1"})), call("quiet", json!({})));
    let (loud, quiet) = tokio::join!(mcp.send(&loud), mcp.send(&quiet));
    for answer in [&loud, &quiet] {
        assert_eq!(answer.last()["result"]["structuredContent"]["status"], "pending_approval", "{answer:?}");
    }
    let beats: Vec<f64> = loud.messages.iter().filter_map(|m| m["params"]["progress"].as_f64()).collect();
    assert!(beats.len() >= 2 && beats.is_sorted_by(|a, b| a < b), "{loud:?}");
    assert!(
        loud.messages.iter().all(|m| m["method"] != "notifications/progress" || m["params"]["progressToken"] == "p1")
    );
    assert_eq!(quiet.messages.len(), 1, "progress nobody asked for: {quiet:?}");
    shop.service.close_stdin();
    shop.close();
}

struct Desk {
    place: Place,
    service: Service,
    token: String,
    other: String,
    mcp: Mcp,
}

fn desk(config: &str) -> Desk {
    let (place, _) = Place::with_wallet(config);
    place.policy(LIMITS);
    let (token, other) = (place.agent("researcher"), place.agent("other"));
    let service = place.serve("deny");
    let mcp = Mcp::new(&service.url, &token);
    Desk { place, service, token, other, mcp }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_eras_offer_the_same_tools_and_nothing_undeclared() {
    let desk = desk("");
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bare", "version": "1"}});
    let old = desk.mcp.result("initialize", &hello).await;
    assert_eq!(
        (old["protocolVersion"].as_str(), old["serverInfo"]["name"].as_str()),
        (Some("2025-11-25"), Some("countersign")),
        "{old}"
    );
    let mut offered: Vec<&String> = old["capabilities"].as_object().expect("capabilities").keys().collect();
    offered.sort();
    assert_eq!(offered, ["prompts", "resources", "tools"]);
    let instructions = old["instructions"].as_str().expect("instructions");
    for word in ["idempotency_key", "pending_approval", "Never retry under a new key", "get_payment", "denied"] {
        assert!(instructions.contains(word), "{word}");
    }
    let initialized = desk.mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert_eq!(initialized.status, 202);

    let new = desk.mcp.modern("server/discover", &json!({})).await;
    let found = &new.last()["result"];
    assert!(found["supportedVersions"].as_array().is_some_and(|v| v.contains(&json!("2026-07-28"))), "{new:?}");
    assert_eq!(found["instructions"], old["instructions"]);

    let listed = desk.mcp.result("tools/list", &json!({})).await;
    let modern = desk.mcp.modern("tools/list", &json!({})).await;
    let modern = &modern.last()["result"];
    assert_eq!(modern["tools"], listed["tools"]);
    assert_eq!((modern["resultType"].as_str(), modern["ttlMs"].as_u64()), (Some("complete"), Some(60_000)), "{modern}");
    let names: Vec<&str> =
        listed["tools"].as_array().expect("tools").iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(names, ["fetch", "pay", "get_payment", "list_payments", "cancel_payment", "get_budget"]);
    let budget = desk.mcp.modern("tools/call", &json!({"name": "get_budget", "arguments": {}})).await;
    assert_eq!(budget.last()["result"]["structuredContent"]["currency"], "USD", "{budget:?}");

    for method in
        ["completion/complete", "logging/setLevel", "resources/subscribe", "tasks/get", "approve", "policy/set"]
    {
        let params = match method {
            "completion/complete" => {
                json!({"ref": {"type": "ref/prompt", "name": "spending-report"}, "argument": {"name": "since", "value": ""}})
            }
            "logging/setLevel" => json!({"level": "debug"}),
            "resources/subscribe" => json!({"uri": "policy://summary"}),
            _ => json!({"taskId": "x"}),
        };
        let answer = desk.mcp.send(&request(method, &params)).await;
        assert_eq!(answer.last()["error"]["code"], -32601, "{method}: {answer:?}");
    }
    let answer = desk.mcp.send(&request("tools/call", &json!({"name": "approve", "arguments": {}}))).await;
    assert_eq!(answer.last()["error"]["code"], -32602, "{answer:?}");
    desk.service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_and_the_prompt_show_the_agents_own_matters_only() {
    let desk = desk("");
    let url = "https://api.example/x";
    let buys = json!({"rail": "x402", "url": url, "challenge": required(url, vec![offer()]), "idempotency_key": "k"});
    let paid = desk.mcp.structured("pay", &buys).await;
    assert_eq!(paid["status"], "authorized", "{paid}");
    let listed = desk.mcp.result("resources/list", &json!({})).await;
    let addresses: Vec<&str> =
        listed["resources"].as_array().expect("resources").iter().filter_map(|r| r["uri"].as_str()).collect();
    assert_eq!(addresses, ["policy://summary", &format!("receipt://{}", id(&paid))]);
    let templates = desk.mcp.result("resources/templates/list", &json!({})).await;
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "receipt://{payment_id}");
    let summary = desk.mcp.result("resources/read", &json!({"uri": "policy://summary"})).await;
    let summary: Value = serde_json::from_str(summary["contents"][0]["text"].as_str().expect("text")).expect("JSON");
    assert_eq!(
        (summary["payments"].as_str(), summary["budget"]["ask_above"].as_str()),
        (Some("ok"), Some("0.10")),
        "{summary}"
    );
    let prompt = desk
        .mcp
        .result("prompts/get", &json!({"name": "spending-report", "arguments": {"since": "2026-01-01T00:00:00Z"}}))
        .await;
    assert!(
        prompt["messages"][0]["content"]["text"].as_str().is_some_and(|t| t.contains("2026-01-01T00:00:00Z")),
        "{prompt}"
    );

    let other = Mcp::new(&desk.service.url, &desk.other);
    assert_eq!(other.structured("list_payments", &json!({})).await["payments"], json!([]));
    assert_eq!(other.problem("get_payment", &json!({"payment_id": id(&paid)})).await["code"], "not_found");
    let asked = other.structured("pay", &buys).await;
    for uri in [
        format!("receipt://{}", id(&paid)),
        "receipt://pay_0".to_owned(),
        format!("receipt://../{}", id(&paid)),
        format!("receipt://{}/../{}", id(&asked), id(&paid)),
        format!("receipt://{}%00", id(&paid)),
        "receipt://../../ledger.db".to_owned(),
        "receipt://%2e%2e%2f%2e%2e%2fledger.db".to_owned(),
        "receipt:///etc/passwd".to_owned(),
        "policy://../summary".to_owned(),
        "policy://summary/../../config.toml".to_owned(),
        "file:///etc/passwd".to_owned(),
        "policy://all".to_owned(),
    ] {
        let answer = other.send(&request("resources/read", &json!({"uri": uri}))).await;
        assert_eq!(answer.last()["error"]["code"], -32002, "{uri}: {answer:?}");
    }
    desk.service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_tool_errors_that_say_what_to_do() {
    let desk = desk("");
    for (tool, arguments, code) in [
        ("fetch", json!({}), "bad_request"),
        ("fetch", json!({"url": "https://a.example/"}), "bad_request"),
        ("fetch", json!({"url": "https://a.example/", "idempotency_key": "k", "approve": true}), "bad_request"),
        ("fetch", json!({"url": 7, "idempotency_key": "k"}), "bad_request"),
        ("fetch", json!({"url": "https://a.example/", "idempotency_key": ""}), "bad_request"),
        ("fetch", json!({"url": "https://127.0.0.1/", "idempotency_key": "k"}), "private_host"),
        (
            "pay",
            json!({"rail": "cash", "url": "https://a.example/", "challenge": {}, "idempotency_key": "k"}),
            "bad_request",
        ),
        (
            "pay",
            json!({"rail": "x402", "url": "https://a.example/", "challenge": {}, "idempotency_key": "k"}),
            "unsupported_offer",
        ),
        (
            "pay",
            json!({"rail": "x402", "url": "https://a.example/", "challenge": {"x402Version": 2}, "idempotency_key": "k"}),
            "malformed_offer",
        ),
        ("get_payment", json!({"payment_id": "pay_1"}), "not_found"),
        ("get_payment", json!({"id": "pay_1"}), "bad_request"),
        (
            "get_payment",
            json!({"payment_id": "pay_00000000000000000000000000000000", "wait_seconds": -1}),
            "bad_request",
        ),
        ("cancel_payment", json!({"payment_id": "pay_00000000000000000000000000000000"}), "not_found"),
        ("list_payments", json!({"limit": 0}), "bad_request"),
        ("list_payments", json!({"status": "nonsense"}), "bad_request"),
        ("get_budget", json!({"agent": "other"}), "bad_request"),
    ] {
        let problem = desk.mcp.problem(tool, &arguments).await;
        assert_eq!(problem["code"], code, "{tool} {arguments}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|d| !d.is_empty()) && problem["next"].is_string(), "{problem}");
    }
    let asks = required("https://api.example/x", vec![with(&offer(), "amount", json!("4200000"))]);
    let arguments =
        json!({"rail": "x402", "url": "https://api.example/x", "challenge": asks, "idempotency_key": "nobody"});
    let nobody = desk.mcp.structured("pay", &arguments).await;
    assert_eq!(
        (nobody["status"].as_str(), nobody["code"].as_str()),
        (Some("denied"), Some("no_approver")),
        "a refusal is a result: {nobody}"
    );
    desk.service.stop();
    assert_eq!(desk.place.ok(&["history", "--json"])["payments"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_purchase_over_mcp_and_http_is_one_and_a_restart_changes_nothing() {
    let mut desk = desk("");
    desk.mcp.begin(json!({})).await;
    let url = "https://api.example/x";
    let challenge = required(url, vec![offer()]);
    let arguments = json!({"rail": "x402", "url": url, "challenge": challenge, "idempotency_key": "one"});
    let first = desk.mcp.structured("pay", &arguments).await;
    let signed = authorization(&first).expect("a credential");
    let budget = desk.mcp.structured("get_budget", &json!({})).await;
    assert_eq!(budget["currency"], "USD", "{budget}");
    let (status, over_http) = Client::new(&desk.service.url, &desk.token).pay(url, &challenge, "one").await;
    assert_eq!((status, authorization(&over_http)), (200, Some(signed.clone())), "{over_http}");
    let conflict = desk.mcp.problem("pay", &with(&arguments, "method", json!("POST"))).await;
    assert_eq!(conflict["code"], "idempotency_conflict", "{conflict}");

    desk.service.kill();
    let service = desk.place.serve("deny");
    let mut mcp = Mcp::new(&service.url, &desk.token);
    mcp.session = desk.mcp.session;
    let again = mcp.structured("pay", &arguments).await;
    assert_eq!(authorization(&again), Some(signed), "{again}");
    assert_eq!(mcp.structured("list_payments", &json!({})).await["payments"].as_array().map(Vec::len), Some(1));
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_holds_on_mcp_too_and_a_known_key_is_free() {
    let desk = desk("[limits]\nrequests_per_second = 1\nburst = 3\n");
    let url = "https://api.example/x";
    let arguments =
        json!({"rail": "x402", "url": url, "challenge": required(url, vec![offer()]), "idempotency_key": "known"});
    let first = desk.mcp.structured("pay", &arguments).await;
    let mut statuses = Vec::new();
    while !statuses.contains(&429) && statuses.len() < 50 {
        statuses.push(desk.mcp.send(&request("tools/list", &json!({}))).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    for _ in 0..10 {
        assert_eq!(desk.mcp.structured("pay", &arguments).await["payment"]["id"], first["payment"]["id"]);
    }
    desk.service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_passes_over_mcp_is_logged() {
    let (place, _) = Place::with_wallet("");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    let outside = tempfile::tempdir().expect("a directory");
    let log = outside.path().join("log");
    let service = place.serve_logged("deny", &log);
    let mut mcp = Mcp::new(&service.url, &token);
    mcp.begin(json!({})).await;
    let url = "https://api.example/x";
    let paid = mcp.structured("pay", &json!({"rail": "x402", "url": url, "challenge": required(url, vec![offer()]), "idempotency_key": "k", "reason": "a secret of the agent"})).await;
    mcp.modern("tools/call", &json!({"name": "get_payment", "arguments": {"payment_id": id(&paid)}})).await;
    mcp.send(&request("no/such/method", &json!({"text": "a secret of the agent"}))).await;
    service.stop();
    let logged = std::fs::read_to_string(&log).expect("a log");
    assert!(logged.contains("DEBUG") || logged.contains("TRACE"), "the log is not at TRACE: {logged}");
    let signed = authorization(&paid).expect("a credential");
    let signature = signed["signature"].as_str().expect("a signature").trim_start_matches("0x");
    let credential = paid["credential"]["headers"]["PAYMENT-SIGNATURE"].as_str().expect("a header");
    let session = mcp.session.as_deref().expect("a session");
    for canary in [token.as_str(), signature, credential, "a secret of the agent", session] {
        assert!(!logged.contains(canary), "{canary} was logged");
    }
}
