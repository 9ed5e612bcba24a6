//! The ledger's own time: it never goes back, and it says when the machine's clock cannot be trusted.

use countersign_core::{Millis, approval::Said};

/// Both clocks at one moment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Seen {
    pub wall: Millis,
    pub boot: i64,
    pub boot_id: String,
}

/// The moment a transaction works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Now {
    /// For windows: never earlier than the last one used.
    pub at: Millis,
    pub seen: Seen,
}

/// How far the wall clock may go back.
const BACK_MS: i64 = 120_000;
/// How far wall clock and boot clock may drift apart within one boot.
const DRIFT_MS: i64 = 300_000;

/// Why the clock cannot be trusted, if it cannot: `last` is the latest moment seen, `base` an earlier one it was trusted at.
pub(crate) fn suspicious(base: &Seen, last: &Seen, now: &Seen) -> Option<Said> {
    let back = last.wall.0.saturating_sub(now.wall.0);
    if back > BACK_MS {
        return Some(Said::DoubtClockBack { seconds: seconds(back) });
    }
    if base.boot_id.is_empty() || base.boot_id != now.boot_id {
        return None;
    }
    let wall = now.wall.0.saturating_sub(base.wall.0);
    let boot = now.boot.saturating_sub(base.boot);
    let drift = wall.saturating_sub(boot);
    (drift.saturating_abs() > DRIFT_MS).then(|| Said::DoubtClockJump { seconds: seconds(drift) })
}

fn seconds(ms: i64) -> String {
    ms.checked_div(1000).unwrap_or(0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(wall: i64, boot: i64, id: &str) -> Seen {
        Seen { wall: Millis(wall), boot, boot_id: id.into() }
    }

    #[test]
    fn small_steps_are_trusted_and_jumps_are_not() {
        let base = seen(10_000_000, 0, "a");
        let ok = |now: &Seen| suspicious(&base, &base, now).is_none();
        assert!(ok(&seen(10_000_000 - BACK_MS, 0, "a")));
        assert!(!ok(&seen(10_000_000 - BACK_MS - 1, 0, "a")));
        assert!(ok(&seen(10_000_000 + DRIFT_MS, 0, "a")));
        assert!(!ok(&seen(10_000_000 + DRIFT_MS + 1, 0, "a")));
        assert!(ok(&seen(99_000_000, 89_000_000, "a")), "sleep counts in both");
        assert!(ok(&seen(99_000_000, 5, "b")), "another boot: no drift to compare");
        assert!(!ok(&seen(9_000_000, 5, "b")), "but never back");
    }
}
