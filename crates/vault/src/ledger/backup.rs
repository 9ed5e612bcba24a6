//! A copy of the ledger in one file, and the way back. No key is ever in it.
//!
//! What comes back is older than what was paid since: the next start revokes every token and counts every budget as used up, and
//! everything asks, until a person confirms the history.

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

use super::{
    anchor::Names,
    chain::MacKey,
    db::{self, Bad},
    place::{Place, make_file},
    state,
    tx::Stop,
    verify,
};
use crate::{
    error::OpenError,
    keys::{Keys, KeysError},
};

/// What a restored ledger is marked with until its first start.
pub(crate) const RESTORED: &str = "restored";
/// The name under which a backup keeps when it was made; no file of the settings is called so.
const MADE: &str = "made at";
/// Where a restored ledger is put together.
const DRAFT: &str = "ledger.restoring.sqlite";

/// A database, and what SQLite puts beside it.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Why there is no backup, or why it was not restored. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data directory cannot be taken.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something else than a backup of ours.
    #[error("{0} is not a backup of Countersign")]
    NotABackup(String),
    /// The key that guards this ledger is not here.
    #[error(
        "the key that guards this ledger is not in this key store: a backup can be restored only where it was made"
    )]
    OtherKeyStore,
    /// The key store cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// It is not as it was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// The disk or the database said no.
    #[error("{0}")]
    Failed(String),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<std::io::Error> for BackupError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Stop> for BackupError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Sql(error) => error.into(),
            Stop::Told(error) => Self::Failed(error.to_string()),
        }
    }
}

impl From<Bad> for BackupError {
    fn from(bad: Bad) -> Self {
        match bad {
            Bad::Refused(error) => Self::Open(error),
            Bad::ViewOnly(why) | Bad::Storage(why) => Self::Damaged(why),
        }
    }
}

/// Files beside the ledger, by name.
pub type Settings = Vec<(String, Vec<u8>)>;

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// When the backup was made.
    pub made: Millis,
    /// The files it brought.
    pub settings: Settings,
    /// Where the ledger that was there lies, if there was one.
    pub before: Option<PathBuf>,
}

/// Writes the ledger of `dir`, as of one moment and also while it is in use, and `settings` into a new file for this user alone.
pub fn backup(dir: &Path, file: &Path, settings: &Settings, now: Millis) -> Result<(), BackupError> {
    let ledger = dir.join("ledger.sqlite");
    if !ledger.exists() {
        return Err(BackupError::Failed(format!("there is no ledger in {}", dir.display())));
    }
    make_file(file).map_err(|error| BackupError::Failed(format!("{}: {error}", file.display())))?;
    let written = write(&ledger, file, settings, now);
    if written.is_err() {
        fs::remove_file(file).ok();
    }
    written
}

fn write(ledger: &Path, file: &Path, settings: &Settings, now: Millis) -> Result<(), BackupError> {
    let copy = copied(&db::open_reader(ledger)?, file)?;
    copy.execute_batch("CREATE TABLE backup (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID")?;
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

/// Puts the ledger of a backup in the place of the one of `dir`, which nothing may be using and which is set aside. It must be
/// whole, and guarded by the key of this directory.
pub fn restore(dir: &Path, file: &Path, keys: &Keys) -> Result<Restored, BackupError> {
    let place = Place::take(dir)?;
    if let Some(why) = &place.loose {
        return Err(BackupError::Failed(why.clone()));
    }
    let key = keys.secret(&Names::of(place.dir()).key)?.and_then(|secret| MacKey::new(secret.expose()));
    let key = key.ok_or(BackupError::OtherKeyStore)?;
    let draft = place.dir().join(DRAFT);
    clear(&draft)?;
    make_file(&draft)?;
    let drafted = (|| {
        let (made, settings) = unpacked(file, &draft)?;
        guarded(&draft, &key, made)?;
        Ok((made, settings))
    })();
    let (made, settings) = match drafted {
        Ok(drafted) => drafted,
        Err(error) => {
            clear(&draft)?;
            return Err(error);
        }
    };
    let before = set_aside(&place.ledger())?;
    fs::File::open(place.dir())?.sync_all()?;
    fs::rename(&draft, place.ledger())?;
    clear(&place.dir().join("view.sqlite"))?;
    fs::File::open(place.dir())?.sync_all()?;
    clear(&draft)?;
    Ok(Restored { made, settings, before })
}

/// Copies the backup, and takes out what is not of the ledger.
fn unpacked(file: &Path, draft: &Path) -> Result<(Millis, Settings), BackupError> {
    let not_one = || BackupError::NotABackup(file.display().to_string());
    fs::metadata(file)?;
    db::probe(file).map_err(|_| not_one())?;
    let from = db::open_reader(file).map_err(|_| not_one())?;
    let draft = copied(&from, draft).map_err(|_| not_one())?;
    let read = |statement: &mut rusqlite::Statement<'_>| -> rusqlite::Result<Settings> {
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let mut settings =
        draft.prepare("SELECT name, body FROM backup").and_then(|mut all| read(&mut all)).map_err(|_| not_one())?;
    let made = settings.iter().position(|(name, _)| name == MADE).map(|at| settings.swap_remove(at).1);
    let made = made.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).ok_or_else(not_one)?;
    draft.execute_batch("DROP TABLE backup")?;
    draft.close().map_err(|(_, error)| error)?;
    Ok((Millis(made), settings))
}

/// Brings the schema up to date, checks everything under the key of this place, and marks it as restored.
fn guarded(draft: &Path, key: &MacKey, made: Millis) -> Result<(), BackupError> {
    let conn = db::open_writer(draft)?;
    let report = verify::whole(&conn, key)?;
    if let Some(fault) = report.faults.into_iter().next() {
        return Err(BackupError::Damaged(fault));
    }
    state::set(&conn, RESTORED, Some(made.0.to_string().as_bytes()))?;
    one_file(&conn)?;
    closed(conn, draft)
}

/// Moves the ledger away, with what belongs to it: one that cannot be read may be wanted later, and a log that stayed would be
/// taken for the next one's.
fn set_aside(ledger: &Path) -> Result<Option<PathBuf>, BackupError> {
    let free = (1..1000u32).map(|n| ledger.with_extension(format!("before-restore-{n}.sqlite")));
    let aside = free.into_iter().find(|path| fs::symlink_metadata(path).is_err());
    let aside = aside.ok_or_else(|| BackupError::Failed("too many ledgers were set aside".into()))?;
    for end in BESIDE {
        let (from, to) = (with_end(ledger, end), with_end(&aside, end));
        if fs::symlink_metadata(&from).is_ok() {
            fs::rename(from, to)?;
        }
    }
    Ok(fs::symlink_metadata(&aside).is_ok().then_some(aside))
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
