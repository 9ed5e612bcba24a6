//! Hostile policy files: refused or read whole, never a panic.

use countersign_core::policy::Policy;
use proptest::prelude::*;

use super::world::EXAMPLE;

/// Whatever is accepted is a whole policy: it survives its own file.
fn whole_or_refused(text: &str) -> Result<(), TestCaseError> {
    match Policy::parse(text, "USD") {
        Err(error) => prop_assert!(!error.to_string().is_empty()),
        Ok(policy) => {
            let again = Policy::parse(&policy.to_toml(), "USD");
            prop_assert_eq!(again.as_ref(), Ok(&policy), "{}", policy.to_toml());
            prop_assert!(!policy.canonical().is_empty());
            let _ = (policy.warnings(), policy.ask_above());
        }
    }
    Ok(())
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_text(text in "\\PC{0,300}") {
        whole_or_refused(&text)?;
        whole_or_refused(&format!("format = 1\nreference = \"USD\"\n{text}"))?;
    }

    #[test]
    fn a_rule_of_any_words(field in "[a-z_]{1,14}", value in "[-a-z0-9\"\\[\\]{}=., :TZ]{0,40}", when in prop::sample::select(vec!["exposure", "payee_origin", "resource", "asset", "now", "risk"]), text in ".{0,20}") {
        let rule = |inner: &str| format!("format = 1\nreference = \"USD\"\nrule = [{{ id = \"x\", effect = \"ask\", when = {{ {inner} }} }}]");
        whole_or_refused(&rule(&format!("{field} = {value}")))?;
        let quoted = serde_json::Value::from(text).to_string();
        for op in ["eq", "prefix", "host_suffix", "le"] {
            whole_or_refused(&rule(&format!("{when} = {{ {op} = {quoted} }}")))?;
        }
    }

    #[test]
    fn the_example_with_pieces_cut_doubled_and_replaced(cuts in prop::collection::vec((0..EXAMPLE.len(), 0..40usize, "[ -~\u{e9}\n]{0,6}", any::<bool>()), 1..4)) {
        let mut text = EXAMPLE.to_owned();
        for (at, length, insert, keep) in cuts {
            let from = boundary(&text, at.min(text.len()));
            let to = boundary(&text, (from + length).min(text.len()));
            let piece = text[from..to].to_owned();
            text.replace_range(from..to, &if keep { format!("{piece}{insert}{piece}") } else { insert });
        }
        whole_or_refused(&text)?;
    }
}

#[test]
fn deep_and_huge_files_are_refused() {
    for text in [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{b=".repeat(100_000)),
        "a.".repeat(100_000),
        "x".repeat(2 << 20),
    ] {
        assert!(Policy::parse(&text, "USD").is_err());
    }
    let many: String = (0..6000).map(|n| format!("{{ id = \"r{n}\", effect = \"deny\", when = {{}} }},")).collect();
    let error = Policy::parse(&format!("format = 1\nreference = \"USD\"\nrule = [{many}]"), "USD").unwrap_err();
    assert!(error.to_string().contains("more than"));
}
