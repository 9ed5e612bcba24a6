//! A backup goes back: first what a person has to know of it, then ledger and settings. The same for the command and for a start that
//! carries out what was asked for in the window.

use anyhow::Context as _;
use countersign_core::{Millis, approval::Said};
use countersign_vault::{BackupError, Checked, Held};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{CONFIG, files, reached};
use crate::{app::Place, config::Config};

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// When the backup was made.
    pub made: Millis,
    /// Where the ledger that was there lies, if there was one.
    pub before: Option<PathBuf>,
    /// Where things are, for people.
    pub notes: Vec<Said>,
    /// Whether the settings went back, too.
    pub whole: bool,
}

/// What a person is told before a backup is restored: what it holds, what it does not know, and what follows.
pub fn told(place: &Place, found: &Checked) -> Vec<Said> {
    let n = found.payments.to_string();
    let mut lines = vec![Said::RestoreMade { made: moment(found.made) }];
    lines.push(match found.last {
        Some(last) => Said::RestorePaymentsUntil { n, last: moment(last) },
        None => Said::RestorePayments { n },
    });
    if !found.agents.is_empty() {
        lines.push(Said::RestoreAgents { agents: found.agents.join(", ") });
    }
    lines.push(match found.lost {
        Some(0) => Said::RestoreNoneLost {},
        Some(lost) => Said::RestoreLost { n: lost.to_string() },
        None => Said::RestoreUncounted {},
    });
    lines.push(Said::RestoreReplaces { dir: place.dir.display().to_string() });
    lines.extend([Said::RestoreTokens {}, Said::RestoreAsks {}, Said::RestoreFull {}]);
    if found.lost != Some(0) {
        lines.push(Said::RestoreTwice {});
    }
    lines
}

/// A moment to the minute, as a person reads it.
pub fn moment(at: Millis) -> String {
    let text = at.rfc3339();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => text,
    }
}

/// Puts a backup in the place of what is here. `once` names this restore: said again, nothing is restored a second time, and what
/// was missing is done.
pub fn restore(
    place: &Place,
    held: &Held,
    config: &Config,
    file: &Path,
    once: Option<&str>,
    now: Millis,
) -> Result<Done, BackupError> {
    let restored = held.restore(file, once, now)?;
    let mut notes = Vec::new();
    if let Some(before) = &restored.before {
        notes.push(Said::RestoreAside { path: before.display().to_string() });
    }
    if let Some(why) = &restored.unread {
        notes.push(Said::RestoreUnread { why: why.clone() });
    }
    let mut whole = true;
    for (name, path) in files(place) {
        let Some((_, body)) = restored.settings.iter().find(|(found, _)| found == name) else { continue };
        reached("restore.settings");
        match put_back(name, &path, body, config) {
            Ok(note) => notes.extend(note),
            Err(error) => {
                whole = false;
                notes.push(Said::RestoreFileNot { file: name.to_owned(), why: format!("{error:#}") });
            }
        }
    }
    Ok(Done { made: restored.made, before: restored.before, notes, whole })
}

/// One file of the settings; a copy is kept of the one that is there. A configuration that this version does not read stays out,
/// and one that names other keys or another place to try than `now` does lies beside it.
fn put_back(name: &str, path: &Path, body: &[u8], now: &Config) -> anyhow::Result<Option<Said>> {
    if std::fs::read(path).is_ok_and(|there| there == body) {
        return Ok(None);
    }
    let mut beside = false;
    if name == CONFIG {
        match str::from_utf8(body).map_err(anyhow::Error::from).and_then(Config::parse) {
            Ok(then) => beside = then.keys != now.keys || then.test != now.test,
            Err(error) => return Ok(Some(Said::RestoreConfigOut { why: format!("{error:#}") })),
        }
    }
    let dir = path.parent().context("the file lies nowhere")?;
    let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
    fresh.write_all(body)?;
    fresh.as_file().sync_all()?;
    if beside {
        let (beside, lies) = free(path, "from-backup", body)?;
        if !lies {
            fresh.persist_noclobber(&beside)?;
        }
        return Ok(Some(Said::RestoreConfigBeside { path: beside.display().to_string() }));
    }
    let mut note = None;
    if path.exists() {
        let there = std::fs::read(path)?;
        let (aside, lies) = free(path, "before-restore", &there)?;
        if !lies {
            let mut copy = tempfile::NamedTempFile::new_in(dir)?;
            copy.write_all(&there)?;
            copy.as_file().sync_all()?;
            copy.persist_noclobber(&aside)?;
        }
        note = Some(Said::RestoreFileAside { file: name.to_owned(), path: aside.display().to_string() });
    }
    fresh.persist(path)?;
    Ok(note)
}

/// The first name like this that nothing has, or that has the very same in it already: a restore that was interrupted goes on.
fn free(path: &Path, end: &str, body: &[u8]) -> anyhow::Result<(PathBuf, bool)> {
    let names = (1..1000u32).map(|n| path.with_added_extension(format!("{end}-{n}")));
    for name in names {
        match std::fs::symlink_metadata(&name) {
            Err(_) => return Ok((name, false)),
            Ok(meta) if meta.is_file() && std::fs::read(&name).is_ok_and(|there| there == body) => {
                return Ok((name, true));
            }
            Ok(_) => {}
        }
    }
    anyhow::bail!("there are too many copies of {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_the_minute() {
        assert_eq!(moment(Millis(1_795_000_000_000)), "2026-11-18 11:06 UTC");
    }

    #[test]
    fn a_file_goes_back_with_the_old_one_aside_and_an_unreadable_configuration_stays_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CONFIG);
        let now = Config::default();
        std::fs::write(&path, "# now\n").unwrap();
        let out = put_back(CONFIG, &path, b"[server]\nprot = 1\n", &now).unwrap().unwrap();
        assert!(
            out.to_string().contains("left out") && std::fs::read_to_string(&path).unwrap() == "# now\n",
            "{out:?}"
        );
        for (body, end, before) in
            [("# then\n", "before-restore-1", "# now\n"), ("# again\n", "before-restore-2", "# then\n")]
        {
            let note = put_back(CONFIG, &path, body.as_bytes(), &now).unwrap();
            assert!(note.is_some_and(|note| note.to_string().contains(end)));
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
            assert!(note.is_some_and(|note| note.to_string().contains("from-backup-")));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "# now\n");
        }
        assert!(
            path.with_added_extension("from-backup-1").exists() && path.with_added_extension("from-backup-2").exists()
        );
    }
}
