//! Tokens of agents that come through the bridge: one file an agent, `tokens/NAME` in the data directory, for its owner alone.
//!
//! The token is in no client's configuration and on no screen. A file that others can read or have made is not used.

use anyhow::{Context as _, bail};
use countersign_core::payment::AgentName;
use countersign_vault::keys::Secret;
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// A token has 85 characters; whatever is much longer is something else.
const MOST: u64 = 256;

/// Where the token of this agent lies.
pub fn path(dir: &Path, agent: &AgentName) -> PathBuf {
    dir.join("tokens").join(agent.as_str())
}

/// Every agent that has a token here.
pub fn agents(dir: &Path) -> Vec<AgentName> {
    let files = fs::read_dir(dir.join("tokens")).into_iter().flatten().flatten();
    let mut names: Vec<AgentName> = files.filter_map(|file| file.file_name().to_str()?.parse().ok()).collect();
    names.sort();
    names
}

/// The token of this agent.
///
/// # Errors
/// When there is none, or its file is not a plain one that only its owner, who is us, can read.
pub fn read(dir: &Path, agent: &AgentName) -> anyhow::Result<Secret> {
    let path = path(dir, agent);
    private(&dir.join("tokens"))?;
    let file = match look(OpenOptions::new().read(true), &path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "the agent {agent} has no token for the bridge; run `countersign agent add {agent} --bridge`, or `countersign agent rotate {agent} --bridge` if it exists"
        ),
        Err(error) => return Err(error).with_context(|| format!("reading the token in {}", path.display())),
    };
    check(&path, &file.metadata()?, true)?;
    let mut bytes = Vec::with_capacity(256);
    file.take(MOST).read_to_end(&mut bytes).with_context(|| format!("reading the token in {}", path.display()))?;
    let token = Secret::new(bytes);
    let text = token.expose().trim_ascii();
    if text.is_empty() || !text.iter().all(u8::is_ascii_graphic) {
        bail!("{} holds no token; revoke the agent {agent} and add it again", path.display());
    }
    Ok(Secret::copy_of(text))
}

/// Removes the token of a revoked agent. There need be none.
pub fn forget(dir: &Path, agent: &AgentName) -> anyhow::Result<()> {
    let path = path(dir, agent);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// A file made ready before the token is, so that none is made which cannot be kept.
pub struct Blank {
    file: File,
    at: PathBuf,
    goes_to: PathBuf,
}

impl Blank {
    /// Makes the file beside the place where it will go.
    pub fn make(dir: &Path, agent: &AgentName) -> anyhow::Result<Self> {
        let folder = dir.join("tokens");
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).with_context(|| format!("making {}", folder.display()))?;
        private(&folder)?;
        // The leading dot is in no agent's name.
        let at = folder.join(format!(".{agent}-{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = look(&mut options, &at).with_context(|| format!("making {}", at.display()))?;
        Ok(Self { file, at, goes_to: path(dir, agent) })
    }

    /// Writes the token and puts the file in its place, instead of an older one.
    pub fn keep(mut self, token: &str) -> anyhow::Result<PathBuf> {
        let kept = self.file.write_all(token.as_bytes()).and_then(|()| self.file.sync_all());
        kept.and_then(|()| fs::rename(&self.at, &self.goes_to))
            .with_context(|| format!("keeping the token in {}", self.goes_to.display()))?;
        Ok(self.goes_to.clone())
    }
}

/// What was not kept is nothing.
impl Drop for Blank {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.at);
    }
}

fn look(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, i32::try_from(flags.bits()).unwrap_or(0));
    }
    options.open(path)
}

fn private(folder: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(meta) => check(folder, &meta, false),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("looking at {}", folder.display())),
    }
}

/// Kind, owner and mode.
fn check(path: &Path, meta: &fs::Metadata, file: bool) -> anyhow::Result<()> {
    if if file { !meta.is_file() } else { !meta.is_dir() } {
        bail!("{} is not a plain {}", path.display(), if file { "file" } else { "folder" });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        if meta.uid() != rustix::process::geteuid().as_raw() {
            bail!("{} belongs to another user and is not used", path.display());
        }
        if meta.permissions().mode() & 0o077 != 0 {
            bail!("{} can be used by others; run: chmod go= {0}", path.display());
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const TOKEN: &str = "cs1_00_11";

    fn agent() -> AgentName {
        "researcher".parse().unwrap()
    }

    fn kept() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Blank::make(dir.path(), &agent()).unwrap().keep(TOKEN).unwrap();
        (dir, path)
    }

    fn refused(dir: &Path) -> String {
        read(dir, &agent()).unwrap_err().to_string()
    }

    #[test]
    fn a_token_is_kept_for_its_owner_alone_and_forgotten() {
        let (dir, path) = kept();
        assert_eq!(read(dir.path(), &agent()).unwrap().expose(), TOKEN.as_bytes());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(agents(dir.path()), [agent()]);
        forget(dir.path(), &agent()).unwrap();
        forget(dir.path(), &agent()).unwrap();
        assert!(refused(dir.path()).contains("agent add researcher --bridge"));
    }

    #[test]
    fn a_blank_that_was_not_filled_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(Blank::make(dir.path(), &agent()).unwrap());
        assert_eq!(fs::read_dir(dir.path().join("tokens")).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_none_is_not_used() {
        let (dir, path) = kept();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(refused(dir.path()).contains("can be used by others"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(refused(dir.path()).contains("can be used by others"));
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();

        let elsewhere = dir.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(refused(dir.path()).contains("reading the token"));
        // A new token replaces the link, not what it leads to.
        Blank::make(dir.path(), &agent()).unwrap().keep("cs1_new").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), TOKEN);
        assert_eq!(read(dir.path(), &agent()).unwrap().expose(), b"cs1_new");

        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(refused(dir.path()).contains("not a plain file"));
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        let (dir, path) = kept();
        for bad in ["", "\n", "a b", "a\u{e9}", "a\0b"] {
            fs::write(&path, bad).unwrap();
            assert!(refused(dir.path()).contains("holds no token"), "{bad:?}");
        }
    }
}
