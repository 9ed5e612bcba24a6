//! The window in a build that takes synthetic presses: one on Pay pays once on a real chain, one on Deny refuses.
//!
//! `cargo xtask test window` builds it so (feature `ui-automation`) and brings the display; without one it says so and does nothing.

use crate::{
    screen,
    support::{Client, Place, World, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_press_on_pay_pays_exactly_once_and_a_press_on_deny_refuses() {
    let Some(_turn) = screen::turn().await else { return };
    let mut world = World::start();
    let (place, address) = Place::with_wallet(&format!("[server]\nport = 0\n{}", world.config()));
    world.mint(&address, "100");
    let token = place.agent("researcher");
    place.ok(&["confirm", "policy", "--json"]);
    let service = place.desktop();
    let client = Client::new(&service.url, &token);
    let page = format!("{}/report", world.at("seller"));
    let ask = |key: &'static str| {
        let (client, page) = (client.clone(), page.clone());
        tokio::spawn(async move { client.fetch(&page, key).await })
    };

    let paying = ask("pay");
    let window = screen::question("pay.png").await;
    screen::press_until(&window, screen::PAY, async || paying.is_finished()).await;
    let (status, paid) = paying.await.unwrap();
    assert_eq!((status, paid["status"].as_str()), (200, Some("completed")), "{paid}");
    assert_eq!(paid["payment"]["decision"]["effect"], "ask");
    assert_eq!(paid["payment"]["amount"]["amount"], "4.2");

    let denying = ask("deny");
    let window = screen::question("deny.png").await;
    screen::press_until(&window, screen::DENY, async || denying.is_finished()).await;
    let (status, refused) = denying.await.unwrap();
    assert_eq!((status, refused["code"].as_str()), (403, Some("denied_by_human")), "{refused}");

    let id = paid["payment"]["id"].as_str().unwrap().to_owned();
    until("the payment proved on chain", async || {
        let (_, seen) = client.get(&format!("/v1/payments/{id}")).await;
        (seen["payment"]["settlement"] == "verified").then_some(())
    })
    .await;
    assert_eq!(world.balance(&address), "95.8", "one report was paid, once");
    service.stop();
    let verified = place.ok(&["verify", "--json"]);
    assert_eq!(verified["faults"], serde_json::json!([]), "{verified}");
}
