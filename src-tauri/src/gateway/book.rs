//! The upstreams of this data directory, and what was pinned of each: `gateways.json`, which only its owner may read or write.
//!
//! Whoever can write the file can start programs as this user anyway; no budget and no key is in it. See docs/adr/0011.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    pins::Pins,
    target::{Name, Target},
};

const FILE: &str = "gateways.json";
/// More is no list of upstreams.
const MOST: u64 = 4 * 1024 * 1024;

/// One upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// How it is reached; exactly what the person agreed to.
    pub target: Target,
    /// What it was like when the person agreed.
    #[serde(default)]
    pub pins: Pins,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u8,
    upstreams: BTreeMap<Name, Entry>,
}

/// All of them, in memory and on disk.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    entries: Mutex<BTreeMap<Name, Entry>>,
}

impl Book {
    /// Reads the file; there need be none.
    ///
    /// # Errors
    /// When it is not a plain file of this user that nobody else can read or write, or not of this version.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let entries = read(&path).with_context(|| format!("reading the upstreams in {}", path.display()))?;
        Ok(Self { path, entries: Mutex::new(entries) })
    }

    /// One upstream.
    pub fn get(&self, name: &Name) -> Option<Entry> {
        self.lock().get(name).cloned()
    }

    /// Every upstream, by name.
    pub fn all(&self) -> Vec<(Name, Entry)> {
        self.lock().iter().map(|(name, entry)| (name.clone(), entry.clone())).collect()
    }

    /// Changes the list and writes it down; what cannot be written is not changed.
    pub fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<Name, Entry>) -> T) -> anyhow::Result<T> {
        let mut entries = self.lock();
        let mut changed = entries.clone();
        let result = change(&mut changed);
        if changed != *entries {
            let written = Written { version: 1, upstreams: changed };
            write(&self.path, &written).with_context(|| format!("writing {}", self.path.display()))?;
            *entries = written.upstreams;
        }
        Ok(result)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Name, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> anyhow::Result<BTreeMap<Name, Entry>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
        Ok(found) => private(&found)?,
    }
    let mut text = String::new();
    fs::File::open(path)?.take(MOST).read_to_string(&mut text)?;
    let written: Written = serde_json::from_str(&text)?;
    if written.version != 1 {
        bail!("it was written by another version of Countersign");
    }
    Ok(written.upstreams)
}

#[cfg(unix)]
fn private(found: &fs::Metadata) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !found.is_file() || !ours || found.mode() & 0o077 != 0 {
        bail!("it is not a file that only its owner, you, can read and write");
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(found: &fs::Metadata) -> anyhow::Result<()> {
    if !found.is_file() {
        bail!("it is not a file");
    }
    Ok(())
}

fn write(path: &Path, written: &Written) -> anyhow::Result<()> {
    let folder = path.parent().context("it lies nowhere")?;
    let mut file = tempfile::Builder::new().prefix(".gateways-").tempfile_in(folder)?;
    let text = serde_json::to_vec_pretty(written)?;
    if u64::try_from(text.len())? > MOST {
        bail!("the list would be too long to be read again");
    }
    file.write_all(&text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry { target: Target::Command(vec!["/bin/true".to_owned()]), pins: Pins::default() }
    }

    #[test]
    fn what_was_added_is_there_again_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let name: Name = "tools".parse().unwrap();
        let book = Book::open(dir.path()).unwrap();
        book.change(|all| all.insert(name.clone(), entry())).unwrap();
        assert_eq!(Book::open(dir.path()).unwrap().get(&name), Some(entry()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = dir.path().join(FILE);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert!(Book::open(dir.path()).is_err(), "others can read it");
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let book = Book::open(dir.path()).unwrap();
        let name: Name = "tools".parse().unwrap();
        book.change(|all| all.insert(name.clone(), entry())).unwrap();
        let long = "a".repeat(usize::try_from(MOST).unwrap());
        let more = Entry { target: Target::Command(vec![long]), ..entry() };
        assert!(book.change(|all| all.insert("more".parse().unwrap(), more)).is_err());
        assert_eq!(book.all(), [(name.clone(), entry())]);
        assert_eq!(Book::open(dir.path()).unwrap().all(), [(name, entry())]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_an_empty_one() {
        for text in ["", "{", r#"{"version":2,"upstreams":{}}"#, r#"{"version":1,"upstreams":{"A b":{}}}"#] {
            let dir = tempfile::tempdir().unwrap();
            write(&dir.path().join(FILE), &Written::default()).unwrap();
            fs::write(dir.path().join(FILE), text).unwrap();
            assert!(Book::open(dir.path()).is_err(), "{text}");
        }
    }
}
