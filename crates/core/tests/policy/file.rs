//! The policy file: what is refused and how it is said, and that nothing is lost on the way out.

use countersign_core::{
    approval::{Said, fill},
    policy::{Policy, PolicyError},
};

use std::collections::BTreeMap;

use super::world::{EXAMPLE, USDC, example, policy};

/// Why a file is refused, in English; what a Chinese window says of it is Chinese.
fn refused(text: &str) -> String {
    let error = Policy::parse(text, "USD").unwrap_err();
    error.clone().told().iter().for_each(is_chinese);
    error.to_string()
}

/// Beside what a file itself holds, in quotes and backticks, nothing of a sentence is left in English.
fn is_chinese(said: &Said) {
    let words: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../../../ui/messages/zh-CN/said.json")).unwrap();
    let text = fill(&words[said.id()], &said.parts());
    let own = text.split('`').step_by(2).collect::<String>();
    let own = own.split('"').step_by(2).collect::<String>();
    let of_toml = matches!(said, Said::FileSyntax { .. });
    let english = own.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1).collect::<Vec<_>>();
    let allowed = |word: &&&str| {
        let names = ["TOML", "MiB", "config", "toml", "reference", "USD", "EUR", "format", "when", "in", "le", "scope"];
        let of_files = ["deny", "ask", "allow", "except", "true", "false", "exposure", "host", "suffix", "prefix"];
        names.contains(*word) || of_files.contains(*word) || said.parts().iter().any(|(_, part)| part.contains(**word))
    };
    assert!(of_toml || english.iter().all(|word| allowed(&word)), "{english:?} in {text}");
}

fn refused_rule(rule: &str) -> String {
    refused(&format!("format = 1\nreference = \"USD\"\nrule = [{rule}]"))
}

#[test]
fn the_example_comes_back_from_its_own_file() {
    let policy = example();
    let again = Policy::parse(&policy.to_toml(), "USD").unwrap();
    assert_eq!(again, policy);
    assert_eq!(again.to_toml(), policy.to_toml());
    assert_eq!(
        (again.name(), again.timezone(), again.rules().len(), again.budgets().len()),
        ("everyday", "Europe/Berlin", 8, 4)
    );
}

#[test]
fn tables_and_lists_mean_the_same_and_neither_order_nor_comments_change_the_hash() {
    let list = policy(
        "{ id = \"b\", effect = \"ask\", when = { exposure = { gt = \"0.100\" } } }, { id = \"a\", effect = \"deny\", when = { op = \"sign\" } }",
        "",
    );
    let tables = "# words\nreference = \"USD\"\nformat = 1\n[[rule]]\nid = \"a\"\neffect = \"deny\"\n[rule.when]\nop = [\"sign\"]\n\
                  [[rule]]\nid = \"b\"\neffect = \"ask\"\nwhen.exposure.gt = \"0.10\"\n";
    let tables = Policy::parse(tables, "USD").unwrap();
    assert_eq!(list, tables);
    assert_eq!(list.hash("x"), tables.hash("x"));
    assert_ne!(list.hash("x"), list.hash("y"), "the configuration is part of the hash");
    assert_eq!(list.clone().bound_to("x").policy_hash(), list.hash("x"));
    assert_ne!(list.hash("x"), policy("", "").hash("x"));
}

