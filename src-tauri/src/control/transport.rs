//! The private way to a running Countersign: a Unix socket in the data directory, mode 0600, or a named pipe on Windows.

use std::{io, path::Path};

#[cfg(unix)]
mod unix {
    use super::{Path, io};
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::net::{UnixListener, UnixStream};

    /// Listens for verbs.
    pub struct Door(UnixListener);
    /// One connection.
    pub type Line = UnixStream;

    impl Door {
        /// Opens the socket. The data directory is locked by us, so a socket left behind belongs to nobody.
        pub fn open(dir: &Path) -> io::Result<Self> {
            let path = dir.join("control.sock");
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            Ok(Self(listener))
        }

        /// The next connection of this very user; others are dropped unread.
        pub async fn next(&mut self) -> io::Result<Line> {
            loop {
                let (stream, _) = self.0.accept().await?;
                let ours = rustix::process::geteuid().as_raw();
                match stream.peer_cred() {
                    Ok(peer) if peer.uid() == ours => return Ok(stream),
                    Ok(peer) => tracing::warn!(uid = peer.uid(), "another user tried the control socket"),
                    Err(error) => tracing::warn!(%error, "a caller of the control socket could not be identified"),
                }
            }
        }
    }

    /// Knocks.
    pub async fn connect(dir: &Path) -> io::Result<Line> {
        UnixStream::connect(dir.join("control.sock")).await
    }
}

#[cfg(windows)]
mod windows {
    use super::{Path, io};
    use countersign_core::payment::Digest;
    use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

    /// Listens for verbs.
    pub struct Door {
        name: String,
        next: NamedPipeServer,
    }
    /// One connection.
    pub type Line = NamedPipeServer;

    /// The pipe of this data directory. The default descriptor admits this user, administrators and the system.
    fn name(dir: &Path) -> String {
        format!(r"\\.\pipe\countersign-{}", Digest::of(&[dir.to_string_lossy().as_bytes()]))
    }

    impl Door {
        /// Opens the pipe; fails if somebody else made it first.
        pub fn open(dir: &Path) -> io::Result<Self> {
            let name = name(dir);
            let next = ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
            Ok(Self { name, next })
        }

        /// The next connection.
        pub async fn next(&mut self) -> io::Result<Line> {
            self.next.connect().await?;
            let fresh = ServerOptions::new().reject_remote_clients(true).create(&self.name)?;
            Ok(std::mem::replace(&mut self.next, fresh))
        }
    }

    /// Knocks.
    pub async fn connect(dir: &Path) -> io::Result<NamedPipeClient> {
        ClientOptions::new().open(name(dir))
    }
}

#[cfg(unix)]
pub use unix::{Door, Line, connect};
#[cfg(windows)]
pub use windows::{Door, Line, connect};
