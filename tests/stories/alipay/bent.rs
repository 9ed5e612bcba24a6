//! Answers of the gateway that bend: nothing unsigned changes anything, and no refund happens twice.

use serde_json::{Value, json};

use crate::support::{AlipayDouble, Client, Place, Service, until};

struct Counter {
    client: Client,
    alipay: AlipayDouble,
    service: Service,
    place: Place,
}

impl Counter {
    async fn open() -> Self {
        let alipay = AlipayDouble::start().await;
        let (place, token) = alipay.place();
        place.policy(super::OPEN);
        let service = place.serve("deny");
        let client = Client::new(&service.url, &token);
        Self { client, alipay, service, place }
    }

    /// The same after everything was killed.
    async fn restarted(self) -> Self {
        self.service.kill();
        let service = self.place.serve("deny");
        Self { client: self.client.at(&service.url), service, ..self }
    }

    async fn call(&self, tool: &str, body: Value) -> (u16, Value) {
        self.client.post(&format!("/v1/alipay/{tool}"), &body).await
    }

    /// An order that a buyer paid.
    async fn sold(&self, number: &str, yuan: &str) {
        self.alipay.sells(&self.client, number, yuan).await;
    }

    async fn refund(&self, trade: &str, yuan: &str, number: &str) -> (u16, Value) {
        self.call("refund-alipay-payment", json!({"outTradeNo": trade, "refundAmount": yuan, "outRequestNo": number}))
            .await
    }

