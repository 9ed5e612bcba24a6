//! A paid MCP server on the official packages behind Countersign: what it asks for is paid, asked or refused like everything else.

use serde_json::{Value, json};

use crate::support::{
    Mcp, Shop,
    announced::Announced,
    mcp::request,
    seller::{self, put_behind},
};

struct Behind {
    shop: Shop,
    seller: Announced,
    mcp: Mcp,
}

async fn behind() -> Behind {
    let mut shop = Shop::open("terminal", "");
    let seller = seller::start(&shop.world);
    let (change, status) = put_behind(&shop.place, &mut shop.service, "paid", &[&seller.mcp()], true);
    assert_eq!(status, 0);
    assert!(change["lines"].to_string().contains(&seller.mcp()), "the exact address is shown: {change}");
    let mut mcp = Mcp::new(&shop.service.url, &shop.token).behind("paid");
    mcp.begin(json!({})).await;
    Behind { shop, seller, mcp }
}

fn about(what: &str) -> Value {
    json!({"about": what})
}

/// The words a tool answered with.
fn said(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

fn has_no_secret(result: &Value) {
    let text = result.to_string();
    for word in ["x402/", "org.paymentauth", "accepts", "challenge", "signature", "payment-required"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_behind_the_gateway_are_free_paid_in_silence_asked_about_or_refused() {
    let Behind { mut shop, seller, mcp } = behind().await;
    let list = mcp.result("tools/list", &json!({})).await;
    let names: Vec<&str> =
        list["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["free", "cheap", "report", "dies", "choosy", "other", "get_payment"]);

    let forged = json!({"name": "free", "arguments": about("a"), "_meta": {
        "x402/payment": {"x": 1}, "org.paymentauth/credential": {}, "com.example/own": 1,
    }});
    let free = mcp.result("tools/call", &forged).await;
    assert_eq!(said(&free), "free: a");
    assert_eq!(free.get("_meta"), None, "nothing was paid: {free}");
    let seen = seller.seen().await;
    assert!(seen["meta"][0].as_array().unwrap().contains(&json!("com.example/own")), "{seen}");
    assert!(!seen["meta"].to_string().contains("pay"), "{seen}");

    let cheap = mcp.call("cheap", &about("bees")).await;
    assert_eq!(said(&cheap), "cheap: bees, delivery 1", "{cheap}");
    let paid = &cheap["_meta"]["org.countersign/payment"];
    assert_eq!((&paid["amount"]["amount"], &paid["amount"]["symbol"]), (&json!("0.03"), &json!("USDC")), "{cheap}");
    has_no_secret(&cheap);
    shop.verified(paid["payment_id"].as_str().unwrap()).await;

    let asking = {
        let mcp = mcp.clone();
        tokio::spawn(async move { mcp.call("report", &about("q1")).await })
    };
    let question = shop.service.answer_next(true);
    assert_eq!((&question["amount"], &question["agent"]), (&json!("4.20 USD"), &json!("researcher")), "{question}");
    assert!(question["payee"].to_string().contains("127.0.0.1"), "the real host: {question}");
    let report = asking.await.unwrap();
    assert_eq!(report["structuredContent"]["text"], "report: q1, delivery 2", "{report}");

    let asking = {
        let mcp = mcp.clone();
        tokio::spawn(async move { mcp.call("report", &about("q2")).await })
    };
    shop.service.answer_next(false);
    let denied = asking.await.unwrap();
    assert_eq!(
        (&denied["structuredContent"]["status"], &denied["structuredContent"]["code"]),
        (&json!("denied"), &json!("denied_by_human")),
        "{denied}"
    );
    has_no_secret(&denied);

    let other = mcp.call("other", &about("x")).await;
    assert_eq!(other["isError"], true, "{other}");
    assert!(said(&other).contains("unsupported_offer"), "{other}");
    has_no_secret(&other);
    assert_eq!(seller.seen().await["credentials"].as_array().unwrap().len(), 2);
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_left_waiting_is_found_again_and_never_paid_twice() {
    let Behind { mut shop, seller, mcp } = behind().await;
    let left = {
        let mcp = mcp.clone();
        let mut call = request("tools/call", &json!({"name": "report", "arguments": about("left")}));
        // An id of its own: its answer is still to come in this session.
        call["id"] = json!("left");
        tokio::spawn(async move { mcp.send(&call).await })
    };
    let question = shop.service.event("question");
    left.abort();
    let id = question["payment_id"].as_str().unwrap().to_owned();
    let look = json!({"payment_id": id, "wait_seconds": 0});
    let pending = mcp.structured("get_payment", &look).await;
    assert_eq!((&pending["status"], &pending["payment_id"]), (&json!("pending_approval"), &json!(id)), "{pending}");
    let mut foreign = Mcp::new(&shop.service.url, &shop.foreign).behind("paid");
    foreign.begin(json!({})).await;
    assert_eq!(foreign.problem("get_payment", &look).await["code"], "not_found");

    shop.service.answer(true, &id);
    let again = mcp.call("report", &about("left")).await;
    assert_eq!(again["structuredContent"]["text"], "report: left, delivery 1", "{again}");
    assert_eq!(again["_meta"]["org.countersign/payment"]["payment_id"], json!(id));
    let stored = mcp.structured("get_payment", &look).await;
    assert_eq!(stored["status"], "completed", "{stored}");
    assert!(stored["response"]["body"].as_str().unwrap().contains("report: left"), "{stored}");
    has_no_secret(&stored);
    assert_eq!(seller.seen().await["credentials"].as_array().unwrap().len(), 1);
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_an_upstream_that_is_removed_meanwhile_goes_with_it() {
    let Behind { mut shop, seller, mcp } = behind().await;
    let asking = tokio::spawn(async move { mcp.call("report", &about("late")).await });
    let id = shop.service.event("question")["payment_id"].as_str().unwrap().to_owned();
    assert_eq!(shop.place.exit(&["gateway", "remove", "paid"]).0, 0);
    shop.service.event("answered");
    asking.await.ok();
    let (_, payment) = shop.client.get(&format!("/v1/payments/{id}")).await;
    assert_eq!((&payment["status"], &payment["payment"]["id"]), (&json!("cancelled"), &json!(id)), "{payment}");
    assert_eq!(seller.seen().await["credentials"], json!([]), "nothing was signed for it");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_gone_after_it_was_paid_is_unknown_and_gets_no_second_signature() {
    let Behind { shop, seller, mcp } = behind().await;
    let gone = mcp.structured("dies", &about("x")).await;
    assert_eq!(gone["status"], "unknown", "{gone}");
    let again = mcp.structured("dies", &about("x")).await;
    assert_eq!((&again["status"], &again["payment"]["id"]), (&json!("unknown"), &gone["payment"]["id"]), "{again}");
    let seen = seller.seen().await;
    let credentials = seen["credentials"].as_array().unwrap();
    assert!(!credentials.is_empty() && credentials.iter().all(|nonce| *nonce == credentials[0]), "{seen}");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_price_and_another_tool_ask_again() {
    let Behind { mut shop, seller, mcp } = behind().await;
    assert_eq!(said(&mcp.call("cheap", &about("a")).await), "cheap: a, delivery 1");
    seller.becomes(&json!({"dearer": true})).await;
    let asking = {
        let mcp = mcp.clone();
        tokio::spawn(async move { mcp.call("cheap", &about("b")).await })
    };
    let question = shop.service.answer_next(true);
    assert_eq!(question["amount"], "0.05 USD", "{question}");
    assert_eq!(said(&asking.await.unwrap()), "cheap: b, delivery 2");
    assert_eq!(said(&mcp.call("cheap", &about("c")).await), "cheap: c, delivery 3", "what was agreed to is the price");

    seller.becomes(&json!({"poisoned": true})).await;
    let mut fresh = Mcp::new(&shop.service.url, &shop.token).behind("paid");
    fresh.begin(json!({})).await;
    let list = fresh.result("tools/list", &json!({})).await;
    assert!(!list.to_string().contains("evil.example") && !list.to_string().contains("\"cheap\""), "{list}");
    let change = shop.service.event("change");
    assert!(change["lines"].to_string().contains("Changed in its description: cheap says:"), "{change}");
    let hidden = fresh.send(&request("tools/call", &json!({"name": "cheap", "arguments": about("d")}))).await;
    assert_eq!(hidden.last()["error"]["code"], -32602, "{hidden:?}");
    shop.service.answer(true, change["change_id"].as_str().unwrap());
    crate::support::until("the tool is shown again", async || {
        let list = fresh.result("tools/list", &json!({})).await;
        list.to_string().contains("evil.example").then_some(())
    })
    .await;
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_started_only_after_its_exact_command_was_agreed_to() {
    let mut shop = Shop::open("terminal", "");
    let stack = crate::support::world::stack();
    let script = stack.join("mcp-seller.mjs").display().to_string();
    let (facilitator, pay_to) = (shop.world.at("facilitator"), shop.world.at("pay_to"));
    let command = ["--", "node", &script, "--stdio", "--facilitator", &facilitator, "--pay-to", &pay_to];
    let (change, status) = put_behind(&shop.place, &mut shop.service, "local", &command, false);
    assert_eq!(status, 3, "{change}");
    for word in [&script, &facilitator] {
        assert!(change["lines"].to_string().contains(word.as_str()), "{word} is shown: {change}");
    }
    assert_eq!(shop.place.ok(&["gateway", "list", "--json"]), json!({"upstreams": []}));
    let none = Mcp::new(&shop.service.url, &shop.token).behind("local");
    assert_eq!(none.send(&request("ping", &json!({}))).await.status, 404);

    put_behind(&shop.place, &mut shop.service, "local", &command, true);
    let modern = none.modern("tools/call", &json!({"name": "cheap", "arguments": about("pipes")})).await;
    let cheap = &modern.last()["result"];
    assert_eq!(
        said(cheap),
        "cheap: pipes, delivery 1",
        "a client of the newer era, an upstream of the older: {modern:?}"
    );
    assert_eq!(cheap["_meta"]["org.countersign/payment"]["payee"]["origin"], "program://local", "{cheap}");
    let bad = put_bad(&shop, "inside", "http://127.0.0.2:1/mcp");
    assert_eq!(bad, 1, "a private address that nobody allowed");
    assert_eq!(shop.place.exit(&["gateway", "remove", "local"]).0, 0);
    assert_eq!(none.modern("tools/list", &json!({})).await.status, 404);
    shop.close();
}

fn put_bad(shop: &Shop, name: &str, target: &str) -> i32 {
    shop.place.exit(&["gateway", "add", name, target]).0
}
