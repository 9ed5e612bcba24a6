//! A restore that a person asked for in the window: a copy of the backup beside the data, and a note that says so. The next start
//! carries it out before anything is opened, once; where it does not work, the note says why, and what is in use. A key store that
//! is locked is no reason to give up: the note waits.

use anyhow::Context as _;
use countersign_core::{Millis, approval::Said};
use countersign_vault::{BackupError, Held, OpenError, keys::KeyStoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{moment, reached, restore};
use crate::{
    app::{self, Place},
    config::Config,
};

/// How the name of a copy begins and ends; between them stands which restore it is for, so that a copy that is made while another
/// is being confirmed is not restored for it. Whoever can write files here as this user can exchange both the copy and the note:
/// what is restored is then another backup of this ledger, under the same doubts.
const COPY: (&str, &str) = ("restore-", ".sqlite");
/// The note.
const NOTE: &str = "restore.json";
/// A start that was interrupted so often is not tried again.
const MOST: u32 = 3;

/// What is to be done, or what came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    state: State,
    /// Names this restore.
    id: String,
    /// Starts that began it.
    begun: u32,
    /// What came of it, as sentences.
    lines: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    Done,
    /// The ledger is back, not all of the settings.
    Partly,
    Failed,
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether all of it was restored.
    pub whole: bool,
    /// Whether the ledger was.
    pub restored: bool,
    /// In sentences.
    pub lines: Vec<Said>,
}

/// A copy of a backup, of which nothing is to be done yet.
#[cfg(feature = "gui")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    id: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Takes a copy of a file that may be a backup, in the place of an earlier one.
#[cfg(feature = "gui")]
pub fn take_in(place: &Place, file: &Path) -> Result<Copy, BackupError> {
    forget(place);
    let mut id = [0; 8];
    getrandom::fill(&mut id).map_err(|error| BackupError::Failed(format!("no random number: {error}")))?;
    let id = format!("{:016x}", u64::from_be_bytes(id));
    let path = copy(place, &id);
    countersign_vault::take_in(file, &path)?;
    Ok(Copy { id, path })
}

/// Every copy goes, also of a life that ended while its owner was asked about it, unless one is to be restored. Only for whoever
/// holds the directory.
pub fn forget(place: &Place) {
    if waits(place) {
        return;
    }
    for file in fs::read_dir(&place.dir).into_iter().flatten().filter_map(Result::ok) {
        let name = file.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(COPY.0) && name.ends_with(COPY.1))
            && let Err(error) = remove(&file.path())
        {
            tracing::warn!(%error, "a copy of a backup was left in the data directory");
        }
    }
}

/// From here on the next start restores this copy, if it is still there.
#[cfg(feature = "gui")]
pub fn ask(place: &Place, copy: &Copy) -> anyhow::Result<()> {
    fs::metadata(&copy.path).context("the copy of the backup")?;
    write(place, &Note { state: State::Waiting, id: copy.id.clone(), begun: 0, lines: Vec::new() })
}

fn copy(place: &Place, id: &str) -> PathBuf {
    place.dir.join(format!("{}{id}{}", COPY.0, COPY.1))
}

/// What came of the last restore, until a person saw it.
pub fn outcome(place: &Place) -> Option<Outcome> {
    let note = read(place).ok()??;
    let lines = note.lines.iter().filter_map(|line| Said::read(&line.to_string())).collect();
    match note.state {
        State::Waiting => None,
        State::Done => Some(Outcome { whole: true, restored: true, lines }),
        State::Partly => Some(Outcome { whole: false, restored: true, lines }),
        State::Failed => Some(Outcome { whole: false, restored: false, lines }),
    }
}

/// The person saw what came of it.
#[cfg(feature = "gui")]
pub fn seen(place: &Place) -> anyhow::Result<()> {
    if !waits(place) {
        remove(&place.dir.join(NOTE))?;
    }
    Ok(())
}

