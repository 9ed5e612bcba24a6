//! A whole paid fetch against the official seller, ours and the official client's, taking turns.

use serde_json::Value;
use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    payments::policy,
    support::{Client, Place, World, world::stack},
    table::{Table, percentile},
};

const ROUNDS: usize = 12;
const EACH: usize = 5;

/// Ours against theirs, p50.
pub async fn whole(table: &mut Table) {
    let mut world = World::start();
    let (place, address) = Place::with_wallet(&world.config());
    place.policy(&policy());
    world.mint(&address, "1000");
    let key = format!("0x{}", "22".repeat(32));
    let theirs = alloy::signers::local::PrivateKeySigner::from_slice(&[0x22; 32]).expect("a key").address().to_string();
    world.mint(&theirs, "1000");
    let token = place.agent("researcher");
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    let url = format!("{}/cheap", world.at("seller"));
    let (mut ours, mut official) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for n in 0..=EACH {
            let began = Instant::now();
            let (status, body) = client.fetch(&url, &format!("{round}-{n}")).await;
            let took = began.elapsed();
            assert_eq!((status, body["status"].as_str()), (200, Some("completed")), "{body}");
            if n > 0 {
                ours.push(took);
            }
        }
        official.extend(official_flow(&key, &url));
    }
    service.stop();
    table.durations(
        "whole paid fetch, p50, against the official client's own flow",
        percentile(&mut ours, 50),
        percentile(&mut official, 50),
        "≤ 1.1",
    );
}

/// The official client buys; its first purchase in a process is left out, as ours is.
fn official_flow(key: &str, url: &str) -> Vec<Duration> {
    let count = (EACH + 1).to_string();
    let output = Command::new("node")
        .args(["official-flow.mjs", "--key", key, url, &count])
        .current_dir(stack())
        .output()
        .expect("node runs");
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let times = said["ns"].as_array().cloned().unwrap_or_default();
    times.iter().skip(1).filter_map(Value::as_u64).map(Duration::from_nanos).collect()
}
