//! Where "now" comes from. Windows, deadlines and lifetimes all use it, so a test can move it.

use countersign_core::Millis;
use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering},
};

/// Wall time, time since boot and which boot it is: two clocks that must agree, or a person decides.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch, UTC.
    fn wall(&self) -> Millis;
    /// Milliseconds since boot, counting sleep.
    fn boot_ms(&self) -> i64;
    /// Which boot this is; empty where the system does not say.
    fn boot_id(&self) -> String;
}

/// The machine's own clocks.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> Millis {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn boot_ms(&self) -> i64 {
        #[cfg(target_os = "linux")]
        let id = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let id = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(id);
        time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec.checked_div(1_000_000).unwrap_or(0))
    }

    fn boot_id(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
    }
}

/// A clock that moves only when told.
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    boot: AtomicI64,
    boot_id: Mutex<String>,
}

impl ManualClock {
    /// Stands at `wall`, one hour after boot.
    pub fn new(wall: Millis) -> Self {
        Self { wall: AtomicI64::new(wall.0), boot: AtomicI64::new(3_600_000), boot_id: Mutex::new("boot-1".to_owned()) }
    }

    /// Time passes: both clocks move.
    pub fn advance_ms(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::SeqCst);
        self.boot.fetch_add(ms, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; the time since boot stays.
    pub fn set_wall(&self, wall: Millis) {
        self.wall.store(wall.0, Ordering::SeqCst);
    }

    /// The machine starts again.
    pub fn reboot(&self, boot_id: &str) {
        self.boot.store(0, Ordering::SeqCst);
        if let Ok(mut id) = self.boot_id.lock() {
            boot_id.clone_into(&mut id);
        }
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Millis {
        Millis(self.wall.load(Ordering::SeqCst))
    }

    fn boot_ms(&self) -> i64 {
        self.boot.load(Ordering::SeqCst)
    }

    fn boot_id(&self) -> String {
        self.boot_id.lock().map(|id| id.clone()).unwrap_or_default()
    }
}
