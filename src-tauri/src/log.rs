//! Where the log goes: to stderr, and of the desktop, which has nobody there, into a file as well.

use anyhow::Context as _;
#[cfg(feature = "gui")]
use std::path::PathBuf;
use std::{fs::File, sync::Mutex};
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::app::Place;

/// A file that is larger at the start is put away under another name; the one that was there goes.
#[cfg(feature = "gui")]
const LARGE: u64 = 5 * 1024 * 1024;

/// The folder of the logs.
#[cfg(feature = "gui")]
pub fn folder(place: &Place) -> PathBuf {
    place.dir.join("logs")
}

/// The file of the desktop's log; none where it cannot be written.
#[cfg(feature = "gui")]
pub fn file(place: &Place) -> Option<File> {
    let opened = open(place);
    if let Err(error) = &opened {
        eprintln!("countersign: there is no log file: {error:#}");
    }
    opened.ok()
}

#[cfg(feature = "gui")]
fn open(place: &Place) -> anyhow::Result<File> {
    let folder = folder(place);
    crate::app::make_private(&folder)?;
    let path = folder.join("countersign.log");
    if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LARGE) {
        std::fs::rename(&path, folder.join("countersign.log.1"))?;
    }
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?)
}

/// Starts the log; `COUNTERSIGN_LOG` sets how much, `warn` by default.
pub fn start(place: &Place, file: Option<File>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("COUNTERSIGN_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::registry()
        .with(filter)
        // The MCP library logs whole messages, tokens and credentials included, and warns of every mistake a client makes.
        .with(filter_fn(|entry| !entry.target().starts_with("rmcp")))
        .with(fmt::layer().with_writer(std::io::stderr).with_ansi(false))
        .with(file.map(|file| fmt::layer().with_writer(Mutex::new(file)).with_ansi(false)))
        .try_init()
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(|| format!("starting the log of {}", place.dir.display()))
}

#[cfg(all(test, feature = "gui"))]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_large_log_makes_room_and_only_the_last_one_stays_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { dir: dir.path().join("data"), config: dir.path().join("config.toml") };
        for round in ["first", "second", "third"] {
            let mut log = open(&place).unwrap();
            writeln!(log, "{round}").unwrap();
            log.set_len(LARGE + 1).unwrap();
        }
        writeln!(open(&place).unwrap(), "fourth").unwrap();
        let begins =
            |name: &str, text: &str| std::fs::read_to_string(folder(&place).join(name)).unwrap().starts_with(text);
        assert!(begins("countersign.log", "fourth") && begins("countersign.log.1", "third"));
        assert_eq!(std::fs::read_dir(folder(&place)).unwrap().count(), 2);
    }
}
