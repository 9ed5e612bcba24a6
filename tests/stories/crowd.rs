//! Many at once: exactly as many payments as fit, one signature for a thousand duplicates.

use serde_json::json;
use std::collections::BTreeSet;

use crate::support::{
    Client, Place,
    client::{authorization, pay_body},
    hostile_seller::{offer, required},
};

const URL: &str = "https://api.example/thing";
const FAST: &str = "[limits]\nrequests_per_second = 1000000\nburst = 1000000\n";

fn policy(cap: &str) -> String {
    format!(
        "format = 1\nname = \"crowd\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
         rule = [{{ id = \"small\", effect = \"allow\", when = {{ exposure = {{ le = \"1.00\" }} }} }}]\n\
         budget = [{{ id = \"cap\", scope = [], window = \"lifetime\", max_amount = \"{cap}\", on_exceed = \"deny\" }}]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_agents_on_one_budget_get_exactly_as_many_as_fit() {
    let each: usize = 500;
    let (place, _) = Place::with_wallet(FAST);
    place.policy(&policy("7.77"));
    let tokens: Vec<String> = (0..64).map(|n| place.agent(&format!("agent-{n}"))).collect();
    let service = place.serve("deny");
    let mut tasks = tokio::task::JoinSet::new();
    for token in tokens {
        let client = Client::new(&service.url, &token);
        tasks.spawn(async move {
            let challenge = required(URL, vec![offer()]);
            let mut nonces = Vec::new();
            let mut denied = 0;
            for n in 0..each {
                let (status, body) = client.pay(URL, &challenge, &format!("k{n}")).await;
                match (status, body["code"].as_str()) {
                    (200, _) => {
                        nonces.push(authorization(&body).expect("a credential")["authorization"]["nonce"].to_string())
                    }
                    (403, Some("over_budget")) => denied += 1,
                    other => panic!("{other:?}: {body}"),
                }
            }
            (nonces, denied)
        });
    }
    let mut nonces = BTreeSet::new();
    let mut answers = 0;
    while let Some(done) = tasks.join_next().await {
        let (got, denied) = done.unwrap();
        answers += got.len() + denied;
        nonces.extend(got);
    }
    assert_eq!((answers, nonces.len()), (64 * each, 777));
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_parallel_duplicates_are_one_signature_and_equal_answers() {
    let (place, _) = Place::with_wallet(FAST);
    place.policy(&policy("100.00"));
    let token = place.agent("researcher");
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    let challenge = required(URL, vec![offer()]);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (client, body) = (client.clone(), pay_body(URL, &challenge, "one"));
        tasks.spawn(async move { client.post("/v1/payments", &body).await });
    }
    let mut credentials = BTreeSet::new();
    while let Some(done) = tasks.join_next().await {
        let (status, body) = done.unwrap();
        assert_eq!((status, body["status"].as_str()), (200, Some("authorized")), "{body}");
        credentials.insert((body["payment"]["id"].to_string(), body["credential"].to_string()));
    }
    assert_eq!(credentials.len(), 1);
    let mut dearer = challenge.clone();
    dearer["accepts"][0]["amount"] = json!("20000");
    let (status, body) = client.pay(URL, &dearer, "one").await;
    assert_eq!((status, body["code"].as_str()), (409, Some("idempotency_conflict")));
    let (_, list) = client.get("/v1/payments?limit=500").await;
    assert_eq!(list["payments"].as_array().map(Vec::len), Some(1));
}
