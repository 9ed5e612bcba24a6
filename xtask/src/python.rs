//! Python environments below the target directory, each with exactly the packages of one list.

use std::path::Path;

use anyhow::{Context, Result};

use crate::place::Place;
use crate::run;

/// Makes `tools/NAME` with the packages of `list`, unless it was made with this very list.
///
/// # Errors
/// When there is no python3 with venv, or a package cannot be installed.
pub fn environment(place: &Place, name: &str, list: &str) -> Result<()> {
    let folder = place.tools().join(name);
    let wanted = std::fs::read_to_string(place.root.join(list)).with_context(|| list.to_owned())?;
    let made_with = folder.join("made-with.txt");
    if std::fs::read_to_string(&made_with).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    println!("Python: making the environment {name} with the packages of {list}");
    run::output(place.command("python3").args(["-m", "venv", "--clear"]).arg(&folder))
        .context("python3 with its module venv is needed: install both first")?;
    let mut install = place.command(interpreter(&folder));
    // What is imported is compiled then; most of it never is.
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]);
    install.args(["--requirement", list]);
    run::shown(install.env("PIP_CACHE_DIR", place.target.join("pip-cache")))?;
    std::fs::write(made_with, wanted).with_context(|| format!("writing into {}", folder.display()))
}

fn interpreter(environment: &Path) -> std::path::PathBuf {
    if cfg!(windows) { environment.join("Scripts/python.exe") } else { environment.join("bin/python") }
}
