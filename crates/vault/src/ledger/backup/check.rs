//! What a file is before anything is restored from it: a whole backup of this place, proved under its key, and what it knows and does
//! not know. The file is copied first, so that what was checked is what is used.

use countersign_core::Millis;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, copy},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    super::{
        anchor::Names,
        chain::MacKey,
        db::{self, Bad},
        place::{free_bytes, make_file, no_follow},
        verify,
    },
    BackupError, MADE, Settings, TABLE, clear, closed, one_file,
};
use crate::{config::VerifyReport, error::OpenError, keys::Keys};

/// Where a backup is looked at.
pub(super) const CHECKING: &str = "ledger.checking.sqlite";
/// Files of settings that are larger in all are none of ours.
const MOST_SETTINGS: i64 = 16 << 20;
/// What stays free beside it.
const SPARE: u64 = 16 << 20;

/// What a backup holds, once it was proved to be a whole one of this place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// When it was made.
    pub made: Millis,
    /// The payments it knows.
    pub payments: u64,
    /// When the last one of them was made.
    pub last: Option<Millis>,
    /// The agents it knows that were not revoked then.
    pub agents: Vec<String>,
    /// Payments of the ledger here that it does not know; none where that one cannot be read.
    pub lost: Option<u64>,
}

/// Proves a backup for the data directory `dir` and counts what is in it. Changes nothing, also while the ledger is in use; one at a
/// time.
pub(crate) fn check(dir: &Path, keys: &Keys, file: &Path) -> Result<Checked, BackupError> {
    let key = guard(keys, &Names::of(dir))?;
    let draft = Draft::new(dir.join(CHECKING))?;
    let Proved { conn, made, report, .. } = proved(file, &draft, &key)?;
    let last = conn.query_row("SELECT max(at) FROM payment", [], |row| row.get::<_, Option<i64>>(0))?.map(Millis);
    let agents = conn
        .prepare("SELECT name FROM agent WHERE revoked IS NULL ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    one_file(&conn)?;
    closed(conn, &draft.0)?;
    let lost = lost(&dir.join("ledger.sqlite"), &draft.0).ok();
    Ok(Checked { made, payments: u64::try_from(report.payments).unwrap_or(0), last, agents, lost })
}

/// How many payments of the ledger a backup does not know.
fn lost(ledger: &Path, draft: &Path) -> rusqlite::Result<u64> {
    if fs::metadata(ledger).map_or(true, |meta| meta.len() == 0) {
        return Err(rusqlite::Error::InvalidQuery);
    }
    let conn = db::open_reader(ledger)?;
    conn.execute("ATTACH DATABASE ?1 AS backup", [draft.display().to_string()])?;
    let count =
        "SELECT count(*) FROM main.payment p WHERE NOT EXISTS (SELECT 1 FROM backup.payment b WHERE b.id = p.id)";
    conn.query_row(count, [], |row| row.get::<_, i64>(0)).map(|n| u64::try_from(n).unwrap_or(0))
}

/// The key that guards the ledger of this place.
pub(super) fn guard(keys: &Keys, names: &Names) -> Result<MacKey, BackupError> {
    let key = keys.secret(&names.key)?.and_then(|secret| MacKey::new(secret.expose()));
    key.ok_or(BackupError::OtherKeyStore)
}

/// A database of ours that is gone with this value, unless it was moved away.
pub(super) struct Draft(pub PathBuf);

impl Draft {
    pub fn new(file: PathBuf) -> Result<Self, BackupError> {
        clear(&file)?;
        Ok(Self(file))
    }

    /// The file, which stays from here on.
    pub fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            clear(&self.0).ok();
        }
    }
}

/// A copy of a backup that is whole and guarded by our key, open, with a schema of today.
pub(super) struct Proved {
    pub conn: Connection,
    pub made: Millis,
    pub settings: Settings,
    pub report: VerifyReport,
}

