//! The Settings page's room: the one configuration file as controls, what the program found out about itself, and a report of it.
//!
//! The file is checked whole before it is written and keeps its comments. What could loosen a verdict passes the owner check and
//! the window that asks, as on the Limits page; so does restoring a backup, which the next start carries out. How long answers are
//! kept and when wallets lock counts at once, all else from the next start on.

mod autostart;
mod changed;
mod doctor;
mod edit;
mod restore;
#[cfg(test)]
mod tests;
mod view;

pub use autostart::set as start_at_login;
pub use doctor::hears_keys;
pub use edit::SettingsEdit;
pub use view::{Finding, RestoredView, SettingsSaved, SettingsView};

use anyhow::Context as _;
use countersign_core::{Millis, approval::Said, payment::Digest};
use countersign_desk::{
    Desk,
    approver::{Approver, Change},
};
use countersign_vault::Clock;
use std::{
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::limits::{
    LimitsError,
    owner::{OwnerCheck, WAIT_MS},
};
use crate::{app::Place, backup::staged, config::Config};
use view::{NodesView, RateView};

/// How long the person has in the window that asks.
const PATIENCE: Duration = Duration::from_secs(120);
/// Public nodes that their networks' makers name; used only where the person says so.
const OFFERED: &[(u64, &str)] = &[
    (1, "https://ethereum-rpc.publicnode.com"),
    (137, "https://polygon-rpc.com"),
    (8453, "https://mainnet.base.org"),
    (42161, "https://arb1.arbitrum.io/rpc"),
    (42220, "https://forno.celo.org"),
    (43114, "https://api.avax.network/ext/bc/C/rpc"),
    (84532, "https://sepolia.base.org"),
    (421_614, "https://sepolia-rollup.arbitrum.io/rpc"),
];

type Told<T> = Result<T, LimitsError>;

/// Everything the page can ask for.
pub struct Room {
    place: Place,
    /// What is in force.
    running: Mutex<Config>,
    approver: Arc<dyn Approver>,
    owner: OwnerCheck<Waiting>,
    /// One backup is looked at at a time.
    looking: tokio::sync::Mutex<()>,
}

/// What waits for its owner.
enum Waiting {
    /// A text, and the one it was made of.
    Text { base: Digest, text: String, lines: Vec<Said> },
    /// The copy of a backup, and what was told of it.
    Restore { copy: staged::Copy, lines: Vec<Said> },
}

/// What was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// It stands in the file.
    Saved,
    /// The program has to start again, which restores the backup.
    Again,
}

impl Room {
    /// A room over the file of this place, of a program that runs with `running`.
    pub fn new(place: Place, running: Config, approver: Arc<dyn Approver>, clock: Arc<dyn Clock>) -> Self {
        let (owner, looking) = (OwnerCheck::new(clock), tokio::sync::Mutex::default());
        Self { place, running: Mutex::new(running), approver, owner, looking }
    }

    /// The page as the file stands.
    pub fn view(&self) -> Told<SettingsView> {
        let text = self.text()?;
        let config = Config::parse(&text).map_err(failed)?;
        let registry = config.registry().map_err(failed)?;
        let nodes = registry.chains().filter_map(|chain| {
            let urls = config.chains.get(chain.network.as_str()).map(|entry| entry.rpc.clone()).unwrap_or_default();
            let offered = OFFERED.iter().find(|(id, _)| chain.network.chain_id() == Some(*id));
            let offered = offered.map(|(_, url)| (*url).to_owned()).filter(|url| !urls.contains(url));
            (!urls.is_empty() || offered.is_some()).then(|| NodesView {
                network: chain.network.to_string(),
                name: countersign_core::text::clean(&chain.name),
                testnet: chain.testnet,
                urls,
                offered,
            })
        });
        let rate = |(currency, rate): (&String, &String)| RateView { currency: currency.clone(), rate: rate.clone() };
        Ok(SettingsView {
            base: digest(&text).to_string(),
            file: self.place.config.display().to_string(),
            restart: config != self.running(),
            port: u32::from(config.server.port),
            port_open: config.server.enabled,
            timeout: u32::try_from(config.approval.timeout_seconds).unwrap_or(u32::MAX),
            keep_hours: config.fetch.keep_hours,
            lock_after: config.keys.lock_after_minutes,
            rates: config.currency.rates.iter().map(rate).collect(),
            nodes: nodes.collect(),
            reference: config.currency.reference,
            test_seller: config.test.seller,
            autostart: autostart::is_on(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            licence: env!("CARGO_PKG_LICENSE").to_owned(),
            dir: self.place.dir.display().to_string(),
            logs: crate::log::folder(&self.place).display().to_string(),
            restored: staged::outcome(&self.place).map(|told| RestoredView { whole: told.whole, lines: told.lines }),
            shortcuts: doctor::hears_keys(),
        })
    }

    /// Writes a change that loosens nothing; lets one that could wait for its owner. `base` names the text the page showed.
    pub fn save(&self, edit: &SettingsEdit, base: &str) -> Told<SettingsSaved> {
        let text = self.text()?;
        if digest(&text).to_string() != base {
            return Err(LimitsError::Changed);
        }
        if matches!(edit, SettingsEdit::Port { port: 0 }) {
            return Err(LimitsError::Port);
        }
        let made = edit.made_in(&text).map_err(failed)?;
        let (old, new) = (Config::parse(&text).map_err(failed)?, Config::parse(&made).map_err(failed)?);
        if old == new {
            return Ok(SettingsSaved::Same);
        }
        if old.loosening() == new.loosening() {
            self.write(&made).map_err(failed)?;
            return Ok(SettingsSaved::Saved);
        }
        let lines = changed::changed(&old, &new);
        let words = edit.words();
        let id = super::doubts::id().ok_or(LimitsError::Over)?;
        self.owner.begin(&id, Waiting::Text { base: digest(&text), text: made, lines: lines.clone() }, &words);
        Ok(SettingsSaved::Owner { id, lines, words, wait_seconds: wait_seconds() })
    }

    /// What a change that counts at once says is in force from here on.
    pub fn is_in_force(&self, edit: &SettingsEdit) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match edit {
            SettingsEdit::KeepHours { hours } => running.fetch.keep_hours = *hours,
            SettingsEdit::LockAfter { minutes } => running.keys.lock_after_minutes = *minutes,
            _ => {}
        }
    }

