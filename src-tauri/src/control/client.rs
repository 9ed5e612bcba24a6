//! The command line's end of the control socket.

use anyhow::Context as _;
use std::path::Path;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::{Op, Reply};
use crate::door;

/// Nothing answers in this data directory.
#[derive(Debug, thiserror::Error)]
#[error("Countersign is not running in {0}")]
pub struct NotRunning(String);

impl NotRunning {
    /// In this data directory.
    pub fn in_dir(dir: &Path) -> Self {
        Self(dir.display().to_string())
    }
}

/// Sends one verb to the running Countersign and waits for its reply.
pub async fn call(dir: &Path, op: &Op) -> anyhow::Result<Reply> {
    let stream = door::knock(dir, door::CONTROL).await.map_err(|_| NotRunning::in_dir(dir))?;
    let (read, mut write) = tokio::io::split(stream);
    let mut line = serde_json::to_vec(op)?;
    line.push(b'\n');
    write.write_all(&line).await.context("the running Countersign hung up")?;
    let mut answer = String::new();
    BufReader::new(read).read_line(&mut answer).await.context("the running Countersign hung up")?;
    serde_json::from_str(&answer).context("the running Countersign gave no answer; is it another version?")
}
