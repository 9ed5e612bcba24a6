//! What an idle service costs.

use std::{path::Path, time::Duration};

use crate::{
    payments::{pay, service},
    support::service::program,
    table::Table,
};

/// Memory of the headless service after it has paid once, and the size of the program.
pub async fn headless(table: &mut Table) {
    let (_place, service, client) = service("idle memory");
    pay(&client, "one").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    if let Some(kib) = pss_kib(service.pid()) {
        let mb = kib as f64 / 1024.0;
        table.add(
            "idle headless, PSS after a payment, against 25 MB",
            &format!("{mb:.1} MB"),
            "25 MB",
            mb / 25.0,
            "≤ 1",
        );
    }
    service.stop();
    size(table, "headless program on disk, against 25 MB", &program());
}

/// Adds the size of a program.
pub fn size(table: &mut Table, name: &str, program: &Path) {
    let size = std::fs::metadata(program).map(|m| m.len()).unwrap_or_default() as f64 / 1e6;
    table.add(name, &format!("{size:.1} MB"), "25 MB", size / 25.0, "≤ 1");
}

/// Proportional set size of one process; none where the system does not tell.
pub fn pss_kib(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pss:"))?.trim().trim_end_matches("kB").trim().parse().ok()
}

/// The same of a process and everything it started.
pub fn pss_tree_kib(pid: u32) -> Option<u64> {
    let children = std::fs::read_dir(format!("/proc/{pid}/task"))
        .ok()?
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    let children: Vec<u32> =
        children.flat_map(|text| text.split_whitespace().filter_map(|p| p.parse().ok()).collect::<Vec<_>>()).collect();
    Some(pss_kib(pid)? + children.into_iter().filter_map(pss_tree_kib).sum::<u64>())
}
