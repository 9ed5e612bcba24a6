//! A shop at Alipay, in both languages: the official client makes a page, a buyer pays, and the refund is agreed to in the window.

use serde_json::{Value, json};
use std::net::TcpListener;

use super::turn;
use crate::{
    screen,
    support::{AlipayDouble, Official, Place, alipay::CONFIG, driver::Driver, until},
};

/// What stands in the window that asks.
async fn asked(driver: &Driver, picture: &str) -> String {
    let window = screen::question(picture).await;
    screen::focus(&window).await;
    driver.window("approval").await;
    driver.text("approve-button").await;
    let shown = driver.js("return document.body.innerText").await.expect("a page");
    shown.as_str().expect("text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_paid_and_its_refund_agreed_to_in_chinese_and_in_english() {
    let Some(_turn) = turn().await else { return };
    let alipay = AlipayDouble::start().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::new(&format!("{CONFIG}[server]\nport = {free}\n"));
    alipay.set_up(&place);
    let token = place.agent("clerk");
    place.ok(&["confirm", "policy", "--json"]);
    let driver = Driver::start(&place, "activity").await;
    driver.window("main").await;
    driver.press("start-leave").await;
    let mut client = Official::at(&format!("http://127.0.0.1:{free}/mcp"), &token);

    for (language, heading, pays, back) in
        [("zh-CN", "动态", "创建", "退款"), ("en", "Activity", "Make a page for", "Pay back")]
    {
        driver.window("main").await;
        driver.choose("language", language).await;
        let head = async || driver.js("return document.querySelector('h1').textContent").await;
        until("the language", async || (head().await? == json!(heading)).then_some(())).await;

        let number = format!("shop-{language}");
        let order = json!({"outTradeNo": number, "totalAmount": 30, "orderTitle": "一套邮票 stamps"});
        let call = client.start("create-web-page-alipay-payment", &order, &json!({}));
        let page = asked(&driver, &format!("shop-page-{language}.png")).await;
        assert!(page.contains(pays) && page.contains("30"), "{page}");
        driver.press("approve-button").await;
        let made = client.end(call)["result"]["structuredContent"].clone();
        assert_eq!(made["status"], "completed", "{made}");
        alipay.opens(made["paymentLink"].as_str().unwrap()).await;
        alipay.pays(&number).await;
        let paid = client.call("query-alipay-payment", &json!({"outTradeNo": number}));
        assert_eq!(paid["tradeStatus"], "TRADE_SUCCESS");

        let out = format!("R-{language}");
        let refund =
            json!({"outTradeNo": number, "refundAmount": 12.5, "outRequestNo": out, "refundReason": "退货 returned"});
        let call = client.start("refund-alipay-payment", &refund, &json!({}));
        let page = asked(&driver, &format!("shop-refund-{language}.png")).await;
        assert!(page.contains(back) && page.contains("12.5"), "{page}");
        driver.press("approve-button").await;
        let done = client.end(call)["result"]["structuredContent"].clone();
        assert_eq!((&done["status"], &done["refundResult"]), (&json!("completed"), &json!("success")), "{done}");
        let found = client.call("query-alipay-refund", &json!({"outTradeNo": number, "outRequestNo": out}));
        assert_eq!(found["refundStatus"], "REFUND_SUCCESS");
    }
    let sums = |seen: &Value| seen["refunds"].as_array().unwrap().len();
    assert_eq!(sums(&alipay.seen().await), 2);
}
