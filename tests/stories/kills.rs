//! The kill loop: the service is killed at random moments, hundreds of times, while agents pay. Whatever left it is recorded here, in
//! another process, and held against the ledger after each restart.
//!
//! The same loop runs against a deliberately wrong order (sign before the commit), and must catch it.

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::support::{
    Client, Place,
    client::{authorization, pay_body},
    hostile_seller::{offer, required},
};

const URL: &str = "https://api.example/thing";
/// One payment, in atomic units: 0.01.
const PRICE: u128 = 10_000;

fn policy(cap: &str) -> String {
    format!(
        "format = 1\nname = \"kills\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
         rule = [{{ id = \"small\", effect = \"allow\", when = {{ exposure = {{ le = \"1.00\" }} }} }}]\n\
         budget = [{{ id = \"cap\", scope = [], window = \"lifetime\", max_amount = \"{cap}\", on_exceed = \"deny\" }}]\n"
    )
}

/// What left the service, by key: nonces and signatures.
#[derive(Default)]
struct Left {
    by_key: BTreeMap<String, BTreeSet<String>>,
    nonces: BTreeSet<String>,
}

/// What a loop saw.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    kills: usize,
    with_work: usize,
    credentials: usize,
    violations: Vec<String>,
}

/// A small generator with a printed seed; the loop needs variety, not quality.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

async fn run(kills: usize, cap_payments: u128, environment: &[(&str, &str)]) -> Seen {
    let seed = std::env::var("COUNTERSIGN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x9E37_79B9_7F4A_7C15);
    println!("kill loop: {kills} kills, seed {seed} (set COUNTERSIGN_SEED to repeat)");
    let mut dice = Dice(seed);
    let cap = PRICE * cap_payments;
    let (place, _) = Place::with_wallet("[limits]\nrequests_per_second = 100000\nburst = 100000\n");
    place.policy(&policy(&format!("{}.{:02}", cap / 1_000_000, cap % 1_000_000 / PRICE)));
    let token = place.agent("researcher");
    let left = Arc::new(Mutex::new(Left::default()));
    let mut seen = Seen::default();
    for round in 0..kills {
        let service = place.serve_with("deny", environment);
        let agents = if round % 2 == 0 { 8 } else { 32 };
        let client = Client::new(&service.url, &token);
        let flying = Arc::new(AtomicUsize::new(0));
        let first = Arc::new(tokio::sync::Notify::new());
        let mut tasks = tokio::task::JoinSet::new();
        for agent in 0..agents {
            tasks.spawn(drive(client.clone(), round, agent, left.clone(), flying.clone(), first.clone()));
        }
        // Half the kills come once credentials flow, half while the first ones are on their way.
        if dice.roll(2) == 0 {
            let _ = tokio::time::timeout(Duration::from_secs(2), first.notified()).await;
        }
        tokio::time::sleep(Duration::from_millis(3 + dice.roll(38))).await;
        let in_flight = flying.load(Ordering::SeqCst);
        service.kill();
        tasks.shutdown().await;
        seen.kills += 1;
        seen.with_work += usize::from(in_flight > 0);
        check(&left.lock().unwrap(), cap, &mut seen);
        if round % 25 == 24 || round + 1 == kills {
            let output = place.run(&["verify", "--json"]);
            if !output.status.success() {
                seen.violations
                    .push(format!("verify failed after kill {round}: {}", String::from_utf8_lossy(&output.stdout)));
            }
        }
        if seen.violations.len() > 20 {
            break;
        }
    }
    repeat_everything(&place, &token, &left, &mut seen).await;
    seen.credentials = left.lock().unwrap().nonces.len();
    seen
}

/// One agent: new keys, and now and then the key before it again, until the service dies.
async fn drive(
    client: Client,
    round: usize,
    agent: usize,
    left: Arc<Mutex<Left>>,
    flying: Arc<AtomicUsize>,
    first: Arc<tokio::sync::Notify>,
) {
    for n in 0.. {
        let key = format!("{round}-{agent}-{}", if n % 4 == 3 { n - 1 } else { n });
        flying.fetch_add(1, Ordering::SeqCst);
        let answered =
            client.try_send(reqwest::Method::POST, "/v1/payments", Some(&pay_body(URL, &challenge(), &key))).await;
        flying.fetch_sub(1, Ordering::SeqCst);
        match answered {
            Ok((200, outcome)) => {
                record(&left, &key, &outcome);
                first.notify_one();
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn challenge() -> Value {
    let mut long = offer();
    long["maxTimeoutSeconds"] = json!(300);
    required(URL, vec![long])
}

fn record(left: &Mutex<Left>, key: &str, outcome: &Value) {
    if let Some(signed) = authorization(outcome) {
        let mut left = left.lock().unwrap();
        let nonce = signed["authorization"]["nonce"].as_str().unwrap_or_default().to_owned();
        left.by_key.entry(key.to_owned()).or_default().insert(signed.to_string());
        left.nonces.insert(nonce);
    }
}

fn check(left: &Left, cap: u128, seen: &mut Seen) {
    let spent = PRICE * left.nonces.len() as u128;
    if spent > cap {
        seen.violations.push(format!("{spent} left, the cap is {cap}"));
    }
    for (key, signatures) in &left.by_key {
        if signatures.len() > 1 {
            seen.violations.push(format!("{key} has {} signatures", signatures.len()));
        }
    }
}

/// After the last restart every key that ever got a credential gets the same one again, or none: never another.
async fn repeat_everything(place: &Place, token: &str, left: &Arc<Mutex<Left>>, seen: &mut Seen) {
    let service = place.serve("deny");
    let client = Client::new(&service.url, token);
    let keys: Vec<String> = left.lock().unwrap().by_key.keys().cloned().collect();
    for key in keys.iter().rev().take(500) {
        let (status, outcome) = client.pay(URL, &challenge(), key).await;
        if status != 200 || outcome["status"] != "authorized" {
            seen.violations.push(format!(
                "{key} left a credential, and the ledger does not know it: {status} {}",
                outcome["code"]
            ));
        }
        record(left, key, &outcome);
    }
    check(&left.lock().unwrap(), u128::MAX, seen);
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_nothing_is_lost_doubled_or_over_the_cap() {
    let kills = std::env::var("COUNTERSIGN_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(300);
    let seen = run(kills, 1500, &[]).await;
    println!("{} kills, {} with work in flight, {} credentials left", seen.kills, seen.with_work, seen.credentials);
    assert_eq!(seen.violations, Vec::<String>::new());
    assert_eq!(seen.kills, kills);
    assert!(seen.with_work * 10 >= kills * 9, "only {} of {kills} kills came while work was in flight", seen.with_work);
    assert!(seen.credentials > 100, "the loop was idle: {} credentials", seen.credentials);
}

#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread")]
async fn the_same_loop_catches_a_service_that_signs_before_it_writes() {
    let seen = run(40, 1_000_000, &[("COUNTERSIGN_FAULT", "sign_before_commit")]).await;
    println!("{} kills of the wrong order, {} violations", seen.kills, seen.violations.len());
    assert!(!seen.violations.is_empty(), "the loop cannot see the fault it is there for");
}
