//! `cargo xtask fuzz TARGET [SECONDS]`: looks for inputs that break a promise, guided by coverage.
//!
//! The suite replays the corpus through the same targets; this is the search for what belongs in it. Nothing it writes lands
//! outside of the target directory: an input that broke something is moved into `tests/fuzz/corpus` by hand, with its mending.

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::run;
use crate::setup::{self, Need};

/// The compiler's coverage, as libFuzzer reads it. All of these are stable options.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Longest input, in bytes: beyond what any target reads whole, the rest is noise.
const LONGEST: u32 = 8192;

/// Builds the targets with coverage and runs one, for a minute unless another time is given.
pub fn fuzz(place: &Place, words: &[String]) -> Result<()> {
    let known = targets(place)?;
    let Some(target) = words.first().filter(|word| known.contains(word)) else {
        bail!("usage: cargo xtask fuzz TARGET [SECONDS]; the targets are: {}", known.join(" "));
    };
    let seconds: u32 = words.get(1).map_or(Ok(60), |word| word.parse()).context("SECONDS is a whole number")?;
    setup::for_steps(place, &[Need::Headless])?;
    let host = run::output(place.command("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    let out = place.target.join("fuzz");
    // With a target named, build scripts and macros are compiled without the coverage.
    let mut build = place.cargo(&["build", "--release", "--locked", "--manifest-path", "tests/fuzz/Cargo.toml"]);
    build.args(["--bin", target, "--features", target, "--target", host]).arg("--target-dir").arg(&out);
    run::shown(build.env("RUSTFLAGS", COVERAGE))?;

    let kept = out.join("corpus").join(target);
    let found = out.join("found").join(target);
    std::fs::create_dir_all(&kept)?;
    std::fs::create_dir_all(&found)?;
    let mut fuzzer = place.command(out.join(host).join("release").join(target));
    fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}")).arg("-print_final_stats=1");
    fuzzer.arg(format!("-artifact_prefix={}/", found.display()));
    // New inputs are written to the first folder; the seeds are only read.
    run::shown(fuzzer.arg(&kept).arg(place.root.join("tests/fuzz/corpus").join(target)))
        .with_context(|| format!("an input that broke {target} is in {}", found.display()))
}

/// The targets, by the folders of the corpus.
fn targets(place: &Place) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.root.join("tests/fuzz/corpus")).context("tests/fuzz/corpus")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
