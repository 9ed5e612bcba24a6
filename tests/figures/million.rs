//! A ledger with a million payments against an empty one: the same payment, and the time to be ready to sign.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    payments::{pay, service},
    support::{Client, Place},
    table::{Table, percentile},
};

/// Fills a ledger through the service itself, then measures.
pub async fn run(table: &mut Table) {
    let rows: usize = std::env::var("COUNTERSIGN_ROWS").ok().and_then(|r| r.parse().ok()).unwrap_or(1_000_000);
    let (full_place, full, full_client) = service("a full ledger");
    fill(&full_client, rows).await;
    let (empty_place, empty, empty_client) = service("an empty ledger");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..1_000 {
        without.push(pay(&empty_client, &format!("e{n}")).await);
        with.push(pay(&full_client, &format!("f{n}")).await);
    }
    full.stop();
    empty.stop();
    let name = format!("payment with {rows} payments in the ledger, p50, against an empty one");
    table.durations(&name, percentile(&mut with, 50), percentile(&mut without, 50), "≤ 1.2");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..5 {
        without.push(ready(&empty_place, &format!("again-{n}")).await);
        with.push(ready(&full_place, &format!("again-{n}")).await);
    }
    let name = format!("start to first signature with {rows} payments, against an empty ledger");
    table.durations(&name, percentile(&mut with, 50), percentile(&mut without, 50), "≤ 2");
}

async fn fill(client: &Client, rows: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..128 {
        let (client, next) = (client.clone(), next.clone());
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::SeqCst);
                if n >= rows {
                    return;
                }
                pay(&client, &format!("fill-{n}")).await;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    eprintln!("{rows} payments written in {:.0} s", began.elapsed().as_secs_f64());
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