#[test]
fn everything_a_file_can_say_survives_the_way_out() {
    let text = format!(
        "format = 1\nname = \"a \\\"b\\\" \\u007F \\n\u{e9}\"\nreference = \"USD\"\nmode = \"observe\"\n\
         known = [{{ origin = \"https://MÜNCHEN.example/\", account = \"0x833589fcd6edb6e08f4c7c32d4f71b54bda02913\", asset = \"{USDC}\" }}]\n\
         rule = [{{ id = \"r\", effect = \"except\", origin = \"preset\", expires = 2026-12-01T01:00:00.5+01:00, uses_left = 3, note = '''a\nb''',\n\
         when = {{ payee_origin = {{ host_suffix = \"münchen.example\", eq = \"https://a.xn--mnchen-3ya.example\" }}, amount = {{ ge = \"1\", lt = \"2.5\" }},\n\
         risk = {{ exists = false }}, resource = {{ prefix = \"https://a.example/x\", in = [\"https://a.example/x/1\", \"https://a.example/x/2\"] }}, testnet = false, now = {{ gt = 2026-01-01T00:00:00Z }} }} }}]\n\
         budget = [{{ id = \"b\", when = {{ task = {{ prefix = \"t\" }} }}, scope = [\"task\", \"rule:r\", \"agent\"], window = \"lifetime\", max_count = 7, on_exceed = \"deny\", expires = 2027-01-01T00:00:00Z }}]\n"
    );
    let policy = Policy::parse(&text, "USD").unwrap();
    let again = Policy::parse(&policy.to_toml(), "USD").unwrap();
    assert_eq!(again, policy, "{}", policy.to_toml());
    assert_eq!(again.known()[0].account, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
    assert!(again.is_known(
        &"https://münchen.example".parse().unwrap(),
        "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
        &USDC.parse().unwrap()
    ));
    assert!(!again.is_known(
        &"https://münchen.example:8443".parse().unwrap(),
        "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
        &USDC.parse().unwrap()
    ));
    assert!(!again.is_known(
        &"https://münchen.example".parse().unwrap(),
        "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
        &"iso4217:CNY".parse().unwrap()
    ));
}

#[test]
fn a_wrong_file_is_refused_whole_and_the_error_says_where_and_what_to_do() {
    for (from, to, says) in [
        ("format = 1", "format = 2", "format = 1"),
        ("format = 1", "", "format = 1"),
        ("mode = \"enforce\"", "mode = \"off\"", "\"enforce\", \"observe\""),
        ("mode = \"enforce\"", "mod = \"enforce\"", "unknown key `mod`"),
        (
            "known = []",
            "known = [{ origin = \"https://a.example/x\", account = \"a\", asset = \"iso4217:CNY\" }]",
            "known 1",
        ),
        ("Europe/Berlin", "Europe/Atlantis", "time zone"),
        ("id = \"micro\",", "id = \"micro\", efect = \"ask\",", "rule \"micro\": unknown key `efect`"),
        ("id = \"micro\", ", "id = \"ask-above\", ", "rule \"ask-above\": this id is used twice"),
        ("id = \"micro\", ", "id = \"Micro\", ", "rule \"Micro\": an id is 1 to 40"),
        ("effect = \"allow\"", "effect = \"permit\"", "rule \"micro\": `effect` is \"permit\""),
        (
            "gt = \"0.10\"",
            "gt = \"0.1000001\"",
            "rule \"ask-above\": `exposure`: \"0.1000001\" has more decimals than the currency",
        ),
        ("gt = \"0.10\"", "gt = 0.10", "rule \"ask-above\": `exposure` is compared to a number; write amounts as text"),
        ("gt = \"0.10\"", "above = \"0.10\"", "unknown operator `above`"),
        ("gt = \"0.10\"", "gt = \"-1\"", "not a plain decimal number"),
        ("op = \"sign\"", "opp = \"sign\"", "`opp`, which is no fact"),
        ("op = \"sign\"", "op = \"signe\"", "none of: pay, refund"),
        ("op = \"sign\"", "op = []", "empty list"),
        ("op = \"sign\"", "op = { eq = \"sign\", in = [\"pay\"] }", "same operator twice"),
        ("payee_known = false", "payee_known = \"no\"", "true or false"),
        ("payee_known = false", "payee_known = { exists = false, eq = true }", "never matches"),
        (
            "max_amount = \"5.00\",  on_exceed = \"ask\" },\n  { id = \"tiles-own\"",
            "on_exceed = \"ask\" },\n  { id = \"tiles-own\"",
            "budget \"micro-day\": needs `max_amount`",
        ),
        ("max_amount = \"60.00\"", "max_amount = 60", "budget \"limit-week\": `max_amount` must be text"),
        ("rolling:7d", "rolling:8d", "budget \"limit-week\": `window` is \"rolling:8d\""),
        ("on_exceed = \"deny\"", "on_exceed = \"allow\"", "budget \"limit-week\": `on_exceed`"),
        (
            "[\"rule:tiles\"]",
            "[\"rule:tile\"]",
            "budget \"tiles-own\": `scope` names the rule \"tile\", which does not exist",
        ),
        ("[\"rule:tiles\"]", "[\"rule:tiles\", \"rule:micro\"]", "one rule"),
        ("[\"rule:tiles\"]", "[\"everyone\"]", "`scope` holds \"everyone\""),
        ("max_count = 3000", "max_count = -1", "whole number"),
        ("max_count = 3000", "max_count = 9007199254740992", "at most 9007199254740991"),
        ("origin = \"prompt\",", "uses_left = 9007199254740992,", "at most 9007199254740991"),
        ("2026-12-01T00:00:00Z", "2026-12-01", "no moment"),
        ("2026-12-01T00:00:00Z", "\"2026-12-01T00:00:00Z\"", "no quotes"),
        ("0x1111111111111111111111111111111111111111", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02912", "checksum"),
    ] {
        assert!(EXAMPLE.contains(from), "{from}");
        let error = refused(&EXAMPLE.replacen(from, to, 1));
        assert!(error.contains(says), "{to}: {error}");
    }
    assert!(refused("format = 1\nreference = \"USD\nrule = []").contains("line 2"));
    assert!(matches!(Policy::parse(EXAMPLE, "EUR"), Err(PolicyError::File(Said::FileReference { .. }))));
    assert!(refused("format = 1").contains("`reference` is missing"));
    for (wrong, says) in [
        ("rule = 1", "policy: `rule` must be a list"),
        ("rule = [1]", "rule 1: must be a table"),
        ("name = 1", "policy: `name` must be text"),
        ("name = []", "policy: `name` must be a text in quotes"),
        ("name = \"\"", "name: 1 to 80 characters"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = 1 }]", "rule \"x\": `when` must be a table"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { rail = {} } }]", "`rail` has no operator"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { rail = { eq = [] } } }]", "`eq` takes one value"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { rail = { in = \"a\" } } }]", "`in` takes a list"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { rail = { exists = 1 } } }]", "`exists` is true or false"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { rail = { eq = {} } } }]", "a list or a table"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { scheme = { prefix = \"\" } } }]", "empty `prefix`"),
        (
            "rule = [{ id = \"x\", effect = \"ask\", when = { rail = { host_suffix = \"a\" } } }]",
            "on `payee_origin` only",
        ),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { amount = true } }]", "write an amount as text"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { now = \"2026\" } }]", "must be a moment"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { rail = true } }]", "must be a text in quotes"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { rail = \"x 402\" } }]", "not a name of"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { agent = \"An Agent\" } }]", "an agent's name is"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { payee_origin = \"a.example\" } }]", "not an origin"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { asset = \"USDC\" } }]", "not an asset id"),
        ("rule = [{ id = \"x\", effect = \"ask\", when = { network = \"Base\" } }]", "not a network id"),
        ("budget = [{ id = \"x\", when = {}, window = \"once\", on_exceed = \"ask\" }]", "an empty `when`"),
        (
            "budget = [{ id = \"x\", window = \"once\", max_amount = \"x\", on_exceed = \"ask\" }]",
            "not a plain decimal",
        ),
    ] {
        let error = refused(&format!("format = 1\nreference = \"USD\"\n{wrong}"));
        assert!(error.contains(says), "{wrong}: {error}");
    }
    assert_eq!(refused(&" ".repeat((1 << 20) + 1)), "the policy file is larger than 1 MiB");
}