/// Carries out what was asked for, if anything was; what came of it is told where something was. Another Countersign that runs is an
/// error, and does it itself; whatever else goes wrong is told, or waits for the next start.
pub fn carry_out(place: &Place, now: Millis) -> anyhow::Result<Option<Outcome>> {
    let Ok(Some(asked)) = waiting(place) else { return Ok(None) };
    let config = Config::load(&place.config)?;
    let held = match app::keys(place, &config).map(|keys| Held::take(&place.dir, keys)) {
        Ok(Ok(held)) => held,
        Ok(Err(error @ BackupError::Open(OpenError::InUse(_)))) => return Err(error.into()),
        // Without the key store, or where an earlier start began, nobody can say yet what is in use.
        Ok(Err(error)) if asked.begun > 0 || matches!(error, BackupError::Keys(_)) => return Ok(later(&error)),
        Err(error) if asked.begun > 0 || error.is::<KeyStoreError>() => return Ok(later(&error)),
        Ok(Err(error)) => return failed(place, error.said()).map(Some),
        Err(error) => return failed(place, Said::Told { text: format!("{error:#}") }).map(Some),
    };
    // Nobody else is here from now on; it may have been done meanwhile.
    let Some(note) = waiting(place)? else { return Ok(None) };
    if note.begun >= MOST {
        return given_up(place, &held, &note.id, Said::RestoreGivenUp {}).map(Some);
    }
    let note = Note { begun: note.begun.saturating_add(1), ..note };
    write(place, &note)?;
    let done = match restore(place, &held, &config, &copy(place, &note.id), Some(&note.id), now) {
        Ok(done) => done,
        Err(error @ BackupError::Keys(_)) if note.begun < MOST => return Ok(later(&error)),
        Err(error) => return given_up(place, &held, &note.id, error.said()).map(Some),
    };
    let mut lines = vec![Said::RestoreDone { made: moment(done.made) }];
    lines.extend(done.notes);
    lines.push(Said::RestoreNext {});
    let state = if done.whole { State::Done } else { State::Partly };
    ended(place, state, &lines).map(Some)
}

/// The next start tries again.
fn later(why: &dyn std::fmt::Display) -> Option<Outcome> {
    tracing::warn!(%why, "the backup is not restored yet; the next start tries again");
    None
}

/// It is not tried again. The ledger may be that of the backup all the same: then only settings are missing.
fn given_up(place: &Place, held: &Held, id: &str, why: Said) -> anyhow::Result<Outcome> {
    let Some(before) = held.done(id) else { return failed(place, why) };
    let mut lines = vec![Said::RestorePartly {}, why];
    lines.extend(before.map(|path| Said::RestoreAside { path: path.display().to_string() }));
    lines.push(Said::RestoreNext {});
    ended(place, State::Partly, &lines)
}

fn failed(place: &Place, why: Said) -> anyhow::Result<Outcome> {
    ended(place, State::Failed, &[Said::RestoreFailed {}, why])
}

/// The note of what is to be done becomes that of what was done, in one step; then its copy goes.
fn ended(place: &Place, state: State, lines: &[Said]) -> anyhow::Result<Outcome> {
    let lines = lines.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    reached("restore.told");
    write(place, &Note { state, id: String::new(), begun: 0, lines })?;
    reached("restore.copy");
    forget(place);
    let told = outcome(place).context("what came of restoring cannot be read")?;
    for line in &told.lines {
        match (told.whole, told.restored) {
            (true, _) => tracing::info!("{line}"),
            (false, true) => tracing::warn!("{line}"),
            (false, false) => tracing::error!("{line}"),
        }
    }
    Ok(told)
}

fn waits(place: &Place) -> bool {
    matches!(waiting(place), Ok(Some(_)))
}

/// What is to be done, if anything is.
fn waiting(place: &Place) -> anyhow::Result<Option<Note>> {
    Ok(read(place)?.filter(|note| note.state == State::Waiting))
}

/// None where there is none; one that is none of ours stays and says nothing.
fn read(place: &Place) -> anyhow::Result<Option<Note>> {
    match fs::read(place.dir.join(NOTE)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text).with_context(|| format!("{NOTE} cannot be read"))?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write(place: &Place, note: &Note) -> anyhow::Result<()> {
    let mut fresh = tempfile::NamedTempFile::new_in(&place.dir)?;
    fresh.write_all(&serde_json::to_vec(note)?)?;
    fresh.as_file().sync_all()?;
    fresh.persist(place.dir.join(NOTE))?;
    fs::File::open(&place.dir)?.sync_all()?;
    Ok(())
}

fn remove(file: &Path) -> io::Result<()> {
    fs::remove_file(file).or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

// In two, for the linter knows a test by the first of them alone.
#[cfg(test)]
#[cfg(feature = "gui")]
#[path = "staged_tests.rs"]
pub mod tests;
