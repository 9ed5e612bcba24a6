//! Buying by Alipay's program for agents: always asked about, handed over once, and only its plain word counts.

use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{A2m, Client, Place, Service, alipay::CONFIG, until};

/// A silent policy: what asks here asks whatever the rules say.
const SILENT: &str = super::OPEN;

/// A seller, and a service whose person is asked, with an agent.
struct Stand {
    a2m: A2m,
    place: Place,
    service: Service,
    client: Client,
}

async fn stand(pinned: bool) -> Stand {
    let a2m = A2m::start();
    let (place, token) = a2m.place(pinned).await;
    place.policy(SILENT);
    let service = place.serve("terminal");
    let client = Client::new(&service.url, &token);
    Stand { a2m, place, service, client }
}

async fn asked(client: &Client, service: &mut Service, url: &str, key: &str) -> (Value, Value) {
    let (client, address, name) = (client.clone(), url.to_owned(), key.to_owned());
    let mut body = buy(&address, &name);
    body["reason"] = json!("why I want it");
    let call = tokio::spawn(async move { client.post("/v1/fetch", &body).await.1 });
    let question = service.answer_next(true);
    (question, call.await.expect("an answer"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_asked_about_handed_over_once_and_delivered_when_the_buyer_confirmed() {
    let Stand { a2m, place, mut service, client } = stand(false).await;
    let url = a2m.thing("one");
    let (question, waiting) = asked(&client, &mut service, &url, "k1").await;
    assert!(question["amount"].as_str().unwrap().contains("0.21"), "{question}");
    assert_eq!((&waiting["status"], &waiting["code"]), (&json!("unknown"), &json!("settlement_unknown")), "{waiting}");
    let told = waiting["response"]["body"].as_str().unwrap();
    assert!(told.contains("https://cashier.alipay.com/x"), "{told}");
    let number = waiting["payment"]["transaction"].as_str().unwrap().to_owned();

    // Not confirmed yet: asked, not bought again.
    let (_, still) = client.fetch(&url, "k1").await;
    assert_eq!((&still["status"], a2m.runs("402-buyer-pay").await), (&json!("unknown"), 1), "{still}");
    a2m.becomes(&json!({"confirm": true})).await;
    let (status, bought) = client.fetch(&url, "k1").await;
    assert_eq!((status, &bought["status"]), (200, &json!("completed")), "{bought}");
    assert_eq!(bought["response"]["body"], "{\"city\":\"杭州\",\"about\":\"one\"}");
    assert_eq!(
        (&bought["payment"]["transaction"], &bought["payment"]["settlement"]),
        (&json!(number), &json!("claimed"))
    );
    let (_, again) = client.fetch(&url, "k1").await;
    assert_eq!(again["payment"]["id"], bought["payment"]["id"]);

    let seen = a2m.seen().await;
    assert_eq!(seen["proofs"].as_array().unwrap().len(), 1);
    let words = &seen["runs"][0];
    let after = |name: &str| {
        let all = words.as_array().unwrap();
        all[all.iter().position(|word| word == name).unwrap() + 1].clone()
    };
    assert_eq!((after("-r"), after("-m")), (json!(url), json!("GET")));
    assert!(after("-f").as_str().unwrap().starts_with("402_needed_"), "{words}");
    assert!(!words.to_string().contains("why I want it"), "what the agent says is no word of the program: {words}");
    let acknowledged = async || (a2m.runs("402-buyer-fulfillment-ack").await == 1).then_some(());
    until("the delivery to be acknowledged", acknowledged).await;
    assert_eq!(a2m.runs("402-buyer-pay").await, 1);
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_sellers_price_is_held_against_its_key() {
    let Stand { a2m, place: _place, mut service, client } = stand(true).await;
    a2m.becomes(&json!({"at_once": true})).await;
    let (question, bought) = asked(&client, &mut service, &a2m.thing("one"), "k1").await;
    assert!(question["why"].as_str().unwrap().contains("before"), "{question}");
    assert_eq!(bought["status"], "completed", "{bought}");
    for (name, bend) in [
        ("amount", json!({"amount": "0.01"})),
        ("pay_before", json!({"pay_before": "2099-01-01T00:00:00+08:00"})),
        ("goods_name", json!({"goods_name": "x"})),
    ] {
        a2m.becomes(&json!({"bend": bend})).await;
        let (_, refused) = client.fetch(&a2m.thing(name), name).await;
        assert_eq!(refused["code"], "malformed_offer", "{name}: {refused}");
    }
    // Another seller's number: of that one no key is known.
    a2m.becomes(&json!({"bend": {"seller_id": "2088000000000002"}})).await;
    let (question, _) = asked(&client, &mut service, &a2m.thing("two"), "k2").await;
    assert!(question["why"].as_str().unwrap().contains("another account"), "{question}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_heard_the_end_of_is_never_handed_over_again() {
    let Stand { a2m, place, mut service, client } = stand(false).await;
    a2m.becomes(&json!({"cut": true})).await;
    let (first, url) = (client.clone(), a2m.thing("one"));
    let call =
        tokio::spawn(async move { first.try_send(reqwest::Method::POST, "/v1/fetch", Some(&buy(&url, "k1"))).await });
    service.answer_next(true);
    until("the program to be started", async || (a2m.runs("402-buyer-pay").await == 1).then_some(())).await;
    service.kill();
    call.abort();

    a2m.becomes(&json!({"cut": false, "at_once": true})).await;
    let service = place.serve("deny");
    let client = client.at(&service.url);
    for _ in 0..2 {
        let (_, unknown) = client.post("/v1/fetch", &buy(&a2m.thing("one"), "k1")).await;
        assert_eq!((&unknown["status"], a2m.runs("402-buyer-pay").await), (&json!("unknown"), 1), "{unknown}");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(a2m.seen().await["proofs"], json!([]));
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}

fn buy(url: &str, key: &str) -> Value {
    json!({"url": url, "idempotency_key": key, "wait_seconds": 60})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_started_was_handed_nothing() {
    let Stand { a2m, place, mut service, client } = stand(false).await;
    std::fs::write(place.path().join("alipay-bot"), "#!/nowhere/at/all\n").unwrap();
    let (_, failed) = asked(&client, &mut service, &a2m.thing("one"), "k1").await;
    assert_eq!((&failed["status"], a2m.seen().await["runs"].clone()), (&json!("failed"), json!([])), "{failed}");
    assert!(failed["response"]["body"].as_str().unwrap().contains("nothing was handed over"), "{failed}");
    let (_, again) = client.post("/v1/fetch", &buy(&a2m.thing("one"), "k1")).await;
    assert_eq!(again["payment"]["id"], failed["payment"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_or_the_program_it_is_refused_by_name_and_nobody_is_asked() {
    let a2m = A2m::start();
    let off = Place::new(CONFIG);
    let (on, token) = a2m.place(false).await;
    let (bot, moved) = (on.path().join("alipay-bot"), on.path().join("moved"));
    std::fs::rename(&bot, &moved).unwrap();
    let secret = json!({"authorization": "Bearer secret"});
    for (place, token, headers, says) in [
        (&off, off.agent("buyer"), json!({}), "purchases = true"),
        (&on, token.clone(), json!({}), "@alipay/agent-payment"),
        (&on, token, secret, "not given the header authorization"),
    ] {
        let service = place.serve("deny");
        let client = Client::new(&service.url, &token);
        let body = json!({"url": a2m.thing("one"), "idempotency_key": "k1", "headers": headers});
        let (_, refused) = client.post("/v1/fetch", &body).await;
        assert_eq!(refused["code"], "unsupported_offer", "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains(says), "{refused}");
        assert_eq!(client.get("/v1/payments").await.1["payments"], json!([]));
        service.stop();
        if says.starts_with('@') {
            std::fs::rename(&moved, &bot).unwrap();
        }
    }
    assert_eq!(a2m.seen().await["runs"], json!([]));
}
