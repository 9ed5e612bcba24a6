//! What payments failed for: wallets that are locked, a wallet that holds too little. Told at most once an hour each, and shown in
//! the window meanwhile.

use countersign_core::Millis;
use countersign_desk::event::Lack;
use serde::Serialize;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
#[cfg(test)]
use ts_rs::TS;

const HOUR: Duration = Duration::from_secs(3600);

/// What was lacking last.
#[derive(Default)]
pub struct Lacking(Mutex<Lacks>);

#[derive(Default)]
struct Lacks {
    /// When a locked wallet, and when an empty one, was told.
    told: [Option<Instant>; 2],
    money: Option<(Instant, ShortView)>,
}

/// A payment that failed because its wallet holds too little.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ShortView {
    pub agent: String,
    /// Of the wallet.
    pub address: String,
    pub at: String,
}

impl Lacking {
    /// Notes a failure; says whether the person is to be told.
    pub fn note(&self, agent: &str, lack: &Lack, now: Instant, at: Millis) -> bool {
        let mut lacks = self.lock();
        let which = match lack {
            Lack::Key => 0,
            Lack::Money(address) => {
                let short = ShortView { agent: agent.to_owned(), address: address.clone(), at: at.rfc3339() };
                lacks.money = Some((now, short));
                1
            }
        };
        let told = &mut lacks.told[which];
        let due = told.is_none_or(|told| now.saturating_duration_since(told) >= HOUR);
        if due {
            *told = Some(now);
        }
        due
    }

    /// The wallet covers a payment of this agent: it went through, or its question is asked, which is after the wallet was looked at.
    pub fn covered(&self, agent: &str) {
        self.lock().money.take_if(|(_, short)| short.agent == agent);
    }

    /// The wallet that held too little within the last hour.
    pub fn money(&self, now: Instant) -> Option<ShortView> {
        let lacks = self.lock();
        let (_, short) = lacks.money.as_ref().filter(|(at, _)| now.saturating_duration_since(*at) < HOUR)?;
        Some(short.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Lacks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lack_is_told_once_an_hour_and_the_last_empty_wallet_is_shown_until_it_pays() {
        let (lacking, begin) = (Lacking::default(), Instant::now());
        let note = |lack: &Lack, minutes: u64| {
            lacking.note("researcher", lack, begin + Duration::from_secs(minutes * 60), Millis(0))
        };
        let money = |address: &str| Lack::Money(address.to_owned());
        assert!(note(&money("0x1"), 0) && note(&Lack::Key, 1));
        assert!(!note(&money("0x2"), 59) && !note(&Lack::Key, 60), "within the hour");
        assert!(note(&money("0x3"), 60));
        let shown = |minutes: u64| lacking.money(begin + Duration::from_secs(minutes * 60));
        assert_eq!(shown(61).map(|short| short.address).as_deref(), Some("0x3"));
        assert_eq!(shown(120), None, "an hour later nobody knows any more");
        lacking.covered("other");
        assert!(shown(61).is_some());
        lacking.covered("researcher");
        assert_eq!(shown(61), None);
    }
}
