//! What the read model may read of the ledger: its chain in order, and payments by number.

use rusqlite::{Connection, OptionalExtension as _};
use std::path::Path;

use super::{db, fold, tx::Stop};
use crate::record::Record;

/// A connection that can only read.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    db::open_reader(path)
}

/// The number of the last entry.
pub(crate) fn last(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM entry")?.query_row([], |row| row.get(0))
}

/// Entries after `seq`, in order, and the payments they belong to.
pub(crate) fn after(conn: &Connection, seq: i64, most: i64) -> rusqlite::Result<Vec<(i64, i64)>> {
    conn.prepare_cached("SELECT seq, payment FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
        .query_map((seq, most), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The hash of an entry.
pub(crate) fn hash_at(conn: &Connection, seq: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.prepare_cached("SELECT hash FROM entry WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).optional()
}

/// The payment with this number.
pub(crate) fn payment(conn: &Connection, n: i64) -> Result<Record, Stop> {
    fold::by_n(conn, n).map(|stored| stored.record)
}
