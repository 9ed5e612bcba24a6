//! What single parts of the grammar mean.

use countersign_core::policy::{Condition, Effect, Policy, Risk};

use super::world::{Counters, Ledger, decide, facts, policy};

fn effect(policy: &Policy, facts: &countersign_core::policy::Facts) -> (Effect, String) {
    let d = decide(policy, facts, &mut Counters::default());
    (d.effect, d.rule)
}

fn said(effect: Effect, rule: &str) -> (Effect, String) {
    (effect, rule.to_owned())
}

#[test]
fn a_condition_on_a_missing_fact_matches_in_no_tier_but_exists_false() {
    let mut f = facts("0.05");
    (f.exposure, f.amount, f.network) = (None, None, None);
    for (field, tests) in [
        (
            "exposure",
            [
                "\"0.05\"",
                "[\"0.05\", \"1\"]",
                "{ lt = \"9\" }",
                "{ le = \"9\" }",
                "{ gt = \"0\" }",
                "{ ge = \"0\" }",
                "{ exists = true }",
            ],
        ),
        (
            "network",
            [
                "\"eip155:8453\"",
                "[\"eip155:1\"]",
                "{ eq = \"eip155:1\" }",
                "{ in = [\"eip155:1\"] }",
                "{ prefix = \"e\" }",
                "{ prefix = \"eip155:\" }",
                "{ exists = true }",
            ],
        ),
        (
            "task",
            [
                "\"a\"",
                "[\"a\"]",
                "{ eq = \"a\" }",
                "{ in = [\"a\"] }",
                "{ prefix = \"a\" }",
                "{ prefix = \"b\" }",
                "{ exists = true }",
            ],
        ),
    ] {
        for test in tests {
            let deny = policy(&format!("{{ id = \"x\", effect = \"deny\", when = {{ {field} = {test} }} }}"), "");
            assert_eq!(effect(&deny, &f), said(Effect::Ask, "builtin:unknown-value"), "{field} {test}");
        }
        let deny =
            policy(&format!("{{ id = \"x\", effect = \"deny\", when = {{ {field} = {{ exists = false }} }} }}"), "");
        assert_eq!(effect(&deny, &f), said(Effect::Deny, "x"), "{field}");
        let present = {
            let mut f = facts("0.05");
            f.task = Some("a".to_owned());
            f
        };
        assert_eq!(effect(&deny, &present), said(Effect::Ask, "default"), "{field}");
    }
}

#[test]
fn every_operator_compares_as_it_says() {
    for (test, matches) in [
        ("exposure = \"0.10\"", true),
        ("exposure = { lt = \"0.10\" }", false),
        ("exposure = { lt = \"0.100001\" }", true),
        ("exposure = { le = \"0.10\" }", true),
        ("exposure = { gt = \"0.10\" }", false),
        ("exposure = { gt = \"0.099999\" }", true),
        ("exposure = { ge = \"0.10\" }", true),
        ("exposure = { gt = \"0.01\", le = \"0.09\" }", false),
        ("payee_origin = { host_suffix = \"api.example\" }", true),
        ("payee_origin = { host_suffix = \"pi.example\" }", false),
        ("payee_origin = { host_suffix = \"API.example\" }", true),
        ("payee_origin = { host_suffix = \"v.api.example\" }", false),
        ("payee_origin = \"HTTPS://API.example:443/\"", true),
        ("payee_origin = \"http://api.example\"", false),
        ("resource = { prefix = \"https://api.example/v1\" }", true),
        ("resource = { prefix = \"https://api.example/v2\" }", false),
        ("asset = \"eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913\"", true),
        ("risk = [\"price_up\", \"short_life\"]", true),
        ("risk = \"redirected\"", false),
        ("risk = { exists = true }", true),
        ("now = { ge = 2026-11-20T11:00:00+01:00 }", true),
        ("now = { lt = 2026-11-20T10:00:00Z }", false),
        ("payee_known = true, op = [\"pay\"], method = \"GET\"", true),
    ] {
        let mut f = facts("0.10");
        f.risk.insert(Risk::PriceUp);
        let deny = policy(&format!("{{ id = \"x\", effect = \"deny\", when = {{ {test} }} }}"), "");
        assert_eq!(effect(&deny, &f).0 == Effect::Deny, matches, "{test}");
    }
}

#[test]
fn a_host_with_the_roots_dot_is_the_same_host() {
    let deny =
        policy("{ id = \"x\", effect = \"deny\", when = { payee_origin = { host_suffix = \"api.example\" } } }", "");
    let mut f = facts("0.05");
    f.payee_origin = "https://www.api.example./".parse().unwrap();
    assert_eq!(effect(&deny, &f).0, Effect::Deny);
}

