//! The data directory: ours, private, no symbolic links, held by one process.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::error::OpenError;

/// A data directory that this process holds for as long as the value lives.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    /// Why it may only be looked at, if so.
    pub loose: Option<String>,
    _lock: File,
}

impl Place {
    /// Makes or checks the directory and takes the lock.
    pub fn take(dir: &Path) -> Result<Self, OpenError> {
        if !dir.try_exists().map_err(|e| io(dir, &e))? && fs::symlink_metadata(dir).is_err() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| io(dir, &e))?;
        }
        let mut loose = check(dir, true)?;
        let canonical = dir.canonicalize().map_err(|e| io(dir, &e))?;
        let path = canonical.join("lock");
        if fs::symlink_metadata(&path).is_ok() {
            loose = loose.or(check(&path, false)?);
        }
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(&path)
            .or_else(|error| read_only(&path, error, &mut loose))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(OpenError::InUse(canonical.display().to_string())),
            Err(fs::TryLockError::Error(error)) => return Err(io(&path, &error)),
        }
        let ledger = canonical.join("ledger.sqlite");
        if fs::symlink_metadata(&ledger).is_ok() {
            loose = loose.or(check(&ledger, false)?);
        }
        // SQLite makes these with the mode the ledger had then: a repaired ledger must not stay locked out by them.
        for name in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
            let file = canonical.join(name);
            if fs::symlink_metadata(&file).is_ok() && check(&file, false)?.is_some() {
                fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).map_err(|e| io(&file, &e))?;
            }
        }
        Ok(Self { dir: canonical, loose, _lock: lock })
    }

    /// The canonical directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The database file.
    pub fn ledger(&self) -> PathBuf {
        self.file("ledger.sqlite")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Free bytes on the file system of this file; none if it does not say.
pub(crate) fn free_bytes(file: &Path) -> Option<u64> {
    rustix::fs::statvfs(file).ok().map(|s| s.f_bavail.saturating_mul(s.f_frsize))
}

/// Makes the database file with mode 0600 if it is missing.
pub(crate) fn ensure_file(path: &Path) -> Result<(), OpenError> {
    match make_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io(path, &error)),
    }
}

/// Makes an empty file with mode 0600, never over one that is there.
pub(crate) fn make_file(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(no_follow()).open(path).map(drop)
}

fn io(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Io { path: path.display().to_string(), why: error.to_string() }
}

pub(crate) fn no_follow() -> i32 {
    i32::try_from((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC).bits()).unwrap_or(0)
}

/// A lock needs no write access: a read-only directory can still be held while it is looked at.
fn read_only(path: &Path, error: std::io::Error, loose: &mut Option<String>) -> Result<File, OpenError> {
    if !matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem) {
        return Err(io(path, &error));
    }
    let file = OpenOptions::new().read(true).custom_flags(no_follow()).open(path).map_err(|e| io(path, &e))?;
    loose.get_or_insert_with(|| format!("{} cannot be written", path.display()));
    Ok(file)
}

/// Owner and kind must be right; a mode that lets others in is told back.
fn check(path: &Path, directory: bool) -> Result<Option<String>, OpenError> {
    let name = || path.display().to_string();
    let meta = fs::symlink_metadata(path).map_err(|e| io(path, &e))?;
    let right = if directory { meta.is_dir() } else { meta.is_file() };
    if !right {
        return Err(OpenError::NotPlain(name()));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(OpenError::Owner(name()));
    }
    let mode = meta.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0)
        .then(|| format!("{} can be used by others (mode {mode:o}); it must be for you alone", name())))
}
