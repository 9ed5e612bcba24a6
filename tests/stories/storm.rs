//! Somebody leans on the keyboard and the mouse while questions pop up, and ten thousand requests want a window at once.
//!
//! Needs an X display, as `cargo xtask test` provides one; says so and does nothing without.

use proptest::{
    prelude::RngExt as _,
    test_runner::{RngAlgorithm, TestRng},
};
use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    screen,
    support::{
        Client, Place,
        hostile_seller::{offer, required},
        until,
    },
};

const FAST: &str = "[server]\nport = 0\n[limits]\nrequests_per_second = 1000000\nburst = 1000000\n";
/// Keys and presses of a storm.
const EVENTS: usize = 10_000;
/// Of these, the ones for one window; then it is looked where the window is now.
const GUST: usize = 200;
/// How long a window must have stood still before a yes counts.
const ARM_MS: i64 = 800;
/// Keys that do something in the window, or could.
const KEYS: &[&str] = &["Return", "space", "KP_Enter", "ctrl+Return", "Return", "space", "y", "p", "Down", "End", "1"];

/// Asks for a payment to a seller of its own, so that no refusal puts the next one off.
async fn ask(client: &Client, name: &str) -> (u16, serde_json::Value) {
    let url = format!("https://{name}.example/thing");
    client.pay(&url, &required(&url, vec![offer()]), name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_random_keys_and_presses_while_questions_pop_up_never_pay_inside_the_guards_time() {
    let Some(_turn) = screen::turn().await else { return };
    let (place, _) = Place::with_wallet(FAST);
    let tokens: Vec<String> = (0..60).map(|n| place.agent(&format!("agent-{n}"))).collect();
    place.ok(&["confirm", "policy", "--json"]);
    let service = place.desktop();
    let clients: Vec<Client> = tokens.iter().map(|token| Client::new(&service.url, token)).collect();
    let over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let over = over.clone();
        async move {
            let mut asked = 0;
            while !over.load(Ordering::SeqCst) {
                let (status, body) = ask(&clients[asked % clients.len()], &format!("shop-{asked}")).await;
                // A press may have paused the agent.
                assert!(matches!(status, 202 | 429 | 503), "{status} {body}");
                asked += 1;
                // Few wait at a time: the next one pops up in the middle of the storm.
                tokio::time::sleep(Duration::from_millis(if status == 202 { 300 } else { 50 })).await;
            }
        }
    });
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    for _ in 0..EVENTS / GUST {
        let window = until("a question", async || screen::visible(screen::QUESTION).await).await;
        // It may be gone by now.
        let Some(place) = screen::place(&window).await else { continue };
        screen::focus(&window).await;
        screen::script(&gust(&mut random, place)).await;
    }
    over.store(true, Ordering::SeqCst);
    asking.await.unwrap();
    service.stop();
    let answered = answers(place.path());
    let yes: Vec<i64> = answered.iter().filter(|(state, _)| state != "refused").map(|(_, after)| *after).collect();
    let told = std::fs::read_to_string(place.path().join("stderr-of-the-service")).unwrap_or_default();
    let late = told.matches("does not come").count();
    println!("{} answers, of these yes after {yes:?} ms; {late} pages were loaded again", answered.len());
    assert!(answered.len() > 5, "the storm met hardly a question: {answered:?}");
    if cfg!(feature = "ui-automation") {
        assert!(yes.iter().all(|after| *after >= ARM_MS), "{yes:?}");
    } else {
        assert!(yes.is_empty(), "what a program pressed is nobody's yes");
    }
    assert_eq!(place.ok(&["verify", "--json"])["faults"], serde_json::json!([]));
}