#[test]
fn the_tiers_rank_deny_except_ask_allow_and_nothing_asks() {
    let rule = |id: &str, effect: &str| {
        format!("{{ id = \"{id}\", effect = \"{effect}\", uses_left = 1, when = {{ rail = \"x402\" }} }},")
    };
    let (a, b, c, d) =
        (rule("d-allow", "allow"), rule("c-ask", "ask"), rule("b-except", "except"), rule("a-deny", "deny"));
    let f = facts("0.05");
    assert_eq!(effect(&policy("", ""), &f), said(Effect::Ask, "default"));
    assert_eq!(effect(&policy(&a, ""), &f), said(Effect::Allow, "d-allow"));
    assert_eq!(effect(&policy(&format!("{a}{b}"), ""), &f), said(Effect::Ask, "c-ask"));
    assert_eq!(effect(&policy(&format!("{a}{b}{c}"), ""), &f), said(Effect::Allow, "b-except"));
    assert_eq!(effect(&policy(&format!("{a}{b}{c}{d}"), ""), &f), said(Effect::Deny, "a-deny"));
}

#[test]
fn an_exception_for_one_use_is_used_up() {
    let p = policy("{ id = \"once\", effect = \"except\", uses_left = 1, when = { rail = \"x402\" } }", "");
    let mut ledger = Ledger::default();
    let first = ledger.pay(&p, &facts("0.05"));
    assert_eq!((first.effect, first.consumes.as_deref()), (Effect::Allow, Some("once")));
    let second = ledger.pay(&p, &facts("0.05"));
    assert_eq!((second.effect, second.consumes), (Effect::Ask, None));
}

const SELLER: &str = "{ id = \"seller\", effect = \"except\", when = { payee_origin = \"https://api.example\" } }";
const ITS_BUDGET: &str =
    "{ id = \"own\", scope = [\"rule:seller\"], window = \"lifetime\", max_amount = \"5.00\", on_exceed = \"ask\" }";

#[test]
fn only_an_exception_for_the_origin_with_its_own_money_budget_lets_a_payee_change() {
    let mut f = facts("0.05");
    f.conditions.insert(Condition::PayeeChanged);
    assert_eq!(effect(&policy(SELLER, ITS_BUDGET), &f), said(Effect::Allow, "seller"));
    let counted = ITS_BUDGET.replace("max_amount = \"5.00\"", "max_count = 9");
    assert_eq!(effect(&policy(SELLER, &counted), &f), said(Effect::Ask, "builtin:payee-changed"));
    let host = SELLER.replace("\"https://api.example\"", "{ host_suffix = \"api.example\" }");
    assert_eq!(effect(&policy(&host, ITS_BUDGET), &f), said(Effect::Ask, "builtin:payee-changed"));
    let pinned = SELLER.replace(" } }", ", payee_account = \"0x2222222222222222222222222222222222222222\" } }");
    assert_eq!(effect(&policy(&pinned, ITS_BUDGET), &f), said(Effect::Ask, "builtin:payee-changed"));
}

#[test]
fn trust_in_an_origin_never_covers_an_origin_that_is_only_claimed() {
    let mut f = facts("0.05");
    f.payee_claimed = true;
    assert_eq!(effect(&policy(SELLER, ITS_BUDGET), &f), said(Effect::Ask, "default"));
    assert_eq!(effect(&policy(&SELLER.replace("except", "allow"), ""), &f), said(Effect::Ask, "default"));
    assert_eq!(effect(&policy(&SELLER.replace("except", "deny"), ""), &f), said(Effect::Deny, "seller"));
    let pinned = SELLER.replace(" } }", ", payee_account = \"0x2222222222222222222222222222222222222222\" } }");
    assert_eq!(effect(&policy(&pinned, ITS_BUDGET), &f), said(Effect::Allow, "seller"));
}

#[test]
fn ceilings_hold_an_exception_down_and_an_unconfirmed_policy_is_named_first() {
    let p = policy(SELLER, ITS_BUDGET);
    let mut f = facts("0.05");
    f.conditions.extend([Condition::Upfront, Condition::ClockSuspect, Condition::PolicyUnconfirmed]);
    let d = decide(&p, &f, &mut Counters::default());
    assert_eq!((d.effect, d.rule.as_str()), (Effect::Ask, "builtin:policy-unconfirmed"));
    assert_eq!(d.because, ["builtin:upfront", "builtin:clock-suspect"]);
    let mut watching = p.draft();
    watching.mode = countersign_core::policy::Mode::Observe;
    assert_eq!(effect(&watching.check().unwrap(), &facts("0.05")), said(Effect::Ask, "builtin:observe"));
}

#[test]
fn several_denials_and_built_ins_follow_in_order() {
    let p = policy(
        "{ id = \"z\", effect = \"deny\", when = {} }, { id = \"limit-payment\", effect = \"deny\", when = {} }, { id = \"b\", effect = \"deny\", when = {} }",
        "{ id = \"a\", window = \"lifetime\", max_count = 0, on_exceed = \"deny\" }, { id = \"c\", window = \"lifetime\", max_count = 0, on_exceed = \"ask\" }",
    );
    let d = decide(&p, &facts("0.01"), &mut Counters::default());
    assert_eq!(
        (d.rule.as_str(), d.because),
        ("b", vec!["z".to_owned(), "limit-payment".to_owned(), "budget:a".to_owned()])
    );
    let mut f = facts("0.01");
    f.conditions.extend([Condition::Storage, Condition::Paused]);
    let d = decide(&p, &f, &mut Counters::default());
    assert_eq!((d.rule.as_str(), d.because), ("builtin:paused", vec!["builtin:storage".to_owned()]));
}
