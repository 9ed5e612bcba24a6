//! Reads and replaces one small private file: no links followed, nobody else's file touched, whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

use crate::keys::KeyStoreError;

/// More than any number of wallets needs.
const MOST: u64 = 1024 * 1024;

/// The file's bytes; none if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, KeyStoreError> {
    let file = match own(OpenOptions::new().read(true)).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed("opened", path, &e)),
    };
    refuse_strangers(&file, path)?;
    let mut bytes = Vec::new();
    file.take(MOST.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| failed("read", path, &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= MOST) {
        Ok(Some(bytes))
    } else {
        Err(KeyStoreError::Damaged("keys.enc is too large".into()))
    }
}

/// Waits until no other process changes the file; the turn ends when the answer is dropped.
pub(super) fn turn(path: &Path) -> Result<File, KeyStoreError> {
    let path = beside(path, "lock");
    let file = own(OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
    let file = file.map_err(|e| failed("opened", &path, &e))?;
    file.lock().map_err(|e| failed("locked", &path, &e))?;
    Ok(file)
}

/// Puts these bytes in the file's place, durably; a crash leaves the old file or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), KeyStoreError> {
    let new = stage(path, bytes)?;
    fs::rename(&new, path).map_err(|e| failed("replaced", path, &e))?;
    sync_directory(path)
}

/// Writes the bytes beside the file. What a crash left there before is no one's any more.
pub(super) fn stage(path: &Path, bytes: &[u8]) -> Result<PathBuf, KeyStoreError> {
    let new = beside(path, "new");
    match fs::remove_file(&new) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed("cleared", &new, &e)),
        _ => {}
    }
    let mut file =
        own(OpenOptions::new().write(true).create_new(true)).open(&new).map_err(|e| failed("made", &new, &e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| failed("written", &new, &e))?;
    Ok(new)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(format!("enc.{ending}"))
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> KeyStoreError {
    KeyStoreError::Failed(format!("{} could not be {verb}: {error}", path.display()))
}

#[cfg(unix)]
fn own(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW.union(rustix::fs::OFlags::NONBLOCK);
    options.mode(0o600).custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
}

/// A reparse point is opened itself and then is no regular file; who may read is the directory's to say.
#[cfg(windows)]
fn own(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::windows::fs::OpenOptionsExt as _;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
}

fn refuse_strangers(file: &File, path: &Path) -> Result<(), KeyStoreError> {
    let meta = file.metadata().map_err(|e| failed("examined", path, &e))?;
    let refused = |why: &str| Err(KeyStoreError::Failed(format!("{} {why}", path.display())));
    if !meta.is_file() {
        return refused("is not an ordinary file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return refused("belongs to another user");
        }
        if meta.mode() & 0o077 != 0 {
            return refused("is open to other users: run chmod 600 on it");
        }
    }
    Ok(())
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> Result<(), KeyStoreError> {
    let Some(dir) = path.parent() else { return Ok(()) };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| failed("made durable", path, &e))
}

/// A directory cannot be opened as a file; the file system orders the rename itself.
#[cfg(windows)]
fn sync_directory(_: &Path) -> Result<(), KeyStoreError> {
    Ok(())
}
