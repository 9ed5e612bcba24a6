//! A ledger with a million payments against an empty one: the same payment, and the time to be ready to sign.

use std::time::{Duration, Instant};

use crate::{
    history,
    payments::{CONFIG, pay, policy},
    support::{Client, Place},
    table::{Table, percentile},
};

/// Fills one ledger, then measures both side by side. The agent that pays is the one that made all the payments.
pub async fn run(table: &mut Table) {
    let rows = history::rows();
    let full = Place::new(CONFIG);
    let full_token = history::write(&full, rows).await;
    // What the filling left is on the disk before anything is measured.
    rustix::fs::sync();
    let empty = Place::with_wallet(CONFIG).0;
    empty.policy(&policy());
    let empty_token = empty.agent("researcher");
    let [with, without] = payments([(&full, &full_token), (&empty, &empty_token)]).await;
    let name = format!("payment with {rows} settled payments in the ledger, p50, against an empty one");
    table.durations(&name, with, without, "≤ 1.2");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..9 {
        without.push(ready(&empty, &empty_token, n).await);
        with.push(ready(&full, &full_token, n).await);
    }
    let name = format!("start to first signature with {rows} settled payments, against an empty ledger");
    table.durations(&name, percentile(&mut with, 50), percentile(&mut without, 50), "≤ 2");
}

/// The median payment of both, taken in turns.
async fn payments(both: [(&Place, &str); 2]) -> [Duration; 2] {
    let services = both.map(|(place, token)| {
        let service = place.serve("deny");
        let client = Client::new(&service.url, token);
        (service, client)
    });
    // The check of the whole ledger that a start begins would slow both down.
    for (service, _) in &services {
        quiet(service.pid()).await;
    }
    let mut took = [Vec::new(), Vec::new()];
    for n in 0..1_100 {
        for ((_, client), took) in services.iter().zip(&mut took) {
            let one = pay(client, &format!("measured-{n}")).await;
            if n >= 100 {
                took.push(one);
            }
        }
    }
    services.into_iter().for_each(|(service, _)| service.stop());
    took.map(|mut all| percentile(&mut all, 50))
}

/// Waits until a process has computed nothing for a second.
async fn quiet(pid: u32) {
    let used = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process of Linux");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("a state").split_whitespace().collect();
        (fields[11].to_owned(), fields[12].to_owned())
    };
    let mut before = used();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = used();
        if now == before {
            return;
        }
        before = now;
    }
}

/// From the start of the program to a signed payment.
async fn ready(place: &Place, token: &str, n: usize) -> Duration {
    let began = Instant::now();
    let service = place.serve("deny");
    pay(&Client::new(&service.url, token), &format!("ready-{n}")).await;
    let took = began.elapsed();
    service.stop();
    took
}
