//! Faults on command, for tests only: the n-th read, write or sync of the ledger's files fails, the writer answers too early or looks no
//! key up, the database is opened with weaker settings, everything done to the disk is recorded, or the process dies at a named place.
//!
//! A thin SQLite VFS over the system's own counts and records what the thread that installed a plan does, and nothing else.

mod disk;
mod point;
mod vfs;

pub use disk::{Disk, DiskStep};
pub use point::reached;

use rusqlite::{Connection, ffi};
use std::{
    cell::RefCell,
    ffi::c_int,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fail {
    /// Reads.
    Read,
    /// Writes, with "disk I/O error".
    Write,
    /// Writes, with "disk full".
    Full,
    /// Syncs.
    Sync,
}

impl Fail {
    const fn code(self) -> c_int {
        match self {
            Self::Read => ffi::SQLITE_IOERR_READ,
            Self::Write => ffi::SQLITE_IOERR_WRITE,
            Self::Full => ffi::SQLITE_FULL,
            Self::Sync => ffi::SQLITE_IOERR_FSYNC,
        }
    }

    const fn hits(self) -> Done {
        match self {
            Self::Read => Done::Read,
            Self::Write | Self::Full => Done::Write,
            Self::Sync => Done::Sync,
        }
    }
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Read,
    Write,
    Sync,
}

/// A plan of faults and a count of what happened.
#[derive(Debug, Default)]
pub struct Faults {
    plan: Mutex<Option<Plan>>,
    reads: AtomicU64,
    writes: AtomicU64,
    syncs: AtomicU64,
    fired: AtomicU64,
    early: AtomicBool,
    forgetful: AtomicBool,
    settings: OnceLock<Settings>,
    disk: OnceLock<Disk>,
}

/// SQL that is run beside the ledger's own settings.
#[derive(Debug)]
struct Settings {
    before_wal: String,
    in_wal: String,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    fail: Fail,
    /// The number of the operation, from 1, counted from when the plan was made.
    nth: u64,
    /// Every later one fails too.
    all_later: bool,
}

impl Faults {
    /// Fails the `nth` operation of this kind from here on, counted from 1; and every later one if `all_later`.
    pub fn fail(&self, fail: Fail, nth: u64, all_later: bool) {
        self.reads.store(0, Ordering::SeqCst);
        self.writes.store(0, Ordering::SeqCst);
        self.syncs.store(0, Ordering::SeqCst);
        *self.plan() = Some(Plan { fail, nth, all_later });
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        *self.plan() = None;
    }

    /// How many faults fired.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::SeqCst)
    }

    /// Writes and syncs since the last plan.
    pub fn counted(&self) -> (u64, u64) {
        (self.writes.load(Ordering::SeqCst), self.syncs.load(Ordering::SeqCst))
    }

    /// The wrong order: the writer answers before its commit is durable.
    pub fn answer_before_commit(&self) {
        self.early.store(true, Ordering::SeqCst);
    }

    pub(crate) fn answers_before_commit(&self) -> bool {
        self.early.load(Ordering::SeqCst)
    }

    /// The writer looks no key up, and the check beside its work is not made: what is left is the database's own rule that a key means
    /// one payment.
    pub fn look_no_key_up(&self) {
        self.forgetful.store(true, Ordering::SeqCst);
    }

    pub(crate) fn looks_no_key_up(&self) -> bool {
        self.forgetful.load(Ordering::SeqCst)
    }

    /// Opens the database with other settings than its own: SQL that is run before the write-ahead log is on, and after.
    pub fn settings(&self, before_wal: &str, in_wal: &str) {
        let _ = self.settings.set(Settings { before_wal: before_wal.to_owned(), in_wal: in_wal.to_owned() });
    }

    /// Records everything that is done to the disk from here on.
    pub fn record(&self) -> &Disk {
        self.disk.get_or_init(Disk::default)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one operation; answers how it fails, if it does.
    fn strike(&self, done: Done) -> Option<c_int> {
        let counter = match done {
            Done::Read => &self.reads,
            Done::Write => &self.writes,
            Done::Sync => &self.syncs,
        };
        let number = counter.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let plan = (*self.plan())?;
        let hit = plan.fail.hits() == done && (number == plan.nth || (plan.all_later && number > plan.nth));
        if hit {
            self.fired.fetch_add(1, Ordering::SeqCst);
        }
        hit.then(|| plan.fail.code())
    }
}

thread_local! {
    static PLAN: RefCell<Option<Arc<Faults>>> = const { RefCell::new(None) };
}

/// Makes a plan count for this thread.
pub(crate) fn install(faults: Option<Arc<Faults>>) {
    vfs::register();
    PLAN.with(|plan| *plan.borrow_mut() = faults);
}

/// The VFS to open with, if this thread has a plan.
pub(crate) fn vfs() -> Option<&'static str> {
    with(|_| vfs::NAME)
}

/// Runs the plan's settings, where it has some; answers whether it has.
pub(crate) fn settings(conn: &Connection, in_wal: bool) -> rusqlite::Result<bool> {
    let sql =
        with(|faults| faults.settings.get().map(|s| if in_wal { s.in_wal.clone() } else { s.before_wal.clone() }));
    match sql.flatten() {
        Some(sql) => conn.execute_batch(&sql).map(|()| true),
        None => Ok(false),
    }
}

fn with<T>(look: impl FnOnce(&Faults) -> T) -> Option<T> {
    PLAN.with(|plan| plan.borrow().as_deref().map(look))
}

fn strike(done: Done) -> Option<c_int> {
    with(|faults| faults.strike(done)).flatten()
}

/// Tells this thread's recorder, if it has one.
fn record(tell: impl FnOnce(&Disk)) {
    with(|faults| {
        if let Some(disk) = faults.disk.get() {
            tell(disk);
        }
    });
}
