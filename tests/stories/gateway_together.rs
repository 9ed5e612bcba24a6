//! The tools of every upstream stand beside our own on `/mcp`: paid, pinned and waited for as behind `/mcp/NAME`, and an upstream
//! that does not answer takes nothing from the others.

use serde_json::{Value, json};
use std::net::TcpListener;

use crate::support::{
    Mcp, Shop,
    seller::{self, put_behind},
    shapes::Shapes,
    until,
};

const OURS: [&str; 6] = ["fetch", "pay", "get_payment", "list_payments", "cancel_payment", "get_budget"];

fn names(list: &Value) -> Vec<String> {
    let tools = list["tools"].as_array().unwrap_or_else(|| panic!("no tools: {list}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

async fn listed(mcp: &Mcp) -> Vec<String> {
    names(&mcp.modern("tools/list", &json!({})).await.last()["result"])
}

/// An address where nobody is, and one where somebody takes the connection and never says a word.
fn dead() -> (String, TcpListener) {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    (gone, TcpListener::bind("127.0.0.1:0").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn upstreams_stand_behind_our_own_tools_and_a_dead_one_takes_nothing_from_them() {
    let mut shop = Shop::open("terminal", "");
    let seller = seller::start(&shop.world);
    let (gone, silent) = dead();
    let mute = format!("http://{}/mcp", silent.local_addr().unwrap());
    put_behind(&shop.place, &mut shop.service, "late", &[&format!("http://{gone}/newer")], true);
    put_behind(&shop.place, &mut shop.service, "mute", &[&mute], true);
    put_behind(&shop.place, &mut shop.service, "paid", &[&seller.mcp()], true);
    let mcp = Mcp::new(&shop.service.url, &shop.token);
    assert_eq!(listed(&mcp).await[..6], OURS);
    let known = until("the upstream that is there is listed", async || {
        let names = listed(&mcp).await;
        assert_eq!(names[..6], OURS, "whatever happens elsewhere");
        (names.len() > 6).then_some(names)
    })
    .await;
    assert_eq!(known[6..], ["free", "cheap", "report", "dies", "choosy", "other"].map(|tool| format!("paid__{tool}")));

    let mut session = Mcp::new(&shop.service.url, &shop.token);
    session.begin(json!({})).await;
    assert_eq!(names(&session.result("tools/list", &json!({})).await), known);
    let cheap = session.call("paid__cheap", &json!({"about": "bees"})).await;
    assert_eq!(cheap["content"][0]["text"], "cheap: bees, delivery 1", "{cheap}");
    assert_eq!(cheap["_meta"]["org.countersign/payment"]["amount"]["amount"], "0.03", "{cheap}");
    let task = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let report = json!({"name": "paid__report", "arguments": {"about": "q1"}});
    let begun = mcp.modern_as(task.clone(), "tools/call", &report).await.last()["result"].clone();
    assert_eq!(begun["resultType"], "task", "{begun}");
    shop.service.answer_next(true);
    let look = json!({"taskId": begun["taskId"]});
    let done = until("the task is completed", async || {
        let task = mcp.modern_as(task.clone(), "tasks/get", &look).await.last()["result"].clone();
        (task["status"] == "completed").then(|| task["result"].clone())
    })
    .await;
    assert_eq!(done["structuredContent"]["text"], "report: q1, delivery 2", "{done}");
    for unknown in ["paid__nothing", "mute", "nobody__tool", "paid_cheap", "__cheap"] {
        let answer = mcp.modern("tools/call", &json!({"name": unknown, "arguments": {}})).await;
        assert_eq!(answer.last()["error"]["code"], -32602, "{unknown}: {answer:?}");
    }
    assert_eq!(seller.seen().await["credentials"].as_array().unwrap().len(), 2);

    let stream = session.listen().await;
    let shapes = Shapes::on(&gone).await;
    let names = until("the late one is listed", async || {
        let names = listed(&mcp).await;
        names.contains(&"late__structured".to_owned()).then_some(names)
    })
    .await;
    assert_eq!(names[..6], OURS);
    stream.until("notifications/tools/list_changed").await;
    let late = session.call("late__structured", &json!({})).await;
    assert_eq!(late["content"][0]["text"], "goods: structured", "{late}");
    assert_eq!(shapes.paid().len(), 1);
    shop.close();
}
