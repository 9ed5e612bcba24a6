//! A named pipe of the data directory. The default descriptor admits this user, administrators and the system.
//!
//! No release holds this yet: the ledger is not kept on this system. Tried by itself, compiled for Windows and run under wine.

use countersign_core::payment::{Digest, Program};
use std::{io, path::Path, time::Duration};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

/// What the system says while every instance of a pipe has its client.
const BUSY: i32 = 231;
/// How often a busy pipe is asked again, and how long until.
const TRIALS: u32 = 500;
const STEP: Duration = Duration::from_millis(10);

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

/// Connects to the door of this name. Between one client and the next there is no free instance, so a busy pipe is asked again.
///
/// # Errors
/// `NotFound` when nobody is in; what the system says when the pipe stays busy.
pub async fn knock(dir: &Path, name: &str) -> io::Result<Knock> {
    let name = pipe(dir, name);
    for _ in 1..TRIALS {
        match ClientOptions::new().open(&name) {
            Err(error) if error.raw_os_error() == Some(BUSY) => tokio::time::sleep(STEP).await,
            end => return end,
        }
    }
    ClientOptions::new().open(&name)
}
