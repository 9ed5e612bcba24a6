//! Named places at which the process dies when its environment says so: `COUNTERSIGN_KILL_AT=NAME:N:MS`, on the N-th arrival,
//! after MS milliseconds in which other threads go on.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Where to die, on which arrival, and how long after it.
type Plan = Option<(String, u64, Duration)>;

/// Dies here, as `kill -9` would, if this is the place and the time.
pub fn reached(name: &str) {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    static ARRIVALS: AtomicU64 = AtomicU64::new(0);
    let plan = PLAN.get_or_init(|| {
        let text = std::env::var("COUNTERSIGN_KILL_AT").ok()?;
        let mut words = text.split(':');
        let name = words.next()?.to_owned();
        let nth = words.next()?.parse().ok()?;
        Some((name, nth, Duration::from_millis(words.next()?.parse().ok()?)))
    });
    let Some((place, nth, after)) = plan else { return };
    if place == name && ARRIVALS.fetch_add(1, Ordering::SeqCst).saturating_add(1) == *nth {
        std::thread::sleep(*after);
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        std::process::abort();
    }
}
