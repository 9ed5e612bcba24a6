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

/// Writes ledger and settings into a new file, also while a Countersign runs. No key of a wallet and no token is in it,
/// but the configuration is as it was written, with whatever stands in the addresses of nodes.
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
pub fn restore(place: &Place, file: &Path, now: Millis) -> anyhow::Result<(Restored, Vec<String>)> {
    let config = Config::load(&place.config)?;
    let restored = countersign_vault::restore(&place.dir, file, &app::keys(place, &config)?, now)?;
    let mut notes = Vec::new();
    if let Some(before) = &restored.before {
        notes.push(format!("The ledger that was here is now {}.", before.display()));
    }
    if let Some(why) = &restored.unread {
        notes.push(format!(
            "It could not be read ({why}): wallets made after the backup are not listed, though their keys are still kept."
        ));
    }
    for (name, path) in files(place) {
        let Some((_, body)) = restored.settings.iter().find(|(found, _)| found == name) else { continue };
        let note = put_back(name, &path, body, &config).with_context(|| {
            format!("the ledger is that of the backup now, but {name} was not put back. {}", notes.join(" "))
        })?;
        notes.extend(note);
    }
    Ok((restored, notes))
}

fn files(place: &Place) -> [(&'static str, PathBuf); 2] {
    [(CONFIG, place.config.clone()), (WINDOWS, place.dir.join(WINDOWS))]
}

/// One file of the settings; a copy is kept of the one that is there. A configuration that this version does not read stays out,
/// and one that names other keys or another place to try than `now` does lies beside it.
fn put_back(name: &str, path: &Path, body: &[u8], now: &Config) -> anyhow::Result<Option<String>> {
    if std::fs::read(path).is_ok_and(|there| there == body) {
        return Ok(None);
    }
    let mut beside = false;
    if name == CONFIG {
        match str::from_utf8(body).map_err(anyhow::Error::from).and_then(Config::parse) {
            Ok(then) => beside = then.keys != now.keys || then.test != now.test,
            Err(error) => return Ok(Some(format!("The configuration of the backup was left out: {error:#}"))),
        }
    }
    let dir = path.parent().context("the file lies nowhere")?;
    let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
    fresh.write_all(body)?;
    fresh.as_file().sync_all()?;
    if beside {
        let beside = free(path, "from-backup")?;
        fresh.persist_noclobber(&beside)?;
        return Ok(Some(format!(
            "The configuration here stays: that of the backup has other [keys] or another [test], and is {}.",
            beside.display()
        )));
    }
    let mut note = None;
    if path.exists() {
        let aside = free(path, "before-restore")?;
        std::fs::copy(path, &aside)?;
        note = Some(format!("{} that was here is now {}.", path.display(), aside.display()));
    }
    fresh.persist(path)?;
    Ok(note)
}

/// The first name like this that nothing has.
fn free(path: &Path, end: &str) -> anyhow::Result<PathBuf> {
    let mut names = (1..1000u32).map(|n| path.with_added_extension(format!("{end}-{n}")));
    let free = names.find(|name| std::fs::symlink_metadata(name).is_err());
    free.with_context(|| format!("there are too many copies of {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_back_with_the_old_one_aside_and_an_unreadable_configuration_stays_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CONFIG);
        let now = Config::default();
        std::fs::write(&path, "# now\n").unwrap();
        let out = put_back(CONFIG, &path, b"[server]\nprot = 1\n", &now).unwrap().unwrap();
        assert!(out.contains("left out") && std::fs::read_to_string(&path).unwrap() == "# now\n", "{out}");
        for (body, end, before) in
            [("# then\n", "before-restore-1", "# now\n"), ("# again\n", "before-restore-2", "# then\n")]
        {
            let note = put_back(CONFIG, &path, body.as_bytes(), &now).unwrap();
            assert!(note.is_some_and(|note| note.contains(end)));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), body);
            assert_eq!(std::fs::read_to_string(path.with_added_extension(end)).unwrap(), before);
            assert_eq!(put_back(CONFIG, &path, body.as_bytes(), &now).unwrap(), None);
        }
    }

    #[test]
    fn a_configuration_with_another_key_store_lies_beside_the_one_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CONFIG);
        std::fs::write(&path, "# now\n").unwrap();
        for other in ["[keys]\nstore = \"file\"\n", "[test]\nseller = \"https://seller.example\"\n"] {
            let note = put_back(CONFIG, &path, other.as_bytes(), &Config::default()).unwrap();
            assert!(note.is_some_and(|note| note.contains("from-backup-")));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "# now\n");
        }
        assert!(
            path.with_added_extension("from-backup-1").exists() && path.with_added_extension("from-backup-2").exists()
        );
    }
}
