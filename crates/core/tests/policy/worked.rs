//! The worked decisions of the design, row by row, and what follows a yes.

use countersign_core::{
    approval::{Answer, Yes},
    asset::{Asset, Transfer},
    money::Amount,
    payment::{Digest, Op},
    policy::{Again, Approved, By, Condition, Decision, Effect, Facts, Judged, judge},
    registry::{Rate, Registry},
};

use super::world::{Counters, at, decide, example, facts, payment, usd};

fn judged(facts: &Facts, counters: &[(&'static str, &str)]) -> Judged {
    let Ok(judged) = judge(&example(), &payment(1), facts, &mut Counters::of(counters));
    judged
}

fn row(facts: &Facts, counters: &[(&'static str, &str)]) -> Decision {
    decide(&example(), facts, &mut Counters::of(counters))
}

fn tiles(account: &str) -> Facts {
    let mut f = facts("0.25");
    f.payee_origin = "https://tiles.example".parse().unwrap();
    f.payee_account = account.to_owned();
    f
}

/// budget, before, after, count after; by id.
fn holds(decision: &Decision) -> Vec<(&str, String, String, u64)> {
    decision.budgets.iter().map(|l| (l.id.as_str(), l.before.to_string(), l.after.to_string(), l.count_after)).collect()
}

#[track_caller]
fn expect(decision: &Decision, effect: Effect, rule: &str, because: &[&str]) {
    assert_eq!((decision.effect, decision.rule.as_str()), (effect, rule));
    assert_eq!(decision.because, because);
    assert_eq!(decision.policy_hash, example().policy_hash());
}

#[test]
fn row_1_a_small_payment_goes_through_up_to_the_cap() {
    let d = row(&facts("0.03"), &[("micro-day", "4.97")]);
    expect(&d, Effect::Allow, "micro", &[]);
    let zero = || "0.00".to_owned();
    assert_eq!(
        holds(&d),
        [
            ("limit-week", zero(), "0.03".to_owned(), 1),
            ("micro-burst", zero(), "0.03".to_owned(), 1),
            ("micro-day", "4.97".to_owned(), "5.00".to_owned(), 1),
        ]
    );
}

#[test]
fn row_2_over_a_budget_that_asks() {
    expect(&row(&facts("0.05"), &[("micro-day", "4.97")]), Effect::Ask, "budget:micro-day", &[]);
}

#[test]
fn row_3_a_payee_never_seen() {
    let mut f = facts("0.05");
    f.payee_known = false;
    let d = row(&f, &[]);
    expect(&d, Effect::Ask, "first-payee", &[]);
    assert!(d.budgets.iter().any(|l| l.id == "micro-day"), "a yes counts there too");
}

#[test]
fn row_4_an_exception_with_its_own_budget() {
    let d = row(&tiles("0x1111111111111111111111111111111111111111"), &[]);
    expect(&d, Effect::Allow, "tiles", &[]);
    assert_eq!(
        holds(&d),
        [
            ("limit-week", "0.00".to_owned(), "0.25".to_owned(), 1),
            ("tiles-own", "0.00".to_owned(), "0.25".to_owned(), 1)
        ]
    );
}

#[test]
fn row_5_the_same_seller_at_another_account() {
    let mut f = tiles("0x3333333333333333333333333333333333333333");
    f.payee_known = false;
    f.conditions.insert(Condition::PayeeChanged);
    expect(&row(&f, &[]), Effect::Ask, "builtin:payee-changed", &["first-payee", "ask-above"]);
}

#[test]
fn row_6_an_exception_ends_at_its_very_second() {
    let mut f = tiles("0x1111111111111111111111111111111111111111");
    f.now = at("2026-12-01T00:00:00Z");
    expect(&row(&f, &[]), Effect::Ask, "ask-above", &[]);
    f.now.0 -= 1;
    expect(&row(&f, &[]), Effect::Allow, "tiles", &[]);
}

#[test]
fn row_7_no_known_value() {
    let mut f = facts("0.05");
    (f.amount, f.exposure) = (None, None);
    f.conditions.insert(Condition::UnknownValue);
    expect(&row(&f, &[]), Effect::Ask, "builtin:unknown-value", &["default"]);
    f.conditions.clear();
    assert_eq!(row(&f, &[]).rule, "builtin:unknown-value", "also when the ledger did not say so");
}

#[test]
fn row_8_above_the_limit_of_one_payment() {
    expect(&row(&facts("50.01"), &[]), Effect::Deny, "limit-payment", &[]);
    expect(&row(&facts("50.00"), &[]), Effect::Ask, "ask-above", &[]);
    expect(&row(&facts("50.000001"), &[]), Effect::Deny, "limit-payment", &[]);
}

#[test]
fn row_9_over_a_budget_that_denies() {
    expect(&row(&facts("12.00"), &[("limit-week", "55.00")]), Effect::Deny, "budget:limit-week", &[]);
}

#[test]
fn row_10_the_deposit_counts_not_the_first_step() {
    let mut f = facts("0.80");
    f.amount = Some(usd("0.01"));
    (f.rail, f.op) = ("mpp".to_owned(), Op::SessionOpen);
    expect(&row(&f, &[]), Effect::Ask, "ask-above", &[]);
}

#[test]
fn row_11_a_refund_in_yuan() {
    let mut registry = Registry::builtin("USD");
    registry.set_rate("CNY", Rate::parse("0.14").unwrap());
    let yuan = Asset {
        id: "iso4217:CNY".parse().unwrap(),
        symbol: "CNY".to_owned(),
        decimals: 2,
        peg: Some("CNY".to_owned()),
        eip712: None,
        transfer: Transfer::Eip3009,
    };
    let value = registry.value(&yuan, Amount::parse_human("30.00", 2).unwrap()).unwrap();
    assert_eq!(value, Some(usd("4.20")));
    let mut f = facts("4.20");
    (f.amount, f.exposure) = (value, value);
    (f.rail, f.op, f.asset, f.network) = ("alipay".to_owned(), Op::Refund, yuan.id, None);
    expect(&row(&f, &[]), Effect::Ask, "money-back", &["ask-above"]);
}

#[test]
fn row_12_a_claim_that_disagrees_ends_everything() {
    let mut f = facts("2.00");
    f.conditions.insert(Condition::ClaimMismatch);
    f.conditions.insert(Condition::Upfront);
    let d = row(&f, &[]);
    expect(&d, Effect::Deny, "builtin:claim-mismatch", &[]);
    assert_eq!(d.budgets, [], "nothing else is evaluated");
}

/// A yes to the question about these facts.
fn yes(facts: &Facts, counters: &[(&'static str, &str)]) -> Approved {
    let Judged::Asks(question) = judged(facts, counters) else { panic!("asks") };
    let yes = Yes { payment: payment(1), display_hash: Digest([1; 32]), through: "scripted".to_owned() };
    question.answer(Answer::Yes(yes)).unwrap()
}

#[test]
fn a_yes_covers_the_reason_that_was_on_screen() {
    let approved = yes(&facts("0.05"), &[("micro-day", "4.97")])
        .confirm(judged(&facts("0.05"), &[("micro-day", "4.97")]))
        .unwrap();
    assert!(matches!(approved.by(), By::Person(_)));
    let line = approved.decision().budgets.iter().find(|l| l.id == "micro-day").unwrap();
    assert_eq!((line.after, line.max), (usd("5.02"), Some(usd("5.00"))));
}

#[test]
fn a_yes_never_overrides_a_denial() {
    let approved = yes(&facts("12.00"), &[("limit-week", "40.00")]);
    let Err(Again::Refused(d)) = approved.confirm(judged(&facts("12.00"), &[("limit-week", "50.00")])) else {
        panic!("refused")
    };
    expect(&d, Effect::Deny, "budget:limit-week", &[]);
}

#[test]
fn a_reason_that_was_not_on_screen_is_shown_again() {
    let mut f = facts("0.05");
    f.payee_known = false;
    let approved = yes(&f, &[("micro-day", "1.00")]);
    let Err(Again::Asks(again)) = approved.confirm(judged(&f, &[("micro-day", "4.97")])) else { panic!("asks again") };
    expect(again.decision(), Effect::Ask, "first-payee", &["budget:micro-day"]);
}

#[test]
fn of_two_open_windows_the_second_is_refused_when_the_first_filled_the_budget() {
    let (first, second) =
        (yes(&facts("6.00"), &[("limit-week", "50.00")]), yes(&facts("6.00"), &[("limit-week", "50.00")]));
    let held = first.confirm(judged(&facts("6.00"), &[("limit-week", "50.00")])).unwrap();
    assert_eq!(held.decision().budgets.iter().find(|l| l.id == "limit-week").unwrap().after, usd("56.00"));
    assert!(matches!(second.confirm(judged(&facts("6.00"), &[("limit-week", "56.00")])), Err(Again::Refused(_))));
}