    fn running(&self) -> Config {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Carries out what waits, once its words were typed, the wait is over and the person said yes in the window that asks.
    pub async fn confirm(&self, id: &str, typed: &str) -> Told<Confirmed> {
        let waiting = self.owner.answer(id, typed)?;
        let restores = matches!(waiting, Waiting::Restore { .. });
        let (title, lines) = match &waiting {
            Waiting::Text { lines, .. } => (Said::AskSettings {}, lines.clone()),
            Waiting::Restore { lines, .. } => (Said::AskRestore {}, lines.clone()),
        };
        let change = Change { id: id.to_owned(), title, lines };
        let ended = match tokio::time::timeout(PATIENCE, self.approver.confirm(change)).await {
            Ok(true) => self.carry_out(waiting),
            Ok(false) => Err(LimitsError::Declined),
            Err(_) => Err(LimitsError::Unanswered),
        };
        // Another copy may be looked at while a setting is asked about.
        if restores && ended.is_err() {
            staged::forget(&self.place);
        }
        ended
    }

    fn carry_out(&self, waiting: Waiting) -> Told<Confirmed> {
        match waiting {
            Waiting::Text { base, text, .. } if digest(&self.text()?) == base => {
                self.write(&text).map_err(failed)?;
                Ok(Confirmed::Saved)
            }
            Waiting::Text { .. } => Err(LimitsError::Changed),
            Waiting::Restore { copy, .. } => {
                staged::ask(&self.place, &copy).map_err(failed)?;
                Ok(Confirmed::Again)
            }
        }
    }

    /// What waits is dropped.
    pub fn cancel(&self) {
        self.owner.cancel();
        staged::forget(&self.place);
    }

    /// Starts with the session, or no more.
    pub fn autostart(&self, on: bool) -> Told<()> {
        autostart::set(on).map_err(failed)
    }

    /// What was found out.
    pub fn findings(&self, desk: &Desk, address: Option<&str>) -> Vec<Finding> {
        doctor::findings(desk, &self.running(), &self.place.dir, address)
    }

    /// Writes the report among the person's downloads, and says where.
    pub fn report(&self, desk: &Desk, address: Option<&str>, downloads: &Path) -> anyhow::Result<String> {
        let report = doctor::report(&self.findings(desk, address), &self.running());
        let (path, mut file) = super::activity::fresh_file(downloads, "countersign-report", "json")?;
        file.write_all(serde_json::to_string_pretty(&report)?.as_bytes())?;
        Ok(path.display().to_string())
    }

    /// Opens the folder of the logs for the person.
    pub fn open_logs(&self) -> Told<()> {
        crate::opener::folder(&crate::log::folder(&self.place)).map_err(|error| failed(error.into()))
    }

    /// Writes ledger and settings into a new file among the person's downloads, and says where.
    pub fn backup(&self, now: Millis, downloads: &Path) -> anyhow::Result<String> {
        let today: String = now.rfc3339().chars().take(10).collect();
        for number in 1..100u32 {
            let number = if number == 1 { String::new() } else { format!("-{number}") };
            let path = downloads.join(format!("countersign-backup-{today}{number}.sqlite"));
            if std::fs::symlink_metadata(&path).is_err() {
                crate::backup::make(&self.place, &path, now)?;
                return Ok(path.display().to_string());
            }
        }
        anyhow::bail!("{} is full of backups of today", downloads.display())
    }

    fn text(&self) -> Told<String> {
        match std::fs::read_to_string(&self.place.config) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(LimitsError::Failed { text: error.to_string() }),
        }
    }

    /// Puts the text in the file's place, whole or not at all; a link is followed.
    fn write(&self, text: &str) -> anyhow::Result<()> {
        let file = self.place.config.canonicalize().unwrap_or_else(|_| self.place.config.clone());
        let dir = file.parent().context("the configuration file lies nowhere")?;
        let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
        fresh.write_all(text.as_bytes())?;
        fresh.as_file().sync_all()?;
        if let Ok(meta) = std::fs::metadata(&file) {
            std::fs::set_permissions(fresh.path(), meta.permissions())?;
        }
        fresh.persist(&file)?;
        Ok(())
    }
}

fn wait_seconds() -> u32 {
    u32::try_from(WAIT_MS.div_euclid(1000)).unwrap_or_default()
}

fn digest(text: &str) -> Digest {
    Digest::of(&[b"countersign settings 1", text.as_bytes()])
}

fn failed(error: anyhow::Error) -> LimitsError {
    LimitsError::Failed { text: format!("{error:#}") }
}