pub(super) fn proved(file: &Path, draft: &Draft, key: &MacKey) -> Result<Proved, BackupError> {
    let (made, settings) = unpacked(file, draft)?;
    let conn = db::open_writer(&draft.0)?;
    let report = verify::whole(&conn, key)?;
    if let Some(fault) = report.faults.first() {
        let fault = if ours(&conn, key)? { BackupError::Damaged(fault.clone()) } else { BackupError::OtherLedger };
        return Err(fault);
    }
    Ok(Proved { conn, made, settings, report })
}

/// Whether the first policy was written under our key: every ledger has one, from its first moment.
fn ours(conn: &Connection, key: &MacKey) -> Result<bool, BackupError> {
    let sql = "SELECT v, toml, hash, at, by, mac FROM policy_version ORDER BY v LIMIT 1";
    let first = conn.query_row(sql, [], |row| {
        let (v, toml, hash, at, by): (i64, String, [u8; 32], i64, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        let parts: [&[u8]; 5] = [&v.to_be_bytes(), toml.as_bytes(), &hash, &at.to_be_bytes(), by.as_bytes()];
        Ok(key.matches("policy", &parts, &row.get::<_, Vec<u8>>(5)?))
    });
    Ok(first.optional()?.unwrap_or(false))
}

/// Copies the backup, and takes out what is not of the ledger.
pub(super) fn unpacked(file: &Path, draft: &Draft) -> Result<(Millis, Settings), BackupError> {
    let not_one = || BackupError::NotABackup(file.display().to_string());
    take_in(file, &draft.0)?;
    db::probe(&draft.0).map_err(|bad| match bad {
        Bad::Refused(OpenError::Newer { found, known, .. }) => {
            OpenError::Newer { path: file.display().to_string(), found, known }.into()
        }
        _ => not_one(),
    })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(&draft.0, flags)?;
    db::settings(&conn)?;
    // Nothing but the very table: a view of that name could be anything.
    let sql = "SELECT sql FROM sqlite_schema WHERE name = 'backup'";
    let table: Option<String> = conn.query_row(sql, [], |row| row.get(0)).optional()?;
    if table.as_deref() != Some(TABLE) {
        return Err(not_one());
    }
    let size: i64 = conn.query_row("SELECT coalesce(sum(length(body)), 0) FROM backup", [], |row| row.get(0))?;
    if size > MOST_SETTINGS {
        return Err(BackupError::Damaged("its settings are too large".into()));
    }
    let mut settings = conn
        .prepare("SELECT name, body FROM backup")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Settings>>()?;
    let made = settings.iter().position(|(name, _)| name == MADE).map(|at| settings.swap_remove(at).1);
    let made = made.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).ok_or_else(not_one)?;
    conn.execute_batch("DROP TABLE backup")?;
    conn.close().map_err(|(_, error)| error)?;
    Ok((Millis(made), settings))
}

/// Copies a file that may be a backup into a new one for this user alone: no link, no device, and not more than there is room for.
pub fn take_in(file: &Path, to: &Path) -> Result<(), BackupError> {
    let told = |error: std::io::Error| BackupError::Failed(format!("{}: {error}", file.display()));
    // A pipe must not be waited for.
    let flags = no_follow() | i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let from = OpenOptions::new().read(true).custom_flags(flags).open(file).map_err(|error| {
        let link = fs::symlink_metadata(file).is_ok_and(|meta| meta.is_symlink());
        if link { BackupError::NotPlain(file.display().to_string()) } else { told(error) }
    })?;
    let meta = from.metadata().map_err(told)?;
    if !meta.is_file() {
        return Err(BackupError::NotPlain(file.display().to_string()));
    }
    if meta.len() == 0 {
        return Err(BackupError::NotABackup(file.display().to_string()));
    }
    // Twice: it is put together beside itself where its schema is an older one.
    let needs = meta.len().saturating_mul(2).saturating_add(SPARE);
    if free_bytes(to.parent().unwrap_or(to)).is_some_and(|free| free < needs) {
        return Err(BackupError::Large(needs));
    }
    make_file(to)?;
    let mut into = File::options().write(true).open(to)?;
    copy(&mut from.take(meta.len()), &mut into).map_err(told)?;
    into.sync_all()?;
    Ok(())
}
