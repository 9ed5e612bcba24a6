//! A copy of the ledger in one file, and the way back. No key of a wallet and no token is ever in it.
//!
//! What comes back is older than what was paid since: every token is revoked, every budget counts as used up until a person
//! confirms the history, and those that run now stay so until their windows begin anew.

mod check;
mod error;
mod exchange;
mod restore;

pub use check::Checked;
pub(crate) use check::check;
pub use check::take_in;
pub use error::BackupError;
pub(crate) use exchange::mend;
pub use restore::{Held, Restored};

use countersign_core::Millis;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{db, place::make_file};

/// The name under which a backup keeps when it was made; no file of the settings is called so.
const MADE: &str = "made at";
/// The table of the settings, as it is made and as it must be.
const TABLE: &str = "CREATE TABLE backup (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID";
/// What SQLite puts beside a database, and that itself.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ""];

/// Files beside the ledger, by name.
pub type Settings = Vec<(String, Vec<u8>)>;

/// Writes the ledger of `dir`, as of one moment and also while it is in use, and `settings` into a new file for this user alone.
/// Answers that are kept for a time only are left out.
pub fn backup(dir: &Path, file: &Path, settings: &Settings, now: Millis) -> Result<(), BackupError> {
    let ledger = dir.join("ledger.sqlite");
    if !ledger.exists() {
        return Err(BackupError::Failed(format!("there is no ledger in {}", dir.display())));
    }
    let file = plain(file).map_err(|error| BackupError::Failed(format!("{}: {error}", file.display())))?;
    make_file(&file).map_err(|error| BackupError::Failed(format!("{}: {error}", file.display())))?;
    let written = write(&ledger, &file, settings, now);
    if written.is_err() {
        fs::remove_file(&file).ok();
    }
    written
}

/// The same file by a path without links: a folder of downloads may be one, and SQLite follows none.
fn plain(file: &Path) -> std::io::Result<PathBuf> {
    let name = file.file_name().ok_or(std::io::ErrorKind::InvalidFilename)?;
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(dir.canonicalize()?.join(name))
}

fn write(ledger: &Path, file: &Path, settings: &Settings, now: Millis) -> Result<(), BackupError> {
    let copy = copied(&db::open_reader(ledger)?, file)?;
    // What is kept for a time only must not outlive it here.
    copy.execute_batch("PRAGMA secure_delete = ON; DELETE FROM detail WHERE until IS NOT NULL")?;
    copy.execute_batch(TABLE)?;
    let mut insert = copy.prepare("INSERT INTO backup (name, body) VALUES (?1, ?2)")?;
    insert.execute((MADE, now.0.to_string().as_bytes()))?;
    for (name, body) in settings {
        insert.execute((name, body))?;
    }
    drop(insert);
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(BackupError::Failed(format!("the ledger is damaged: {verdict}")));
    }
    closed(copy, file)
}

/// Everything in one step, so that it is all of one moment, into an empty file that is then one file and stays so.
fn copied(from: &Connection, file: &Path) -> Result<Connection, BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(file, flags)?;
    copy.busy_timeout(Duration::from_secs(5))?;
    if Backup::new(from, &mut copy)?.step(-1)? != StepResult::Done {
        return Err(BackupError::Failed("the ledger is busy; try again".into()));
    }
    one_file(&copy)?;
    Ok(copy)
}

fn one_file(conn: &Connection) -> Result<(), BackupError> {
    let mode: String = conn.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode == "delete" { Ok(()) } else { Err(BackupError::Failed(format!("the journal stays {mode}"))) }
}

fn closed(conn: Connection, file: &Path) -> Result<(), BackupError> {
    conn.close().map_err(|(_, error)| error)?;
    fs::File::open(file)?.sync_all()?;
    Ok(())
}

/// Removes a database with what belongs to it.
fn clear(file: &Path) -> Result<(), BackupError> {
    let copies = file.with_extension("").display().to_string();
    let copies = (1..100u32).map(|n| PathBuf::from(format!("{copies}.before-{n}.sqlite")));
    let own = BESIDE.map(|end| with_end(file, end));
    for path in own.into_iter().chain(copies) {
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
    }
    Ok(())
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
