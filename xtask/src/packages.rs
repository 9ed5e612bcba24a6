//! The Debian packages each task needs, and their installation on Debian and Ubuntu.
//!
//! Says what is missing before it installs anything. Other systems get one sentence; nothing is guessed there.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run;

/// What the packages are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Compiling without the window.
    Build,
    /// Compiling with the window.
    Window,
    /// The demo's own tools.
    Demo,
    /// Desktop tests on a machine without a screen.
    Test,
    /// The programs of `docs/examples`, and Python environments.
    Examples,
}

fn needed(purpose: Purpose) -> &'static [&'static str] {
    match purpose {
        Purpose::Build => &["build-essential", "pkg-config"],
        Purpose::Window => &[
            "libayatana-appindicator3-dev",
            "libdbus-1-dev",
            "librsvg2-dev",
            "libsoup-3.0-dev",
            "libwebkit2gtk-4.1-dev",
        ],
        Purpose::Demo => &["fonts-dejavu", "libglib2.0-bin", "libsecret-tools"],
        Purpose::Examples => &["curl", "jq", "python3", "python3-venv"],
        Purpose::Test => &[
            "at-spi2-core",
            "chromium",
            "curl",
            "dbus",
            "dbus-bin",
            "dunst",
            "faketime",
            "file",
            "fiu-utils",
            "fonts-dejavu",
            "fonts-noto-cjk",
            "gdb",
            "gnome-keyring",
            "imagemagick",
            "libglib2.0-bin",
            "libnotify-bin",
            "libsecret-tools",
            "openbox",
            "procps",
            "python3",
            "python3-gi",
            "webkit2gtk-driver",
            "weston",
            "x11-utils",
            "xdotool",
            "xvfb",
        ],
    }
}

/// Installs what is missing for these purposes, after saying so.
///
/// # Errors
/// When packages are missing and we are neither root nor have sudo, or when apt fails.
pub fn install(purposes: &[Purpose]) -> Result<()> {
    if purposes.is_empty() {
        return Ok(());
    }
    if !cfg!(target_os = "linux") {
        println!("Packages: nothing is installed on {}; that step is for Debian and Ubuntu.", std::env::consts::OS);
        return Ok(());
    }
    let wanted: BTreeSet<&str> = purposes.iter().flat_map(|purpose| needed(*purpose)).copied().collect();
    if !run::works("dpkg-query", &["--version"]) {
        println!("Packages: this Linux has no dpkg, so you need your system's counterparts of: {}", list(&wanted));
        return Ok(());
    }
    let missing = missing(&wanted, &dpkg_states(&wanted)?);
    if missing.is_empty() {
        return Ok(());
    }
    println!("Packages: missing and to be installed with apt-get: {}", list(&missing));
    let Some(sudo) = root() else {
        bail!(
            "these packages can only be installed by root, and sudo is not here. As root, run:\n  \
             apt-get update && apt-get install -y --no-install-recommends {}",
            list(&missing)
        );
    };
    apt(sudo, &["update", "-qq"])?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(&missing);
    apt(sudo, &words)
}

fn dpkg_states(wanted: &BTreeSet<&str>) -> Result<String> {
    // dpkg-query fails when it does not know one of the names, and still prints the others.
    let mut command = Command::new("dpkg-query");
    let out = command.args(["-W", "-f", "${Package} ${db:Status-Status}\n"]).args(wanted).output()?;
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

fn missing<'a>(wanted: &BTreeSet<&'a str>, states: &str) -> BTreeSet<&'a str> {
    let installed: BTreeSet<&str> = states.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    wanted.iter().filter(|name| !installed.contains(*name)).copied().collect()
}

fn root() -> Option<&'static [&'static str]> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        return Some(&[]);
    }
    run::works("sudo", &["--version"]).then_some(&["sudo"])
}

fn apt(sudo: &[&str], words: &[&str]) -> Result<()> {
    let mut line: Vec<&str> = sudo.to_vec();
    line.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=600"]);
    line.extend(words);
    let Some((program, args)) = line.split_first() else { bail!("no command") };
    run::shown(Command::new(program).args(args))
}

fn list(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dpkg_calls_installed_is_not_missing() {
        let wanted = BTreeSet::from(["curl", "gdb", "dunst"]);
        let states = "curl installed\ngdb config-files\n";
        assert_eq!(missing(&wanted, states), BTreeSet::from(["dunst", "gdb"]));
    }

    #[test]
    fn a_build_without_the_window_needs_no_webkit() {
        assert!(!needed(Purpose::Build).iter().any(|name| name.contains("webkit")));
        assert!(needed(Purpose::Window).iter().any(|name| name.contains("webkit")));
    }
}
