//! Clients of every patience while a person decides, and many at once: one payment or none for each, and the right answer to each.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::eras::dear;
use crate::support::{
    Mcp, Official, Place,
    client::{authorization, pay_body},
    hostile_seller::{offer, required},
    mcp::{request, with},
    shop::LIMITS,
};

/// Client timeouts in seconds that are found in practice.
const TIMEOUTS: [u64; 4] = [5, 30, 60, 240];

struct Waiting {
    client: Official,
    key: String,
    call: u64,
    timeout: u64,
    progress: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_clients_patience_its_call_is_one_payment_or_none_and_it_learns_which() {
    let cases: Vec<(u64, bool)> =
        TIMEOUTS.into_iter().flat_map(|timeout| [(timeout, false), (timeout, true)]).collect();
    let (place, _) = Place::with_wallet("");
    place.policy(LIMITS);
    let tokens: Vec<String> = (0..cases.len()).map(|n| place.agent(&format!("patient-{n}"))).collect();
    let mut service = place.serve("terminal");
    let mut all: Vec<Waiting> = Vec::new();
    for (n, ((timeout, progress), token)) in cases.into_iter().zip(&tokens).enumerate() {
        let sdk = if (n / 2 + n) % 2 == 0 { "1" } else { "2" };
        let mut client = Official::connect(&service, token, sdk, &[]);
        let key = format!("waits-{timeout}-{progress}");
        let call = client.start("pay", &dear(&key), &json!({"timeout": timeout * 1000, "progress": progress}));
        all.push(Waiting { client, key, call, timeout, progress });
    }
    let asked: BTreeSet<String> =
        all.iter().map(|_| service.event("question")["payment_id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(asked.len(), all.len());

    let mut ids = Vec::new();
    for waiting in &mut all {
        let end = waiting.client.end(waiting.call);
        let pending = &end["result"]["structuredContent"];
        // The most impatient may wait longer where they hear progress in time.
        let gave_up = end["error"]["message"].as_str().is_some_and(|m| m.contains("timed out"));
        assert!(gave_up || pending["status"] == "pending_approval", "{end}");
        assert_eq!(gave_up, waiting.timeout == 5 && (gave_up || !waiting.progress), "{}: {end}", waiting.timeout);
        let listed = waiting.client.call("list_payments", &json!({}));
        assert_eq!(listed["payments"].as_array().map(Vec::len), Some(1), "its own and no other: {listed}");
        let id = listed["payments"][0]["id"].as_str().expect("an id").to_owned();
        assert!(pending.is_null() || pending["payment_id"] == id.as_str(), "{end}");
        let other_key = with(&dear(&waiting.key), "idempotency_key", json!(format!("{}-anew", waiting.key)));
        let joined = waiting.client.call("pay", &with(&other_key, "wait_seconds", json!(0)));
        assert_eq!((&joined["status"], &joined["payment_id"]), (&json!("pending_approval"), &json!(id)), "{joined}");
        ids.push(id);
    }
    assert_eq!(ids.iter().cloned().collect::<BTreeSet<_>>(), asked);

    for (n, (waiting, id)) in all.iter_mut().zip(&ids).enumerate() {
        let yes = n % 3 != 2;
        service.answer(yes, id);
        let over = waiting.client.call("get_payment", &json!({"payment_id": id}));
        let again = waiting.client.call("pay", &dear(&waiting.key));
        assert_eq!((&again["status"], &again["payment"]["id"]), (&over["status"], &json!(id)), "{again}");
        let wanted = if yes { "authorized" } else { "denied" };
        assert_eq!((over["status"].as_str(), authorization(&over)), (Some(wanted), authorization(&again)), "{over}");
        assert_eq!(authorization(&again).is_some(), yes, "{again}");
    }
    drop(all);
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
    let kept = place.ok(&["history", "--json"])["payments"].as_array().map(Vec::len);
    assert_eq!(kept, Some(ids.len()), "no call is a second payment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_of_twenty_agents_at_once_get_their_own_answers_and_the_budget_is_exact() {
    const AGENTS: usize = 20;
    const EACH: usize = 50;
    let (place, _) = Place::with_wallet("");
    place.policy(
        "format = 1\nname = \"crowd\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
         rule = [{ id = \"small\", effect = \"allow\", when = { exposure = { le = \"1.00\" } } }]\n\
         budget = [{ id = \"cap\", scope = [], window = \"lifetime\", max_amount = \"7.77\", on_exceed = \"deny\" }]\n",
    );
    let tokens: Vec<String> = (0..AGENTS).map(|n| place.agent(&format!("agent-{n}"))).collect();
    let service = place.serve("deny");
    let mut calls = tokio::task::JoinSet::new();
    for (n, token) in tokens.iter().enumerate() {
        // Every other agent keeps a session of the older era; the rest speak the newer.
        let mut mcp = Mcp::new(&service.url, token);
        if n % 2 == 0 {
            mcp.begin(json!({})).await;
        }
        for m in 0..EACH {
            let mcp = mcp.clone();
            calls.spawn(async move {
                // What an answer must name to be this call's; the keys are the same for every agent.
                let url = format!("https://api.example/{n}/{m}");
                let params = json!({"name": "pay", "arguments": arguments(&url, m)});
                let answer = match &mcp.session {
                    Some(_) => mcp.send(&with(&request("tools/call", &params), "id", json!(m))).await,
                    None => mcp.modern("tools/call", &params).await,
                };
                (n, url, answer.last()["result"].clone())
            });
        }
    }
    let (mut nonces, mut paid, mut denied) = (BTreeSet::new(), vec![BTreeSet::new(); AGENTS], 0);
    while let Some(call) = calls.join_next().await {
        let (n, url, result) = call.expect("a call");
        let told: Value = serde_json::from_str(result["content"][0]["text"].as_str().expect("text")).expect("JSON");
        if told["status"] == "denied" {
            assert_eq!(told["code"], "over_budget", "{told}");
            denied += 1;
            continue;
        }
        assert_eq!(told["credential"]["meta"]["x402/payment"]["resource"]["url"], url, "another call's answer: {told}");
        assert!(nonces.insert(authorization(&told).expect("a credential")["authorization"]["nonce"].to_string()));
        paid[n].insert(told["payment"]["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!((nonces.len(), denied), (777, AGENTS * EACH - 777));
    for (n, token) in tokens.iter().enumerate() {
        let listed = Mcp::new(&service.url, token).structured("list_payments", &json!({"limit": 100})).await;
        let listed = listed["payments"].as_array().expect("payments").clone();
        let signed = listed.iter().filter(|payment| payment["state"] != "refused");
        let signed: BTreeSet<String> = signed.map(|p| p["id"].as_str().expect("an id").to_owned()).collect();
        assert_eq!((listed.len(), &signed), (EACH, &paid[n]), "its own payments and no other's");
    }
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}

fn arguments(url: &str, key: usize) -> Value {
    pay_body(url, &required(url, vec![offer()]), &format!("k{key}"))
}
