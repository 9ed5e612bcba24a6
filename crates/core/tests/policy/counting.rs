//! What budgets count, for whom and up to where.

use countersign_core::{payment::Op, policy::Effect};

use super::world::{Counters, Ledger, at, decide, facts, policy, usd};

const ALLOW: &str = "{ id = \"all\", effect = \"allow\", when = { rail = \"x402\" } }";

#[test]
fn a_budget_with_conditions_covers_and_counts_only_what_fits() {
    let p = policy(
        ALLOW,
        "{ id = \"researcher-day\", when = { agent = \"researcher\" }, window = \"calendar:day\", max_amount = \"3.00\", on_exceed = \"ask\" }",
    );
    let mut ledger = Ledger::default();
    let mut other = facts("100.00");
    other.agent = "coder".parse().unwrap();
    let spent = ledger.pay(&p, &other);
    assert_eq!((spent.effect, spent.budgets.len()), (Effect::Allow, 0));
    assert_eq!(ledger.pay(&p, &facts("3.00")).effect, Effect::Allow);
    assert_eq!(ledger.pay(&p, &facts("0.000001")).rule, "budget:researcher-day");
    assert_eq!(ledger.pay(&p, &other).effect, Effect::Allow);
}

#[test]
fn caps_are_exact_to_one_millionth_and_to_one_payment() {
    let p = policy(
        ALLOW,
        "{ id = \"b\", window = \"lifetime\", max_amount = \"1.00\", max_count = 2, on_exceed = \"deny\" }",
    );
    for (used, pays, allowed) in
        [("0.99", "0.01", true), ("0.99", "0.010001", false), ("0.990001", "0.01", false), ("1.00", "0", true)]
    {
        let d = decide(&p, &facts(pays), &mut Counters::of(&[("b", used)]));
        assert_eq!(d.effect == Effect::Allow, allowed, "{used} + {pays}");
    }
    let mut ledger = Ledger::default();
    let effects = [(); 3].map(|()| ledger.pay(&p, &facts("0.01")).effect);
    assert_eq!(effects, [Effect::Allow, Effect::Allow, Effect::Deny]);
}

#[test]
fn a_sum_too_large_to_count_is_over_the_cap() {
    let p = policy(ALLOW, "{ id = \"b\", window = \"lifetime\", max_amount = \"1.00\", on_exceed = \"deny\" }");
    let mut f = facts("0.01");
    f.exposure = Some(countersign_core::money::Micro(u128::MAX));
    assert_eq!(decide(&p, &f, &mut Counters::of(&[("b", "0.5")])).rule, "budget:b");
}

#[test]
fn a_payment_without_a_value_is_counted_only_in_payments() {
    let p = policy(
        ALLOW,
        "{ id = \"b\", window = \"lifetime\", max_amount = \"1.00\", max_count = 1, on_exceed = \"deny\" }",
    );
    let mut f = facts("0.01");
    f.exposure = None;
    let d = decide(&p, &f, &mut Counters::of(&[("b", "7.00")]));
    assert_eq!((d.effect, d.rule.as_str()), (Effect::Ask, "builtin:unknown-value"));
    assert_eq!((d.budgets[0].amount, d.budgets[0].count_after), (usd("0"), 1));
}

#[test]
fn test_money_and_incoming_money_have_counters_of_their_own() {
    let p = policy(ALLOW, "{ id = \"b\", window = \"lifetime\", max_amount = \"1.00\", on_exceed = \"ask\" }");
    let mut ledger = Ledger::default();
    let (mut test, mut link) = (facts("1.00"), facts("1.00"));
    test.testnet = true;
    link.op = Op::ReceiveLink;
    for f in [&test, &link, &facts("1.00")] {
        assert_eq!(ledger.pay(&p, f).effect, Effect::Allow);
        assert_eq!(ledger.pay(&p, f).effect, Effect::Ask);
    }
}

#[test]
fn one_weekly_budget_counts_the_payments_of_every_rail() {
    let p = policy(
        "{ id = \"all\", effect = \"allow\", when = { exposure = { le = \"50.00\" } } }",
        "{ id = \"week\", scope = [], window = \"rolling:7d\", max_amount = \"10.00\", on_exceed = \"deny\" }",
    );
    let mut registry = countersign_core::registry::Registry::builtin("USD");
    registry.set_rate("CNY", countersign_core::registry::Rate::parse("0.14").unwrap());
    let mut yuan = registry.assets().next().unwrap().clone();
    (yuan.decimals, yuan.peg) = (2, Some("CNY".to_owned()));
    let worth = |fen: &str| {
        let fen = countersign_core::money::Amount::parse_atomic(fen).unwrap();
        registry.value(&yuan, fen).unwrap().unwrap().to_string()
    };
    let mut ledger = Ledger::default();
    for (rail, op, value, rule) in [
        ("x402", Op::Pay, "3.00".to_owned(), "all"),
        ("mpp", Op::Pay, "2.80".to_owned(), "all"),
        ("alipay", Op::Refund, worth("3000"), "all"),
        ("alipay", Op::Refund, worth("1"), "budget:week"),
        ("mpp", Op::Pay, "0.000001".to_owned(), "budget:week"),
        ("x402", Op::Pay, "0".to_owned(), "all"),
    ] {
        let mut f = facts(&value);
        (f.rail, f.op) = (rail.to_owned(), op);
        assert_eq!(ledger.pay(&p, &f).rule, rule, "{rail} {value}");
    }
}

