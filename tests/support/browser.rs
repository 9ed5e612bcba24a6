//! Real Chromium, started on a throw-away profile; skipped where it is not installed.

use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// Names that lead to this computer and are no names of the service, as an attacker's name server would answer.
const NAMES: &str = "--host-resolver-rules=MAP attacker.test 127.0.0.1, MAP rebound.test 127.0.0.1, \
                     MAP rebinding.test 127.0.0.2";
/// `nobody`: as root Chromium does not start.
const NOBODY: u32 = 65534;

/// How Chromium is started here.
pub struct Chromium {
    sandboxed: bool,
}

impl Chromium {
    /// Looks for it; where its sandbox is not possible, it runs without.
    pub fn find() -> Option<Self> {
        let version = Command::new("chromium").arg("--version").env("HOME", "/nonexistent").output();
        if !version.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let sandboxed = Self { sandboxed: true };
        Some(if sandboxed.page("data:text/html,works").contains("works") {
            sandboxed
        } else {
            Self { sandboxed: false }
        })
    }

    /// Opens an address as a person does who types it, and gives what the page has become.
    pub fn page(&self, url: &str) -> String {
        let profile = self.profile();
        let output = self.command(profile.path()).args(["--dump-dom", url]).output().expect("chromium runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Opens an address and stays there.
    pub fn open(&self, url: &str) -> Window {
        let profile = self.profile();
        let browser = self.command(profile.path()).arg(url).spawn().expect("chromium runs");
        Window { browser, _profile: profile }
    }

    fn profile(&self) -> TempDir {
        let profile = tempfile::tempdir().expect("a temporary directory");
        if self.as_nobody() {
            std::os::unix::fs::chown(profile.path(), Some(NOBODY), Some(NOBODY)).expect("another owner");
        }
        profile
    }

    fn as_nobody(&self) -> bool {
        self.sandboxed && rustix::process::geteuid().is_root()
    }

    /// Nothing of the browser's own is sent anywhere, and no popup is blocked.
    fn command(&self, profile: &Path) -> Command {
        let mut command = Command::new(if self.as_nobody() { "setpriv" } else { "chromium" });
        if self.as_nobody() {
            command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups", "chromium"]);
        }
        if !self.sandboxed {
            command.arg("--no-sandbox");
        }
        command
            .arg(format!("--user-data-dir={}", profile.display()))
            .args(["--headless=new", "--disable-gpu", "--no-first-run", "--disable-popup-blocking", NAMES])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-quic",
                "--no-proxy-server",
            ])
            .env("HOME", profile)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }
}

/// An open browser. Killed with all its processes when dropped.
pub struct Window {
    browser: Child,
    _profile: TempDir,
}

impl Drop for Window {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.browser);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.browser.wait();
    }
}
