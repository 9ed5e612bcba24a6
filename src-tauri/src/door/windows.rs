//! A named pipe of the data directory. The default descriptor admits this user, administrators and the system.

use countersign_core::payment::{Digest, Program};
use std::{io, path::Path};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

/// Listens.
pub struct Door {
    name: String,
    next: NamedPipeServer,
}
/// One connection, seen from inside.
pub type Line = NamedPipeServer;
/// One connection, seen from outside.
pub type Knock = NamedPipeClient;

fn pipe(dir: &Path, name: &str) -> String {
    format!(r"\\.\pipe\countersign-{}", Digest::of(&[dir.to_string_lossy().as_bytes(), name.as_bytes()]))
}

impl Door {
    /// Opens the pipe; fails if somebody else made it first.
    pub async fn open(dir: &Path, name: &str) -> io::Result<Self> {
        let name = pipe(dir, name);
        let next = ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
        Ok(Self { name, next })
    }

    /// The next connection. The program behind it is not looked at on this system.
    pub async fn next(&mut self) -> io::Result<(Line, Option<Program>)> {
        self.next.connect().await?;
        let fresh = ServerOptions::new().reject_remote_clients(true).create(&self.name)?;
        Ok((std::mem::replace(&mut self.next, fresh), None))
    }
}

/// Connects to the door of this name.
pub async fn knock(dir: &Path, name: &str) -> io::Result<Knock> {
    ClientOptions::new().open(pipe(dir, name))
}
