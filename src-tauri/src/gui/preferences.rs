//! How the windows look and which language they speak: a small file of its own, which no rule and no payment reads.

use serde::{Deserialize, Serialize};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tauri::{AppHandle, Theme};
#[cfg(test)]
use ts_rs::TS;

/// What a person chose for the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    now: Mutex<Preferences>,
}

impl Kept {
    /// Reads what is kept in `dir`. What cannot be read is as if nothing had been chosen.
    pub fn read(dir: &Path) -> Self {
        let file = dir.join("windows.json");
        let found = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { file, now: Mutex::new(found.unwrap_or_default()) }
    }

    /// What is in force.
    pub fn now(&self) -> Preferences {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `wanted` from here on.
    pub fn keep(&self, wanted: Preferences) -> std::io::Result<()> {
        let dir = self.file.parent().unwrap_or(Path::new("."));
        let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
        fresh.write_all(&serde_json::to_vec(&wanted)?)?;
        fresh.persist(&self.file)?;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
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
        };
        let kept = Kept::read(dir.path());
        assert_eq!(kept.now(), Preferences::default());
        kept.keep(wanted).unwrap();
        assert_eq!((kept.now(), Kept::read(dir.path()).now()), (wanted, wanted));
        let text = std::fs::read_to_string(dir.path().join("windows.json")).unwrap();
        assert_eq!(text, r#"{"language":"zh-CN","theme":"dark","money":"test","welcomed":true}"#);
        for nonsense in ["", "{", r#"{"language":"tlh"}"#, r#"{"theme":"dark","more":1}"#] {
            std::fs::write(dir.path().join("windows.json"), nonsense).unwrap();
            assert_eq!(Kept::read(dir.path()).now(), Preferences::default(), "{nonsense}");
        }
    }
}
