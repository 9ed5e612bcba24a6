//! The VFS itself: opens like the system's own, then stands between SQLite and each file.
#![expect(unsafe_code, reason = "a VFS is a table of C functions")]

use rusqlite::ffi;
use std::{
    ffi::{CStr, c_char, c_int, c_void},
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicPtr, Ordering},
    },
};

use super::{Done, record, strike};

/// The VFS's name.
pub(super) const NAME: &str = "countersign-faults";

static BASE: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(std::ptr::null_mut());
static WRAPPED: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Our method table, and behind it the one it stands in for.
#[repr(C)]
struct Wrapped {
    methods: ffi::sqlite3_io_methods,
    original: *const ffi::sqlite3_io_methods,
}

pub(super) fn register() {
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
            own.xDelete = Some(delete);
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
        if let Some(name) = text(name).filter(|_| code == ffi::SQLITE_OK) {
            // The system's VFS syncs the directory of these with their first sync.
            let with_directory = flags & (ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL) != 0;
            record(|disk| disk.opened(file as usize, name, with_directory));
        }
        code
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    let base = BASE.load(Ordering::SeqCst);
    // SAFETY: as in `open`.
    unsafe {
        let Some(original) = (*base).xDelete else { return ffi::SQLITE_IOERR_DELETE };
        let code = original(base, name, sync_directory);
        if let Some(name) = text(name).filter(|_| code == ffi::SQLITE_OK) {
            record(|disk| disk.removed(name, sync_directory & 1 != 0));
        }
        code
    }
}

/// A file's name, if it has one that is text.
unsafe fn text<'a>(name: *const c_char) -> Option<&'a str> {
    // SAFETY: SQLite's names end with a zero.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }).and_then(|name| name.to_str().ok())
}

/// Our table for an original one; made once each.
unsafe fn wrap(original: *const ffi::sqlite3_io_methods) -> *const ffi::sqlite3_io_methods {
    let mut all = WRAPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, own)) = all.iter().find(|(of, _)| *of == original as usize) {
        return *own as *const ffi::sqlite3_io_methods;
    }
    // SAFETY: the original table is static; ours is leaked and begins with a table.
    let methods = ffi::sqlite3_io_methods {
        xRead: Some(read),
        xWrite: Some(write),
        xTruncate: Some(truncate),
        xSync: Some(sync),
        xClose: Some(close),
        ..unsafe { *original }
    };
    let own: *const Wrapped = Box::leak(Box::new(Wrapped { methods, original }));
    all.push((original as usize, own as usize));
    own.cast()
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    len: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    if let Some(code) = strike(Done::Read) {
        return code;
    }
    // SAFETY: as in `write`.
    unsafe { (*original(file)).xRead.map_or(ffi::SQLITE_IOERR, |original| original(file, into, len, at)) }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    if let Some(code) = strike(Done::Write) {
        return code;
    }
    // SAFETY: this function is only in tables made by `wrap`; SQLite passes `len` bytes.
    unsafe {
        let code = (*original(file)).xWrite.map_or(ffi::SQLITE_IOERR, |original| original(file, bytes, len, at));
        if let (ffi::SQLITE_OK, Ok(len), Ok(at)) = (code, usize::try_from(len), u64::try_from(at)) {
            let bytes = std::slice::from_raw_parts(bytes.cast(), len);
            record(|disk| disk.wrote(file as usize, at, bytes));
        }
        code
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: as in `write`.
    let code = unsafe { (*original(file)).xTruncate.map_or(ffi::SQLITE_IOERR, |original| original(file, size)) };
    if let (ffi::SQLITE_OK, Ok(size)) = (code, u64::try_from(size)) {
        record(|disk| disk.cut(file as usize, size));
    }
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    record(|disk| disk.closed(file as usize));
    // SAFETY: as in `write`.
    unsafe { (*original(file)).xClose.map_or(ffi::SQLITE_OK, |original| original(file)) }
}

/// The table ours stands in for.
unsafe fn original(file: *mut ffi::sqlite3_file) -> *const ffi::sqlite3_io_methods {
    // SAFETY: only called from functions that are only in tables made by `wrap`.
    unsafe { (*(*file).pMethods.cast::<Wrapped>()).original }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    if let Some(code) = strike(Done::Sync) {
        return code;
    }
    // SAFETY: as in `write`.
    let code = unsafe { (*original(file)).xSync.map_or(ffi::SQLITE_IOERR, |original| original(file, flags)) };
    if code == ffi::SQLITE_OK {
        record(|disk| disk.synced(file as usize));
    }
    code
}
