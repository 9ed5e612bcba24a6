//! What a person may change while Countersign runs: how long answers are kept, and when wallets lock by themselves.

use countersign_core::Millis;
use countersign_vault::VaultError;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::desk::Desk;

/// How often it is looked whether wallets are idle.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The settings in force.
#[derive(Debug)]
pub struct Habits {
    keep_hours: AtomicU32,
    lock_minutes: AtomicU32,
}

impl Habits {
    /// Answers are kept for `keep_hours`; wallets lock after `lock_minutes` without use, never if 0.
    pub fn new(keep_hours: u32, lock_minutes: u32) -> Self {
        Self { keep_hours: AtomicU32::new(keep_hours), lock_minutes: AtomicU32::new(lock_minutes) }
    }

    /// Until when an answer that came at `now` is kept.
    pub(crate) fn keep_until(&self, now: Millis) -> Millis {
        until(now, self.keep_hours.load(Ordering::SeqCst))
    }
}

impl Desk {
    /// Answers are kept for so many hours from here on. Fewer than before count for those that are kept already, too.
    pub async fn keep_answers_for(&self, hours: u32) -> Result<(), VaultError> {
        let before = self.habits.keep_hours.load(Ordering::SeqCst);
        if hours < before {
            let earlier = millis(before.saturating_sub(hours));
            self.vault.keep_shorter(earlier, until(self.now(), hours)).await?;
        }
        self.habits.keep_hours.store(hours, Ordering::SeqCst);
        Ok(())
    }

    /// Wallets that a passphrase guards lock after so many minutes without use from here on; never if 0.
    pub fn lock_wallets_after(&self, minutes: u32) {
        self.habits.lock_minutes.store(minutes, Ordering::SeqCst);
    }

    /// After how many minutes without use wallets lock; 0 if never.
    pub fn locks_wallets_after(&self) -> u32 {
        self.habits.lock_minutes.load(Ordering::SeqCst)
    }

    /// Locks wallets that are idle, for ever.
    pub async fn lock_idle_wallets(self: Arc<Self>) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let minutes = self.locks_wallets_after();
            if minutes > 0 && self.vault.lock_idle_wallets(minutes) {
                tracing::info!(minutes, "wallets.locked_idle");
            }
        }
    }
}

fn until(now: Millis, hours: u32) -> Millis {
    Millis(now.0.saturating_add(millis(hours)))
}

fn millis(hours: u32) -> i64 {
    i64::from(hours).saturating_mul(3_600_000)
}
