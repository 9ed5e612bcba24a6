//! How the windows look and which language they speak: a small file of its own, which no rule and no payment reads.

use countersign_core::money::Micro;
use serde::{Deserialize, Serialize};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};
use tauri::{AppHandle, Theme};
use tokio::sync::watch;
#[cfg(test)]
use ts_rs::TS;

/// What a person chose for the windows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// The language of all windows.
    pub language: Language,
    /// Light or dark.
    pub theme: Look,
    /// Which money the pages show.
    pub money: MoneyKind,
    /// The first steps are done, or were put away.
    pub welcomed: bool,
    /// What is told beside the questions, which are always told.
    pub notices: Notices,
    /// With [`Notices::Above`]: from which amount on, in the reference currency.
    pub notices_from: String,
    /// Whether a question makes a sound.
    pub sound: bool,
    /// The combination of keys that brings an open question to the front; none if empty.
    pub shortcut: String,
}

/// Which payments that went through by themselves are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Notices {
    #[default]
    All,
    /// None of them.
    Questions,
    /// Those from an amount on.
    Above,
}

impl Preferences {
    /// Whether a payment of this value that went through by itself is told. One without a known value is.
    pub fn tells(&self, micros: Option<u128>) -> bool {
        match self.notices {
            Notices::All => true,
            Notices::Questions => false,
            Notices::Above => {
                let least = Micro::parse(self.notices_from.trim()).map_or(0, |least| least.0);
                micros.is_none_or(|micros| micros >= least)
            }
        }
    }

    /// Whether everything in it can be carried out.
    pub fn check(&self) -> Result<(), String> {
        match self.notices {
            Notices::Above if Micro::parse(self.notices_from.trim()).is_err() => {
                Err(format!("{:?} is not an amount.", self.notices_from))
            }
            _ => Ok(()),
        }
    }
}

/// Real money or play money. A view: no rule reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    #[default]
    Real,
    Test,
}

/// A language of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub enum Language {
    /// What the whole computer is set to; English if that is none of ours.
    #[default]
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    English,
    /// 简体中文.
    #[serde(rename = "zh-CN")]
    Chinese,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// As the system.
    #[default]
    System,
    Light,
    Dark,
}

impl Look {
    const fn theme(self) -> Option<Theme> {
        match self {
            Self::System => None,
            Self::Light => Some(Theme::Light),
            Self::Dark => Some(Theme::Dark),
        }
    }
}

/// The preferences in force, and the file that keeps them.
pub struct Kept {
    file: PathBuf,
    now: watch::Sender<Preferences>,
}

impl Kept {
    /// Reads what is kept in `dir`. What cannot be read is as if nothing had been chosen.
    pub fn read(dir: &Path) -> Self {
        let file = dir.join("windows.json");
        let found = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { file, now: watch::channel(found.unwrap_or_default()).0 }
    }

    /// What is in force.
    pub fn now(&self) -> Preferences {
        self.now.borrow().clone()
    }

    /// The same, as it changes.
    pub fn changes(&self) -> watch::Receiver<Preferences> {
        self.now.subscribe()
    }

    /// Keeps `wanted` from here on.
    pub fn keep(&self, wanted: Preferences) -> std::io::Result<()> {
        let dir = self.file.parent().unwrap_or(Path::new("."));
        let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
        fresh.write_all(&serde_json::to_vec(&wanted)?)?;
        fresh.persist(&self.file)?;
        self.now.send_replace(wanted);
        Ok(())
    }
}

/// Draws every window as chosen.
pub fn dress(app: &AppHandle, look: Look) {
    app.set_theme(look.theme());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_there_after_a_restart_and_nonsense_counts_as_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = Preferences {
            language: Language::Chinese,
            theme: Look::Dark,
            money: MoneyKind::Test,
            welcomed: true,
            notices: Notices::Above,
            notices_from: "0.50".to_owned(),
            sound: true,
            shortcut: "Ctrl+Alt+Q".to_owned(),
        };
        let kept = Kept::read(dir.path());
        assert_eq!(kept.now(), Preferences::default());
        kept.keep(wanted.clone()).unwrap();
        assert_eq!((kept.now(), Kept::read(dir.path()).now()), (wanted.clone(), wanted));
        let text = std::fs::read_to_string(dir.path().join("windows.json")).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"language":"zh-CN","theme":"dark","money":"test","welcomed":true,"#,
                r#""notices":"above","notices_from":"0.50","sound":true,"shortcut":"Ctrl+Alt+Q"}"#
            )
        );
        for nonsense in ["", "{", r#"{"language":"tlh"}"#, r#"{"theme":"dark","more":1}"#] {
            std::fs::write(dir.path().join("windows.json"), nonsense).unwrap();
            assert_eq!(Kept::read(dir.path()).now(), Preferences::default(), "{nonsense}");
        }
    }

    #[test]
    fn what_is_told_is_what_was_chosen_and_in_doubt_it_is_told() {
        let chosen =
            |notices, from: &str| Preferences { notices, notices_from: from.to_owned(), ..Preferences::default() };
        assert!(chosen(Notices::All, "").tells(Some(1)));
        assert!(!chosen(Notices::Questions, "").tells(None));
        let above = chosen(Notices::Above, " 0.50 ");
        assert_eq!([Some(499_999), Some(500_000), None].map(|micros| above.tells(micros)), [false, true, true]);
        assert!(chosen(Notices::Above, "nonsense").tells(Some(1)));
        assert!(above.check().is_ok() && chosen(Notices::Above, "-1").check().is_err());
    }
}
