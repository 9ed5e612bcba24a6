//! A client's file on disk: read whole, replaced whole, with the state before it kept beside it.
//!
//! The link of a linked file stays a link; what it points to is replaced. The mode stays as it was and is never widened.
//! Nothing is written if the file changed since it was read.

use anyhow::{Context as _, bail};
use std::{
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

/// The largest configuration that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;
/// Ends the name of the file that keeps the state before us.
const KEPT: &str = ".before-countersign";

/// One configuration file and the text in it.
#[derive(Debug, Clone)]
pub struct File {
    /// The file itself, links followed.
    path: PathBuf,
    /// What it held when it was read; `None` if it was not there.
    pub text: Option<String>,
}

impl File {
    /// Reads it.
    ///
    /// # Errors
    /// Where it is no ordinary file of this user, larger than 64 MiB, or no UTF-8.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let path = followed(path)?;
        let facts = match std::fs::metadata(&path) {
            Ok(facts) => facts,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self { path, text: None }),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        if !facts.is_file() {
            bail!("{} is no ordinary file, so it is left alone", path.display());
        }
        if facts.len() > LARGEST {
            bail!("{} is larger than 64 MiB, so it is left alone", path.display());
        }
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::uid(&facts) != rustix::process::geteuid().as_raw() {
            bail!("{} belongs to another user, so it is left alone", path.display());
        }
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            anyhow::anyhow!("{} is no UTF-8 text (byte {at}), so it is left alone; save it as UTF-8", path.display())
        })?;
        Ok(Self { path, text: Some(text) })
    }

    /// What was kept of the state before us.
    pub fn kept(&self) -> Option<String> {
        std::fs::read_to_string(self.beside()).ok()
    }

    /// Keeps the text as it is, over what was kept earlier; an absent file is kept by keeping nothing.
    pub fn keep(&self) -> anyhow::Result<()> {
        match &self.text {
            None => self.forget(),
            Some(text) => replace(&self.beside(), text, &self.path)
                .context("the file was not changed, because no copy could be kept"),
        }
    }

    /// Removes what was kept.
    pub fn forget(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(self.beside()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.beside().display()))
            }
            _ => Ok(()),
        }
    }

    /// Replaces the text, or removes the file, and reads it back.
    ///
    /// # Errors
    /// Where the file changed since it was read, or another program wrote it at the same moment.
    pub fn write(&self, text: Option<&str>) -> anyhow::Result<()> {
        self.expect(self.text.as_deref(), "changed in the meantime; nothing was written, so do it again")?;
        match text {
            Some(text) => replace(&self.path, text, &self.path)?,
            None => std::fs::remove_file(&self.path).with_context(|| format!("removing {}", self.path.display()))?,
        }
        self.expect(text, "was written by another program at the same moment; close that and do it again")
    }

    fn expect(&self, text: Option<&str>, else_it: &str) -> anyhow::Result<()> {
        if Self::read(&self.path)?.text.as_deref() != text {
            bail!("{} {else_it}", self.path.display());
        }
        Ok(())
    }

    /// Where the state before us is kept.
    fn beside(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(KEPT);
        self.path.with_file_name(name)
    }
}

/// The file behind a link; the path itself where there is none.
fn followed(path: &Path) -> anyhow::Result<PathBuf> {
    match std::fs::symlink_metadata(path) {
        Ok(facts) if facts.is_symlink() => {
            std::fs::canonicalize(path).with_context(|| format!("{} is a link that leads nowhere", path.display()))
        }
        _ => Ok(path.to_owned()),
    }
}

/// Puts `text` in place of `path` in one step, with the permissions of `model`, or for this user alone.
fn replace(path: &Path, text: &str, model: &Path) -> anyhow::Result<()> {
    let folder = path.parent().context("a file without a directory")?;
    let trying = || format!("writing {}", path.display());
    let mut fresh = tempfile::Builder::new().prefix(".countersign-").tempfile_in(folder).with_context(trying)?;
    fresh.write_all(text.as_bytes()).with_context(trying)?;
    if let Ok(facts) = std::fs::metadata(model) {
        fresh.as_file().set_permissions(facts.permissions()).with_context(trying)?;
    }
    fresh.as_file().sync_all().with_context(trying)?;
    fresh.persist(path).map(drop).map_err(|error| error.error).with_context(trying)
}
