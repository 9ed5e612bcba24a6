//! `cargo xtask check`: what can be said about the tree without running it.
//!
//! Format, lints, documents, import directions, weak versions, licences, sizes. Licences and directions are also in
//! `deny.toml` for those who have cargo-deny; these checks need no further tool.

mod directions;
mod files;
mod floors;
mod licences;
mod lints;
mod others;
mod texts;

use anyhow::{Result, bail};

use crate::count::Count;
use crate::place::Place;
use crate::run;
use crate::setup::Need;
use crate::test::{Step, all, choose};

/// All checks; `cargo xtask test` runs them first.
pub const STEPS: &[Step] = &[
    Step {
        name: "format",
        needs: &[],
        run: |place| one(run::shown(&mut place.cargo(&["fmt", "--all", "--check", "--", "-l"]))),
    },
    Step { name: "directions", needs: &[], run: |place| one(directions::check(place)) },
    Step { name: "floors", needs: &[], run: |place| one(floors::check(place)) },
    Step { name: "licences", needs: &[], run: |place| one(licences::check(place)) },
    Step { name: "others", needs: &[Need::Interface], run: |place| one(others::check(place)) },
    Step { name: "sizes", needs: &[], run: |place| one(files::sizes(place)) },
    Step { name: "paths", needs: &[], run: |place| one(files::paths(place)) },
    Step { name: "scripts", needs: &[], run: |place| one(files::scripts(place)) },
    Step { name: "claims", needs: &[], run: |place| one(files::claims(place)) },
    Step { name: "ui-check", needs: &[Need::Interface], run: |place| one(interface(place)) },
    Step { name: "lints", needs: &[Need::Headless, Need::Window], run: |place| one(lints::check(place, lints::ALL)) },
    Step {
        name: "lints-app",
        needs: &[Need::Headless, Need::Window],
        run: |place| one(lints::check(place, lints::APP)),
    },
    Step { name: "lints-bare", needs: &[Need::Headless], run: |place| one(lints::check(place, lints::BARE)) },
    Step { name: "documents", needs: &[Need::Headless, Need::Window], run: |place| one(documents(place)) },
];

/// Runs the checks; with names only those.
pub fn run(place: &Place, names: &[String]) -> Result<()> {
    all(place, &choose(&STEPS.iter().collect::<Vec<_>>(), names)?)
}

fn one(result: Result<()>) -> Result<Count> {
    result.map(|()| Count::one(true))
}

fn interface(place: &Place) -> Result<()> {
    run::shown(&mut place.npm("ui", &["run", "--silent", "check"]))
}

fn documents(place: &Place) -> Result<()> {
    let mut command =
        place.cargo(&["doc", "--quiet", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    run::shown(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Fails with every complaint on its own line, or not at all.
fn none(complaints: &[String]) -> Result<()> {
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{}", complaints.join("\n"))
}
