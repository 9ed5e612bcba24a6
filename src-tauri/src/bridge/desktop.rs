//! Starting the desktop app for a client that came first. Only where this build has a window and the user has a screen.

use std::{
    ffi::OsString,
    process::{Child, Command, Stdio},
};

use super::way::Trouble;
use crate::{app::Place, cli::Exit};

/// What the app must know of the desktop beyond our own environment.
pub type Session = Vec<(&'static str, OsString)>;

/// Variables that name the screen, the first two, and what belongs to it.
#[cfg(all(unix, not(target_os = "macos")))]
const SESSION: [&str; 5] = ["WAYLAND_DISPLAY", "DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];

/// The desktop to start the app on; none if there is none.
///
/// Many clients start a bridge with next to no environment, so the client's own is looked at where ours names no screen.
#[cfg(all(unix, not(target_os = "macos")))]
pub fn session() -> Option<Session> {
    let screen = |all: &Session| all.iter().any(|(name, value)| SESSION[..2].contains(name) && !value.is_empty());
    let pick = |of: &dyn Fn(&str) -> Option<OsString>| -> Session {
        SESSION.into_iter().filter_map(|name| Some((name, of(name)?))).collect()
    };
    let ours = pick(&|name| std::env::var_os(name));
    if !cfg!(feature = "gui") || screen(&ours) {
        return cfg!(feature = "gui").then_some(ours);
    }
    let client = clients_environment();
    let theirs = pick(&|name| client.iter().find_map(|(key, value)| (key == name).then(|| value.clone())));
    screen(&theirs).then_some(theirs)
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn session() -> Option<Session> {
    cfg!(feature = "gui").then(Vec::new)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn clients_environment() -> Vec<(String, OsString)> {
    use std::os::unix::ffi::OsStringExt as _;
    let parent = rustix::process::getppid().map_or(0, rustix::process::Pid::as_raw_pid);
    let all = std::fs::read(format!("/proc/{parent}/environ")).unwrap_or_default();
    let pair = |entry: &[u8]| {
        let at = entry.iter().position(|b| *b == b'=')?;
        let (name, value) = entry.split_at_checked(at)?;
        Some((String::from_utf8(name.to_vec()).ok()?, OsString::from_vec(value.get(1..)?.to_vec())))
    };
    all.split(|b| *b == 0).filter_map(pair).collect()
}

/// The app while it comes up.
pub struct Starting(Child);

/// Starts it on its own: it outlives the client, and the client's terminal does not reach it.
pub fn start(place: &Place, session: Session) -> std::io::Result<Starting> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--quietly").arg("--data-dir").arg(&place.dir).arg("--config").arg(&place.config).envs(session);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok(Starting(command.spawn()?))
}

impl Starting {
    /// Fails once it has ended. One that found another instance at work has done what was wanted.
    pub fn still_starting(&mut self) -> Result<(), Trouble> {
        match self.0.try_wait() {
            Ok(Some(status)) if status.code() != Some(Exit::NotRunning as i32) => Err(Trouble(format!(
                "Countersign was started and ended at once ({status}); run `countersign` in a terminal to see why"
            ))),
            _ => Ok(()),
        }
    }

    /// Lets it go its way; only its end is waited for, so that nothing is left of it then.
    pub fn leave(self) {
        let Self(mut child) = self;
        std::thread::spawn(move || child.wait());
    }
}