#[test]
fn rules_that_say_more_than_they_seem_to_are_refused() {
    for (rule, says) in [
        ("{ id = \"x\", effect = \"allow\", when = {} }", "at least one condition"),
        ("{ id = \"x\", effect = \"deny\" }", "`when` is missing"),
        ("{ id = \"x\", effect = \"allow\", when = { task = \"a\" } }", "`task` is the agent's own word"),
        (
            "{ id = \"x\", effect = \"except\", uses_left = 1, when = { rail = \"x402\", task = { exists = false } } }",
            "`task`",
        ),
        ("{ id = \"x\", effect = \"except\", when = { rail = \"x402\" } }", "an except needs `expires`"),
        ("{ id = \"x\", effect = \"ask\", when = { payee_origin = { host_suffix = \"co.uk\" } } }", "public suffix"),
        (
            "{ id = \"x\", effect = \"ask\", when = { payee_origin = { host_suffix = \"github.io\" } } }",
            "public suffix",
        ),
        ("{ id = \"x\", effect = \"ask\", when = { payee_origin = { host_suffix = \".a.example\" } } }", "host name"),
        ("{ id = \"x\", effect = \"ask\", when = { payee_origin = { host_suffix = \"a.example.\" } } }", "host name"),
        ("{ id = \"x\", effect = \"ask\", when = { payee_origin = { host_suffix = \"10.0.0.1\" } } }", "host name"),
        ("{ id = \"x\", effect = \"ask\", when = { payee_origin = { prefix = \"https://a\" } } }", "host_suffix"),
        ("{ id = \"x\", effect = \"ask\", when = { payee_account = { prefix = \"0x11\" } } }", "look alike"),
        ("{ id = \"x\", effect = \"ask\", when = { resource = { prefix = \"https://a.example\" } } }", "a slash"),
        (
            "{ id = \"x\", effect = \"ask\", when = { resource = { prefix = \"https://a.example@b.example/\" } } }",
            "a slash",
        ),
        ("{ id = \"x\", effect = \"ask\", when = { agent = { lt = \"a\" } } }", "`lt` cannot be asked"),
        ("{ id = \"x\", effect = \"ask\", when = { now = { lt = 0000-01-01T00:00:00+12:00 } } }", "years 1970"),
        ("{ id = \"x\", effect = \"ask\", expires = 1969-12-31T23:59:59Z, when = {} }", "years 1970"),
        ("{ id = \"x\", effect = \"ask\", when = { method = \"get\" } }", "in capitals"),
        ("{ id = \"x\", effect = \"ask\", when = { risk = { prefix = \"a\" } } }", "`prefix` cannot be asked"),
    ] {
        let error = refused_rule(rule);
        assert!(error.starts_with("rule \"x\": ") && error.contains(says), "{rule}: {error}");
    }
    let except = "{ id = \"x\", effect = \"except\", when = { rail = \"x402\" } }";
    for (narrow, fine) in
        [("", true), ("when = { rail = \"x402\" },", false), ("expires = 2030-01-01T00:00:00Z,", false)]
    {
        let budget = format!(
            "{{ id = \"b\", {narrow} scope = [\"rule:x\"], window = \"lifetime\", max_count = 1, on_exceed = \"ask\" }}"
        );
        let text = format!("format = 1\nreference = \"USD\"\nrule = [{except}]\nbudget = [{budget}]");
        assert_eq!(Policy::parse(&text, "USD").is_ok(), fine, "{narrow}");
    }
}

