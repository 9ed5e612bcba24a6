//! Opens a web page in the person's browser: the system's opener with one argument, never a line for a shell.

use std::process::{Command, Stdio};
use url::Url;

/// Opens it where there is a screen; whoever has none has read the address.
pub fn open(page: &Url) {
    if !matches!(page.scheme(), "http" | "https") || !has_screen() {
        return;
    }
    let (opener, before) = OPENER;
    let mut command = Command::new(opener);
    command.args(before).arg(page.as_str());
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
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
