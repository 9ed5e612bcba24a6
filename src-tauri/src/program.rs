//! A program of somebody else, with which we talk: started as it stands, without a shell, with little of our environment, and ended with us.

use anyhow::Context as _;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

/// What of our environment a program gets.
const ENVIRONMENT: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "SYSTEMROOT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "TEMP",
    "PATHEXT",
];

/// It was never started.
#[derive(Debug, thiserror::Error)]
#[error("the program cannot be started: {0}")]
pub struct NotStarted(std::io::Error);

/// A running one. Killed when dropped.
pub struct Program(Child);

#[cfg(unix)]
type Pipes = (tokio::net::unix::pipe::Receiver, tokio::net::unix::pipe::Sender);
#[cfg(not(unix))]
type Pipes = (tokio::fs::File, tokio::fs::File);

impl Program {
    /// Starts it, in that folder; what it says, and what it hears.
    ///
    /// # Errors
    /// When it cannot be started: [`NotStarted`]; or when its pipes cannot be used.
    pub fn start(words: &[String], within: Option<&Path>) -> anyhow::Result<(Self, Pipes)> {
        let (program, arguments) = words.split_first().context("there is no program")?;
        let kept = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(kept);
        if let Some(folder) = within {
            command.current_dir(folder);
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(NotStarted)?;
        let (says, hears) = child.stdout.take().zip(child.stdin.take()).context("the program has no pipes")?;
        let program = Self(child);
        #[cfg(unix)]
        let pipes = (
            tokio::net::unix::pipe::Receiver::from_owned_fd(says.into())?,
            tokio::net::unix::pipe::Sender::from_owned_fd(hears.into())?,
        );
        #[cfg(not(unix))]
        let pipes = {
            use std::os::windows::io::OwnedHandle;
            let file = |handle: OwnedHandle| tokio::fs::File::from_std(std::fs::File::from(handle));
            (file(says.into()), file(hears.into()))
        };
        Ok((program, pipes))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