#[test]
fn a_budget_the_caller_can_restart_is_warned_about_unless_a_longer_one_covers_it() {
    let allow = "{ id = \"a\", effect = \"allow\", when = { exposure = { le = \"1\" } } }";
    let session = "{ id = \"s\", window = \"session\", max_amount = \"1\", on_exceed = \"ask\" }";
    let alone = policy(allow, session).warnings();
    assert!(alone.len() == 1 && alone[0].to_string().contains("budget s alone is no limit"), "{alone:?}");
    let scoped = session.replace("window = \"session\"", "scope = [\"session\"], window = \"calendar:day\"");
    assert_eq!(policy(allow, &scoped).warnings().len(), 1, "it does not back itself");
    let twice = session.replace("\"s\"", "\"s2\"");
    assert_eq!(policy(allow, &format!("{session}, {twice}")).warnings().len(), 2, "another session is no backing");
    let day = "{ id = \"d\", window = \"calendar:day\", max_amount = \"9\", on_exceed = \"ask\" }";
    assert_eq!(policy(allow, &format!("{session}, {day}")).warnings(), vec![]);
    let narrow = "{ id = \"d\", when = { rail = \"x402\" }, window = \"calendar:day\", max_amount = \"9\", on_exceed = \"ask\" }";
    assert_eq!(policy(allow, &format!("{session}, {narrow}")).warnings().len(), 1);
    let unbounded = "{ id = \"u\", effect = \"allow\", when = { rail = \"x4o2\" } }";
    let warnings = policy(unbounded, "").warnings();
    assert!(
        warnings.iter().any(|w| w.to_string().contains("x4o2"))
            && warnings.iter().any(|w| w.to_string().contains("any amount")),
        "{warnings:?}"
    );
    assert_eq!(example().warnings(), vec![]);
    warnings.iter().chain(&alone).for_each(is_chinese);
}
