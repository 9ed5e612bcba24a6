//! The real window on a real screen: it shows the question, a synthetic click does not pay, and closing it is a no.
//!
//! Needs an X display, as `cargo xtask test` provides one; says so and does nothing without.

use std::time::Duration;

use crate::{
    screen,
    support::{Client, Place, hostile_seller::HostileSeller},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_the_question_ignores_a_synthetic_click_and_closing_it_denies() {
    if !screen::is_there() {
        return;
    }
    let (place, payer) = Place::with_wallet("[server]\nport = 0\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let token = place.agent("researcher");
    let seller = HostileSeller::start(&payer).await;
    let service = place.desktop();
    let client = Client::new(&service.url, &token);
    let asking = tokio::spawn({
        let (client, url) = (client.clone(), seller.case("no-receipt"));
        async move { client.fetch(&url, "one").await }
    });
    let window = screen::question("approval.png").await;

    // Well past the arm time, all over the place where Pay is.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for x in ["330", "380", "430"] {
        for y in (560..716).step_by(12) {
            screen::press(&window, x, &y.to_string()).await;
        }
    }
    let (_, list) = client.get("/v1/payments").await;
    assert_eq!(list["payments"][0]["state"], "waiting", "a synthetic click moved the payment: {list}");
    assert_eq!(seller.credentials("no-receipt").len(), 0);

    screen::close(&window).await;
    let (status, body) = asking.await.unwrap();
    assert_eq!((status, body["code"].as_str()), (403, Some("denied_by_human")), "{body}");
    assert_eq!(seller.credentials("no-receipt").len(), 0);
    service.stop();
}
