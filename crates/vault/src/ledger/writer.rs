//! The one thread that writes: many requests in one transaction, one durable commit, and only then the answers.

mod transact;

use countersign_core::Millis;
use futures_channel::oneshot;
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::{
    anchor::{Anchor, Keeper},
    job::Job,
    shared::{Mark, Mode, Shared, View},
    start::{self, Life, Started},
    state,
};
use crate::{error::VaultError, point::point};

/// Most requests in one transaction.
const MOST: usize = 256;
/// A request older than this is not begun: its caller has given up.
const STALE: Duration = Duration::from_secs(2);
/// Marks alone are written after so much quiet.
const QUIET: Duration = Duration::from_millis(50);
/// Commits after which a quiet moment is used to move the log into the database.
const TIDY_AFTER: usize = 32;
/// How often work that waits tries a locked key store: its owner may be shown a prompt each time.
const KNOCK_EVERY: Duration = Duration::from_secs(10);
/// How often bodies whose time is over are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(FORGET_EVERY_SECONDS);
const FORGET_EVERY_SECONDS: u64 = 3600;

/// What the writer is told.
pub(crate) enum Message {
    /// There are marks.
    Wake,
    /// Something to do in a transaction.
    Job(Job),
    /// The key store may be open again; or a person accepts that the history is lost.
    Restart(bool, oneshot::Sender<Result<(), VaultError>>),
    /// The key store may be open again; asked by work that waits, not by a person.
    Knock(oneshot::Sender<Result<(), VaultError>>),
    /// A check found the ledger broken.
    Broken(String),
    /// Flush and end.
    Stop,
}

/// The writer's own state.
pub(crate) struct Writer {
    pub shared: Arc<Shared>,
    pub keeper: Arc<Keeper>,
    /// None while the database is not open for writing.
    pub open: Option<Started>,
    /// The process life, once it has begun.
    pub life: Life,
    pub queue: Receiver<Message>,
    room_seen: Option<Instant>,
    /// When bodies whose time is over were last forgotten, by the wall clock.
    forgot: Millis,
    /// When the key store was last tried.
    knocked: Option<Instant>,
    /// Commits since the log was last moved into the database in a quiet moment.
    commits: usize,
}

impl Writer {
    pub fn new(
        shared: Arc<Shared>,
        keeper: Arc<Keeper>,
        open: Option<Started>,
        life: Life,
        queue: Receiver<Message>,
    ) -> Self {
        let forgot = shared.clock.wall();
        Self { shared, keeper, open, life, queue, room_seen: None, forgot, knocked: None, commits: 0 }
    }

