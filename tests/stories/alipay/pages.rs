//! Open pages: Alipay is asked about each until it is paid or closed, unless a person wants that no more.

use serde_json::{Value, json};

use crate::support::{AlipayDouble, Client, until};

/// How often Alipay was asked about an order.
async fn asked(alipay: &AlipayDouble, number: &str) -> usize {
    let seen = alipay.seen().await;
    let about = |request: &&Value| {
        request["method"] == "alipay.trade.query" && request["content"]["out_trade_no"].as_str() == Some(number)
    };
    seen["requests"].as_array().expect("a list").iter().filter(about).count()
}

/// Makes the page of an order: its payment, and its address.
async fn page(client: &Client, number: &str) -> (String, String) {
    let order = json!({"outTradeNo": number, "totalAmount": "2.00", "orderTitle": "stamps"});
    let (status, made) = client.post("/v1/alipay/create-web-page-alipay-payment", &order).await;
    assert_eq!(status, 200, "{made}");
    let body: Value = serde_json::from_str(made["response"]["body"].as_str().expect("a body")).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&made["payment"]["id"]), text(&body["paymentLink"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_looked_for_no_more_is_asked_about_no_more_also_after_a_restart() {
    let alipay = AlipayDouble::start().await;
    let (place, token) = alipay.place();
    place.policy(super::OPEN);
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    let (stopped, link) = page(&client, "P1").await;
    page(&client, "P2").await;
    assert_eq!(place.ok(&["alipay", "unwatch", &stopped, "--json"])["watched"], false);
    until("the other page is asked about", async || (asked(&alipay, "P2").await > 0).then_some(())).await;
    assert_eq!(asked(&alipay, "P1").await, 0);
    service.stop();

    let before = asked(&alipay, "P2").await;
    let service = place.serve("deny");
    let client = client.at(&service.url);
    until("the other page is asked about anew", async || (asked(&alipay, "P2").await > before).then_some(())).await;
    // The same page once more is the same page, and nobody begins to look for it by that.
    assert_eq!(page(&client, "P1").await, (stopped.clone(), link.clone()));
    assert_eq!(asked(&alipay, "P1").await, 0);

    // The page itself is as good as before, an agent may ask about it, and its answer moves nothing here.
    alipay.opens(&link).await;
    alipay.pays("P1").await;
    let (status, trade) = client.post("/v1/alipay/query-alipay-payment", &json!({"outTradeNo": "P1"})).await;
    assert_eq!((status, &trade["tradeStatus"]), (200, &json!("TRADE_SUCCESS")), "{trade}");
    assert_eq!(asked(&alipay, "P1").await, 1);
    assert_eq!(place.ok(&["payment", &stopped, "--json"])["settlement"], "none");

    assert_eq!(place.ok(&["alipay", "watch", &stopped, "--json"])["watched"], true);
    until("it is found to be paid", async || {
        (place.ok(&["payment", &stopped, "--json"])["settlement"] == "verified").then_some(())
    })
    .await;
    let (exit, _) = place.exit(&["alipay", "unwatch", &stopped]);
    assert_ne!(exit, 0, "it has its end");
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}
