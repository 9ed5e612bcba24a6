//! The way back: a backup takes the place of the ledger, and puts in doubt what may have happened since.

use countersign_core::{Millis, approval::Said, payment::Digest};
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    super::{
        anchor::{self, Anchor, Names},
        chain::MacKey,
        db,
        place::Place,
        setup,
        start::confirmed,
        state,
    },
    BackupError, Checked, Settings,
    check::{Draft, Proved, check, guard, proved, unpacked},
    clear, closed,
    exchange::{DRAFT, Exchange, mend},
    one_file,
};
use crate::keys::Keys;

/// The setting of a ledger that says from which restore it is, and what the ledger before it is called.
const RESTORED: &str = "restored";

/// A data directory that nothing else uses for as long as this lives.
pub struct Held {
    place: Place,
    names: Names,
    keys: Keys,
}

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

impl Held {
    /// Takes the directory. A restore that was interrupted is taken back, or ended if only its end was missing.
    pub fn take(dir: &Path, keys: Keys) -> Result<Self, BackupError> {
        let place = Place::take(dir)?;
        if let Some(why) = &place.loose {
            return Err(BackupError::Failed(why.clone()));
        }
        let names = Names::of(place.dir());
        mend(&place, &names, &keys)?;
        Ok(Self { place, names, keys })
    }

    /// Proves a backup and counts what is in it. Changes nothing.
    pub fn check(&self, file: &Path) -> Result<Checked, BackupError> {
        check(self.place.dir(), &self.keys, file)
    }

    /// Puts the ledger of a backup in the place of the one that is here, which is set aside. It must be whole, and guarded by the key
    /// of this directory. Whatever ends the program, it is all of one or all of the other at the next start.
    ///
    /// `once` names this restore: said again with the same name, nothing is restored a second time.
    pub fn restore(&self, file: &Path, once: Option<&str>, now: Millis) -> Result<Restored, BackupError> {
        let key = guard(&self.keys, &self.names)?;
        let draft = Draft::new(self.place.dir().join(DRAFT))?;
        if let Some(before) = once.and_then(|once| self.done(once)) {
            let (made, settings) = unpacked(file, &draft)?;
            return Ok(Restored { made, settings, before, unread: None });
        }
        let anchored = anchor::read(&self.keys, &self.names)?;
        let (kept, unread) = match kept(&self.place.ledger()) {
            Ok(kept) => (kept, None),
            Err(error) => (Kept::default(), Some(error.to_string())),
        };
        let exchange = Exchange::new(&self.place, &self.names, &self.keys)?;
        let Proved { conn, made, settings, report } = proved(file, &draft, &key)?;
        let remembered = anchored.as_ref().and_then(|anchor| anchor.confirmed);
        doubted(&conn, &key, &kept, remembered, made, now)?;
        if let Some(once) = once {
            let before = exchange.before().and_then(|path| path.file_name()).unwrap_or_default();
            state::set(&conn, RESTORED, Some(format!("{once} {}", before.display()).as_bytes()))?;
        }
        let anchor = Anchor { seq: report.entries, hash: report.head, confirmed: confirmed(&conn)? };
        one_file(&conn)?;
        closed(conn, &draft.0)?;
        // A cache, made anew where it is missing.
        clear(&self.place.dir().join("view.sqlite"))?;
        let before = exchange.make(draft, &anchor, anchored.as_ref())?;
        Ok(Restored { made, settings, before, unread })
    }

    /// Whether the ledger here is from this restore, and if so where the one before it lies, if there was one.
    pub fn done(&self, once: &str) -> Option<Option<PathBuf>> {
        let conn = db::open_reader(&self.place.ledger()).ok()?;
        let text = state::setting_text(&conn, RESTORED).ok()??;
        let (name, before) = text.split_once(' ')?;
        (name == once).then(|| (!before.is_empty()).then(|| self.place.dir().join(before)))
    }
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

/// Puts in doubt what may have changed since the backup, and keeps what must outlive it.
fn doubted(
    conn: &Connection,
    key: &MacKey,
    kept: &Kept,
    remembered: Option<Digest>,
    made: Millis,
    now: Millis,
) -> Result<(), BackupError> {
    if !state::sealed(conn, key)? {
        state::set_doubt(conn, "state_doubt", &Said::DoubtBehind {})?;
    }
    if confirmed(conn)? != remembered {
        // Another policy was confirmed since, maybe a tighter one: a person sees all of this one again.
        for name in ["confirmed_policy", "confirmed_config", "confirmed_config_text"] {
            state::set(conn, name, None)?;
        }
        state::set_doubt(conn, "state_doubt", &Said::DoubtAnchor {})?;
    }
    state::set_doubt(conn, "history_doubt", &Said::DoubtRestored { made: made.rfc3339() })?;
    // What was spent since is not known, and neither is who was revoked or which keys were used.
    let full_until = kept.last.map_or(now.0, |last| last.max(now.0));
    state::set(conn, "full_until", Some(full_until.to_string().as_bytes()))?;
    conn.execute("UPDATE token SET revoked = ?1 WHERE revoked IS NULL", [now.0])?;
    for wallet in &kept.wallets {
        let add = "INSERT INTO wallet (address, kind, label, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        conn.execute(add, wallet.clone())?;
    }
    for (agent, until) in &kept.pauses {
        setup::stop(conn, agent, *until)?;
    }
    state::reseal(conn, key)?;
    Ok(())
}
