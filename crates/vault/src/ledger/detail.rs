//! What a person may want forgotten: kept beside the chain, which holds only a salted digest of each body.

use countersign_core::{Millis, payment::Digest};
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    body::Body,
    tx::{Stop, Tx},
};
use crate::error::VaultError;

impl Tx<'_> {
    /// Keeps a body under `kind`, replacing an older one, and names its digest in the entry to be written.
    pub fn keep(
        &self,
        payment: i64,
        entry: &mut Body,
        kind: &str,
        body: &[u8],
        until: Option<Millis>,
    ) -> Result<(), Stop> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|e| VaultError::Storage(format!("no random bytes: {e}")))?;
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO detail (payment, kind, salt, body, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((payment, kind, salt, body, until.map(|m| m.0)))?;
        entry.detail.insert(kind.to_owned(), digest(&salt, body));
        Ok(())
    }
}

/// What the chain says of a body.
pub(crate) fn digest(salt: &[u8], body: &[u8]) -> Digest {
    Digest::of(&[b"countersign detail 1", salt, body])
}

/// A kept body, unless it was forgotten.
pub(crate) fn read(conn: &Connection, payment: i64, kind: &str) -> Result<Option<Vec<u8>>, Stop> {
    let body = conn
        .prepare_cached("SELECT body FROM detail WHERE payment = ?1 AND kind = ?2")?
        .query_row((payment, kind), |row| row.get(0))
        .optional()?;
    Ok(body)
}

/// A kept text.
pub(crate) fn text(conn: &Connection, payment: i64, kind: &str) -> Result<Option<String>, Stop> {
    Ok(read(conn, payment, kind)?.map(|body| String::from_utf8_lossy(&body).into_owned()))
}

/// Forgets every body whose time is over; answers how many. Each row's own time is looked at, whatever a damaged index says.
pub(crate) fn forget_old(conn: &Connection, now: Millis) -> Result<usize, Stop> {
    let over = "DELETE FROM detail WHERE rowid IN (SELECT rowid FROM detail WHERE until IS NOT NULL AND until <= ?1) AND +until <= ?1";
    Ok(conn.prepare_cached(over)?.execute([now.0])?)
}

/// Brings the end of every body that has one forward, and to `latest` at most; forgets what is over then.
pub(crate) fn keep_shorter(tx: &mut Tx<'_>, earlier: i64, latest: Millis) -> Result<(), Stop> {
    let sooner = "UPDATE detail SET until = min(until - ?1, ?2) WHERE until IS NOT NULL";
    tx.conn.execute(sooner, (earlier, latest.0))?;
    forget_old(tx.conn, tx.now.seen.wall)?;
    Ok(())
}
