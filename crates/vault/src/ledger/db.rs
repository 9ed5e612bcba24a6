//! Opening the database: settings, schema, and what makes a file not ours.

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use std::{collections::BTreeMap, io::Read as _, path::Path, time::Duration};

use super::{chain::Broken, shared::Mode, tx::Stop};
use crate::{error::OpenError, point::point};

/// "CSGN".
pub(crate) const APPLICATION_ID: i64 = 0x4353_474e;
/// Every schema, in order; the file's `user_version` says how many it has.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_ledger.sql"),
    include_str!("../../migrations/0002_identity.sql"),
    include_str!("../../migrations/0003_unpaid.sql"),
];
/// The oldest SQLite without the WAL-reset fault.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Why a file cannot be used for writing.
#[derive(Debug)]
pub(crate) enum Bad {
    /// People must act, nothing was written.
    Refused(OpenError),
    /// The file is kept as it is and may be looked at.
    ViewOnly(String),
    /// The disk failed; it may recover.
    Storage(String),
}

impl From<rusqlite::Error> for Bad {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::ViewOnly(format!("the ledger file is damaged: {error}"))
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ViewOnly(format!("the ledger file cannot be written: {error}"))
            }
            Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull) => Self::Storage(error.to_string()),
            _ => Self::Refused(OpenError::Database(error.to_string())),
        }
    }
}

impl From<Stop> for Bad {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Sql(error) => error.into(),
            Stop::Told(error) => Self::ViewOnly(error.to_string()),
        }
    }
}

impl From<Broken> for Bad {
    fn from(broken: Broken) -> Self {
        Self::ViewOnly(format!("the chain of the ledger is broken: {broken}"))
    }
}

impl Bad {
    /// The same as a state of a vault that runs already.
    pub fn mode(self) -> Mode {
        match self {
            Self::Refused(error) => Mode::Storage(error.to_string()),
            Self::ViewOnly(why) => Mode::ViewOnly(why),
            Self::Storage(why) => Mode::Storage(why),
        }
    }
}

/// Reads the header without touching the file: whose it is, and of which format.
pub(crate) fn probe(path: &Path) -> Result<(), Bad> {
    let name = path.display().to_string();
    let mut header = Vec::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(100).read_to_end(&mut header));
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Bad::ViewOnly(format!("the ledger file cannot be read: {error}"))),
        Ok(0) => return Ok(()),
        Ok(_) => {}
    }
    let word = |at: usize| {
        header.get(at..at.saturating_add(4)).and_then(|b| b.try_into().ok()).map(i32::from_be_bytes).map(i64::from)
    };
    if !header.starts_with(b"SQLite format 3\0") {
        // Where the power went while the ledger was made, the journal beside it takes that back; SQLite says whether it does.
        if path.with_extension("sqlite-journal").metadata().is_ok_and(|journal| journal.len() > 0) {
            return Ok(());
        }
        return Err(Bad::ViewOnly("the ledger file is damaged: it is not a database".into()));
    }
    let (Some(version), Some(application)) = (word(60), word(68)) else {
        return Err(Bad::ViewOnly("the ledger file is damaged: it ends in its header".into()));
    };
    identify(&name, application, version)
}

fn identify(path: &str, application: i64, version: i64) -> Result<(), Bad> {
    if application != APPLICATION_ID {
        return Err(Bad::Refused(OpenError::Foreign(path.to_owned())));
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(Bad::Refused(OpenError::Newer { path: path.to_owned(), found: version, known }));
    }
    Ok(())
}