/// Presses all over a window, most of them where a press would pay, and keys; few that refuse, since a refused question is gone.
fn gust(random: &mut TestRng, [left, top, width, height]: [i32; 4]) -> String {
    let mut script = String::new();
    for _ in 0..GUST {
        let (x, y) = match random.random_range(0..100_u8) {
            0..45 => (random.random_range(width * 2 / 3..width), random.random_range(height * 3 / 4..height)),
            45..60 => (random.random_range(0..width), random.random_range(0..height * 3 / 4)),
            60 => (random.random_range(0..width), random.random_range(0..height)),
            rest => {
                let key = match rest {
                    61 => "Tab",
                    62 if random.random_bool(0.5) => "Escape",
                    _ => KEYS[random.random_range(0..KEYS.len())],
                };
                let _ = writeln!(script, "key --delay 0 {key}");
                continue;
            }
        };
        let _ = writeln!(script, "mousemove {} {} mousedown 1 mouseup 1", left + x, top + y);
    }
    script
}

/// Every question that got an answer: what it was, and how long after the asking.
fn answers(dir: &Path) -> Vec<(String, i64)> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let ledger = rusqlite::Connection::open_with_flags(dir.join("ledger.sqlite"), flags).unwrap();
    let mut rows = ledger
        .prepare(
            "SELECT e.to_state, json_extract(CAST(e.body AS TEXT), '$.at') - p.at FROM entry e JOIN payment p ON p.n = e.payment
             WHERE e.n = (SELECT min(n) FROM entry WHERE payment = p.n AND n > (SELECT min(n) FROM entry WHERE payment = p.n))",
        )
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[cfg(not(feature = "ui-automation"))]
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_get_one_window_three_places_an_agent_and_an_answer_in_between() {
    let Some(_turn) = screen::turn().await else { return };
    let (place, _) = Place::with_wallet(FAST);
    let tokens: Vec<String> = (0..5).map(|n| place.agent(&format!("agent-{n}"))).collect();
    place.ok(&["confirm", "policy", "--json"]);
    let service = place.desktop();
    let clients: Vec<Client> = tokens.iter().map(|token| Client::new(&service.url, token)).collect();
    let mut flood = tokio::task::JoinSet::new();
    for (n, client) in clients.iter().enumerate() {
        for lane in 0..4 {
            let client = client.clone();
            flood.spawn(async move {
                let mut tick = tokio::time::interval(Duration::from_millis(40));
                let mut waiting = 0;
                for k in 0..500 {
                    tick.tick().await;
                    let (status, body) = ask(&client, &format!("shop-{n}-{lane}-{k}")).await;
                    assert!(matches!(status, 202 | 429), "{status} {body}");
                    waiting += usize::from(status == 202);
                }
                waiting
            });
        }
    }
    let window = screen::question("flood.png").await;
    // In the middle of it a person answers, and is heard.
    screen::close_until(&window, async || denied(&clients).await > 0).await;
    assert!(!flood.is_empty() && flood.try_join_next().is_none(), "the flood was over before the answer");
    let (mut most, mut waiting) = (0, 0);
    loop {
        let windows = screen::count(screen::QUESTION).await;
        assert!(windows <= 1, "{windows} windows");
        for client in &clients {
            let here = pending(client).await;
            assert!(here <= 3, "{here} wait for one agent");
            most = most.max(here);
        }
        match flood.try_join_next() {
            Some(done) => waiting += done.unwrap(),
            None if flood.is_empty() => break,
            None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    assert_eq!(most, 3, "as many as may wait did");
    assert!(waiting <= 5 * 6, "{waiting} questions were accepted of ten thousand requests");
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["faults"], serde_json::json!([]));
}

#[cfg(not(feature = "ui-automation"))]
async fn pending(client: &Client) -> usize {
    let (status, list) = client.get("/v1/payments?status=pending_approval").await;
    assert_eq!(status, 200, "{list}");
    list["payments"].as_array().unwrap().len()
}

#[cfg(not(feature = "ui-automation"))]
async fn denied(clients: &[Client]) -> usize {
    let mut denied = 0;
    for client in clients {
        let (_, list) = client.get("/v1/payments").await;
        let all = list["payments"].as_array().unwrap();
        denied += all.iter().filter(|payment| payment["state"] == "refused").count();
    }
    denied
}
