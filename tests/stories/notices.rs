//! Notifications and the tray, over the real session bus: each question is told once, and nothing anybody puts on the bus approves.
//!
//! Needs an X display and a session bus with Python's `gi`, as `cargo xtask test` provides; says so and does nothing without.

use serde_json::Value;

use crate::{
    bus::Bus,
    screen,
    support::{Client, Place, hostile_seller::HostileSeller, until},
};

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
