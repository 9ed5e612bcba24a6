//! One ledger takes the place of another: all of it, or all back, also where the program ends in between.
//!
//! What is about to happen is noted first: the name under which the old ledger is set aside in a file beside it, and what the key
//! store remembered of it in the key store itself, where nobody who can only write files reaches it. As long as the note is there, a
//! new ledger that is still a draft means "back", and one that is in its place means "done".

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use super::{
    super::{
        anchor::{self, Anchor, Names},
        place::{Place, make_file},
    },
    BESIDE, BackupError,
    check::{CHECKING, Draft},
    clear, with_end,
};
use crate::{
    keys::{KeyStoreError, Keys, KeysError, Secret},
    point::point,
};

/// Where a restored ledger is put together.
pub(super) const DRAFT: &str = "ledger.restoring.sqlite";
/// The note.
const NOTE: &str = "ledger.restoring";
/// The note before it is whole.
const FRESH_NOTE: &str = "ledger.restoring.new";
/// How the name of a ledger that was set aside begins; a number and `.sqlite` end it.
const ASIDE: &str = "ledger.before-restore-";

/// An exchange that was not begun.
pub(super) struct Exchange<'a> {
    place: &'a Place,
    names: &'a Names,
    keys: &'a Keys,
    aside: PathBuf,
    /// Whether there is something to set aside.
    there: bool,
}

impl<'a> Exchange<'a> {
    /// Finds a name for the ledger that is here.
    pub fn new(place: &'a Place, names: &'a Names, keys: &'a Keys) -> Result<Self, BackupError> {
        let mut candidates = (1..1000u32).map(|n| place.dir().join(format!("{ASIDE}{n}.sqlite")));
        // With all that belongs to it: a log that lay there would be taken for this ledger's.
        let free = |path: &PathBuf| BESIDE.iter().all(|end| fs::symlink_metadata(with_end(path, end)).is_err());
        let aside = candidates.find(free);
        let aside = aside.ok_or_else(|| BackupError::Failed("too many ledgers were set aside".into()))?;
        let there = fs::symlink_metadata(place.ledger()).is_ok();
        Ok(Self { place, names, keys, aside, there })
    }

    /// Where the ledger that is here will lie, if there is one.
    pub fn before(&self) -> Option<&Path> {
        self.there.then_some(self.aside.as_path())
    }

    /// Sets the ledger aside, has the key store remember the draft and puts that in its place.
    pub fn make(self, draft: Draft, now: &Anchor, before: Option<&Anchor>) -> Result<Option<PathBuf>, BackupError> {
        // Whether it is there says from here on how far this came.
        let draft = draft.keep();
        if let Err(why) = self.begin(before).and_then(|()| self.exchange(&draft, now)) {
            let Err(error) = mend(self.place, self.names, self.keys) else { return Err(why) };
            if fs::symlink_metadata(self.place.dir().join(NOTE)).is_err() {
                // Nothing was moved; what is left over goes at the next start.
                return Err(why);
            }
            let aside = self.aside.display();
            return Err(BackupError::Failed(format!("{why}; the ledger that was here may lie at {aside}: {error}")));
        }
        point("restore.placed");
        // It is done: where the rest fails, the next start does it.
        if let Err(error) = end(self.place, self.names, self.keys) {
            tracing::warn!(%error, "ledger.restore_note_left");
        }
        Ok(self.before().map(Path::to_owned))
    }

    fn begin(&self, before: Option<&Anchor>) -> Result<(), BackupError> {
        let json = serde_json::to_vec(&before).map_err(|error| BackupError::Failed(error.to_string()))?;
        self.keys.set(&before_name(self.names), Secret::new(json))?;
        point("restore.remembered");
        let name = self.aside.file_name().unwrap_or_default().as_encoded_bytes();
        let fresh = self.place.dir().join(FRESH_NOTE);
        remove(&fresh)?;
        make_file(&fresh)?;
        let mut file = File::options().write(true).open(&fresh)?;
        file.write_all(name)?;
        file.sync_all()?;
        fs::rename(&fresh, self.place.dir().join(NOTE))?;
        sync(self.place)?;
        point("restore.noted");
        Ok(())
    }

    fn exchange(&self, draft: &Path, now: &Anchor) -> Result<(), BackupError> {
        moved(&self.place.ledger(), &self.aside)?;
        sync(self.place)?;
        anchor::write(self.keys, self.names, now)?;
        point("restore.anchored");
        fs::rename(draft, self.place.ledger())?;
        sync(self.place)?;
        Ok(())
    }
}

