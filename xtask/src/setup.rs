//! Gets the machine ready: system packages, Node's and Python's packages, the built interface, the test tools.
//!
//! Does nothing for what is there already. Never writes into the home directory.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::packages;
pub use crate::packages::Purpose;
use crate::place::Place;
use crate::{python, run};

const NODE_AT_LEAST: u64 = 20;
const TAURI_DRIVER: &str = "2.1.0";

/// What a step of `test` or `check` needs beside this repository and cargo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A compiler for everything but the window.
    Headless,
    /// A compiler for everything, and the built interface that is compiled in.
    Window,
    /// The interface's packages.
    Interface,
    /// The packages of `tests/stack`.
    Stack,
    /// The packages of `tests/conformance`.
    Conformance,
    /// A private session bus, keyring, screen and WebDriver.
    Desktop,
    /// What the programs of `docs/examples` are written on.
    Examples,
    /// The tester that knows nothing but the service's OpenAPI document.
    Tester,
}

/// Gets ready what these steps need.
pub fn for_steps(place: &Place, needs: &[Need]) -> Result<()> {
    let has = |need| needs.contains(&need);
    let purposes = [
        (Need::Headless, Purpose::Build),
        (Need::Window, Purpose::Window),
        (Need::Desktop, Purpose::Test),
        (Need::Examples, Purpose::Examples),
        (Need::Tester, Purpose::Examples),
    ];
    packages::install(
        &purposes.into_iter().filter(|(need, _)| has(*need)).map(|(_, purpose)| purpose).collect::<Vec<_>>(),
    )?;
    if has(Need::Window) {
        interface(place)?;
    } else if has(Need::Interface) {
        node_packages(place, "ui")?;
    }
    if has(Need::Stack) {
        node_packages(place, "tests/stack")?;
    }
    if has(Need::Conformance) {
        node_packages(place, "tests/conformance")?;
    }
    if has(Need::Examples) {
        node_packages(place, "docs/examples/typescript")?;
        python::environment(place, "examples", "tests/stack/requirements.txt")?;
    }
    if has(Need::Tester) {
        python::environment(place, "openapi", "tests/openapi/requirements.txt")?;
    }
    if has(Need::Desktop) { tauri_driver(place) } else { Ok(()) }
}

/// Everything that the demo needs, with the window or without.
pub fn for_demo(place: &Place, window: bool) -> Result<()> {
    if window {
        packages::install(&[Purpose::Build, Purpose::Window, Purpose::Demo])?;
        interface(place)?;
    } else {
        packages::install(&[Purpose::Build])?;
    }
    node_packages(place, "tests/stack")
}

/// Installs the interface's packages and builds it into `ui/dist` when a source is newer.
pub fn interface(place: &Place) -> Result<()> {
    node_packages(place, "ui")?;
    let folder = place.root.join("ui");
    let built = changed(&folder.join("dist/index.html"));
    if built.is_some() && newest_source(&folder)? <= built {
        return Ok(());
    }
    println!("Interface: building ui/dist");
    run::shown(&mut place.npm("ui", &["run", "--silent", "build"]))
}

fn node_packages(place: &Place, folder: &str) -> Result<()> {
    let path = place.root.join(folder);
    let lock = changed(&path.join("package-lock.json"));
    if lock.is_none() {
        bail!("{folder}/package-lock.json is missing");
    }
    if changed(&path.join("node_modules/.package-lock.json")) >= lock {
        return Ok(());
    }
    node(place)?;
    println!("Node: installing the packages of {folder} (npm ci)");
    run::shown(&mut place.npm(folder, &["ci", "--ignore-scripts", "--loglevel=error"]))
}

fn node(place: &Place) -> Result<()> {
    let said = run::output(place.command("node").arg("--version"))
        .with_context(|| format!("Node.js {NODE_AT_LEAST} or newer and npm are needed: install them first"))?;
    let Some(major) = major(&said) else { bail!("node --version said {said:?}") };
    if major < NODE_AT_LEAST {
        bail!("Node.js {NODE_AT_LEAST} or newer is needed; this is {}", said.trim());
    }
    run::output(&mut place.npm(".", &["--version"])).context("npm is needed beside node: install it first")?;
    Ok(())
}

fn major(version: &str) -> Option<u64> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn tauri_driver(place: &Place) -> Result<()> {
    if !cfg!(target_os = "linux") || place.tools().join("bin/tauri-driver").exists() {
        return Ok(());
    }
    println!("Tools: building tauri-driver {TAURI_DRIVER} (once, about a minute, into the target directory)");
    let build = place.tools().join("build");
    let mut command = place.cargo(&["install", "--quiet", "--locked", "tauri-driver", "--version", TAURI_DRIVER]);
    run::shown(command.arg("--root").arg(place.tools()).arg("--target-dir").arg(&build))?;
    std::fs::remove_dir_all(&build).context("tauri-driver's build directory")
}

fn newest_source(folder: &Path) -> Result<Option<SystemTime>> {
    let mut newest = None;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if ["node_modules", "dist", "dist-mock", "tests"].iter().any(|skipped| entry.file_name() == *skipped) {
            continue;
        }
        let here = if entry.file_type()?.is_dir() { newest_source(&entry.path())? } else { changed(&entry.path()) };
        newest = newest.max(here);
    }
    Ok(newest)
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|facts| facts.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_off_nodes_answer() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("not found"), None);
    }

    #[test]
    fn what_is_built_or_installed_is_no_source() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["dist", "node_modules"] {
            std::fs::create_dir(folder.path().join(name))?;
            std::fs::write(folder.path().join(name).join("made.js"), "")?;
        }
        assert_eq!(newest_source(folder.path())?, None);
        std::fs::create_dir(folder.path().join("src"))?;
        std::fs::write(folder.path().join("src/main.ts"), "")?;
        assert_eq!(newest_source(folder.path())?, changed(&folder.path().join("src/main.ts")));
        Ok(())
    }
}
