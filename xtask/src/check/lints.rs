//! Clippy, on the dependencies that the tests are built with.
//!
//! `cargo clippy` only checks, and what it checked no build can use: every dependency would be compiled once more for it. So the
//! linter stands in for the compiler of our own packages in a build, and a word from either is a complaint.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::run;

// Always the whole workspace, and a target that wants the dependencies of tests: with others of their features they would all be
// built again.

/// Every package with the features that only tests use.
pub const ALL: &[&str] = &["--workspace", "--all-targets", "--all-features"];

/// The app as it is delivered.
pub const APP: &[&str] = &["--workspace", "--lib", "--bins", "--benches"];

/// The app without the window.
pub const BARE: &[&str] = &["--workspace", "--all-targets", "--no-default-features"];

/// Fails with what the linter says, if it says anything.
pub fn check(place: &Place, which: &[&str]) -> Result<()> {
    let root = run::output(place.command("rustc").args(["--print", "sysroot"]))?;
    let linter = Path::new(root.trim()).join("bin").join(format!("clippy-driver{}", std::env::consts::EXE_SUFFIX));
    if !linter.exists() {
        bail!("{} is missing: rustup component add clippy", linter.display());
    }
    let mut command = place.cargo(&["build", "--quiet", "--locked"]);
    let out = command.args(which).env("RUSTC_WORKSPACE_WRAPPER", linter).output().context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&out.stderr);
    if !out.status.success() || !said.trim().is_empty() {
        bail!("{}\nclippy has something to say of {}", said.trim(), which.join(" "));
    }
    Ok(())
}
