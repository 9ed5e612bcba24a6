//! A ledger with a million payments against an empty one: the same payment, and the time to be ready to sign.

use std::time::{Duration, Instant};

use crate::{
    history,
    payments::{CONFIG, pay, policy},
    support::{Client, Place, Service},
    table::{Table, percentile},
};

/// Fills one ledger, then measures both side by side.
pub async fn run(table: &mut Table) {
    let rows: u64 = std::env::var("COUNTERSIGN_ROWS").ok().and_then(|r| r.parse().ok()).unwrap_or(1_000_000);
    let full = Place::new(CONFIG);
    history::write(&full, rows).await;
    // What the filling left is on the disk before anything is measured.
    rustix::fs::sync();
    let empty = Place::with_wallet(CONFIG).0;
    empty.policy(&policy());
    let ((with, full_client), (without, empty_client)) = (serving(&full), serving(&empty));
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for n in 0..1_100 {
        let (without, with) = (pay(&empty_client, &format!("e{n}")).await, pay(&full_client, &format!("f{n}")).await);
        if n >= 100 {
            fast.push(without);
            slow.push(with);
        }
    }
    with.stop();
    without.stop();
    let name = format!("payment with {rows} payments in the ledger, p50, against an empty one");
    table.durations(&name, percentile(&mut slow, 50), percentile(&mut fast, 50), "≤ 1.2");
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for n in 0..9 {
        fast.push(ready(&empty, &format!("again-{n}")).await);
        slow.push(ready(&full, &format!("again-{n}")).await);
    }
    let name = format!("start to first signature with {rows} payments, against an empty ledger");
    table.durations(&name, percentile(&mut slow, 50), percentile(&mut fast, 50), "≤ 2");
}

fn serving(place: &Place) -> (Service, Client) {
    let token = place.agent("measured");
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    (service, client)
}

/// From the start of the program to a signed payment.
async fn ready(place: &Place, key: &str) -> Duration {
    let token = place.agent(key);
    let began = Instant::now();
    let service = place.serve("deny");
    pay(&Client::new(&service.url, &token), key).await;
    let took = began.elapsed();
    service.stop();
    took
}
