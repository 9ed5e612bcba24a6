//! An agent with its token in a private file, `DIR/tokens/NAME`, where the bridge reads it and no client does.

use anyhow::{Context as _, bail};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use super::perform;
use crate::{
    app::Place,
    control::{Op, Reply},
};

/// Where the token of an agent lies.
pub fn path(place: &Place, name: &str) -> PathBuf {
    place.dir.join("tokens").join(name)
}

/// Makes sure that the agent exists and its token lies in its file; gives the reply if it was not carried out, as when
/// the person said no.
///
/// # Errors
/// Where the agent exists and its token is not here: a token is shown once.
pub fn ensure_agent(place: &Place, name: &str) -> anyhow::Result<Option<Reply>> {
    let list = match perform(place, Op::AgentList)? {
        Reply::Done(list) => list,
        other => return Ok(Some(other)),
    };
    let alive = |agent: &&serde_json::Value| agent["name"] == name && agent["revoked_at"].is_null();
    let alive = list["agents"].as_array().into_iter().flatten().any(|agent| alive(&agent));
    let path = path(place, name);
    match (alive, std::fs::symlink_metadata(&path).is_ok()) {
        (true, true) => return Ok(None),
        (true, false) => bail!(
            "there is an agent {name} already, whose token is not here; `countersign agent revoke {name}` ends it, then connect again"
        ),
        // The token of an agent that is no more.
        (false, true) => std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?,
        (false, false) => {}
    }
    // The file first: an agent whose token was lost could not be given another.
    let mut file = private(&path).with_context(|| format!("making {}", path.display()))?;
    let kept = match perform(place, Op::AgentAdd { name: name.to_owned(), ask_everything: false }) {
        Ok(Reply::Done(made)) => {
            let token = made["token"].as_str().unwrap_or_default();
            let written = file.write_all(token.as_bytes()).and_then(|()| file.sync_all());
            if written.is_err() {
                perform(place, Op::AgentRevoke { name: name.to_owned() })?;
            }
            written.map(|()| None).with_context(|| format!("writing {}", path.display()))
        }
        Ok(other) => Ok(Some(other)),
        Err(error) => Err(error),
    };
    if !matches!(kept, Ok(None)) {
        drop(file);
        std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    kept
}

/// A new file that nobody else can read; fails if anything is there, a link too.
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folder.mode(0o700);
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    if let Some(parent) = path.parent() {
        folder.create(parent)?;
    }
    options.open(path)
}
