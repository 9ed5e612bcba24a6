//! `cargo xtask demo | test | check | bench | soak | fuzz | build-ui | bundle | package`: the project's own commands.
//!
//! Each one first says what the machine lacks and installs it. Caches go below the target directory, nothing into the
//! home directory.

mod bench;
mod bundle;
mod check;
mod count;
mod demo;
mod fuzz;
mod package;
mod packages;
mod place;
mod python;
mod run;
mod setup;
mod soak;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};
use place::Place;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [--terminal] [--rail mpp|alipay]
                      a local chain, an official seller, an agent that buys three things, and you who decide
  test [STEP…]        everything that must pass; with names only those steps
  check [STEP…]       the steps that run no test: format, lints, documents, import directions, licences …
  bench [FIGURE…]     measures, and prints each figure as a ratio of two things measured in the same run
  soak [NAME] [TIMES] the tests that break the ledger, for hours: kills power model points; a number alone means kills
  fuzz TARGET [SECONDS]
                      looks for inputs that break a promise of a target of tests/fuzz, guided by coverage
  build-ui            installs the interface's packages and builds it, if it is stale
  package [--debug] [--try]
                      .deb and .rpm of the release program, or of the one in debug; --try installs the .deb, starts it, removes it
  bundle [--program FILE] [--into FOLDER]
                      an MCPB bundle for Claude Desktop, of the release program or of this one";

fn main() -> ExitCode {
    match obey() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = words.split_first() else {
        bail!("{USAGE}");
    };
    let place = Place::find()?;
    match command.as_str() {
        "demo" => demo::run(&place, rest),
        "test" => test::run(&place, rest),
        "check" => check::run(&place, rest),
        "bench" => bench::bench(&place, rest),
        "soak" => soak::run(&place, rest),
        "fuzz" => fuzz::fuzz(&place, rest),
        "bundle" => bundle::run(&place, rest),
        "package" => package::run(&place, rest),
        "build-ui" => setup::interface(&place),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no command {other:?}\n\n{USAGE}"),
    }
}
