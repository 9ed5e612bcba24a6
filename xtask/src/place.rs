//! Where things are: the repository, the target directory, and the programs this one starts.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The repository's root, its target directory and the cargo that started us.
pub struct Place {
    /// The directory with the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target directory, which also takes our caches and tools.
    pub target: PathBuf,
    cargo: PathBuf,
}

impl Place {
    /// Asks the environment that cargo gives to a program it runs.
    pub fn find() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").context("start this with `cargo xtask`")?;
        let root = Path::new(&package).parent().context("the package has no directory above it")?.to_path_buf();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).into();
        let mut place = Self { target: root.join("target"), root, cargo };
        let metadata = place.metadata(&["--no-deps"])?;
        if let Some(target) = metadata["target_directory"].as_str() {
            place.target = target.into();
        }
        Ok(place)
    }

    /// A command that runs in the repository's root.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// `cargo ARGS…` in the root.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(&self.cargo);
        command.args(args);
        command
    }

    /// `npm ARGS…` in `folder`, with its cache and logs below the target directory.
    pub fn npm(&self, folder: &str, args: &[&str]) -> Command {
        let mut command = self.command(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command
            .current_dir(self.root.join(folder))
            .args(args)
            .env("npm_config_cache", self.target.join("npm-cache"))
            .env("npm_config_update_notifier", "false")
            .env("npm_config_audit", "false")
            .env("npm_config_fund", "false");
        command
    }

    /// Programs this project installs for its own tests.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// `PATH` with our tools in front.
    pub fn path_with_tools(&self) -> Result<std::ffi::OsString> {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let parts = std::iter::once(self.tools().join("bin")).chain(std::env::split_paths(&old));
        std::env::join_paths(parts).context("PATH cannot be extended")
    }

    /// `cargo metadata` as JSON.
    pub fn metadata(&self, args: &[&str]) -> Result<serde_json::Value> {
        let mut command = self.cargo(&["metadata", "--format-version", "1"]);
        command.args(args);
        let text = crate::run::output(&mut command)?;
        serde_json::from_str(&text).context("cargo metadata printed no JSON")
    }
}
