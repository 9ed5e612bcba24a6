//! A Unix socket with mode 0600; the kernel names whoever is at the other end.

use countersign_core::payment::Program;
use std::{
    io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::{UnixListener, UnixStream};

use super::program;

/// How long a socket that was left behind may take to refuse.
const TRIAL: Duration = Duration::from_secs(1);

/// Listens; the socket goes with it.
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// This run of ours: what is seen behind this door is told apart from what was seen behind an earlier one.
    life: [u8; 8],
}
/// One connection, seen from inside.
pub type Line = UnixStream;
/// One connection, seen from outside.
pub type Knock = UnixStream;

impl Door {
    /// Opens the socket of this name in a data directory that this process holds.
    ///
    /// # Errors
    /// When the name is taken by anything but a dead socket of ours: a file, a link, another user's, or one that answers.
    pub async fn open(dir: &Path, name: &str) -> io::Result<Self> {
        let path = dir.join(name);
        make_room(&path).await?;
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let mut life = [0; 8];
        getrandom::fill(&mut life).map_err(io::Error::other)?;
        Ok(Self { listener, path, life })
    }

    /// The next connection of this very user and the program behind it; others are dropped unread.
    pub async fn next(&mut self) -> io::Result<(Line, Option<Program>)> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            match stream.peer_cred() {
                Ok(peer) if peer.uid() == ourselves() => {
                    return Ok((stream, peer.pid().and_then(|pid| program::behind(pid, self.life))));
                }
                Ok(peer) => tracing::warn!(uid = peer.uid(), socket = %self.path.display(), "another user knocked"),
                Err(error) => tracing::warn!(%error, "whoever knocked could not be identified"),
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn make_room(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let refuse = |why: &str| {
        let says = format!("{} {why}; find out who put it there, remove it and start again", path.display());
        Err(io::Error::new(io::ErrorKind::AlreadyExists, says))
    };
    if !found.file_type().is_socket() {
        return refuse("is there already and is no socket");
    }
    if found.uid() != ourselves() {
        return refuse("belongs to another user");
    }
    match tokio::time::timeout(TRIAL, UnixStream::connect(path)).await {
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => refuse("is held by another program"),
    }
}

/// Connects to the door of this name. Nothing is sent to a socket on which another user listens.
///
/// # Errors
/// `NotFound` and `ConnectionRefused` when nobody is in; `PermissionDenied` when the wrong user is.
pub async fn knock(dir: &Path, name: &str) -> io::Result<Knock> {
    let stream = UnixStream::connect(dir.join(name)).await?;
    if stream.peer_cred()?.uid() == ourselves() {
        return Ok(stream);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("another user listens on {name} in {}", dir.display())))
}

fn ourselves() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(dir: &Path) -> String {
        match Door::open(dir, "a.sock").await {
            Ok(_) => panic!("the door opened"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_anything_else_in_its_place_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let door = Door::open(dir.path(), "a.sock").await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(refused(dir.path()).await.contains("held by another program"));
        drop(door);
        assert!(!path.exists(), "the socket outlived its door");

        std::fs::write(&path, "x").unwrap();
        assert!(refused(dir.path()).await.contains("is no socket"));
        assert_eq!(std::fs::read(&path).unwrap(), b"x", "what was there is left alone");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &path).unwrap();
        assert!(refused(dir.path()).await.contains("is no socket"));
    }

    #[tokio::test]
    async fn whoever_knocks_is_named_by_the_system() {
        let dir = tempfile::tempdir().unwrap();
        let mut door = Door::open(dir.path(), "a.sock").await.unwrap();
        let (inside, outside) = tokio::join!(door.next(), knock(dir.path(), "a.sock"));
        outside.unwrap();
        let (_, program) = inside.unwrap();
        // This process is its own bridge, so the program is the one that runs the test.
        assert_eq!(program.is_some(), cfg!(target_os = "linux"));
    }
}
