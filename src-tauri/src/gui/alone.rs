//! A desktop without a tray: said once for all, and closing the main window says that Countersign keeps running.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{Shell, notify, tray, words::Word};

/// How long a tray may take to come up after a login.
const COMES_UP: Duration = Duration::from_secs(5);

/// What was said of it.
pub struct Alone {
    /// Is there once it was said that there is no tray.
    said: PathBuf,
    closing: AtomicBool,
}

impl Alone {
    /// As far as it was said in this directory.
    pub fn new(dir: &Path) -> Self {
        Self { said: dir.join("no-tray-was-said"), closing: AtomicBool::new(false) }
    }
}

/// Says that there is no tray, if there is none and it was never said.
pub async fn begin(shell: Arc<Shell>) {
    tokio::time::sleep(COMES_UP).await;
    if shell.alone.said.exists() || shows().await {
        return;
    }
    let said = shell.alone.said.clone();
    notify::say(shell, Word::NoTray, Word::NoTrayMore, move || {
        if let Err(error) = std::fs::write(said, "") {
            tracing::warn!(%error, "that there is no tray will be said again");
        }
    });
}

/// Says, once a run, that closing the main window ends nothing, where no tray shows it.
pub async fn closing(shell: Arc<Shell>) {
    if !shows().await && !shell.alone.closing.swap(true, Ordering::Relaxed) {
        notify::say(shell, Word::KeepsRunning, Word::KeepsRunningMore, || {});
    }
}

async fn shows() -> bool {
    tokio::task::spawn_blocking(tray::shows).await.unwrap_or(true)
}
