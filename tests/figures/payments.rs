//! Auto-approved `POST /v1/payments`: one after the other against its bare parts, and 64 at once against the official client.

use countersign_vault::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    bare::{BareLedger, sign},
    support::{
        Client, Place, Service,
        client::pay_body,
        hostile_mpp::{challenge, request},
        hostile_seller::{offer, required},
        world::stack,
    },
    table::{Table, percentile},
};

/// What is bought.
pub const URL: &str = "https://api.example/thing";
/// No limits on the number of requests.
pub const CONFIG: &str = "[limits]\nrequests_per_second = 1000000\nburst = 1000000\n";
const SEQUENTIAL: u64 = 2_000;
const AGENTS: usize = 64;
const EACH: usize = 150;

/// A service with a policy that allows everything small, and its client.
pub fn service(rows: &str) -> (Place, Service, Client) {
    let (place, _) = Place::with_wallet(CONFIG);
    place.policy(&policy());
    let token = place.agent("researcher");
    let service = place.serve("deny");
    eprintln!("service for {rows} at {}", service.url);
    let client = Client::new(&service.url, &token);
    (place, service, client)
}

/// Allows every payment up to a dollar, within a budget nobody reaches.
pub fn policy() -> String {
    "format = 1\nname = \"bench\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
     rule = [{ id = \"small\", effect = \"allow\", when = { exposure = { le = \"1.00\" } } }]\n\
     budget = [{ id = \"cap\", scope = [\"agent\"], window = \"calendar:day\", max_amount = \"100000000.00\", on_exceed = \"deny\" }]\n"
        .to_owned()
}

/// One payment and how long it took.
pub async fn pay(client: &Client, key: &str) -> Duration {
    pay_with(client, "x402", &required(URL, vec![offer()]), key).await
}

async fn pay_with(client: &Client, rail: &str, price: &Value, key: &str) -> Duration {
    let mut body = pay_body(URL, price, key);
    body["rail"] = json!(rail);
    let body = body.to_string();
    let (took, status, answer) = client.timed("/v1/payments", body).await;
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!((status, answer["status"].as_str()), (200, Some("authorized")), "{answer}");
    took
}

/// One after the other.
pub async fn sequential(table: &mut Table) {
    let (place, service, client) = service("sequential payments");
    for n in 0..3 {
        pay(&client, &format!("rows{n}")).await;
    }
    // The marks of the last payment are written by themselves a moment later.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut bare = BareLedger::beside(place.path());
    let signer = alloy::signers::local::PrivateKeySigner::random();
    let (mut ours, mut commits, mut signatures, mut trips) = (vec![], vec![], vec![], vec![]);
    for n in 0..SEQUENTIAL + 100 {
        let took = pay(&client, &format!("s{n}")).await;
        let commit = bare.commit();
        let signature = sign(&signer, n);
        let began = Instant::now();
        let (status, _) = client.get("/healthz").await;
        let trip = began.elapsed();
        assert_eq!(status, 200);
        if n >= 100 {
            ours.push(took);
            commits.push(commit);
            signatures.push(signature);
            trips.push(trip);
        }
    }
    service.stop();
    let parts = [&mut commits, &mut signatures, &mut trips].map(|part| percentile(part, 50));
    eprintln!("a bare commit {:?}, a signature {:?}, a round trip {:?}", parts[0], parts[1], parts[2]);
    let floor = parts.iter().sum();
    let p99_floor = percentile(&mut commits, 99) + percentile(&mut signatures, 99) + percentile(&mut trips, 99);
    table.durations(
        "auto-approved payment, p50, against commit + signature + round trip",
        percentile(&mut ours, 50),
        floor,
        "≤ 1.5",
    );
    table.durations("auto-approved payment, p99, against the same p50 floor", percentile(&mut ours, 99), floor, "≤ 5");
    table.durations(
        "auto-approved payment, p99, against the floor's own p99",
        percentile(&mut ours, 99),
        p99_floor,
        "–",
    );
}

/// The same small payment by MPP and by x402, in turns.
pub async fn protocols(table: &mut Table) {
    let (_place, service, client) = service("both protocols");
    let (mut mpp, mut x402) = (vec![], vec![]);
    for n in 0..SEQUENTIAL / 2 + 100 {
        let price = charge(&format!("charge-{n}"));
        let charged = pay_with(&client, "mpp", &price, &format!("m{n}")).await;
        let paid = pay(&client, &format!("x{n}")).await;
        if n >= 100 {
            mpp.push(charged);
            x402.push(paid);
        }
    }
    service.stop();
    table.durations(
        "auto-approved MPP evm charge, p50, against the same payment by x402",
        percentile(&mut mpp, 50),
        percentile(&mut x402, 50),
        "≤ 1.5",
    );
}

/// A charge for the same thing; each has a number of its own, as each has its own nonce.
fn charge(id: &str) -> Value {
    let mut price = challenge(id, &request(), SystemClock.wall(), 300);
    price["realm"] = json!("api.example");
    price
}

/// 64 agents at once; the official client signs in one Node process, and keeps nothing.
pub async fn concurrent(table: &mut Table) {
    let official = official_rate();
    let (_place, service, client) = service("64 agents");
    pay(&client, "warm").await;
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for agent in 0..AGENTS {
        let client = client.clone();
        tasks.spawn(async move {
            for n in 0..EACH {
                pay(&client, &format!("{agent}-{n}")).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("every payment works");
    }
    let rate = (AGENTS * EACH) as f64 / began.elapsed().as_secs_f64();
    service.stop();
    table.add(
        "64 agents, durable credentials a second, against the official client signing",
        &format!("{rate:.0}/s"),
        &format!("{official:.0}/s"),
        rate / official,
        "≥ 2",
    );
}

fn official_rate() -> f64 {
    let challenge: Value = required(URL, vec![offer()]);
    let key = format!("0x{}", "11".repeat(32));
    let mut node = Command::new("node")
        .args(["official-flow.mjs", "--key", &key, "--sign-only", "4000"])
        .current_dir(stack())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    node.stdin.take().expect("a pipe").write_all(challenge.to_string().as_bytes()).expect("node reads");
    let output = node.wait_with_output().expect("node ends");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| json!({}));
    said["per_second"].as_f64().expect("a rate of the official client")
}
