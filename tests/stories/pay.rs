//! The main job: an agent wants a page, limits or a person decide, the official seller is paid on a real chain, the ledger proves it.

use serde_json::{Value, json};

use crate::support::{Client, Shop, shop::id};

#[tokio::test(flavor = "multi_thread")]
async fn a_cheap_page_is_paid_in_silence_and_proved_on_chain() {
    let mut shop = Shop::open("deny", "");
    let seller = shop.world.at("pay_to");
    let before = shop.world.balance(&seller);

    let (status, outcome) = shop.client.fetch(&shop.page("/cheap"), "cheap").await;
    assert_eq!((status, outcome["status"].as_str()), (200, Some("completed")), "{outcome}");
    let payment = &outcome["payment"];
    assert_eq!(payment["amount"]["amount"], "0.03");
    assert_eq!(payment["amount"]["symbol"], "USDC");
    assert_eq!(payment["amount"]["reference"], json!({"amount": "0.03", "currency": "USD"}));
    assert_eq!(payment["decision"]["effect"], "allow");
    assert_eq!(payment["decision"]["rule"], "micro");
    assert_eq!(payment["payee"], json!({"origin": shop.world.at("seller"), "account": seller}));
    let page: Value = serde_json::from_str(outcome["response"]["body"].as_str().expect("a body")).expect("JSON");
    assert_eq!((page["path"].as_str(), page["delivery"].as_u64()), (Some("/cheap"), Some(1)));

    let proved = shop.verified(&id(&outcome)).await;
    assert_eq!(proved["payment"]["state"], "settled");
    assert!(
        proved["payment"]["transaction"].as_str().is_some_and(|t| t.starts_with("0x") && t.len() == 66),
        "{proved}"
    );
    assert_eq!(micros(&shop.world.balance(&seller)) - micros(&before), 30_000);
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.97");

    let (_, budget) = shop.client.get("/v1/budget").await;
    let left = (budget["ask_above"].as_str(), budget["budgets"][0]["left"].as_str());
    assert_eq!(left, (Some("0.10"), Some("5.00")), "play money is counted apart: {budget}");

    let (_, place) = shop.close();
    let history = place.ok(&["history", "--json"]);
    assert_eq!(history["payments"].as_array().map(Vec::len), Some(1), "{history}");
    assert_eq!(history["payments"][0]["settlement"], "verified");
    let one = place.ok(&["payment", &id(&outcome), "--json"]);
    assert_eq!(one["id"], outcome["payment"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_payment_and_another_request_under_it_is_refused() {
    let mut shop = Shop::open("deny", "");
    let (_, first) = shop.client.fetch(&shop.page("/cheap"), "once").await;
    assert_eq!(first["status"], "completed", "{first}");
    let again: Vec<_> = (0..8)
        .map(|_| {
            let (client, url) = (shop.client.clone(), shop.page("/cheap"));
            tokio::spawn(async move { client.fetch(&url, "once").await })
        })
        .collect();
    for repeat in again {
        let (status, outcome) = repeat.await.expect("an answer");
        assert_eq!((status, &outcome["payment"]["id"]), (200, &first["payment"]["id"]));
        assert_eq!(outcome["response"]["body"], first["response"]["body"], "a repeat was delivered anew");
    }

    let (status, problem) = shop.client.fetch(&shop.page("/huge"), "once").await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("idempotency_conflict")), "{problem}");
    let post = |key: &str, body: &str| json!({"url": shop.page("/echo"), "method": "POST", "headers": {"content-type": "application/json"}, "body": body, "idempotency_key": key});
    let (_, echo) = shop.client.post("/v1/fetch", &post("echo", "{\"a\":1}")).await;
    assert_eq!(echo["status"], "completed", "{echo}");
    assert!(echo["response"]["body"].as_str().is_some_and(|b| b.contains("\"body\":{\"a\":1}")), "{echo}");
    let (status, problem) = shop.client.post("/v1/fetch", &post("echo", "{\"a\":2}")).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("idempotency_conflict")), "{problem}");

    let (status, free) = shop.client.fetch(&shop.page("/free"), "free").await;
    assert_eq!(
        (status, free["status"].as_str(), &free["payment"]),
        (200, Some("not_required"), &Value::Null),
        "{free}"
    );
    let (status, paid) = shop.client.fetch(&shop.page("/cheap"), "free").await;
    assert_eq!(
        (status, paid["status"].as_str()),
        (200, Some("completed")),
        "the key of a free answer stays free: {paid}"
    );

    shop.verified(&id(&first)).await;
    shop.verified(&id(&echo)).await;
    shop.verified(&id(&paid)).await;
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.92");
    let (_, place) = shop.close();
    assert_eq!(place.ok(&["history", "--json"])["payments"].as_array().map(Vec::len), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_decides_above_the_line() {
    let mut shop = Shop::open("terminal", "");

    let asked = spawn_fetch(&shop.client, shop.page("/report"), "yes");
    let question = shop.service.answer_next(true);
    assert_eq!(question["agent"], "researcher");
    assert_eq!(question["amount"], "4.20 USD");
    assert_eq!(question["payee"], format!("{} {}", shop.world.at("seller"), shop.world.at("pay_to")));
    let answered = shop.service.event("answered");
    assert_eq!((answered["answer"].as_str(), &answered["payment_id"]), (Some("yes"), &question["payment_id"]));
    let (status, paid) = asked.await.expect("an answer");
    assert_eq!((status, paid["status"].as_str()), (200, Some("completed")), "{paid}");
    assert_eq!(paid["payment"]["decision"]["rule"], "ask-above");
    assert!(paid["response"]["body"].as_str().is_some_and(|b| b.contains("Quarterly figures")));

    let asked = spawn_fetch(&shop.client, shop.page("/report"), "no");
    shop.service.answer_next(false);
    assert_eq!(shop.service.event("answered")["answer"], "no");
    let (status, denied) = asked.await.expect("an answer");
    assert_eq!((status, denied["code"].as_str()), (403, Some("denied_by_human")), "{denied}");
    assert_eq!(denied["outcome"]["status"], "denied");
    let (status, again) = shop.client.fetch(&shop.page("/report"), "no").await;
    assert_eq!((status, again["code"].as_str()), (403, Some("denied_by_human")), "{again}");
    assert!(again["outcome"]["next"].as_str().is_some_and(|n| n.contains("new key")), "{again}");

    let (status, waiting) = shop.client.fetch_waiting(&shop.page("/report"), "later", 0).await;
    assert_eq!((status, waiting["status"].as_str()), (202, Some("pending_approval")), "{waiting}");
    let path = format!("/v1/payments/{}", id(&waiting));
    shop.service.event("question");
    let (status, cancelled) = shop.client.post(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!((status, cancelled["status"].as_str()), (200, Some("cancelled")), "{cancelled}");
    assert_eq!(shop.service.event("answered")["answer"], "cancelled");
    let (status, twice) = shop.client.post(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!((status, twice["status"].as_str()), (200, Some("cancelled")), "{twice}");
    shop.service.answer(true, &id(&waiting));
    let (status, outcome) = shop.client.get(&format!("{path}?wait=1")).await;
    assert_eq!(
        (status, outcome["status"].as_str()),
        (200, Some("cancelled")),
        "a yes after the cancel changed something: {outcome}"
    );

    let (status, huge) = shop.client.fetch(&shop.page("/huge"), "huge").await;
    assert_eq!((status, huge["code"].as_str()), (403, Some("denied_by_rule")), "{huge}");
    assert_eq!(huge["outcome"]["payment"]["decision"]["rule"], "limit-payment");
    let (status, late) = shop.client.post(&format!("/v1/payments/{}/cancel", id(&paid)), &json!({})).await;
    assert_eq!((status, late["code"].as_str()), (409, Some("not_cancellable")), "{late}");

    shop.verified(&id(&paid)).await;
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "95.8");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_refusal_once_the_question_is_over() {
    let mut shop = Shop::open("terminal", "[approval]\ntimeout_seconds = 30\n");
    let asked = spawn_fetch(&shop.client, shop.page("/report"), "silence");
    let question = shop.service.event("question");
    let (status, expired) = asked.await.expect("an answer");
    assert_eq!((status, expired["code"].as_str()), (403, Some("approval_expired")), "{expired}");
    assert_eq!(expired["outcome"]["status"], "expired");
    assert_eq!(shop.service.event("answered")["answer"], "expired");
    shop.service.answer(true, question["payment_id"].as_str().expect("an id"));
    let (_, outcome) = shop.client.get(&format!("/v1/payments/{}?wait=1", id(&expired["outcome"]))).await;
    assert_eq!(outcome["status"], "expired", "a late yes was heard: {outcome}");
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "100");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_hangs_up_changes_nothing_and_a_waiting_repeat_joins() {
    let mut shop = Shop::open("terminal", "");
    let asked = spawn_fetch(&shop.client, shop.page("/report"), "gone");
    let question = shop.service.event("question");
    asked.abort();
    let joined = spawn_fetch(&shop.client, shop.page("/report"), "gone");
    let other = spawn_fetch(&shop.client, shop.page("/report"), "another-key");
    let pending = shop.client.get("/v1/payments?status=pending_approval").await.1;
    assert_eq!(pending["payments"].as_array().map(Vec::len), Some(1), "{pending}");
    assert_eq!(pending["payments"][0]["id"], question["payment_id"]);
    // Each is answered only once it has joined, so that none comes after the person's answer.
    for key in ["gone", "another-key", "third-key"] {
        let (_, still) = shop.client.fetch_waiting(&shop.page("/report"), key, 0).await;
        assert_eq!(still["payment"]["id"], question["payment_id"], "{key} asked a second question: {still}");
    }
    shop.service.answer(true, question["payment_id"].as_str().expect("an id"));
    for outcome in [joined.await, other.await] {
        let (status, outcome) = outcome.expect("an answer");
        assert_eq!((status, &outcome["payment"]["id"]), (200, &question["payment_id"]), "{outcome}");
        assert_eq!(outcome["status"], "completed");
    }
    shop.verified(question["payment_id"].as_str().expect("an id")).await;
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "95.8");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_only_its_own_payments_and_a_revoked_one_nothing() {
    let shop = Shop::open("deny", "");
    let (_, outcome) = shop.client.fetch(&shop.page("/cheap"), "mine").await;
    let path = format!("/v1/payments/{}", id(&outcome));
    let other = shop.other.clone();
    for (status, problem) in [other.get(&path).await, other.post(&format!("{path}/cancel"), &json!({})).await] {
        assert_eq!((status, problem["code"].as_str()), (404, Some("not_found")), "{problem}");
    }
    let (_, none) = other.get("/v1/payments").await;
    assert_eq!(none, json!({"payments": [], "next_cursor": null}));
    let (status, same_key) = other.fetch(&shop.page("/free"), "mine").await;
    assert_eq!(
        (status, same_key["status"].as_str()),
        (200, Some("not_required")),
        "another agent's key is its own: {same_key}"
    );
    shop.place.ok(&["agent", "revoke", "other", "--json"]);
    let (status, problem) = other.get("/v1/payments").await;
    assert_eq!((status, problem["code"].as_str()), (401, Some("bad_token")), "{problem}");
    shop.verified(&id(&outcome)).await;
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_the_callers_own_is_taken_by_the_official_sellers() {
    let mut shop = Shop::open("deny", "");
    let url = shop.page("/cheap");
    let offer = reqwest::get(&url).await.expect("an answer");
    assert_eq!(offer.status(), 402);
    let header = offer.headers()["payment-required"].to_str().expect("text").to_owned();
    let challenge: Value = serde_json::from_slice(&base64(&header)).expect("JSON");
    let (status, outcome) = shop.client.pay(&url, &challenge, "own").await;
    assert_eq!((status, outcome["status"].as_str()), (200, Some("authorized")), "{outcome}");
    let credential = outcome["credential"]["headers"]["PAYMENT-SIGNATURE"].as_str().expect("a header");
    let paid =
        reqwest::Client::new().get(&url).header("PAYMENT-SIGNATURE", credential).send().await.expect("an answer");
    assert_eq!(paid.status(), 200);
    let receipt = paid.headers()["payment-response"].to_str().expect("text").to_owned();
    let path = format!("/v1/payments/{}/receipt", id(&outcome));
    let (status, told) = shop.client.post(&path, &json!({"header": receipt})).await;
    assert_eq!((status, told["status"].as_str()), (200, Some("authorized")), "{told}");
    let proved = shop.verified(&id(&outcome)).await;
    assert_eq!(
        (proved["status"].as_str(), proved["payment"]["state"].as_str()),
        (Some("authorized"), Some("settled")),
        "{proved}"
    );

    let v1 = format!("{}/v1/cheap", shop.world.at("seller_v1"));
    let (status, old) = shop.client.fetch(&v1, "v1").await;
    assert_eq!((status, old["status"].as_str()), (200, Some("completed")), "{old}");
    shop.verified(&id(&old)).await;
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.94");
    shop.close();
}

fn spawn_fetch(client: &Client, url: String, key: &'static str) -> tokio::task::JoinHandle<(u16, Value)> {
    let client = client.clone();
    tokio::spawn(async move { client.fetch_waiting(&url, key, 120).await })
}

fn micros(amount: &str) -> u64 {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    whole.parse::<u64>().expect("a number") * 1_000_000 + format!("{part:0<6}").parse::<u64>().expect("a number")
}

fn base64(text: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(text).expect("base64")
}
