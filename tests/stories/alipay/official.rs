//! The whole way with the official MCP client: a page is made, a buyer pays, a person allows the refund, Alipay confirms it.

use serde_json::{Value, json};

use crate::support::{AlipayDouble, Client, Official, Place, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_made_a_buyer_pays_and_a_person_allows_the_refund() {
    let alipay = AlipayDouble::start().await;
    let (place, token) = alipay.place();
    let mut service = place.serve("terminal");
    let checked = place.ok(&["alipay", "check", "--json"]);
    assert_eq!(checked["tried"], json!({"gateway": "answers", "keys": "match"}));
    let mut client = Official::connect_to(&service, &token, "1", &[], 11);

    let order = json!({"outTradeNo": "A1", "totalAmount": 30, "orderTitle": "一套邮票 & stamps [1+1=2]"});
    let call = client.start("create-web-page-alipay-payment", &order, &json!({}));
    let question = service.answer_next(true);
    assert!(question["amount"].as_str().unwrap().contains("4.20"), "{question}");
    let made = client.end(call)["result"]["structuredContent"].clone();
    assert_eq!((&made["status"], &made["payment"]["rail"]), (&json!("completed"), &json!("alipay")), "{made}");
    assert_eq!(client.call("create-web-page-alipay-payment", &order)["payment"]["id"], made["payment"]["id"]);

    let asked = json!({"outTradeNo": "A1"});
    assert_eq!(client.call("query-alipay-payment", &asked)["tradeStatus"], "TRADE_NOT_EXIST");
    let page = alipay.opens(made["paymentLink"].as_str().unwrap()).await;
    assert_eq!(page, "cashier: 一套邮票 & stamps [1+1=2] 30.00");
    alipay.pays("A1").await;
    let paid = client.call("query-alipay-payment", &asked);
    assert_eq!((&paid["tradeStatus"], &paid["totalAmount"]), (&json!("TRADE_SUCCESS"), &json!("30.00")));

    let refund = json!({"outTradeNo": "A1", "refundAmount": 12.5, "outRequestNo": "R1", "refundReason": "退货"});
    let call = client.start("refund-alipay-payment", &refund, &json!({}));
    let question = service.answer_next(true);
    assert!(question["amount"].as_str().unwrap().contains("1.75"), "{question}");
    // Another buyer than the last is no seller that changed its account.
    assert!(!question["why"].as_str().unwrap().contains("another account"), "{question}");
    let back = client.end(call)["result"]["structuredContent"].clone();
    assert_eq!((&back["status"], &back["refundResult"]), (&json!("completed"), &json!("success")), "{back}");
    let found = client.call("query-alipay-refund", &json!({"outTradeNo": "A1", "outRequestNo": "R1"}));
    assert_eq!((&found["refundStatus"], &found["refundAmount"]), (&json!("REFUND_SUCCESS"), &json!("12.50")));

    let id = json!({"payment_id": back["payment"]["id"]});
    let settled = until("the refund to be confirmed", async || {
        let payment = client.call("get_payment", &id);
        (payment["payment"]["settlement"] == "verified").then_some(payment)
    })
    .await;
    assert_eq!(
        (&settled["payment"]["state"], &settled["payment"]["transaction"]),
        (&json!("settled"), &found["tradeNo"])
    );

    let again = client.call("refund-alipay-payment", &refund);
    assert_eq!(again["payment"]["id"], back["payment"]["id"]);
    let seen = alipay.seen().await;
    assert_eq!(seen["refunds"], json!([{"out_trade_no": "A1", "out_request_no": "R1", "refund_amount": "12.50"}]));
    let sent = |method: &str| seen["requests"].as_array().unwrap().iter().filter(|r| r["method"] == method).count();
    assert_eq!(sent("alipay.trade.refund"), 1);
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_orders_in_odd_words_are_signed_byte_for_byte_as_the_official_sdk_signs_them() {
    let alipay = AlipayDouble::start().await;
    let (place, token) = alipay.place();
    place.policy(super::OPEN);
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    let odd = [
        "&", "=", "+", "%", "%41", " ", "\"", "'", "\\", "/", "<", "邮票", "é", "😀", "\u{202e}", "a=b&c=d", "?", "#",
        ";", "1",
    ];
    for n in 0..200 {
        let title: String = (0..=n % 7).map(|i| odd[(n * 7 + i * 3 + n / 20) % odd.len()]).collect();
        let tool = if n % 2 == 0 { "create-web-page-alipay-payment" } else { "create-mobile-alipay-payment" };
        let yuan = format!("0.{:02}", n % 99 + 1);
        let order = json!({"outTradeNo": format!("odd_{n}"), "totalAmount": yuan, "orderTitle": title});
        let (status, made) = client.post(&format!("/v1/alipay/{tool}"), &order).await;
        assert_eq!(status, 200, "{order}: {made}");
        let body: Value = serde_json::from_str(made["response"]["body"].as_str().unwrap()).unwrap();
        alipay.opens(body["paymentLink"].as_str().unwrap()).await;
    }
    let seen = alipay.seen().await;
    // What was opened is asked about after a while; those requests are not counted here.
    let is_page = |request: &&Value| request["method"].as_str().is_some_and(|method| method.ends_with(".pay"));
    let pages = seen["requests"].as_array().unwrap().iter().filter(is_page).count();
    assert_eq!((pages, seen["book"].as_array().unwrap().len()), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_no_tool_of_alipays_where_no_merchant_is_set_up() {
    let place = Place::new("");
    let token = place.agent("clerk");
    let service = place.serve("deny");
    drop(Official::connect(&service, &token, "1", &[]));
    let client = Client::new(&service.url, &token);
    let (status, told) = client.post("/v1/alipay/query-alipay-payment", &json!({"outTradeNo": "A1"})).await;
    assert_eq!((status, &told["code"]), (404, &json!("not_found")), "{told}");
}
