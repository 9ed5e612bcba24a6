//! The official conformance suite and the official inspector look at the product's own endpoint.

use crate::support::{
    Place, Service,
    official::{self, script, tool},
    seller::put_behind,
    shop::LIMITS,
};

fn service() -> (Place, Service, String) {
    let (place, _) = Place::with_wallet("");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    let service = place.serve("deny");
    (place, service, token)
}

#[test]
fn the_official_conformance_suite_passes_in_both_revisions() {
    let (_place, service, token) = service();
    let suite = script("suite.mjs").args(["--server", &service.url, "--token", &token]).output().expect("node runs");
    let (out, err) = (String::from_utf8_lossy(&suite.stdout), String::from_utf8_lossy(&suite.stderr));
    assert!(suite.status.success(), "{out}{err}");
    assert_eq!(out.lines().filter(|line| line.starts_with("ok ")).count(), 19, "{out}");
    service.stop();
}

#[test]
fn every_scored_scenario_passes_through_the_gateway_in_the_older_revision() {
    passes_through_the_gateway("fixtures.mjs", "2025-11-25", 30, "json-schema-2020-12");
}

#[test]
fn every_scored_scenario_passes_through_the_gateway_in_the_newer_revision() {
    passes_through_the_gateway("modern.mjs", "2026-07-28", 37, "tasks-");
}

/// Every scored scenario of a revision, in front of these fixtures: the suite fails when one does. Of the others only those named
/// so fail: the older fixtures have no such tool, and an upstream's own tasks do not pass, since they would be another way to pay.
fn passes_through_the_gateway(fixtures: &str, revision: &str, scored: usize, fails: &str) {
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    let mut service = place.serve("terminal");
    let fixtures = official::fixtures(fixtures);
    put_behind(&place, &mut service, "fixtures", &[&fixtures.url], true);
    let mut suite = script("behind.mjs");
    suite.args(["--server", &service.url, "--token", &token, "--name", "fixtures", "--revision", revision]);
    let suite = suite.output().expect("node runs");
    let out = String::from_utf8_lossy(&suite.stdout);
    assert!(suite.status.success(), "{out}{}", String::from_utf8_lossy(&suite.stderr));
    let passed = out.lines().filter(|line| line.starts_with('\u{2713}')).count();
    assert!(passed >= scored, "{passed} of {scored} passed: {out}");
    let failed: Vec<&str> = out.lines().filter(|line| line.starts_with('\u{2717}')).collect();
    assert!(failed.iter().all(|line| line.contains(fails)), "{failed:?}");
    service.stop();
}

#[test]
fn the_official_inspector_finds_nothing_to_warn_of_in_the_tools() {
    let (place, service, token) = service();
    let mcp = format!("{}/mcp", service.url);
    let mut inspector = tool("inspector");
    inspector.args(["--cli", &mcp, "--method", "tools/list", "--strict"]);
    inspector.args(["--header", &format!("Authorization: Bearer {token}")]);
    inspector.env("HOME", place.path()).env("MCP_STORAGE_DIR", place.path());
    let looked = inspector.output().expect("node runs");
    let (out, err) = (String::from_utf8_lossy(&looked.stdout), String::from_utf8_lossy(&looked.stderr));
    assert!(looked.status.success() && out.contains("cancel_payment"), "{out}{err}");
    assert_eq!(err, "", "it warned");
    service.stop();
}
