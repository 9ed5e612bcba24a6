//! A copy of the ledger in one file, and the way back. No key of a wallet and no token is ever in it.
//!
//! What comes back is older than what was paid since: every token is revoked, every budget counts as used up until a person
//! confirms the history, and those that run now stay so until their windows begin anew.

use countersign_core::{Millis, approval::Said, payment::Digest};
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
    anchor::{self, Anchor, Names},
    chain::MacKey,
    db::{self, Bad},
    place::{Place, make_file},
    setup,
    start::confirmed,
    state,
    tx::Stop,
    verify,
};
use crate::{
    error::OpenError,
    keys::{Keys, KeysError},
};

/// The name under which a backup keeps when it was made; no file of the settings is called so.
const MADE: &str = "made at";
/// Where a restored ledger is put together.
const DRAFT: &str = "ledger.restoring.sqlite";

/// What SQLite puts beside a database, and that itself.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ""];

/// Why there is no backup, or why it was not restored. Nothing was changed, unless it says where the ledger lies now.
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
            Bad::ViewOnly(why) => Self::Damaged(why),
            Bad::Storage(why) => Self::Failed(why),
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
    /// Why nothing of that one could be kept: wallets made after the backup are not listed then.
    pub unread: Option<String>,
}

/// Writes the ledger of `dir`, as of one moment and also while it is in use, and `settings` into a new file for this user alone.
/// Answers that are kept for a time only are left out.
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
    // What is kept for a time only must not outlive it here.
    copy.execute_batch("PRAGMA secure_delete = ON; DELETE FROM detail WHERE until IS NOT NULL")?;
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
pub fn restore(dir: &Path, file: &Path, keys: &Keys, now: Millis) -> Result<Restored, BackupError> {
    let place = Place::take(dir)?;
    if let Some(why) = &place.loose {
        return Err(BackupError::Failed(why.clone()));
    }
    let names = Names::of(place.dir());
    let key = keys.secret(&names.key)?.and_then(|secret| MacKey::new(secret.expose()));
    let key = key.ok_or(BackupError::OtherKeyStore)?;
    let anchored = anchor::read(keys, &names)?;
    let (kept, unread) = match kept(&place.ledger()) {
        Ok(kept) => (kept, None),
        Err(error) => (Kept::default(), Some(error.to_string())),
    };
    let draft = place.dir().join(DRAFT);
    clear(&draft)?;
    make_file(&draft)?;
    let restored = (|| {
        let (made, settings) = unpacked(file, &draft)?;
        let confirmed = anchored.as_ref().and_then(|anchor| anchor.confirmed);
        let anchor = guarded(&draft, &key, &kept, confirmed, made, now)?;
        // A cache, made anew where it is missing.
        clear(&place.dir().join("view.sqlite"))?;
        let remember = |anchor: Option<&Anchor>| match anchor {
            Some(anchor) => anchor::write(keys, &names, anchor),
            None => keys.delete(&names.anchor),
        };
        let before = exchange(&place, &draft, || remember(Some(&anchor)), || remember(anchored.as_ref()))?;
        Ok(Restored { made, settings, before, unread })
    })();
    clear(&draft).ok();
    restored
}

/// What of the ledger that is here outlives it: its wallets, whose keys are kept elsewhere, and who is stopped.
#[derive(Default)]
struct Kept {
    wallets: Vec<(String, String, String, i64)>,
    pauses: Vec<(String, Option<i64>)>,
    /// When the last payment was made.
    last: Option<i64>,
}

fn kept(ledger: &Path) -> rusqlite::Result<Kept> {
    if fs::metadata(ledger).map_or(true, |meta| meta.len() == 0) {
        return Ok(Kept::default());
    }
    let conn = db::open_reader(ledger)?;
    let wallets = conn
        .prepare("SELECT address, kind, label, created FROM wallet")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let pauses = conn
        .prepare("SELECT agent, until FROM pause")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let last = conn.query_row("SELECT max(at) FROM payment", [], |row| row.get(0))?;
    Ok(Kept { wallets, pauses, last })
}

/// Copies the backup, and takes out what is not of the ledger.
fn unpacked(file: &Path, draft: &Path) -> Result<(Millis, Settings), BackupError> {
    let not_one = || BackupError::NotABackup(file.display().to_string());
    fs::File::open(file)?;
    db::probe(file).map_err(|bad| match bad {
        Bad::Refused(error) => error.into(),
        Bad::ViewOnly(_) | Bad::Storage(_) => not_one(),
    })?;
    let draft = copied(&db::open_reader(file)?, draft)?;
    let tables: i64 =
        draft.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'backup'", [], |row| row.get(0))?;
    if tables == 0 {
        return Err(not_one());
    }
    let mut settings = draft
        .prepare("SELECT name, body FROM backup")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Settings>>()?;
    let made = settings.iter().position(|(name, _)| name == MADE).map(|at| settings.swap_remove(at).1);
    let made = made.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).ok_or_else(not_one)?;
    draft.execute_batch("DROP TABLE backup")?;
    draft.close().map_err(|(_, error)| error)?;
    Ok((Millis(made), settings))
}

