//! What the demo must take away again: processes, the throw-away directory, the keyring entry.
//!
//! Cleared when dropped, and on Ctrl-C or a termination signal from the thread that handles it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);

/// Owner of everything temporary.
pub struct Stage {
    props: Arc<Mutex<Props>>,
    folder: PathBuf,
}

#[derive(Default)]
struct Props {
    folder: Option<TempDir>,
    running: Vec<(&'static str, Child)>,
    last: Vec<Box<dyn FnOnce() + Send>>,
}

/// What a process said.
pub enum Said {
    /// One line on its stdout.
    Line(String),
    /// Its stdout is closed.
    End,
}

impl Stage {
    /// Makes the directory and takes over Ctrl-C.
    pub fn new() -> Result<Self> {
        let temporary = tempfile::Builder::new().prefix("countersign-demo-").tempdir()?;
        let folder = temporary.path().to_path_buf();
        let props = Arc::new(Mutex::new(Props { folder: Some(temporary), ..Props::default() }));
        let at_signal = Arc::clone(&props);
        ctrlc::set_handler(move || {
            eprintln!("\nStopped; taking everything away again.");
            lock(&at_signal).clear();
            std::process::exit(130);
        })?;
        Ok(Self { props, folder })
    }

    /// The throw-away directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Does this last of all, when nothing runs any more.
    pub fn at_the_end(&self, act: impl FnOnce() + Send + 'static) {
        lock(&self.props).last.push(Box::new(act));
    }

    /// Starts a process; what it prints goes to `hear` while that says true, its errors to a file in the directory.
    /// Returns its stdin.
    pub fn start(
        &self,
        name: &'static str,
        command: &mut Command,
        hear: impl Fn(Said) -> bool + Send + 'static,
    ) -> Result<ChildStdin> {
        let log = std::fs::File::create(self.log(name))?;
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = piped.spawn().with_context(|| format!("cannot start {name}"))?;
        let stdin = child.stdin.take().context("no pipe to the child")?;
        let stdout = child.stdout.take().context("no pipe from the child")?;
        lock(&self.props).running.push((name, child));
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
                if !hear(Said::Line(line)) {
                    return;
                }
            }
            hear(Said::End);
        });
        Ok(stdin)
    }

    /// Waits for a process that ends by itself; whether it ended well.
    pub fn finished(&self, name: &str) -> bool {
        self.take(name).is_some_and(|mut child| end(&mut child))
    }

    /// Asks a process to end and waits for it; whether it ended well.
    pub fn stop(&self, name: &str) -> bool {
        self.take(name).is_some_and(|mut child| {
            ask_to_end(&child);
            end(&mut child)
        })
    }

    fn take(&self, name: &str) -> Option<Child> {
        let mut props = lock(&self.props);
        let at = props.running.iter().position(|(running, _)| *running == name)?;
        Some(props.running.swap_remove(at).1)
    }

    /// The end of what a process wrote to stderr.
    pub fn last_words(&self, name: &str) -> String {
        let text = std::fs::read(self.log(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        lock(&self.props).clear();
    }
}

impl Props {
    fn clear(&mut self) {
        for (_, child) in &self.running {
            ask_to_end(child);
        }
        while let Some((_, mut child)) = self.running.pop() {
            end(&mut child);
        }
        for act in self.last.drain(..) {
            act();
        }
        if let Some(Err(error)) = self.folder.take().map(TempDir::close) {
            eprintln!("The throw-away directory could not be removed: {error}");
        }
    }
}

fn lock(props: &Mutex<Props>) -> MutexGuard<'_, Props> {
    props.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A polite request where the system has one; elsewhere a closed stdin must do.
fn ask_to_end(child: &Child) {
    #[cfg(unix)]
    if let Some(id) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        rustix::process::kill_process(id, rustix::process::Signal::TERM).ok();
    }
    #[cfg(not(unix))]
    let _ = child;
}

fn end(child: &mut Child) -> bool {
    let limit = Instant::now() + if cfg!(unix) { PATIENCE } else { Duration::from_secs(1) };
    while Instant::now() < limit {
        if let Ok(Some(status)) = child.try_wait() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().ok();
    child.wait().ok();
    // Where nothing can be asked politely, the force was no fault of the process.
    !cfg!(unix)
}
