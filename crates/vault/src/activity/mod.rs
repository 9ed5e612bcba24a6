//! The read model of what was paid: lines, sums of days and a search over them, in `view.sqlite` beside the ledger.
//!
//! It is filled from the ledger's chain when somebody looks, a bounded piece at a time, and made anew when it does not fit the ledger.
//! No rule and no budget reads it; a fault in it stops nothing but the page.

mod fill;
mod find;
mod search;
mod store;
mod sums;

pub use find::{Choices, Find, Found, Line};
pub use sums::{By, Period, Spent, Sums};

use countersign_core::calendar::Calendar;
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    error::VaultError,
    ledger::{Stop, reader},
    record::Record,
};

/// How a payment stands, in one stable word.
pub type Word = fn(&Record) -> &'static str;

/// The read model of one ledger. Every method blocks on the disk.
pub struct Activity {
    ledger: PathBuf,
    word: Word,
    open: Mutex<Option<Open>>,
}

struct Open {
    ledger: Connection,
    view: Connection,
    calendar: Calendar,
}

impl Activity {
    pub(crate) fn new(ledger: PathBuf, word: Word) -> Self {
        Self { ledger, word, open: Mutex::new(None) }
    }

    /// Reads on in the ledger, for about as long as given. Returns how many entries it has not read yet.
    pub fn catch_up(&self, calendar: &Calendar, time: Duration) -> Result<u64, VaultError> {
        self.with(calendar, |open| fill::on(open, self.word, time))
    }

    /// One page of payments, newest first.
    pub fn find(&self, calendar: &Calendar, find: &Find) -> Result<Found, VaultError> {
        self.with(calendar, |open| find::page(&open.view, find))
    }

    /// Every payment that fits, newest first and whole, as long as `each` wants more.
    pub fn each(
        &self,
        calendar: &Calendar,
        find: &Find,
        mut each: impl FnMut(Record) -> std::io::Result<()>,
    ) -> Result<std::io::Result<u64>, VaultError> {
        let mut cursor = None;
        let mut count = 0u64;
        loop {
            // The lock is let go between pages, so that a long export leaves the page usable.
            let (records, next) = self.with(calendar, |open| find::records(open, find, cursor))?;
            for record in records {
                if let Err(error) = each(record) {
                    return Ok(Err(error));
                }
                count = count.saturating_add(1);
            }
            cursor = next;
            if cursor.is_none() {
                return Ok(Ok(count));
            }
        }
    }

    /// Sums over days.
    pub fn sums(&self, calendar: &Calendar, test: bool, period: Period, by: By) -> Result<Sums, VaultError> {
        self.with(calendar, |open| sums::over(&open.view, test, period, by))
    }

    /// Agents, rails and states there are, and whether there is real money or play money among the payments.
    pub fn choices(&self, calendar: &Calendar) -> Result<Choices, VaultError> {
        self.with(calendar, |open| find::choices(&open.view))
    }

    fn with<T>(&self, calendar: &Calendar, run: impl Fn(&mut Open) -> Result<T, Stop>) -> Result<T, VaultError> {
        let mut held = self.held();
        for attempt in 0..2 {
            let open = match held.take() {
                Some(open) if open.calendar.name() == calendar.name() => open,
                _ => self.open(calendar)?,
            };
            let open = held.insert(open);
            match run(open) {
                Ok(done) => return Ok(done),
                Err(Stop::Told(error)) => return Err(error),
                Err(Stop::Sql(error)) => {
                    *held = None;
                    if attempt > 0 {
                        return Err(VaultError::Storage(error.to_string()));
                    }
                    tracing::warn!(%error, "activity.made_anew");
                    store::forget(&self.ledger);
                }
            }
        }
        Err(VaultError::Storage("the activity could not be read".into()))
    }

    fn open(&self, calendar: &Calendar) -> Result<Open, VaultError> {
        let failed = |error: rusqlite::Error| VaultError::Storage(error.to_string());
        let ledger = reader::open(&self.ledger).map_err(failed)?;
        let view = store::open(&self.ledger, &ledger, calendar).map_err(failed)?;
        Ok(Open { ledger, view, calendar: calendar.clone() })
    }

    fn held(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
