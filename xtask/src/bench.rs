//! `cargo xtask bench` and `cargo xtask soak`: the long measurements. Neither is part of the suite, and neither asserts a speed.

use anyhow::Result;

use crate::place::Place;
use crate::run;
use crate::setup::{self, Need};

/// Builds the release program without a window and prints the table of figures; words choose figures.
pub fn bench(place: &Place, words: &[String]) -> Result<()> {
    setup::for_steps(place, &[Need::Headless, Need::Stack])?;
    run::shown(&mut place.cargo(&["build", "--release", "--package", "countersign", "--no-default-features"]))?;
    let mut figures =
        place.cargo(&["bench", "--package", "countersign", "--no-default-features", "--bench", "figures", "--"]);
    let table = place.root.join("target/figures.json");
    let program = place.root.join("target/release/countersign");
    run::shown(figures.args(words).env("COUNTERSIGN_FIGURES", &table).env("COUNTERSIGN_BIN", program))?;
    println!("also written as JSON to {}", table.display());
    Ok(())
}

/// The kill loop, as long as wanted: `soak [KILLS]`, 10,000 by default.
pub fn soak(place: &Place, words: &[String]) -> Result<()> {
    setup::for_steps(place, &[Need::Headless])?;
    let kills = words.first().map_or("10000", String::as_str);
    let mut loops = place.cargo(&["test", "--package", "countersign", "--no-default-features", "--features", "faults"]);
    loops.args(["--test", "stories", "kills::", "--", "--nocapture"]).env("COUNTERSIGN_KILLS", kills);
    run::shown(&mut loops)
}
