//! The official conformance suite and the official inspector look at the product's own endpoint.

use crate::support::{
    Place, Service,
    official::{script, tool},
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