#[test]
fn each_scope_has_its_own_counters() {
    for (scope, window, shared) in [
        ("[]", "lifetime", [true, true, true, true]),
        ("[\"agent\"]", "lifetime", [false, true, true, true]),
        ("[\"session\"]", "lifetime", [true, false, true, true]),
        ("[]", "session", [true, false, true, true]),
        ("[\"payee\"]", "lifetime", [true, true, false, true]),
        ("[\"task\"]", "lifetime", [true, true, true, false]),
        ("[\"agent\", \"payee\"]", "lifetime", [false, true, false, true]),
        ("[]", "once", [false, false, false, false]),
    ] {
        let p = policy(
            ALLOW,
            &format!(
                "{{ id = \"b\", scope = {scope}, window = \"{window}\", max_amount = \"1.00\", on_exceed = \"ask\" }}"
            ),
        );
        let others: [fn(&mut countersign_core::policy::Facts); 4] = [
            |f| f.agent = "coder".parse().unwrap(),
            |f| f.session = "session-2".parse().unwrap(),
            |f| f.payee_account = "0x4444444444444444444444444444444444444444".to_owned(),
            |f| f.task = Some("t".to_owned()),
        ];
        for (change, shared) in others.into_iter().zip(shared) {
            let mut ledger = Ledger::default();
            assert_eq!(ledger.pay(&p, &facts("1.00")).effect, Effect::Allow);
            let mut other = facts("1.00");
            change(&mut other);
            assert_eq!(ledger.pay(&p, &other).effect == Effect::Ask, shared, "{scope} {window}");
        }
    }
}

#[test]
fn a_budget_once_caps_one_payment() {
    let p = policy(ALLOW, "{ id = \"b\", window = \"once\", max_amount = \"1.00\", on_exceed = \"deny\" }");
    let mut ledger = Ledger::default();
    assert_eq!(ledger.pay(&p, &facts("1.00")).effect, Effect::Allow);
    assert_eq!(ledger.pay(&p, &facts("1.00")).effect, Effect::Allow);
    assert_eq!(ledger.pay(&p, &facts("1.000001")).rule, "budget:b");
}

#[test]
fn a_rule_budget_counts_what_fits_even_after_the_rule_expired() {
    let p = policy(
        &format!(
            "{ALLOW}, {{ id = \"gone\", effect = \"allow\", expires = 2026-01-01T00:00:00Z, when = {{ exposure = {{ le = \"1\" }} }} }}"
        ),
        "{ id = \"b\", scope = [\"rule:gone\"], window = \"lifetime\", max_amount = \"1.00\", on_exceed = \"ask\" }",
    );
    let mut ledger = Ledger::default();
    assert_eq!(ledger.pay(&p, &facts("0.60")).effect, Effect::Allow);
    assert_eq!(ledger.pay(&p, &facts("0.60")).rule, "budget:b");
    assert_eq!(ledger.pay(&p, &facts("1.60")).effect, Effect::Allow);
}

#[test]
fn a_budget_ends_at_its_very_second() {
    let p = policy(
        ALLOW,
        "{ id = \"b\", window = \"lifetime\", max_amount = \"0.01\", on_exceed = \"deny\", expires = 2026-12-01T00:00:00Z }",
    );
    let mut f = facts("0.02");
    f.now = at("2026-11-30T23:59:59.999Z");
    assert_eq!(decide(&p, &f, &mut Counters::default()).effect, Effect::Deny);
    f.now = at("2026-12-01T00:00:00Z");
    assert_eq!(decide(&p, &f, &mut Counters::default()).effect, Effect::Allow);
}

#[test]
fn a_rolling_window_holds_both_its_ends() {
    let p = policy(ALLOW, "{ id = \"b\", window = \"rolling:10m\", max_count = 1, on_exceed = \"ask\" }");
    let mut ledger = Ledger::default();
    assert_eq!(ledger.pay(&p, &facts("0.01")).effect, Effect::Allow);
    let mut later = facts("0.01");
    later.now = at("2026-11-20T10:10:00Z");
    assert_eq!(ledger.pay(&p, &later).effect, Effect::Ask);
    later.now.0 += 1;
    assert_eq!(ledger.pay(&p, &later).effect, Effect::Allow);
}
