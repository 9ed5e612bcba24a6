//! The command line's end of the control socket.

use anyhow::Context as _;
use std::{io, path::Path};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use zeroize::Zeroizing;

use super::{Op, Reply, op::Line};
use crate::door;

/// Nothing answers in this data directory.
#[derive(Debug, thiserror::Error)]
#[error(
    "Countersign is not running in {0}; start it with `countersign --data-dir {0}`, or in a terminal with `countersign serve --data-dir {0}`"
)]
pub struct NotRunning(String);

impl NotRunning {
    /// In this data directory.
    pub fn in_dir(dir: &Path) -> Self {
        Self(dir.display().to_string())
    }
}

/// Sends one verb to the running Countersign and waits for its reply; what is to be shown meanwhile is told at once.
pub async fn call(dir: &Path, op: &Op, meanwhile: impl Fn(&Line)) -> anyhow::Result<Reply> {
    let stream = door::knock(dir, door::CONTROL).await.map_err(|_| NotRunning::in_dir(dir))?;
    let (read, mut write) = tokio::io::split(stream);
    write.write_all(&line_of(op)?).await.context("the running Countersign hung up")?;
    let mut lines = BufReader::new(read).lines();
    loop {
        let line = lines.next_line().await.context("the running Countersign hung up")?.unwrap_or_default();
        match serde_json::from_str(&line) {
            Ok(Line::Reply(reply)) => return Ok(reply),
            Ok(line) => meanwhile(&line),
            Err(error) => {
                return Err(error).context("the running Countersign gave no answer; is it another version?");
            }
        }
    }
}

/// A verb as one line. It may carry a key, so it is written into memory that is wiped and never has to grow.
fn line_of(op: &Op) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let mut length = Length(1);
    serde_json::to_writer(&mut length, op)?;
    let mut line = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *line, op)?;
    line.push(b'\n');
    Ok(line)
}

/// Counts what is written and keeps nothing of it.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
