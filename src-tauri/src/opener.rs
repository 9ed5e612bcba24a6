//! Opens a web page or one of our own folders for the person: the system's opener with one argument, never a line for a shell.

use std::process::{Command, Stdio};
use url::Url;

/// Opens a page where there is a screen; whoever has none has read the address.
pub fn page(page: &Url) {
    if matches!(page.scheme(), "http" | "https") && has_screen() {
        let _ = command(page.as_str().as_ref()).spawn();
    }
}

/// Opens a folder, and waits for the opener on a thread of its own.
#[cfg(feature = "gui")]
pub fn folder(path: &std::path::Path) -> std::io::Result<()> {
    let mut opener = command(path.as_os_str()).spawn()?;
    std::thread::spawn(move || opener.wait());
    Ok(())
}

fn command(what: &std::ffi::OsStr) -> Command {
    let (opener, before) = OPENER;
    let mut command = Command::new(opener);
    command.args(before).arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(target_os = "macos")]
const OPENER: (&str, &[&str]) = ("open", &[]);
#[cfg(windows)]
const OPENER: (&str, &[&str]) = ("rundll32.exe", &["url.dll,FileProtocolHandler"]);
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: (&str, &[&str]) = ("xdg-open", &[]);

#[cfg(any(target_os = "macos", windows))]
const fn has_screen() -> bool {
    true
}

#[cfg(not(any(target_os = "macos", windows)))]
fn has_screen() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
