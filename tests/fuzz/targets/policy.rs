//! Policy files: what is accepted is a whole policy that its own file says again, with the same hash.

use countersign_core::policy::{Change, Policy, compare};

/// Reads a file as somebody's policy.
pub fn policy(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let policy = match Policy::parse(text, "USD") {
        Ok(policy) => policy,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal says why");
            return false;
        }
    };
    let written = policy.to_toml();
    let again = Policy::parse(&written, "USD").unwrap_or_else(|error| panic!("{error}, of our own file:\n{written}"));
    assert_eq!(again, policy, "{written}");
    assert_eq!(again.canonical(), policy.canonical(), "{written}");
    assert_eq!(again.hash("a configuration"), policy.hash("a configuration"), "{written}");
    assert_eq!(again.to_toml(), written);
    assert_eq!(compare(&policy, &again), Change::Same);
    let narrowed = compare(&policy, &policy.narrowed_to_ask());
    assert!(
        !matches!(narrowed, Change::Looser(_)),
        "{narrowed:?} for an agent that is asked about everything:\n{written}"
    );
    let _ = (policy.warnings(), policy.ask_above());
    true
}
