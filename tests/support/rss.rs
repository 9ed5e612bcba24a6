//! How much memory a running program grows while something is done to it, read from `/proc`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Resident memory of a process, in KiB.
pub fn resident(pid: u32) -> u64 {
    field(pid, "VmRSS:")
}

fn field(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The highest resident memory while `work` runs less that before it, in KiB.
pub async fn growth<T>(pid: u32, work: impl Future<Output = T>) -> (u64, T) {
    let (before, highest_before) = (resident(pid), field(pid, "VmHWM:"));
    let over = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let over = over.clone();
        move || {
            let mut highest = 0;
            while !over.load(Ordering::SeqCst) {
                highest = resident(pid).max(highest);
                std::thread::sleep(Duration::from_millis(1));
            }
            highest
        }
    });
    let result = work.await;
    over.store(true, Ordering::SeqCst);
    let mut highest = watcher.join().expect("a watcher").max(resident(pid));
    // The kernel's own high-water mark misses nothing, where it moved.
    let mark = field(pid, "VmHWM:");
    if mark > highest_before {
        highest = highest.max(mark);
    }
    (highest.saturating_sub(before), result)
}