/// Brings the schema up to date, checks everything under the key of this place, and puts in doubt what may have changed since.
/// Tells what the key store must remember of it.
fn guarded(
    draft: &Path,
    key: &MacKey,
    kept: &Kept,
    remembered: Option<Digest>,
    made: Millis,
    now: Millis,
) -> Result<Anchor, BackupError> {
    let conn = db::open_writer(draft)?;
    let report = verify::whole(&conn, key)?;
    if let Some(fault) = report.faults.into_iter().next() {
        return Err(BackupError::Damaged(fault));
    }
    if !state::sealed(&conn, key)? {
        state::set_doubt(&conn, "state_doubt", &Said::DoubtBehind {})?;
    }
    if confirmed(&conn)? != remembered {
        // Another policy was confirmed since, maybe a tighter one: a person sees all of this one again.
        for name in ["confirmed_policy", "confirmed_config", "confirmed_config_text"] {
            state::set(&conn, name, None)?;
        }
        state::set_doubt(&conn, "state_doubt", &Said::DoubtAnchor {})?;
    }
    state::set_doubt(&conn, "history_doubt", &Said::DoubtRestored { made: made.rfc3339() })?;
    // What was spent since is not known, and neither is who was revoked or which keys were used.
    let full_until = kept.last.map_or(now.0, |last| last.max(now.0));
    state::set(&conn, "full_until", Some(full_until.to_string().as_bytes()))?;
    conn.execute("UPDATE token SET revoked = ?1 WHERE revoked IS NULL", [now.0])?;
    for wallet in &kept.wallets {
        let add = "INSERT INTO wallet (address, kind, label, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        conn.execute(add, wallet.clone())?;
    }
    for (agent, until) in &kept.pauses {
        setup::stop(&conn, agent, *until)?;
    }
    state::reseal(&conn, key)?;
    let anchor = Anchor { seq: report.entries, hash: report.head, confirmed: confirmed(&conn)? };
    one_file(&conn)?;
    closed(conn, draft)?;
    Ok(anchor)
}

/// Sets the ledger aside, has the key store remember the draft and puts that in its place: all of it, or all back.
fn exchange(
    place: &Place,
    draft: &Path,
    remember: impl FnOnce() -> Result<(), KeysError>,
    take_back: impl FnOnce() -> Result<(), KeysError>,
) -> Result<Option<PathBuf>, BackupError> {
    let ledger = place.ledger();
    let free = (1..1000u32).map(|n| ledger.with_extension(format!("before-restore-{n}.sqlite")));
    let aside = free.into_iter().find(|path| fs::symlink_metadata(path).is_err());
    let aside = aside.ok_or_else(|| BackupError::Failed("too many ledgers were set aside".into()))?;
    let sync = || fs::File::open(place.dir()).and_then(|dir| dir.sync_all());
    let told = |why: &BackupError, error: &dyn std::fmt::Display| {
        BackupError::Failed(format!("{why}; the ledger that was here lies at {}: {error}", aside.display()))
    };
    let set_aside = moved(&ledger, &aside).and_then(|()| sync()).map_err(BackupError::from);
    let remembered = set_aside.and_then(|()| Ok(remember()?));
    let placed = remembered.and_then(|()| {
        fs::rename(draft, &ledger).map_err(|error| match take_back() {
            Ok(()) => error.into(),
            Err(left) => BackupError::Failed(format!("{error}; the key store remembers the backup: {left}")),
        })
    });
    if let Err(why) = placed {
        moved(&aside, &ledger).and_then(|()| sync()).map_err(|error| told(&why, &error))?;
        return Err(why);
    }
    sync().map_err(|error| told(&BackupError::Failed("the backup is in its place".into()), &error))?;
    Ok(fs::symlink_metadata(&aside).is_ok().then_some(aside))
}

/// Moves a database with what belongs to it, itself last: a log that stayed would be taken for the next one's.
fn moved(from: &Path, to: &Path) -> std::io::Result<()> {
    for end in BESIDE {
        if fs::symlink_metadata(with_end(from, end)).is_ok() {
            fs::rename(with_end(from, end), with_end(to, end))?;
        }
    }
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
