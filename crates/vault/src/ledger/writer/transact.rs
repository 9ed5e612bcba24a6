//! One transaction: the marks, then each request in a savepoint of its own, then the commit.

use rusqlite::ErrorCode;
use std::sync::Arc;

use super::{
    super::{
        detail,
        job::{Job, savepoint},
        marks,
        setup::doubt_clock,
        shared::Mark,
        state,
        time::{Now, suspicious},
        tx::{Stop, Tx},
    },
    FORGET_EVERY_SECONDS, Writer,
};
use crate::point::point;

impl Writer {
    /// Runs everything and commits. Jobs move to `done` whatever happens, so that each is answered exactly once.
    pub(super) fn transact(&mut self, marks: &[Mark], batch: Vec<Job>, done: &mut Vec<Job>) -> Result<bool, String> {
        let mut batch = batch.into_iter();
        let result = self.transact_each(marks, &mut batch, done);
        done.extend(batch);
        result
    }

    /// Opens the transaction unless one is open, and writes the marks in it.
    pub(super) fn begin(&mut self, marks: &[Mark], now: &Now) -> Result<(), String> {
        let Some(open) = &mut self.open else { return Err("the ledger is closed".into()) };
        let conn = &open.conn;
        match (open.ahead.is_some(), conn.is_autocommit()) {
            (true, true) => return Err("the open transaction is gone".to_owned()),
            (_, true) => {
                let begun = conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
                begun.map_err(|error| error.to_string())?;
            }
            (_, false) => {}
        }
        let (view, now) = (self.shared.view(), now.clone());
        write_marks(&mut Tx { conn, mem: &mut open.mem, shared: &self.shared, view, key: &open.key, now }, marks)
    }

    fn transact_each(
        &mut self,
        marks: &[Mark],
        batch: &mut dyn Iterator<Item = Job>,
        done: &mut Vec<Job>,
    ) -> Result<bool, String> {
        let now = self.shared.now();
        self.begin(marks, &now)?;
        let Some(open) = &mut self.open else { return Err("the ledger is closed".into()) };
        let conn = &open.conn;
        let wall = now.seen.wall;
        if wall >= self.forgot.plus_seconds(FORGET_EVERY_SECONDS) {
            detail::forget_old(conn, wall).map_err(|stop| format!("{stop:?}"))?;
            self.forgot = wall;
        }
        let view = self.shared.view();
        let mut tx = Tx { conn, mem: &mut open.mem, shared: &self.shared, view, key: &open.key, now };
        let doubted = watch_clock(&mut tx).map_err(|stop| format!("{stop:?}"))?;
        if doubted {
            tx.view = Arc::new(state::view(conn, &self.shared).map_err(|stop| format!("{stop:?}"))?);
        }
        for mut job in batch {
            let outcome = job.run(&mut tx);
            #[cfg(feature = "faults")]
            if self.shared.faults.as_ref().is_some_and(|f| f.answers_before_commit()) {
                job.answer(Ok(()));
                outcome?;
                continue;
            }
            done.push(job);
            outcome?;
        }
        point("writer.written");
        conn.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(|error| error.to_string())?;
        open.ahead = None;
        point("writer.durable");
        Ok(doubted)
    }
}

/// Writes the marks together; where one cannot be written, each by itself, so that it takes no other with it.
fn write_marks(tx: &mut Tx<'_>, marks: &[Mark]) -> Result<(), String> {
    if marks.is_empty() {
        return Ok(());
    }
    // More than a refused row takes the whole transaction with it; nothing may be written outside of one.
    let broken = |error: &rusqlite::Error| error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation);
    match savepoint(tx, |tx| marks.iter().try_for_each(|mark| marks::write(tx, mark))) {
        Ok(()) => {}
        Err(Stop::Sql(error)) if broken(&error) => return Err(error.to_string()),
        Err(_) => {
            for mark in marks {
                match savepoint(tx, |tx| marks::write(tx, mark)) {
                    Err(Stop::Sql(error)) if broken(&error) => return Err(error.to_string()),
                    Err(stop) => tracing::error!(?stop, ?mark, "ledger.mark_dropped"),
                    Ok(()) => {}
                }
            }
        }
    }
    point("marks.written");
    Ok(())
}

/// Notes a clock that cannot be trusted; answers whether it was noted just now.
fn watch_clock(tx: &mut Tx<'_>) -> Result<bool, Stop> {
    let seen = tx.now.seen.clone();
    let why = suspicious(&tx.mem.base, &tx.mem.last, &seen);
    if tx.mem.last.wall < seen.wall {
        tx.mem.last = seen;
    }
    match why {
        Some(why) if tx.view.doubts.clock.is_none() => {
            tracing::warn!(%why, "ledger.clock_suspect");
            doubt_clock(tx, &why)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
