//! What a backup holds beside the ledger, and where that goes back to: the configuration, and how the windows look.

use anyhow::Context as _;
use countersign_core::Millis;
use countersign_vault::{Restored, Settings};
use std::{
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    app::{self, Place},
    config::Config,
};

const CONFIG: &str = "config.toml";
const WINDOWS: &str = "windows.json";

/// Writes ledger and settings into a new file, also while a Countersign runs. No key and no token is in it.
pub fn make(place: &Place, file: &Path, now: Millis) -> anyhow::Result<()> {
    let mut settings = Settings::new();
    for (name, path) in files(place) {
        match std::fs::read(&path) {
            Ok(body) => settings.push((name.to_owned(), body)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
    Ok(countersign_vault::backup(&place.dir, file, &settings, now)?)
}

/// Puts a backup in the place of what is there, while no Countersign runs. Says where things are, for people.
pub fn restore(place: &Place, file: &Path) -> anyhow::Result<(Restored, Vec<String>)> {
    let config = Config::load(&place.config)?;
    let restored = countersign_vault::restore(&place.dir, file, &app::keys(place, &config)?)?;
    let mut notes = Vec::new();
    if let Some(before) = &restored.before {
        notes.push(format!("The ledger that was here is now {}.", before.display()));
    }
    for (name, path) in files(place) {
        let Some((_, body)) = restored.settings.iter().find(|(found, _)| found == name) else { continue };
        notes.extend(put_back(name, &path, body)?);
    }
    Ok((restored, notes))
}

fn files(place: &Place) -> [(&'static str, PathBuf); 2] {
    [(CONFIG, place.config.clone()), (WINDOWS, place.dir.join(WINDOWS))]
}

/// One file of the settings; the one that is there is set aside. A configuration that this version does not read stays out.
fn put_back(name: &str, path: &Path, body: &[u8]) -> anyhow::Result<Option<String>> {
    if std::fs::read(path).is_ok_and(|there| there == body) {
        return Ok(None);
    }
    if name == CONFIG
        && let Err(error) = str::from_utf8(body).map_err(anyhow::Error::from).and_then(Config::parse)
    {
        return Ok(Some(format!("The configuration of the backup was left out: {error:#}")));
    }
    let dir = path.parent().context("the file lies nowhere")?;
    let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
    fresh.write_all(body)?;
    fresh.as_file().sync_all()?;
    let mut note = None;
    if path.exists() {
        let aside = path.with_added_extension("before-restore");
        std::fs::rename(path, &aside)?;
        note = Some(format!("{} that was here is now {}.", path.display(), aside.display()));
    }
    fresh.persist(path)?;
    Ok(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_back_with_the_old_one_aside_and_an_unreadable_configuration_stays_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CONFIG);
        std::fs::write(&path, "# now\n").unwrap();
        let out = put_back(CONFIG, &path, b"[server]\nprot = 1\n").unwrap().unwrap();
        assert!(out.contains("left out") && std::fs::read_to_string(&path).unwrap() == "# now\n", "{out}");
        let note = put_back(CONFIG, &path, b"# then\n").unwrap();
        assert!(note.is_some_and(|note| note.contains("before-restore")));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# then\n");
        assert_eq!(std::fs::read_to_string(dir.path().join("config.toml.before-restore")).unwrap(), "# now\n");
        assert_eq!(put_back(CONFIG, &path, b"# then\n").unwrap(), None);
    }
}
