//! The Python environments that `cargo xtask test` makes below the target directory, with the official packages in them.

use std::path::PathBuf;

use super::service::program;

/// A program of the environment of this name.
pub fn python(environment: &str, name: &str) -> PathBuf {
    let bin = if cfg!(windows) { "Scripts" } else { "bin" };
    let program = program();
    let target = program.ancestors().nth(2).expect("the program lies two levels below the target directory");
    let path = target.join("tools").join(environment).join(bin).join(name);
    assert!(path.exists(), "run `cargo xtask test` once, which makes {}", path.display());
    path
}