    /// Runs until told to stop.
    pub fn run(mut self) {
        #[cfg(feature = "faults")]
        crate::faults::install(self.shared.faults.clone());
        let mut left: Option<Message> = None;
        loop {
            let next = match left.take() {
                Some(message) => Ok(message),
                None if self.marks_wait() => self.queue.recv_timeout(QUIET),
                None => self.queue.recv_timeout(FORGET_EVERY),
            };
            match next {
                Ok(Message::Wake) => self.go_ahead(),
                Ok(Message::Job(first)) => {
                    let batch;
                    (batch, left) = self.gather(first);
                    self.commit(batch);
                }
                Ok(Message::Restart(accept, reply)) => {
                    self.catch_up();
                    reply.send(self.restart(accept)).ok();
                }
                Ok(Message::Knock(reply)) => {
                    self.catch_up();
                    reply.send(self.knock()).ok();
                }
                Ok(Message::Broken(why)) => {
                    self.catch_up();
                    self.mode(Mode::ViewOnly(why));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.commit(Vec::new());
                    self.checkpoint();
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.shared.marks.any() || self.is_ahead() {
            self.commit(Vec::new());
        }
        if let Some(open) = self.open.take() {
            point("stop.flushed");
            open.conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").ok();
        }
        for message in self.queue.try_iter() {
            if let Message::Job(job) = message {
                job.answer(Err(VaultError::Storage("Countersign is closing".into())));
            }
        }
        self.keeper.finish();
    }

    /// Moves the log into the database while nobody waits: a payment that had to do it would be one of the slow ones.
    fn checkpoint(&mut self) {
        if self.commits < TIDY_AFTER {
            return;
        }
        self.commits = 0;
        if let Some(open) = &self.open
            && let Err(error) = open.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        {
            tracing::warn!(%error, "ledger.checkpoint_failed");
        }
    }

    /// Whether there are marks that can be written, or are in an open transaction.
    fn marks_wait(&self) -> bool {
        self.is_ahead() || (self.shared.marks.any() && self.open.is_some() && self.shared.view().writable().is_ok())
    }

    fn is_ahead(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.ahead.is_some())
    }

    /// Writes marks while nobody waits, into a transaction that the next request or a quiet moment commits.
    fn go_ahead(&mut self) {
        if !self.marks_wait() {
            return;
        }
        let marks = self.shared.marks.take();
        let now = self.shared.now();
        if let Err(why) = self.begin(&marks, &now) {
            self.fail(why, marks, Vec::new());
        } else if let Some(open) = &mut self.open {
            open.ahead.get_or_insert_default().extend(marks);
        }
    }

    /// Commits what was written ahead, before anything else is done with the database.
    fn catch_up(&mut self) {
        if self.is_ahead() {
            self.commit(Vec::new());
        }
    }

    /// Takes what is queued, up to a full batch; a request that commits alone ends it.
    fn gather(&self, first: Job) -> (Vec<Job>, Option<Message>) {
        let mut batch = Vec::new();
        let mut next = Some(Message::Job(first));
        while batch.len() < MOST {
            let Some(message) = next.take().or_else(|| self.queue.try_recv().ok()) else { break };
            match message {
                Message::Wake => {}
                Message::Job(job) if job.older_than(STALE) => job.answer(Err(VaultError::Busy)),
                Message::Job(job) if job.alone && !batch.is_empty() => return (batch, Some(Message::Job(job))),
                Message::Job(job) => {
                    let alone = job.alone;
                    batch.push(job);
                    if alone {
                        break;
                    }
                }
                other => return (batch, Some(other)),
            }
        }
        (batch, None)
    }

    /// One transaction for the marks and every request of the batch.
    fn commit(&mut self, batch: Vec<Job>) {
        if let Err(error) = self.ready() {
            return batch.into_iter().for_each(|job| job.answer(Err(error.clone())));
        }
        self.look_for_room();
        let marks = self.shared.marks.take();
        let reload = batch.iter().any(|job| job.alone);
        let mut done = Vec::new();
        match self.transact(&marks, batch, &mut done) {
            Ok(clock_doubted) => {
                self.commits = self.commits.saturating_add(1);
                if let Some(open) = &mut self.open {
                    open.mem.asked.clear();
                }
                if let Some(why) = self.open.as_mut().and_then(|open| open.mem.counters.broken.take()) {
                    tracing::error!(why, "ledger.broken");
                    self.mode(Mode::ViewOnly(why));
                }
                // The view follows before the answer; the anchor need not.
                if reload || clock_doubted {
                    self.reload(reload);
                }
                done.into_iter().for_each(|job| job.answer(Ok(())));
                if !reload && !clock_doubted {
                    self.anchor(false);
                }
            }
            Err(why) => self.fail(why, marks, done),
        }
    }

    /// Nothing of the transaction is written: its marks wait again, its requests fail, and the database is opened anew.
    fn fail(&mut self, why: String, marks: Vec<Mark>, jobs: Vec<Job>) {
        tracing::error!(why, "ledger.write_failed");
        self.shared.marks.give_back(marks);
        if let Some(open) = self.open.take() {
            self.shared.marks.give_back(open.ahead.unwrap_or_default());
            // The reopened ledger goes on with the clocks as they were last trusted and seen, not as they were at the start.
            self.life.clocks = Some((open.mem.base, open.mem.last));
            // Dropping the answers leaves a mark for each reservation; questions need one of their own.
            open.mem.asked.into_iter().for_each(|id| self.shared.marks.leave(Mark::NeverAsked(id)));
        }
        let error = VaultError::Storage(why.clone());
        jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
        self.mode(Mode::Storage(why));
        self.ready().ok();
    }

    /// Opens the database again if a failure closed it.
    fn ready(&mut self) -> Result<(), VaultError> {
        if self.open.is_none() && matches!(self.shared.view().mode, Mode::Storage(_)) {
            self.reopen();
        }
        let view = self.shared.view();
        view.writable()?;
        match &self.open {
            Some(_) => Ok(()),
            None if view.locked => Err(VaultError::Locked),
            None => Err(VaultError::Storage("the ledger is closed".into())),
        }
    }

    fn reopen(&mut self) {
        match start::start(&self.shared, &mut self.life, false) {
            Ok((started, view)) => {
                self.open = started;
                self.shared.publish(view);
            }
            Err(bad) => self.mode(bad.mode()),
        }
    }

    /// Tries a key store that was locked at the start, now and then; what a person locked stays locked.
    fn knock(&mut self) -> Result<(), VaultError> {
        let view = self.shared.view();
        let by_person = self.shared.locked.load(std::sync::atomic::Ordering::SeqCst);
        if !view.locked || by_person || self.knocked.is_some_and(|at| at.elapsed() < KNOCK_EVERY) {
            return view.open();
        }
        self.knocked = Some(Instant::now());
        self.restart(false)
    }

    fn restart(&mut self, accept_lost: bool) -> Result<(), VaultError> {
        self.shared.locked.store(false, std::sync::atomic::Ordering::SeqCst);
        if self.open.is_none() || accept_lost {
            self.open = None;
            match start::start(&self.shared, &mut self.life, accept_lost) {
                Ok((started, view)) => {
                    self.open = started;
                    self.shared.publish(view);
                    self.anchor(true);
                }
                Err(bad) => self.mode(bad.mode()),
            }
        } else {
            self.reload(false);
        }
        let view = self.shared.view();
        view.writable()?;
        if view.locked { Err(VaultError::Locked) } else { Ok(()) }
    }

    /// Reads the view again after a change of policy, agents, wallets, pauses or doubts.
    fn reload(&mut self, urgent: bool) {
        let Some(open) = &mut self.open else { return };
        let read =
            start::confirmed(&open.conn).and_then(|confirmed| Ok((confirmed, state::view(&open.conn, &self.shared)?)));
        match read {
            Ok((confirmed, view)) => {
                open.confirmed = confirmed;
                let old = self.shared.view();
                // What a check found broken stays so, whatever else changes.
                let mode = if let Mode::ViewOnly(_) = old.mode { old.mode.clone() } else { view.mode.clone() };
                self.shared.publish(View { policy_changed: old.policy_changed, mode, ..view });
                self.anchor(urgent);
            }
            Err(stop) => {
                // The next request opens it anew.
                self.life.clocks = Some((open.mem.base.clone(), open.mem.last.clone()));
                self.open = None;
                self.mode(Mode::Storage(format!("{stop:?}")));
            }
        }
    }

    fn anchor(&self, urgent: bool) {
        if let Some(open) = &self.open {
            self.keeper.note(Anchor::new(open.mem.head, open.confirmed), urgent);
        }
    }

    fn mode(&self, mode: Mode) {
        self.shared.publish(View { mode, ..(*self.shared.view()).clone() });
    }

    fn look_for_room(&mut self) {
        if self.room_seen.is_some_and(|at| at.elapsed() < Duration::from_secs(1)) {
            return;
        }
        self.room_seen = Some(Instant::now());
        let free = super::place::free_bytes(&self.shared.ledger);
        if let Some(open) = &mut self.open {
            open.mem.room = free.is_none_or(|free| free >= self.shared.min_free_bytes);
        }
    }
}
