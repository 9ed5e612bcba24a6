//! Faults on command, for tests only: the n-th write or sync of the ledger's file fails, or the writer answers too early.
//!
//! A thin SQLite VFS over the system's own counts what the thread that installed a plan does, and nothing else.
#![expect(unsafe_code, reason = "a VFS is a table of C functions")]

use rusqlite::ffi;
use std::{
    cell::RefCell,
    ffi::{c_char, c_int, c_void},
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
    },
};

/// The VFS's name.
pub(crate) const VFS: &str = "countersign-faults";

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fail {
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
            Self::Write => ffi::SQLITE_IOERR_WRITE,
            Self::Full => ffi::SQLITE_FULL,
            Self::Sync => ffi::SQLITE_IOERR_FSYNC,
        }
    }
}

/// A plan of faults and a count of what happened.
#[derive(Debug, Default)]
pub struct Faults {
    plan: Mutex<Option<Plan>>,
    writes: AtomicU64,
    syncs: AtomicU64,
    fired: AtomicU64,
    early: AtomicBool,
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

    fn plan(&self) -> std::sync::MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one operation; answers how it fails, if it does.
    fn strike(&self, sync: bool) -> Option<c_int> {
        let counter = if sync { &self.syncs } else { &self.writes };
        let number = counter.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let plan = (*self.plan())?;
        let hit = (plan.fail == Fail::Sync) == sync && (number == plan.nth || (plan.all_later && number > plan.nth));
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
    register();
    PLAN.with(|plan| *plan.borrow_mut() = faults);
}

/// The VFS to open with, if this thread has a plan.
pub(crate) fn vfs() -> Option<&'static str> {
    PLAN.with(|plan| plan.borrow().is_some()).then_some(VFS)
}

fn strike(sync: bool) -> Option<c_int> {
    PLAN.with(|plan| plan.borrow().as_ref().and_then(|f| f.strike(sync)))
}

static BASE: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(std::ptr::null_mut());
static WRAPPED: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Our method table, and behind it the one it stands in for.
#[repr(C)]
struct Wrapped {
    methods: ffi::sqlite3_io_methods,
    original: *const ffi::sqlite3_io_methods,
}

fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the default VFS lives as long as the process; the copy and its name are leaked on purpose.
        unsafe {
            let base = ffi::sqlite3_vfs_find(std::ptr::null());
            if base.is_null() {
                return;
            }
            BASE.store(base, Ordering::SeqCst);
            let own = Box::leak(Box::new(*base));
            own.zName = c"countersign-faults".as_ptr();
            own.pNext = std::ptr::null_mut();
            own.xOpen = Some(open);
            ffi::sqlite3_vfs_register(own, 0);
        }
    });
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let base = BASE.load(Ordering::SeqCst);
    // SAFETY: SQLite passes valid pointers; the base VFS opens into the same file structure, whose size we did not change.
    unsafe {
        let Some(original) = (*base).xOpen else { return ffi::SQLITE_CANTOPEN };
        let code = original(base, name, file, flags, out);
        if !(*file).pMethods.is_null() {
            (*file).pMethods = wrap((*file).pMethods);
        }
        code
    }
}

/// Our table for an original one; made once each.
unsafe fn wrap(original: *const ffi::sqlite3_io_methods) -> *const ffi::sqlite3_io_methods {
    let mut all = WRAPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, own)) = all.iter().find(|(of, _)| *of == original as usize) {
        return *own as *const ffi::sqlite3_io_methods;
    }
    // SAFETY: the original table is static; ours is leaked and begins with a table.
    let methods = ffi::sqlite3_io_methods { xWrite: Some(write), xSync: Some(sync), ..unsafe { *original } };
    let own: *const Wrapped = Box::leak(Box::new(Wrapped { methods, original }));
    all.push((original as usize, own as usize));
    own.cast()
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    if let Some(code) = strike(false) {
        return code;
    }
    // SAFETY: this function is only in tables made by `wrap`.
    unsafe {
        let own = (*file).pMethods.cast::<Wrapped>();
        (*(*own).original).xWrite.map_or(ffi::SQLITE_IOERR, |original| original(file, bytes, len, at))
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    if let Some(code) = strike(true) {
        return code;
    }
    // SAFETY: as in `write`.
    unsafe {
        let own = (*file).pMethods.cast::<Wrapped>();
        (*(*own).original).xSync.map_or(ffi::SQLITE_IOERR, |original| original(file, flags))
    }
}
