//! The figures of `cargo xtask bench`: each is a ratio of two things measured in the same run. Nothing is asserted here.
//!
//! Prints one table and writes it as JSON to the file named by `COUNTERSIGN_FIGURES`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement may stop at the first surprise")]

#[path = "../support/mod.rs"]
mod support;

mod activity;
mod agents;
mod bare;
mod fetch;
mod history;
mod idle;
mod million;
mod payments;
mod table;
mod window;

use table::Table;

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|o| o == name);
    let mut table = Table::default();
    // One worker: the driver must not take the processor from what it measures.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if wanted("payments") {
            payments::sequential(&mut table).await;
            payments::concurrent(&mut table).await;
        }
        if wanted("payments") || wanted("protocols") {
            payments::protocols(&mut table).await;
        }
        if wanted("agents") {
            agents::run(&mut table).await;
        }
        if wanted("fetch") {
            fetch::whole(&mut table).await;
        }
        if wanted("idle") {
            idle::headless(&mut table).await;
        }
        if wanted("window") {
            window::run(&mut table).await;
        }
        if wanted("million") {
            million::run(&mut table).await;
        }
        if wanted("activity") {
            activity::run(&mut table).await;
        }
    });
    print!("{table}");
    if let Some(path) = std::env::var_os("COUNTERSIGN_FIGURES") {
        std::fs::write(path, table.json().to_string()).expect("a file for the figures");
    }
}