    async fn refunds(&self) -> usize {
        self.alipay.seen().await["refunds"].as_array().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_refund_that_is_not_alipays_word_leaves_it_unknown_and_held() {
    let counter = Counter::open().await;
    let faults = [
        "tampered",
        "missing-sign",
        "other-key",
        "error-response",
        "twice",
        "trailing",
        "big",
        "cut",
        "502",
        "20000",
        "ACQ.SYSTEM_ERROR",
        "no-change",
    ];
    for (n, fault) in faults.iter().enumerate() {
        let trade = format!("B{n}");
        counter.sold(&trade, "9.00").await;
        counter.alipay.bends("alipay.trade.refund", fault, 1).await;
        let (status, told) = counter.refund(&trade, "1.00", &format!("B-{n}")).await;
        assert_eq!((status, &told["status"]), (200, &json!("unknown")), "{fault}: {told}");
        assert_eq!(told["payment"]["state"], "signed", "{fault}: {told}");
        // Whatever is given back of the same trade under another number is in doubt while the first is.
        if n == 0 {
            for (sum, number) in [("1.00", "B-again"), ("2.00", "B-more")] {
                let (status, told) = counter.refund(&trade, sum, number).await;
                assert_eq!((status, &told["code"]), (403, &json!("no_approver")), "{told}");
            }
        }
    }
    for fault in ["tampered", "missing-sign", "other-key", "error-response", "twice", "trailing", "big", "502", "20000"]
    {
        counter.alipay.bends("alipay.trade.query", fault, 1).await;
        let (status, told) = counter.call("query-alipay-payment", json!({"outTradeNo": "B1"})).await;
        assert_eq!((status, &told["code"]), (502, &json!("seller_unreachable")), "{fault}: {told}");
        assert_eq!(told["next"], "Nothing was learnt; ask again later.");
    }
    counter.alipay.bends("alipay.trade.query", "odd", 1).await;
    let (_, told) = counter.call("query-alipay-payment", json!({"outTradeNo": "B1"})).await;
    assert_eq!(told["tradeStatus"], "TRADE_SUCCESS", "{told}");
    // Repeated with the same number, none of them happens twice.
    let before = counter.refunds().await;
    for n in 0..faults.len() {
        counter.refund(&format!("B{n}"), "1.00", &format!("B-{n}")).await;
    }
    let after = counter.alipay.seen().await;
    let mut numbers: Vec<&str> =
        after["refunds"].as_array().unwrap().iter().map(|r| r["out_request_no"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((numbers.len(), after["refunds"].as_array().unwrap().len()), (faults.len(), faults.len()));
    assert!(before < faults.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_answer_was_cut_is_found_by_asking_and_never_sent_again() {
    let counter = Counter::open().await;
    counter.sold("C1", "30.00").await;
    counter.alipay.bends("alipay.trade.refund", "cut", 1).await;
    let (_, told) = counter.refund("C1", "30.00", "C-1").await;
    assert_eq!(told["status"], "unknown", "{told}");
    let path = format!("/v1/payments/{}", told["payment"]["id"].as_str().unwrap());
    let settled = until("Alipay to be asked", async || {
        let (_, payment) = counter.client.get(&path).await;
        (payment["payment"]["state"] == "settled").then_some(payment)
    })
    .await;
    assert_eq!(settled["payment"]["settlement"], "verified");
    let seen = counter.alipay.seen().await;
    let sent = seen["requests"].as_array().unwrap().iter().filter(|r| r["method"] == "alipay.trade.refund").count();
    assert_eq!((sent, counter.refunds().await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_of_one_trade_are_never_more_than_it_and_a_refusal_is_told() {
    let counter = Counter::open().await;
    counter.sold("D1", "30.00").await;
    let (_, first) = counter.refund("D1", "20.00", "D-1").await;
    assert_eq!(first["status"], "completed", "{first}");
    let path = format!("/v1/payments/{}", first["payment"]["id"].as_str().unwrap());
    until("the first to be confirmed", async || {
        (counter.client.get(&path).await.1["payment"]["settlement"] == "verified").then_some(())
    })
    .await;
    let other = json!({"outTradeNo": "D1", "refundAmount": "20.00", "outRequestNo": "D-1", "refundReason": "late"});
    let (_, again) = counter.call("refund-alipay-payment", other).await;
    assert_eq!(again["payment"]["id"], first["payment"]["id"], "another reason is no other refund: {again}");
    let (status, told) = counter.refund("D1", "10.01", "D-2").await;
    assert_eq!((status, &told["code"]), (400, &json!("bad_request")), "{told}");
    let (status, told) = counter.refund("D1", "30.01", "D-3").await;
    assert_eq!((status, &told["code"]), (400, &json!("bad_request")), "{told}");
    counter.alipay.bends("alipay.trade.refund", "ACQ.SELLER_BALANCE_NOT_ENOUGH", 1).await;
    let (_, told) = counter.refund("D1", "10.00", "D-4").await;
    assert_eq!((&told["status"], &told["payment"]["settlement"]), (&json!("failed"), &json!("failed")), "{told}");
    let (status, told) = counter.refund("D1", "0.01", "D-5").await;
    assert_eq!((status, &told["code"]), (400, &json!("bad_request")), "refused is not yet free: {told}");
    let (status, told) = counter.refund("D1", "5.00", "D-1").await;
    assert_eq!((status, &told["code"]), (409, &json!("idempotency_conflict")), "{told}");
    assert_eq!(told["next"], "This number is taken by a refund; look with query-alipay-refund.");
    let (status, told) = counter.refund("nobody", "1.00", "D-6").await;
    assert_eq!((status, &told["code"]), (422, &json!("unsupported_offer")), "{told}");
    assert_eq!(counter.refunds().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_doubt_when_everything_was_killed_is_asked_about_at_the_next_start_and_happens_once() {
    let mut counter = Counter::open().await;
    counter.sold("G1", "30.00").await;
    for (fault, number) in [("cut", "G-1"), ("tampered", "G-2")] {
        counter.alipay.bends("alipay.trade.refund", fault, 1).await;
        let sum = format!("1.0{}", &number[2..]);
        let (_, told) = counter.refund("G1", &sum, number).await;
        assert_eq!(told["status"], "unknown", "{fault}: {told}");
        // Not yet is no refusal.
        counter.alipay.bends("alipay.trade.fastpay.refund.query", "not-yet", 1).await;
        counter = counter.restarted().await;
        let path = format!("/v1/payments/{}", told["payment"]["id"].as_str().unwrap());
        until("Alipay to be asked twice", async || {
            (counter.client.get(&path).await.1["payment"]["settlement"] == "verified").then_some(())
        })
        .await;
    }
    assert_eq!(counter.refunds().await, 2);
    assert_eq!(counter.place.ok(&["verify", "--json"])["faults"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_for_one_refund_are_one_refund() {
    let counter = Counter::open().await;
    counter.sold("E1", "30.00").await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let client = counter.client.clone();
        let body = json!({"outTradeNo": "E1", "refundAmount": "30.00", "outRequestNo": "E-1"});
        calls.spawn(async move { client.post("/v1/alipay/refund-alipay-payment", &body).await });
    }
    let mut ids = std::collections::BTreeSet::new();
    for (status, told) in calls.join_all().await {
        assert_eq!(status, 200, "{told}");
        ids.insert(told["payment"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((ids.len(), counter.refunds().await), (1, 1));
    let seen = counter.alipay.seen().await;
    assert_eq!(seen["requests"].as_array().unwrap().iter().filter(|r| r["method"] == "alipay.trade.refund").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_cannot_bring_an_order_as_a_challenge() {
    let counter = Counter::open().await;
    let order = json!({"refund": {"out_trade_no": "F1", "amount": "100", "out_request_no": "F-1", "reason": null, "of": "100"}});
    let challenge = json!({"app_id": "2021000000000001", "sandbox": true, "order": order});
    let body = json!({"rail": "alipay", "url": "https://openapi.alipay.com/gateway.do", "challenge": challenge, "idempotency_key": "f"});
    let (status, told) = counter.client.post("/v1/payments", &body).await;
    assert_eq!((status, &told["code"]), (422, &json!("unsupported_offer")), "{told}");
    assert_eq!(counter.refunds().await, 0);
}
