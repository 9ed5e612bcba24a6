//! The whole way with the official MCP client: a page is made, a buyer pays, a person allows the refund, Alipay confirms it.

use serde_json::{Value, json};

use crate::support::{AlipayDouble, Official, until};

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
    assert_eq!((&settled["payment"]["state"], &settled["payment"]["transaction"]), (&json!("settled"), &found["tradeNo"]));

    let again = client.call("refund-alipay-payment", &refund);
    assert_eq!(again["payment"]["id"], back["payment"]["id"]);
    let seen = alipay.seen().await;
    assert_eq!(seen["refunds"], json!([{"out_trade_no": "A1", "out_request_no": "R1", "refund_amount": "12.50"}]));
    let sent = |method: &str| seen["requests"].as_array().unwrap().iter().filter(|r| r["method"] == method).count();
    assert_eq!(sent("alipay.trade.refund"), 1);
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]) as Value);
}
