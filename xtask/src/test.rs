//! `cargo xtask test`: everything that must pass, step by step, with times, counts and a closing line.
//!
//! All steps run even when one fails; the exit status is that of the worst.

use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::count::Count;
use crate::place::Place;
use crate::setup::{self, Need};
use crate::{check, run};

/// One thing that must pass.
pub struct Step {
    /// The name on the command line.
    pub name: &'static str,
    /// What must be there for it.
    pub needs: &'static [Need],
    /// Runs it.
    pub run: fn(&Place) -> Result<Count>,
}

const TESTS: &[Step] = &[
    Step { name: "stack", needs: &[Need::Stack], run: stack },
    Step { name: "ui-test", needs: &[Need::Interface], run: interface },
    Step {
        name: "rust",
        needs: &[Need::Headless, Need::Window, Need::Stack, Need::Conformance, Need::Desktop, Need::Examples],
        run: rust,
    },
    Step { name: "window", needs: &[Need::Headless, Need::Window, Need::Stack, Need::Desktop], run: window },
    Step { name: "headless", needs: &[Need::Headless, Need::Stack, Need::Desktop, Need::Tester], run: headless },
];

/// Checks first, then all tests; with names only those steps.
pub fn run(place: &Place, names: &[String]) -> Result<()> {
    let steps: Vec<&Step> = check::STEPS.iter().chain(TESTS).collect();
    let chosen = choose(&steps, names)?;
    all(place, &chosen)
}

/// Gets ready what the steps need, runs them in order and prints the summary.
pub fn all(place: &Place, steps: &[&Step]) -> Result<()> {
    setup::for_steps(place, &steps.iter().flat_map(|step| step.needs).copied().collect::<Vec<_>>())?;
    let mut lines: Vec<(&str, Count, Duration)> = Vec::new();
    for step in steps {
        println!("\n── {}", step.name);
        let start = Instant::now();
        let count = (step.run)(place).unwrap_or_else(|error| {
            println!("{error:#}");
            Count::one(false)
        });
        lines.push((step.name, count, start.elapsed()));
    }
    let mut sum = Count::default();
    let mut table = String::new();
    for (name, count, time) in lines {
        let mark = if count.failed == 0 { "ok    " } else { "FAILED" };
        table.push_str(&format!("{mark} {name:<12} {:>7.1} s   {count}\n", time.as_secs_f32()));
        sum.add(count);
    }
    if !sum.reasons.is_empty() {
        println!("\n── what failed\n{}", sum.reasons);
    }
    print!("\n── summary\n{table}");
    println!("{sum}");
    if sum.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

/// The steps with these names, in the fixed order; all of them when no name is given.
pub fn choose<'a>(steps: &[&'a Step], names: &[String]) -> Result<Vec<&'a Step>> {
    if let Some(unknown) = names.iter().find(|name| !steps.iter().any(|step| step.name == **name)) {
        let known: Vec<&str> = steps.iter().map(|step| step.name).collect();
        bail!("there is no step {unknown:?}; the steps are: {}", known.join(" "));
    }
    Ok(steps.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)).copied().collect())
}

/// Runs a command that tests something and counts what it reports.
pub fn counted(command: &mut Command) -> Result<Count> {
    let (text, succeeded) = run::watched(command)?;
    Ok(Count::read(&text, succeeded))
}

fn stack(place: &Place) -> Result<Count> {
    let mut command = place.command("node");
    counted(command.args(["--test", "--test-reporter=spec"]).current_dir(place.root.join("tests/stack")))
}

fn interface(place: &Place) -> Result<Count> {
    counted(&mut place.npm("ui", &["test", "--silent"]))
}

fn rust(place: &Place) -> Result<Count> {
    let words = ["test", "--workspace", "--features", "faults"];
    // Built outside the session, which has no use for a screen while it compiles.
    run::shown(place.cargo(&words).arg("--no-run"))?;
    // The tester asks the program without a window, in the step of that name.
    counted(desktop(place, &words)?.args(["--no-fail-fast", "--", "--skip=openapi::"]))
}

fn window(place: &Place) -> Result<Count> {
    // A build that takes synthetic presses, which the one people get does not; all else is as in the step before.
    let words = [
        "test",
        "--workspace",
        "--features",
        "faults,ui-automation",
        "--test",
        "stories",
        "--",
        "pressed::",
        "driven::",
        "storm::",
    ];
    counted(&mut desktop(place, &words)?)
}

fn headless(place: &Place) -> Result<Count> {
    // The stories that do not depend on the window ran once already; these are the ones that pay. The whole workspace is
    // named so that dependencies keep the features they were built with in the steps before.
    let words = [
        "test",
        "--workspace",
        "--no-default-features",
        "--no-fail-fast",
        "--test",
        "stories",
        "--",
        "--skip=kills::",
        "--skip=mcp::",
        "--skip=eras::",
        "--skip=gateway::",
        "--skip=conformance::",
        "--skip=http::",
        "--skip=bridge::",
        "--skip=socket::",
        "--skip=browser::",
        "--skip=network::",
        "--skip=settle::",
        "--skip=examples::",
        "--skip=crowd::",
        "--skip=waits::",
    ];
    counted(&mut desktop(place, &words)?)
}

/// Cargo on a private session bus with a keyring, and on a private screen, where the system has them.
pub fn desktop(place: &Place, words: &[&str]) -> Result<Command> {
    let cargo = place.cargo(words);
    if !cfg!(target_os = "linux") {
        return Ok(cargo);
    }
    let mut command = place.command(place.root.join("tests/support/session.sh"));
    command.arg(place.root.join("tests/support/desktop.sh")).arg(cargo.get_program()).args(cargo.get_args());
    command.env("PATH", place.path_with_tools()?).env("COUNTERSIGN_TEST_SECRET_SERVICE", "1");
    // More than the cores of a small machine: a story mostly waits.
    command.env("RUST_TEST_THREADS", "3");
    keep_toolchain(&mut command);
    Ok(command)
}

/// The session has a home of its own; cargo's stays where it is.
fn keep_toolchain(command: &mut Command) {
    let Some(home) = std::env::home_dir() else { return };
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if std::env::var_os(name).is_none_or(|value| value == OsStr::new("")) {
            command.env(name, home.join(folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Vec<&'static Step> {
        check::STEPS.iter().chain(TESTS).collect()
    }

    #[test]
    fn names_choose_steps_and_the_order_stays() -> Result<()> {
        let chosen = choose(&steps(), &["rust".into(), "format".into()])?;
        assert_eq!(chosen.iter().map(|step| step.name).collect::<Vec<_>>(), ["format", "rust"]);
        assert_eq!(choose(&steps(), &[])?.len(), steps().len());
        Ok(())
    }

    #[test]
    fn an_unknown_name_is_refused_and_the_known_ones_listed() {
        let said = choose(&steps(), &["fmt".into()]).map(|_| ()).map_err(|error| error.to_string());
        assert!(said.is_err_and(|text| text.contains("\"fmt\"") && text.contains("format")));
    }

    #[test]
    fn no_two_steps_share_a_name() {
        let names: std::collections::BTreeSet<&str> = steps().iter().map(|step| step.name).collect();
        assert_eq!(names.len(), steps().len());
    }
}