/// Opens for writing, with every setting that durability rests on, and brings the schema up to date.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, Bad> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Bad::Refused(OpenError::OldSqlite(rusqlite::version().to_owned())));
    }
    probe(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    #[cfg(feature = "faults")]
    let conn = match crate::faults::vfs() {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    #[cfg(not(feature = "faults"))]
    let conn = Connection::open_with_flags(path, flags)?;
    settings(&conn)?;
    conn.execute_batch("PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA secure_delete = ON;")?;
    let fresh = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))? == 0;
    if !fresh {
        identify(&path.display().to_string(), pragma(&conn, "application_id")?, pragma(&conn, "user_version")?)?;
    }
    #[cfg(feature = "faults")]
    let weakened = crate::faults::settings(&conn, false)?;
    #[cfg(not(feature = "faults"))]
    let weakened = false;
    migrate(&conn, path)?;
    // After `synchronous`: the other way round, the old rollback journal is removed without a directory sync.
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Bad::ViewOnly(format!("the file system gives no write-ahead log (journal mode {mode})")));
    }
    // A bound for when there is no quiet moment; the writer takes its own.
    conn.execute_batch("PRAGMA wal_autocheckpoint = 8000;")?;
    #[cfg(feature = "faults")]
    crate::faults::settings(&conn, true)?;
    if pragma(&conn, "synchronous")? != 3 && !weakened {
        return Err(Bad::ViewOnly("SQLite did not accept synchronous = EXTRA".into()));
    }
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(conn)
}

/// Opens for reading only.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    if conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).is_err() && at_rest(path) {
        conn = Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)?;
    }
    settings(&conn)?;
    conn.execute_batch("PRAGMA query_only = ON;")?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Whether the file is complete without a write-ahead log, in a directory where none can be made: nobody can change it.
fn at_rest(path: &Path) -> bool {
    let directory = path.parent().unwrap_or(path);
    !path.with_extension("sqlite-wal").exists() && rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_err()
}

/// The file as one that never changes, which SQLite reads without a file beside it.
fn immutable(path: &Path) -> String {
    let name = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{name}?immutable=1")
}

pub(crate) fn settings(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(5))?;
    // Otherwise a statement is planned anew for each value bound to it, which costs more than running it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
    )
}

fn pragma(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// Brings the schema up to date: a checked copy first, then one transaction.
fn migrate(conn: &Connection, path: &Path) -> Result<(), Bad> {
    let from = pragma(conn, "user_version")?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if from == known {
        return Ok(());
    }
    if from > 0 {
        let copy = path.with_extension(format!("before-{known}.sqlite"));
        std::fs::remove_file(&copy)
            .or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
            .map_err(|e| Bad::Refused(OpenError::Io { path: copy.display().to_string(), why: e.to_string() }))?;
        conn.execute("VACUUM INTO ?1", [copy.display().to_string()])?;
        let copied = open_reader(&copy)?;
        let verdict: String = copied.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(Bad::ViewOnly(format!("the ledger file is damaged: {verdict}")));
        }
    }
    let steps = MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(usize::MAX));
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let all = steps.map(|sql| conn.execute_batch(sql)).collect::<rusqlite::Result<Vec<()>>>().and_then(|_| {
        point("migrate.written");
        conn.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {known}; COMMIT"))
    });
    if let Err(error) = all {
        conn.execute_batch("ROLLBACK").ok();
        return Err(error.into());
    }
    Ok(())
}

/// The quick check, as SQLite's own words; `ok` is the only good answer.
pub(crate) fn quick_check(conn: &Connection) -> rusqlite::Result<String> {
    conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// Tables, indexes and triggers that are not as the migrations make them, by name.
pub(crate) fn schema_changes(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let own = Connection::open_in_memory()?;
    MIGRATIONS.iter().try_for_each(|sql| own.execute_batch(sql))?;
    let (sound, found) = (schema(&own)?, schema(conn)?);
    let added = found.keys().filter(|name| !sound.contains_key(*name));
    let changed = sound.keys().filter(|name| sound.get(*name) != found.get(*name));
    Ok(changed.chain(added).cloned().collect())
}

/// The SQL of each part; none for the indexes SQLite makes by itself.
fn schema(conn: &Connection) -> rusqlite::Result<BTreeMap<String, Option<String>>> {
    conn.prepare("SELECT type || ' ' || name, sql FROM sqlite_schema")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