/// Takes back a restore that was interrupted, or ends one of which only the end is missing. Nothing to do, most of the time.
pub(crate) fn mend(place: &Place, names: &Names, keys: &Keys) -> Result<(), BackupError> {
    let checking = place.dir().join(CHECKING);
    if fs::symlink_metadata(&checking).is_ok() {
        clear(&checking)?;
    }
    let draft = place.dir().join(DRAFT);
    let aside = match fs::read_to_string(place.dir().join(NOTE)) {
        Ok(name) => place.dir().join(checked(name)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if fs::symlink_metadata(&draft).is_ok() {
                // As in `end`. Where the key store does not forget it, the draft stays and says that there is something to forget.
                forget(keys, &before_name(names))?;
                clear(&draft)?;
            }
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if fs::symlink_metadata(&draft).is_ok() {
        // What the key store remembered comes back first: without it the old ledger could look as if it had gone astray.
        if let Some(kept) = keys.secret(&before_name(names))? {
            match serde_json::from_slice::<Option<Anchor>>(kept.expose()) {
                Ok(Some(before)) => anchor::write(keys, names, &before)?,
                Ok(None) => forget(keys, &names.anchor)?,
                Err(error) => return Err(KeysError::from(KeyStoreError::Failed(error.to_string())).into()),
            }
        }
        moved(&aside, &place.ledger())?;
        sync(place)?;
        point("restore.back");
        end(place, names, keys)?;
        return clear(&draft);
    }
    end(place, names, keys)
}

/// Takes the note away. What the key store remembered goes first: whoever can write files can put a note back, and must find
/// nothing then that would make an old ledger look like the last one.
fn end(place: &Place, names: &Names, keys: &Keys) -> Result<(), BackupError> {
    forget(keys, &before_name(names))?;
    point("restore.forgotten");
    remove(&place.dir().join(NOTE))?;
    sync(place)?;
    point("restore.ended");
    Ok(())
}

/// The name of what the key store remembered, while it is exchanged.
fn before_name(names: &Names) -> String {
    format!("{}:before", names.anchor)
}

fn forget(keys: &Keys, name: &str) -> Result<(), KeysError> {
    if keys.secret(name)?.is_some() { keys.delete(name) } else { Ok(()) }
}

/// A name that we gave: a note of anything else moves nothing.
fn checked(name: String) -> Result<String, BackupError> {
    let number = name.strip_prefix(ASIDE).and_then(|rest| rest.strip_suffix(".sqlite"));
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(_) => Ok(name),
        None => Err(BackupError::Failed(format!("{NOTE} in the data directory is none of ours; take it away"))),
    }
}

/// Moves a database with what belongs to it, itself last: a log that stayed would be taken for the next one's. Begun again, it goes on
/// where it ended. What is in the way of any of it stays, and so does all of it that is left.
fn moved(from: &Path, to: &Path) -> std::io::Result<()> {
    for end in BESIDE {
        let (from, to) = (with_end(from, end), with_end(to, end));
        if fs::symlink_metadata(&from).is_err() {
            continue;
        }
        if fs::symlink_metadata(&to).is_ok() {
            let why = format!("{} is in the way of {}", to.display(), from.display());
            return Err(std::io::Error::new(ErrorKind::AlreadyExists, why));
        }
        fs::rename(&from, &to)?;
        point("restore.moved");
    }
    Ok(())
}

fn remove(file: &Path) -> std::io::Result<()> {
    fs::remove_file(file).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn sync(place: &Place) -> std::io::Result<()> {
    File::open(place.dir())?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::memory::{Fault, MemoryStore};

    /// A directory with a ledger in it, and where its keys are.
    fn held() -> (tempfile::TempDir, Place, Names, MemoryStore) {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::take(&dir.path().join("data")).unwrap();
        fs::write(place.ledger(), "ledger").unwrap();
        let names = Names::of(place.dir());
        (dir, place, names, MemoryStore::new())
    }

    #[test]
    fn a_ledger_is_set_aside_where_no_log_of_another_lies_and_never_over_one() {
        let (_dir, place, names, store) = held();
        let keys = Keys::start(Box::new(store));
        fs::write(place.dir().join("ledger.before-restore-1.sqlite-wal"), "another").unwrap();
        let exchange = Exchange::new(&place, &names, &keys).unwrap();
        assert!(exchange.before().unwrap().ends_with("ledger.before-restore-2.sqlite"));
        let log = with_end(&place.ledger(), "-wal");
        fs::write(&log, "log").unwrap();
        let aside = place.dir().join("ledger.before-restore-1.sqlite");
        assert_eq!(moved(&place.ledger(), &aside).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&log).unwrap(), "log");
        assert!(place.ledger().exists() && !aside.exists());
    }

    #[test]
    fn what_was_remembered_is_forgotten_before_anything_says_that_there_is_nothing_to_mend() {
        let (_dir, place, names, store) = held();
        let keys = Keys::start(Box::new(store.clone()));
        let draft = place.dir().join(DRAFT);
        for noted in [false, true] {
            fs::write(&draft, "draft").unwrap();
            keys.set(&before_name(&names), Secret::new(b"null".to_vec())).unwrap();
            if noted {
                fs::write(place.dir().join(NOTE), format!("{ASIDE}1.sqlite")).unwrap();
            }
            store.set_fault(Some(Fault::Error(KeyStoreError::Locked)));
            assert!(matches!(mend(&place, &names, &keys), Err(BackupError::Keys(_))));
            assert_eq!((draft.exists(), place.dir().join(NOTE).exists()), (true, noted));
            store.set_fault(None);
            mend(&place, &names, &keys).unwrap();
            assert_eq!((draft.exists(), place.dir().join(NOTE).exists()), (false, false));
            assert_eq!(store.names(), Vec::<String>::new());
        }
        assert_eq!(fs::read_to_string(place.ledger()).unwrap(), "ledger");
    }
}
