//! One request on its way through the writer: run in a savepoint, answered after the commit.

use futures_channel::oneshot;
use rusqlite::{Connection, ErrorCode};
use std::time::{Duration, Instant};

use super::tx::{Stop, Tx};
use crate::error::VaultError;

/// One request.
pub(crate) struct Job {
    at: Instant,
    /// Commits alone and changes the view.
    pub alone: bool,
    work: Box<dyn Work>,
}

trait Work: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failed>;
    fn answer(self: Box<Self>, outcome: Result<(), VaultError>);
}

enum Failed {
    /// This request's savepoint is rolled back.
    Alone,
    /// The transaction is.
    All(String),
}

struct Call<T, F> {
    run: Option<F>,
    result: Option<Result<T, VaultError>>,
    reply: oneshot::Sender<Result<T, VaultError>>,
}

impl<T: Send, F: FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send> Work for Call<T, F> {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failed> {
        let Some(run) = self.run.take() else { return Err(Failed::Alone) };
        let (result, failed) = match run(tx) {
            Ok(value) => (Ok(value), None),
            Err(Stop::Told(error)) => (Err(error), Some(Failed::Alone)),
            Err(Stop::Sql(error)) => {
                let why = error.to_string();
                let alone = error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
                (Err(VaultError::Storage(why.clone())), Some(if alone { Failed::Alone } else { Failed::All(why) }))
            }
        };
        self.result = Some(result);
        failed.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, outcome: Result<(), VaultError>) {
        let result = match outcome {
            Ok(()) => self.result.unwrap_or_else(|| Err(VaultError::Storage("the request was not run".into()))),
            Err(error) => Err(error),
        };
        // Nobody may be waiting any more; a reservation nobody takes frees itself.
        self.reply.send(result).ok();
    }
}

impl Job {
    pub fn new<T: Send + 'static>(
        alone: bool,
        run: impl FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, VaultError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { at: Instant::now(), alone, work: Box::new(Call { run: Some(run), result: None, reply }) }, answer)
    }

    pub fn answer(self, outcome: Result<(), VaultError>) {
        self.work.answer(outcome);
    }

    /// Whether it waited so long that its caller has given up.
    pub fn older_than(&self, limit: Duration) -> bool {
        self.at.elapsed() > limit
    }

    /// Runs it; an error is one of the whole transaction.
    pub fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), String> {
        run_one(tx, &mut *self.work)
    }
}

fn run_one(tx: &mut Tx<'_>, work: &mut dyn Work) -> Result<(), String> {
    let mut all = None;
    let outcome = savepoint(tx, |tx| {
        work.run(tx).map_err(|failed| {
            if let Failed::All(why) = failed {
                all = Some(why);
            }
            // The caller's own error is kept with the work; this one only rolls back.
            Stop::Told(VaultError::Busy)
        })
    });
    match (all, outcome) {
        (Some(why), _) => Err(why),
        (None, Err(Stop::Sql(error))) => Err(error.to_string()),
        (None, _) => Ok(()),
    }
}

/// Runs `work` so that its failure undoes its own writes and nothing else.
pub(crate) fn savepoint(tx: &mut Tx<'_>, work: impl FnOnce(&mut Tx<'_>) -> Result<(), Stop>) -> Result<(), Stop> {
    let (conn, head): (&Connection, _) = (tx.conn, tx.mem.head);
    conn.prepare_cached("SAVEPOINT request")?.execute([])?;
    match work(tx) {
        Ok(()) => {
            conn.prepare_cached("RELEASE request")?.execute([])?;
            tx.mem.counters.keep();
            Ok(())
        }
        Err(stop) => {
            tx.mem.head = head;
            tx.mem.counters.forget_touched();
            conn.execute_batch("ROLLBACK TO request; RELEASE request")?;
            Err(stop)
        }
    }
}
