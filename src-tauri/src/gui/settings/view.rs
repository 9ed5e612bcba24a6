//! What the Settings page gets: the configuration file as controls, and what this program found out about its surroundings.

use countersign_core::approval::Said;
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// The Settings page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct SettingsView {
    /// Names the text that the page shows.
    pub base: String,
    /// Where the file is.
    pub file: String,
    /// What it says is in force only after a restart.
    pub restart: bool,
    pub port: u32,
    pub port_open: bool,
    pub timeout: u32,
    /// How long answers are kept, in hours.
    pub keep_hours: u32,
    /// After how many minutes without use wallets lock; 0 if never.
    pub lock_after: u32,
    pub reference: String,
    pub rates: Vec<RateView>,
    pub nodes: Vec<NodesView>,
    pub test_seller: Option<String>,
    /// None where it cannot be found out.
    pub autostart: Option<bool>,
    pub version: String,
    pub licence: String,
    /// Where everything of this Countersign lies.
    pub dir: String,
    /// Where its logs lie.
    pub logs: String,
    /// What came of a restore, until it was seen.
    pub restored: Option<RestoredView>,
    /// Whether a combination of keys can raise a question on this display.
    pub shortcuts: bool,
}

/// What came of restoring a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct RestoredView {
    /// Whether all of it was restored.
    pub whole: bool,
    #[cfg_attr(test, ts(type = "Array<Said>"))]
    pub lines: Vec<Said>,
}

/// What one unit of a currency is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct RateView {
    pub currency: String,
    pub rate: String,
}

/// The nodes of one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct NodesView {
    pub network: String,
    pub name: String,
    pub testnet: bool,
    pub urls: Vec<String>,
    /// A public one that could be used.
    pub offered: Option<String>,
}

/// How a change went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum SettingsSaved {
    /// Nothing changed.
    Same,
    /// It stands in the file.
    Saved,
    /// It can loosen: the owner types this after a wait, and confirms it in the window that asks.
    Owner {
        id: String,
        #[cfg_attr(test, ts(type = "Array<Said>"))]
        lines: Vec<Said>,
        words: String,
        wait_seconds: u32,
    },
    /// A backup was found good: what it holds and what follows. The owner types its day, and confirms it in the window that asks.
    Restore {
        id: String,
        #[cfg_attr(test, ts(type = "Array<Said>"))]
        lines: Vec<Said>,
        words: String,
        wait_seconds: u32,
    },
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Finding {
    pub id: FindingId,
    pub state: FindingState,
    /// What was found, where there is more to say.
    pub detail: String,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum FindingId {
    Ledger,
    Keys,
    Passphrase,
    Policy,
    Port,
    Nodes,
    Display,
    Directory,
    Swap,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    Good,
    /// It works, and could be better.
    Weak,
    Bad,
}
