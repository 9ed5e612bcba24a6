//! The gateway as a client: the official suite's servers behind Countersign, logged in to where that is asked, called through it.

use crate::support::{Place, official::script, service::program, shop::LIMITS};

/// Runs every scenario of one revision; those that are scored decide the exit status.
fn passes(revision: &str, scored: usize) {
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\", \"localhost\"]\n");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    let mut service = place.serve("terminal");
    service.says_yes_to_everything();
    let mut suite = script("client-suite.mjs");
    suite.arg("--program").arg(program()).arg("--data-dir").arg(place.path());
    suite.args(["--server", &service.url, "--token", &token, "--revision", revision]);
    let suite = suite.output().expect("node runs");
    let (out, err) = (String::from_utf8_lossy(&suite.stdout), String::from_utf8_lossy(&suite.stderr));
    assert!(suite.status.success(), "{out}{err}");
    let passed = out.lines().chain(err.lines()).filter(|line| line.starts_with('\u{2713}')).count();
    assert!(passed >= scored, "{passed} of {scored} passed: {out}{err}");
    service.stop();
}

#[test]
fn every_scored_client_scenario_of_the_older_revision_passes_through_the_gateway() {
    passes("2025-11-25", 18);
}

#[test]
fn every_scored_client_scenario_of_the_newer_revision_passes_through_the_gateway() {
    passes("2026-07-28", 32);
}
