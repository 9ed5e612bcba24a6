//! A client's file on disk: read whole, replaced whole, with the state before it kept beside it.
//!
//! The link of a linked file stays a link; what it points to is replaced. The mode stays as it was and is never widened.
//! Nothing is written if the file changed since it was read.

use anyhow::{Context as _, bail};
#[cfg(unix)]
use std::fs::Permissions;
use std::{
    fs::Metadata,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

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

    /// Removes what was kept.
    pub fn forget(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(self.beside()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.beside().display()))
            }
            _ => Ok(()),
        }
    }

    /// Makes a new text ready on the disk, or the removal of the file; with `keep` also a copy of the text as it is, which
    /// goes over what was kept earlier. An absent file is kept by keeping nothing.
    pub fn ready<'a>(&'a self, text: Option<&'a str>, keep: bool) -> anyhow::Result<Ready<'a>> {
        let copied = self.text.as_deref().filter(|_| keep).map(|text| self.fresh(text)).transpose();
        let copy = copied.context("the file was not changed, because no copy could be kept")?;
        let fresh = text.map(|text| self.fresh(text)).transpose()?;
        Ok(Ready { file: self, text, fresh, keep, copy })
    }

    /// A file with this text in the same directory, with the rights of ours, or for this user alone.
    fn fresh(&self, text: &str) -> anyhow::Result<NamedTempFile> {
        let folder = self.path.parent().context("a file without a directory")?;
        let trying = || format!("writing {}", self.path.display());
        let mut fresh = tempfile::Builder::new().prefix(".countersign-").tempfile_in(folder).with_context(trying)?;
        fresh.write_all(text.as_bytes()).with_context(trying)?;
        if let Ok(model) = std::fs::metadata(&self.path) {
            give_rights(fresh.as_file(), &model).with_context(trying)?;
        }
        fresh.as_file().sync_all().with_context(trying)?;
        Ok(fresh)
    }

    fn expect(&self, text: Option<&str>, else_it: &str) -> anyhow::Result<()> {
        if Self::read(&self.path)?.text.as_deref() != text {
            bail!("{} {else_it}", self.path.display());
        }
        Ok(())
    }

    /// Where the state before us is kept.
    pub fn beside(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(KEPT);
        self.path.with_file_name(name)
    }
}

/// A change that is on the disk and not in its place. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Ready<'a> {
    file: &'a File,
    text: Option<&'a str>,
    fresh: Option<NamedTempFile>,
    keep: bool,
    copy: Option<NamedTempFile>,
}

impl Ready<'_> {
    /// Puts everything in its place and reads the file back. After the last look at the file only names change.
    ///
    /// # Errors
    /// Where the file changed since it was read, or another program wrote it at the same moment.
    pub fn put(self) -> anyhow::Result<()> {
        let Self { file, text, fresh, keep, copy } = self;
        file.expect(file.text.as_deref(), "changed in the meantime; nothing was written, so do it again")?;
        match copy {
            Some(copy) => put_in_place(copy, &file.beside())?,
            None if keep => file.forget()?,
            None => {}
        }
        match fresh {
            Some(fresh) => put_in_place(fresh, &file.path)?,
            None => std::fs::remove_file(&file.path).with_context(|| format!("removing {}", file.path.display()))?,
        }
        file.expect(text, "was written by another program at the same moment; close that and do it again")
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

/// The group and the mode of the model. Where the group cannot be given, its rights are not given to another group.
#[cfg(unix)]
fn give_rights(file: &std::fs::File, model: &Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let mode = model.permissions().mode();
    let same = file.metadata()?.gid() == model.gid() || fchown(file, None, Some(model.gid())).is_ok();
    file.set_permissions(Permissions::from_mode(if same { mode } else { mode & !0o2070 }))
}

#[cfg(not(unix))]
fn give_rights(file: &std::fs::File, model: &Metadata) -> std::io::Result<()> {
    file.set_permissions(model.permissions())
}

fn put_in_place(fresh: NamedTempFile, path: &Path) -> anyhow::Result<()> {
    fresh.persist(path).map(drop).map_err(|error| error.error).with_context(|| format!("writing {}", path.display()))
}
