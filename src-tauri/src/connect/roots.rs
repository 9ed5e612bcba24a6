//! Finds the clients' files below given directories; asks neither the environment nor the user database itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::client::{Base, CLIENTS, Client, Os, Spot};

/// The directories that a system's paths hang on.
#[derive(Debug, Clone)]
pub struct Roots {
    /// Whose paths.
    pub os: Os,
    /// The person's home.
    pub home: PathBuf,
    /// The variables that move a directory, where they are set and absolute: `XDG_CONFIG_HOME`, `APPDATA`, `LOCALAPPDATA`,
    /// `CODEX_HOME`, `CLAUDE_CONFIG_DIR`.
    pub variables: BTreeMap<&'static str, PathBuf>,
}

/// The variables that [`Roots`] takes.
pub const VARIABLES: &[&str] = &["XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA", "CODEX_HOME", "CLAUDE_CONFIG_DIR"];

/// A configuration file, there or to be made, of a client that is installed.
#[derive(Debug, Clone)]
pub struct Found {
    /// Whose.
    pub client: &'static Client,
    /// Its configuration file.
    pub file: PathBuf,
}

impl Roots {
    /// The files of every installed client.
    pub fn installed(&self) -> Vec<Found> {
        CLIENTS.iter().flat_map(|client| self.of(client)).collect()
    }

    /// The files of one client; none if it is not installed.
    pub fn of(&self, client: &'static Client) -> Vec<Found> {
        let mut there: Vec<PathBuf> =
            self.candidates(client).into_iter().filter(|(sign, _)| sign.exists()).map(|(_, file)| file).collect();
        there.dedup();
        if !client.every_spot {
            // A file that is there tells more than a directory that may have another use.
            let best = there.iter().position(|file| file.exists()).unwrap_or(0);
            there = there.into_iter().nth(best).into_iter().collect();
        }
        there.into_iter().map(|file| Found { client, file }).collect()
    }

    /// What would show that a client is installed, for a message.
    pub fn signs(&self, client: &'static Client) -> Vec<PathBuf> {
        self.candidates(client).into_iter().map(|(sign, _)| sign).collect()
    }

    /// Every sign with the file that belongs to it.
    fn candidates(&self, client: &'static Client) -> Vec<(PathBuf, PathBuf)> {
        let mut all = Vec::new();
        for spot in client.spots.iter().filter(|spot| spot.on.contains(&self.os)) {
            all.extend(self.bases(spot).iter().map(|base| (under(base, spot.sign), under(base, spot.file))));
            if matches!(spot.base, Base::Variable(_)) && !all.is_empty() {
                break;
            }
        }
        all
    }

    fn bases(&self, spot: &Spot) -> Vec<PathBuf> {
        let variable = |name: &str| self.variables.get(name).cloned();
        match spot.base {
            Base::Home => vec![self.home.clone()],
            Base::Config => vec![variable("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config"))],
            Base::Support => vec![self.home.join("Library/Application Support")],
            Base::Roaming => vec![variable("APPDATA").unwrap_or_else(|| self.home.join("AppData/Roaming"))],
            Base::Package(begin) => {
                let local = variable("LOCALAPPDATA").unwrap_or_else(|| self.home.join("AppData/Local"));
                packages(&local.join("Packages"), begin)
            }
            Base::Variable(name) => variable(name).into_iter().collect(),
        }
    }
}

/// The private roaming directories of the Windows packages whose names begin with `begin`.
fn packages(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(begin))
        .map(|entry| entry.path().join("LocalCache").join("Roaming"))
        .collect();
    found.sort();
    found
}

/// A path of the table, which is written with `/` on every system.
fn under(base: &Path, path: &str) -> PathBuf {
    path.split('/').filter(|part| !part.is_empty()).fold(base.to_owned(), |whole, part| whole.join(part))
}
