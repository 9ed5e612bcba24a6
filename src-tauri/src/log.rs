//! Where the log goes: to stderr, and of the desktop, which has nobody there, into a file as well.

use anyhow::Context as _;
#[cfg(feature = "gui")]
use std::{fs::File, io, path::PathBuf};
use std::{io::Write, sync::Mutex};
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::app::Place;

/// A file that is larger is put away under another name; the one that was there goes. So the logs are never more than twice this.
#[cfg(feature = "gui")]
const LARGE: u64 = 5 * 1024 * 1024;

/// The file of the log, which makes room for itself.
#[cfg(feature = "gui")]
pub struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
}

/// The folder of the logs.
#[cfg(feature = "gui")]
pub fn folder(place: &Place) -> PathBuf {
    place.dir.join("logs")
}

/// The file of the desktop's log; none where it cannot be written.
#[cfg(feature = "gui")]
pub fn file(place: &Place) -> Option<LogFile> {
    let folder = folder(place);
    let opened = crate::app::make_private(&folder).and_then(|()| Ok(LogFile::open(folder.join("countersign.log"))?));
    if let Err(error) = &opened {
        eprintln!("countersign: there is no log file: {error:#}");
    }
    opened.ok()
}

#[cfg(feature = "gui")]
impl LogFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        let mut options = File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size })
    }

    fn make_room(&mut self) -> io::Result<()> {
        std::fs::rename(&self.path, self.path.with_extension("log.1"))?;
        *self = Self::open(self.path.clone())?;
        Ok(())
    }
}

#[cfg(feature = "gui")]
impl Write for LogFile {
    /// Each call brings whole lines, so no line is cut in two.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.size > LARGE {
            // Where it cannot be put away, the log goes on where it is.
            self.size = 0;
            self.make_room().ok();
        }
        let written = self.file.write(lines)?;
        self.size = self.size.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Starts the log; `COUNTERSIGN_LOG` sets how much, `warn` by default.
pub fn start<W: Write + Send + 'static>(place: &Place, file: Option<W>) -> anyhow::Result<()> {
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

    #[test]
    fn a_large_log_makes_room_while_it_is_written_and_only_the_last_one_stays_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { dir: dir.path().join("data"), config: dir.path().join("config.toml") };
        let name = |end: &str| folder(&place).join(format!("countersign.log{end}"));
        let mut log = file(&place).unwrap();
        let line = format!("{}\n", "x".repeat(1023));
        for n in 0..3 * LARGE / 1024 {
            log.write_all(format!("{n} {line}").as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder(&place)).unwrap().count(), 2);
        for end in ["", ".1"] {
            let text = std::fs::read_to_string(name(end)).unwrap();
            assert!(text.len() as u64 <= LARGE + 2048, "{}", text.len());
            assert!(text.lines().all(|line| line.ends_with('x')), "no line is cut");
            #[cfg(unix)]
            assert_eq!(
                std::os::unix::fs::PermissionsExt::mode(&name(end).metadata().unwrap().permissions()) & 0o777,
                0o600
            );
        }
        // The next start goes on in the same file.
        let before = name("").metadata().unwrap().len();
        file(&place).unwrap().write_all(b"again\n").unwrap();
        assert_eq!(name("").metadata().unwrap().len(), before + 6);
    }
}
