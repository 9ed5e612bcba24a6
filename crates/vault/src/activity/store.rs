//! The file of the read model: opened if it fits the ledger, made anew if not.

use countersign_core::calendar::Calendar;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use std::path::{Path, PathBuf};

use crate::ledger::reader;

/// Changes with the schema and with what the lines say.
const VERSION: i64 = 2;

fn path(ledger: &Path) -> PathBuf {
    ledger.with_file_name("view.sqlite")
}

/// Throws the read model away.
pub(super) fn forget(ledger: &Path) {
    let path = path(ledger);
    for file in [path.clone(), path.with_extension("sqlite-wal"), path.with_extension("sqlite-shm")] {
        std::fs::remove_file(file).ok();
    }
}

/// The read model of this ledger in this zone; in memory where no file can be written.
pub(super) fn open(ledger: &Path, told: &Connection, calendar: &Calendar) -> rusqlite::Result<Connection> {
    if let Ok(conn) = connect(ledger)
        && fits(&conn, told, calendar).unwrap_or(false)
    {
        return Ok(conn);
    }
    forget(ledger);
    let conn = match connect(ledger) {
        Ok(conn) => conn,
        Err(error) => {
            tracing::warn!(%error, "activity.kept_in_memory");
            Connection::open_in_memory()?
        }
    };
    conn.execute_batch(include_str!("schema.sql"))?;
    conn.pragma_update(None, "user_version", VERSION)?;
    set(&conn, "zone", calendar.name().as_bytes())?;
    set(&conn, "seq", &0i64.to_be_bytes())?;
    set(&conn, "hash", &[])?;
    Ok(conn)
}

fn connect(ledger: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path = path(ledger);
    let conn = Connection::open_with_flags(&path, flags)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).ok();
    }
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

fn fits(conn: &Connection, told: &Connection, calendar: &Calendar) -> rusqlite::Result<bool> {
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != VERSION || get(conn, "zone")?.as_deref() != Some(calendar.name().as_bytes()) {
        return Ok(false);
    }
    let seq = seq(conn)?;
    // Another ledger, or an older copy of this one, has another entry there.
    Ok(seq == 0 || get(conn, "hash")? == reader::hash_at(told, seq)?)
}

pub(super) fn seq(conn: &Connection) -> rusqlite::Result<i64> {
    let bytes = get(conn, "seq")?.unwrap_or_default();
    Ok(bytes.try_into().map_or(0, i64::from_be_bytes))
}

pub(super) fn set(conn: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute((name, value))?;
    Ok(())
}

fn get(conn: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}
