//! Looks at a disk the power left: with SQL of its own at every one, and through a whole restart of the vault at some.

use countersign_vault::{
    Admitted, Health,
    keys::{KeyStore as _, Secret},
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::image::Image;
use crate::support::{Home, wait};

/// What a caller was handed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Handed {
    pub key: String,
    pub units: String,
    pub digest: Vec<u8>,
    pub signature: Vec<u8>,
    /// The anchor in the key store at that moment.
    pub anchor: Vec<u8>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Tally {
    /// Disks looked at.
    pub images: usize,
    /// Disks that lacked something that was done.
    pub unsynced: usize,
    /// Disks a vault was opened on.
    pub opened: usize,
    /// Signatures made again and compared.
    pub rederived: usize,
    /// Pairs of a disk and a payment that was handed out and is not on it.
    pub lost: usize,
    /// Disks that are no sound database.
    pub damaged: usize,
    /// Disks whose holds are over the cap.
    pub over: usize,
    /// The first thing that was wrong.
    pub first: Option<String>,
}

/// The eyes.
pub struct Audit<'a> {
    home: &'a Home,
    cap: u128,
    handed: Vec<Handed>,
    dir: tempfile::TempDir,
    pub tally: Tally,
}

impl<'a> Audit<'a> {
    pub fn new(home: &'a Home, cap: u128) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { home, cap, handed: Vec::new(), dir, tally: Tally::default() }
    }

    /// From here on this must be on every disk.
    pub fn handed(&mut self, what: &str) {
        self.handed.push(serde_json::from_str(what).unwrap());
    }

    /// Looks at one disk.
    pub fn look(&mut self, image: &Image, whole: bool) {
        self.tally.images += 1;
        self.tally.unsynced += usize::from(image.unsynced);
        lay(image, self.dir.path());
        let seen = read(&self.dir.path().join("ledger.sqlite"));
        match seen {
            Err(why) => self.wrong(|tally| tally.damaged += 1, format!("damaged: {why}")),
            Ok((forms, held)) => {
                for handed in self.handed.clone() {
                    if forms.get(&handed.key) != Some(&handed.digest) {
                        self.wrong(|tally| tally.lost += 1, format!("{} is lost", handed.key));
                    }
                }
                if held > self.cap {
                    self.wrong(|tally| tally.over += 1, format!("{held} held"));
                }
            }
        }
        if whole {
            lay(image, &self.home.path());
            self.restart();
        }
    }

    /// A restart after the power came back: the anchor is the one of the last payment, the clock stood still.
    fn restart(&mut self) {
        self.tally.opened += 1;
        let name = self.home.store.names().into_iter().find(|name| name.starts_with("anchor:")).unwrap();
        let anchor = self.handed.last().map(|handed| handed.anchor.clone()).unwrap_or_default();
        self.home.store.set(&name, &Secret::new(anchor)).unwrap();
        let vault = self.home.open();
        if vault.health() != Health::Ok || vault.doubts().history.is_some() {
            return self.wrong(|tally| tally.damaged += 1, format!("{:?} {:?}", vault.health(), vault.doubts()));
        }
        let shop = self.home.shop(vault, &[]);
        for fault in shop.faults() {
            self.wrong(|tally| tally.damaged += 1, fault);
        }
        for handed in self.handed.clone() {
            let purchase = shop.purchase("a", &handed.key, &handed.units);
            let Ok(Admitted::Same(record)) = wait(shop.vault.admit(purchase)) else {
                self.wrong(|tally| tally.lost += 1, format!("{} is unknown", handed.key));
                continue;
            };
            let again = wait(shop.vault.sign_again(&record.id)).unwrap();
            self.tally.rederived += 1;
            if again.is_none_or(|again| again.forms()[0].1 != handed.signature) {
                self.wrong(|tally| tally.lost += 1, format!("{} has another signature", handed.key));
            }
        }
    }

    fn wrong(&mut self, count: impl FnOnce(&mut Tally), what: String) {
        count(&mut self.tally);
        self.tally.first.get_or_insert(what);
    }
}

/// Puts the files of a disk where the ledger's files lie.
fn lay(image: &Image, dir: &Path) {
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal"] {
        fs::remove_file(dir.join(name)).ok();
    }
    for (name, bytes) in &image.files {
        let file: PathBuf = dir.join(Path::new(name).file_name().unwrap());
        fs::write(&file, bytes).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
}

type Forms = BTreeMap<String, Vec<u8>>;

/// Every stored form's digest by key, and what is held; an error is a database that is not sound.
fn read(path: &Path) -> Result<(Forms, u128), String> {
    if fs::metadata(path).map_or(0, |meta| meta.len()) == 0 && !path.with_extension("sqlite-wal").exists() {
        return Ok(Default::default());
    }
    let said = |error: rusqlite::Error| error.to_string();
    let conn = Connection::open(path).map_err(said)?;
    conn.execute_batch("PRAGMA synchronous = OFF").map_err(said)?;
    let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(said)?;
    if verdict != "ok" {
        return Err(verdict);
    }
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name IN ('payment', 'entry')", [], |row| row.get(0))
        .map_err(said)?;
    if tables == 0 {
        return Ok(Default::default());
    }
    let broken: i64 = conn
        .query_row(
            "SELECT count(*) FROM entry e WHERE e.seq > 1 AND e.prev IS NOT (SELECT hash FROM entry WHERE seq = e.seq - 1)",
            [],
            |row| row.get(0),
        )
        .map_err(said)?;
    if broken > 0 {
        return Err(format!("{broken} entries follow nothing"));
    }
    let mut statement =
        conn.prepare("SELECT p.idem, s.digest FROM payment p JOIN signable s ON s.payment = p.n").map_err(said)?;
    let forms = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(said)?;
    let forms = forms.collect::<Result<Forms, _>>().map_err(said)?;
    let mut statement =
        conn.prepare("SELECT amount FROM hold WHERE payment NOT IN (SELECT payment FROM freed)").map_err(said)?;
    let held = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).map_err(said)?;
    let held = held.map(|amount| amount.map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))));
    let held = held.sum::<Result<u128, _>>().map_err(said)?;
    Ok((forms, held))
}
