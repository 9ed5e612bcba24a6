//! Holds `docs/agents/SKILL.md`, the page that models read, against the tools, statuses and codes there are.

use countersign_desk::problem::Code;
use std::collections::BTreeSet;

use super::tools::tools;
use crate::http::contract::{document, schema};

const PAGE: &str = include_str!("../../../docs/agents/SKILL.md");

/// The words in backticks, without values and whole sentences.
fn words(text: &str) -> BTreeSet<String> {
    let plain = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split('`').skip(1).step_by(2).filter(plain).map(str::to_owned).collect()
}

/// The words in the first column of the table under this heading, and how often each stands there.
fn column(heading: &str) -> Vec<String> {
    let section = PAGE.split("\n## ").find_map(|section| section.strip_prefix(heading)).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| words(row.split('|').nth(1).unwrap())).collect()
}

fn statuses() -> BTreeSet<String> {
    let outcome = schema("Outcome");
    outcome["properties"]["status"]["enum"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
}

fn set(words: &[String]) -> BTreeSet<String> {
    words.iter().cloned().collect()
}

#[test]
fn the_page_has_every_tool_and_explains_every_status_once() {
    let there: BTreeSet<String> = tools().iter().map(|tool| tool.name.to_string()).collect();
    let told = column("Tools");
    assert_eq!((set(&told), told.len()), (there.clone(), there.len()));
    let told = column("What the statuses mean");
    assert_eq!((set(&told), told.len()), (statuses(), statuses().len()));
}

#[test]
fn the_page_says_of_every_code_a_model_can_meet_what_to_do() {
    // Stopped before any tool runs: the connection is wrong, not the call.
    let never_met = ["bad_token", "bad_host", "bad_origin", "method_not_allowed", "unsupported_media_type"];
    let codes =
        Code::ALL.iter().map(|code| code.as_str().to_owned()).filter(|code| !never_met.contains(&code.as_str()));
    let told = column("What the codes ask of you");
    assert_eq!((set(&told), told.len()), (codes.collect(), Code::ALL.len() - never_met.len()));
}

#[test]
fn the_page_names_nothing_that_is_not_there() {
    let mut there = statuses();
    there.extend(tools().iter().map(|tool| tool.name.to_string()));
    there.extend(Code::ALL.iter().map(|code| code.as_str().to_owned()));
    for schema in document()["components"]["schemas"].as_object().unwrap().values() {
        there.extend(schema["properties"].as_object().into_iter().flat_map(|members| members.keys().cloned()));
    }
    let named = words(PAGE);
    assert!(named.len() > 40, "{named:?}");
    let unknown: Vec<&String> = named.difference(&there).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for route in PAGE.split('`').filter(|text| text.contains("/v1/")) {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.split('?').next().unwrap();
        assert!(document()["paths"][path].get(method.to_ascii_lowercase()).is_some(), "{route}");
    }
}

#[test]
fn the_page_is_one_page() {
    assert!(
        PAGE.lines().count() <= 90 && PAGE.len() < 6 * 1024,
        "{} lines, {} bytes",
        PAGE.lines().count(),
        PAGE.len()
    );
}
