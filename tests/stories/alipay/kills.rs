//! The service is killed while refunds are under way: each happens at most once, their sum stays in the budget, and the ledger knows
//! whatever Alipay carried out. That nothing is signed before it is written is the matter of the other kill loop, which has enough under
//! way at each kill to catch the wrong order; this one has not.

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::task::JoinSet;

use crate::support::{AlipayDouble, Client};

/// So many trades of one yuan, and so many of them may be refunded.
const TRADES: usize = 24;
const PAID_BACK: usize = 14;
const KILLS: usize = 12;

/// Fourteen cents each, so 1.96 dollars.
const CAPPED: &str = "format = 1\nname = \"capped\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
                      rule = [{ id = \"all\", effect = \"allow\", when = { exposure = { le = \"50.00\" } } }]\n\
                      budget = [\n\
                        { id = \"cap\", scope = [], when = { op = { eq = \"refund\" } }, window = \"lifetime\", max_amount = \"1.96\", on_exceed = \"deny\" },\n\
                        { id = \"day\", scope = [], window = \"rolling:24h\", max_amount = \"100.00\", on_exceed = \"deny\" },\n\
                      ]\n";

fn refund(n: usize) -> Value {
    json!({"outTradeNo": format!("K{n}"), "refundAmount": "1.00", "outRequestNo": format!("K-{n}")})
}

/// How often each refund was carried out.
async fn carried_out(alipay: &AlipayDouble) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for refund in alipay.seen().await["refunds"].as_array().expect("a list") {
        assert_eq!(refund["refund_amount"], "1.00");
        *times.entry(refund["out_request_no"].as_str().expect("a number").to_owned()).or_default() += 1;
    }
    times
}

/// The signatures that arrived for each refund.
async fn signatures(alipay: &AlipayDouble) -> BTreeMap<String, BTreeSet<String>> {
    let mut signed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let seen = alipay.seen().await;
    for request in seen["requests"].as_array().expect("a list").iter().filter(|r| r["method"] == "alipay.trade.refund")
    {
        let number = request["content"]["out_request_no"].as_str().expect("a number").to_owned();
        signed.entry(number).or_default().insert(request["sign"].as_str().expect("a signature").to_owned());
    }
    signed
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_under_way_when_the_service_is_killed_happen_at_most_once_and_stay_in_the_budget() {
    let alipay = AlipayDouble::start().await;
    let (place, token) = alipay.place();
    place.policy(CAPPED);
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    for n in 0..TRADES {
        alipay.sells(&client, &format!("K{n}"), "1.00").await;
    }
    service.kill();

    let mut cut = 0;
    for round in 0..KILLS {
        let service = place.serve("deny");
        let client = Client::new(&service.url, &token);
        let mut calls = JoinSet::new();
        // Two new ones a round, and the two before them again.
        for n in (2 * round).saturating_sub(2)..2 * round + 2 {
            let client = client.clone();
            let body = refund(n);
            calls.spawn(async move {
                client.try_send(reqwest::Method::POST, "/v1/alipay/refund-alipay-payment", Some(&body)).await
            });
        }
        // Every second kill comes after the first answer, while the others are on their way.
        if round % 2 == 1 {
            calls.join_next().await;
        }
        tokio::time::sleep(Duration::from_millis(2 * round as u64)).await;
        service.kill();
        cut += calls.join_all().await.iter().filter(|answered| answered.is_err()).count();
        assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]), "after kill {round}");
    }
    assert!(cut >= KILLS, "only {cut} calls were under way at a kill");

    let before = carried_out(&alipay).await;
    assert!(!before.is_empty(), "nothing was carried out before a kill");
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    for n in 0..TRADES {
        let (_, told) = client.post("/v1/alipay/refund-alipay-payment", &refund(n)).await;
        let known = told["status"] == "completed" || told["status"] == "unknown";
        assert!(known || told["code"] == "over_budget", "{n}: {told}");
        assert!(
            known || !before.contains_key(&format!("K-{n}")),
            "Alipay carried {n} out, and the ledger does not know it: {told}"
        );
    }
    let after = carried_out(&alipay).await;
    assert!(after.values().all(|times| *times == 1), "a refund happened twice: {after:?}");
    let signed = signatures(&alipay).await;
    assert!(signed.values().all(|signatures| signatures.len() == 1), "a refund was signed twice: {signed:?}");
    assert_eq!(after.len(), PAID_BACK, "as many as the budget lets through: {after:?}");
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}
