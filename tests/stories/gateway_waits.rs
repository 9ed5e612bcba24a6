//! A call through the gateway that waits for a person tells its client so as the product's own endpoint does: by a task, by a
//! link and a repeat, or by an elicitation beside the waiting. Whatever the way, it is paid once.

use serde_json::{Value, json};

use crate::support::{
    Mcp, Official, Shop,
    announced::Announced,
    mcp::request,
    seller::{self, put_behind},
    until,
};

fn behind() -> (Shop, Announced, Mcp) {
    let mut shop = Shop::open("terminal", "");
    let seller = seller::start(&shop.world);
    put_behind(&shop.place, &mut shop.service, "paid", &[&seller.mcp()], true);
    let mcp = Mcp::new(&shop.service.url, &shop.token).behind("paid");
    (shop, seller, mcp)
}

fn report(about: &str) -> Value {
    json!({"name": "report", "arguments": {"about": about}})
}

fn delivered(result: &Value, about: &str, delivery: u8) {
    assert_eq!(result["structuredContent"]["text"], format!("report: {about}, delivery {delivery}"), "{result}");
    assert!(result["_meta"]["org.countersign/payment"]["payment_id"].is_string(), "{result}");
}

async fn paid(seller: &Announced) -> usize {
    seller.seen().await["credentials"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_follows_tasks_gets_the_tools_own_result_from_one() {
    let (mut shop, seller, mcp) = behind();
    let can = || json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let answer = mcp.modern_as(can(), "tools/call", &report("task")).await;
    let task = &answer.last()["result"];
    assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")), "{answer:?}");
    let look = json!({"taskId": task["taskId"]});
    let working = mcp.modern_as(can(), "tasks/get", &look).await;
    assert_eq!(working.last()["result"]["status"], "working", "{working:?}");
    let foreign = Mcp::new(&shop.service.url, &shop.foreign).behind("paid");
    let none = foreign.modern_as(can(), "tasks/get", &look).await;
    assert_eq!(none.last()["error"]["code"], -32602, "{none:?}");
    shop.service.answer_next(true);
    let result = until("the task is completed", async || {
        let task = mcp.modern_as(can(), "tasks/get", &look).await.last()["result"].clone();
        (task["status"] == "completed").then(|| task["result"].clone())
    })
    .await;
    delivered(&result, "task", 1);
    assert_eq!(paid(&seller).await, 1);
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_shows_links_repeats_its_call_and_gets_what_it_paid_for() {
    let (mut shop, seller, mcp) = behind();
    let can = || json!({"elicitation": {"url": {}}});
    let repeat = |about: &str, asked: &Value, action: &str| {
        let mut call = report(about);
        call["requestState"] = asked["requestState"].clone();
        call["inputResponses"] = json!({"decide": {"action": action}});
        call
    };
    let asked = mcp.modern_as(can(), "tools/call", &report("link")).await.last()["result"].clone();
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let url = asked["inputRequests"]["decide"]["params"]["url"].as_str().unwrap();
    assert_eq!(url, format!("{}/open", shop.service.url), "the constant page");
    let elsewhere = mcp.modern_as(can(), "tools/call", &repeat("other", &asked, "accept")).await;
    assert_eq!(elsewhere.last()["error"]["code"], -32602, "{elsewhere:?}");
    let waiting = {
        let (mcp, call) = (mcp.clone(), repeat("link", &asked, "accept"));
        tokio::spawn(async move { mcp.modern_as(can(), "tools/call", &call).await })
    };
    shop.service.answer_next(true);
    delivered(&waiting.await.unwrap().last()["result"], "link", 1);
    let late = mcp.modern_as(can(), "tools/call", &repeat("link", &asked, "accept")).await;
    delivered(&late.last()["result"], "link", 1);
    assert_eq!(paid(&seller).await, 1, "a repeat buys nothing but what it is about");

    let asked = mcp.modern_as(can(), "tools/call", &report("no")).await.last()["result"].clone();
    let declined = mcp.modern_as(can(), "tools/call", &repeat("no", &asked, "decline")).await;
    let status = &declined.last()["result"]["structuredContent"]["status"];
    assert_eq!(status, "cancelled", "a decline withdraws it: {declined:?}");
    assert_eq!(paid(&seller).await, 1);
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_older_era_is_shown_the_link_while_it_waits() {
    let (mut shop, seller, _) = behind();
    let mut client = Official::behind(&shop.service, "paid", &shop.token, "1", &["--elicit", "accept"]);
    let call = client.start("report", &json!({"about": "beside"}), &json!({}));
    let asked = client.event("asked");
    assert_eq!(asked["params"]["url"], format!("{}/open", shop.service.url), "{asked}");
    shop.service.answer_next(true);
    delivered(&client.end(call)["result"], "beside", 1);
    assert_eq!(paid(&seller).await, 1);
    drop(client);
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_read_is_there_for_the_same_call_again() {
    let (mut shop, seller, mut mcp) = behind();
    mcp.begin(json!({})).await;
    let left = {
        let mcp = mcp.clone();
        let mut call = request("tools/call", &report("lost"));
        // An id of its own: its answer is still to come in this session.
        call["id"] = json!("lost");
        tokio::spawn(async move { mcp.send(&call).await })
    };
    let question = shop.service.event("question");
    left.abort();
    let id = question["payment_id"].as_str().unwrap();
    shop.service.answer(true, id);
    until("it is paid, and nobody listens", async || {
        let (_, outcome) = shop.client.get(&format!("/v1/payments/{id}")).await;
        (outcome["status"] == "completed").then_some(())
    })
    .await;
    let again = mcp.call("report", &json!({"about": "lost"})).await;
    delivered(&again, "lost", 1);
    assert_eq!(again["_meta"]["org.countersign/payment"]["payment_id"], json!(id));
    let next = tokio::spawn(async move { mcp.call("report", &json!({"about": "lost"})).await });
    shop.service.answer_next(true);
    delivered(&next.await.unwrap(), "lost", 2);
    assert_eq!(paid(&seller).await, 2, "what was handed out can be bought again");
    shop.close();
}
