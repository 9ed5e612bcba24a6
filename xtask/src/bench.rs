//! `cargo xtask bench`: the figures. Not part of the suite, and no speed is asserted.

use anyhow::Result;
use std::path::PathBuf;

use crate::place::Place;
use crate::run;
use crate::setup::{self, Need};
use crate::test::desktop;

/// The window that does nothing, which ours is held against.
const BARE: &str = "bare-window";

/// Builds the release programs and prints the table of figures; words choose figures. Without a window it is one program.
pub fn bench(place: &Place, words: &[String]) -> Result<()> {
    let window = words.is_empty() || words.iter().any(|word| word == "window" || word == "activity");
    setup::for_steps(place, &[Need::Headless, Need::Stack, Need::Conformance])?;
    let headless = build(place, "countersign-headless", &["--no-default-features"])?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let figures =
        [&["bench", "--package", "countersign", "--no-default-features", "--bench", "figures", "--"], &words[..]]
            .concat();
    let mut command = place.cargo(&figures);
    if window && cfg!(target_os = "linux") {
        setup::for_steps(place, &[Need::Window, Need::Desktop])?;
        let program = build(place, "countersign-desktop", &["--bins", "--example", BARE])?;
        command = desktop(place, &figures)?;
        command.env("COUNTERSIGN_DESKTOP_BIN", program);
        let bare = format!("release/examples/{BARE}{}", std::env::consts::EXE_SUFFIX);
        command.env("COUNTERSIGN_BARE_WINDOW_BIN", place.target.join(bare));
    }
    let table = place.target.join("figures.json");
    run::shown(command.env("COUNTERSIGN_FIGURES", &table).env("COUNTERSIGN_BIN", headless))?;
    println!("also written as JSON to {}", table.display());
    Ok(())
}

/// Builds the release program and keeps it under a name of its own, because the next build writes over it.
fn build(place: &Place, name: &str, features: &[&str]) -> Result<PathBuf> {
    run::shown(place.cargo(&["build", "--release", "--package", "countersign"]).args(features))?;
    let folder = place.target.join("release");
    let kept = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(folder.join(format!("countersign{}", std::env::consts::EXE_SUFFIX)), &kept)?;
    Ok(kept)
}
