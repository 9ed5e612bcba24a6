//! The shipped policies do what their names promise.

use countersign_core::{
    payment::Op,
    policy::{Change, Effect, Facts, PRESETS, Policy, Tier, compare},
};

use super::world::{Counters, decide, example, facts, policy, usd};

fn preset(name: &str) -> Policy {
    Policy::preset(name, "USD").unwrap()
}

fn says(policy: &Policy, facts: &Facts, counters: &[(&'static str, &str)]) -> (Effect, String) {
    let d = decide(policy, facts, &mut Counters::of(counters));
    (d.effect, d.rule)
}

#[track_caller]
fn check(policy: &Policy, facts: &Facts, counters: &[(&'static str, &str)], effect: Effect, rule: &str) {
    assert_eq!(says(policy, facts, counters), (effect, rule.to_owned()));
}

fn unknown(exposure: &str) -> Facts {
    let mut f = facts(exposure);
    f.payee_known = false;
    f
}

fn doing(op: Op, exposure: &str) -> Facts {
    let mut f = facts(exposure);
    f.op = op;
    f
}

#[test]
fn every_preset_parses_round_trips_and_refuses_raw_signatures() {
    for name in PRESETS {
        let p = Policy::preset(name, "EUR").unwrap();
        assert_eq!((p.name(), p.reference()), (name, "EUR"));
        assert_eq!(Policy::parse(&p.to_toml(), "EUR").as_ref(), Ok(&p));
        assert_eq!(p.warnings(), vec![], "{name}");
        check(&p, &doing(Op::Sign, "0"), &[], Effect::Deny, "no-raw-sign");
    }
    assert_eq!(preset("balanced"), preset("everyday"));
    assert_eq!(Policy::preset("reckless", "USD"), None);
}

#[test]
fn everyday_is_the_example_without_its_exception() {
    let mut without = example().draft();
    without.rules.retain(|r| r.id != "tiles");
    without.budgets.retain(|b| b.id != "tiles-own");
    without.timezone = "UTC".to_owned();
    for rule in &mut without.rules {
        rule.origin = countersign_core::policy::Source::Preset;
    }
    assert_eq!(preset("everyday"), without.check().unwrap());
    assert_eq!(preset("everyday").ask_above(), Some(usd("0.10")));
}

#[test]
fn careful_always_asks() {
    let p = preset("careful");
    for f in [facts("0.000001"), facts("1000"), unknown("1"), doing(Op::Refund, "1")] {
        check(&p, &f, &[], Effect::Ask, "default");
    }
    assert!(!p.rules().iter().any(|r| r.effect.grants()));
    assert_eq!(p.ask_above(), None);
}

#[test]
fn hands_off_pays_known_payees_within_a_day_and_a_week() {
    let p = preset("hands-off");
    check(&p, &facts("1.00"), &[("limit-day", "19.00")], Effect::Allow, "known-payees");
    check(&p, &facts("1.00"), &[("limit-day", "19.01")], Effect::Ask, "budget:limit-day");
    check(&p, &facts("1.00"), &[("limit-week", "59.01")], Effect::Deny, "budget:limit-week");
    check(&p, &facts("1.01"), &[], Effect::Ask, "ask-above");
    check(&p, &facts("20.00"), &[], Effect::Ask, "ask-above");
    check(&p, &facts("20.01"), &[], Effect::Deny, "limit-payment");
    check(&p, &unknown("0.01"), &[], Effect::Ask, "first-payee");
    check(&p, &doing(Op::Refund, "0.01"), &[], Effect::Ask, "money-back");
    check(&p, &doing(Op::MandateOpen, "0.01"), &[], Effect::Ask, "mandates");
}

#[test]
fn pinned_only_refuses_everybody_else() {
    let p = preset("pinned-only");
    check(&p, &unknown("0.01"), &[], Effect::Deny, "pinned-only");
    check(&p, &facts("0.01"), &[], Effect::Allow, "micro");
    check(&p, &facts("1.00"), &[], Effect::Ask, "ask-above");
}

#[test]
fn test_network_pays_play_money_and_refuses_the_rest() {
    let p = preset("test-network");
    let play = |exposure: &str| {
        let mut f = unknown(exposure);
        f.testnet = true;
        f
    };
    check(&p, &play("1.00"), &[("limit-day", "19.00")], Effect::Allow, "play-money");
    check(&p, &play("1.00"), &[("limit-day", "19.01")], Effect::Deny, "budget:limit-day");
    check(&p, &play("1.01"), &[], Effect::Deny, "limit-payment");
    check(&p, &facts("0.01"), &[], Effect::Deny, "no-real-money");
    let mut valueless = play("0.01");
    valueless.exposure = None;
    check(&p, &valueless, &[], Effect::Deny, "no-unknown-value");
}

#[test]
fn narrowed_to_ask_nothing_is_silent_but_what_a_person_allowed_this_agent() {
    let p = example();
    let narrowed = p.narrowed_to_ask();
    assert_eq!(compare(&p, &narrowed), Change::Tighter);
    check(&narrowed, &facts("0.01"), &[], Effect::Ask, "ask-everything");
    check(&narrowed, &facts("51"), &[], Effect::Deny, "limit-payment");
    check(&narrowed, &facts("12"), &[("limit-week", "55")], Effect::Deny, "budget:limit-week");
    let mut tiles = facts("0.25");
    tiles.payee_origin = "https://tiles.example".parse().unwrap();
    tiles.payee_account = "0x1111111111111111111111111111111111111111".to_owned();
    check(&narrowed, &tiles, &[], Effect::Allow, "tiles");
    let for_all = policy(
        "{ id = \"x\", effect = \"except\", uses_left = 1, when = { rail = \"x402\" } }, { id = \"ask-everything\", effect = \"deny\", when = { op = \"sign\" } }",
        "",
    );
    check(&for_all.narrowed_to_ask(), &facts("0.01"), &[], Effect::Ask, "ask-everything-0");
    assert_eq!(for_all.narrowed_to_ask().rule("ask-everything").map(|r| r.effect), Some(Tier::Deny));
    assert_eq!(
        p.clone().bound_to("x").narrowed_to_ask().policy_hash(),
        p.narrowed_to_ask().bound_to("x").policy_hash()
    );
    assert!(Policy::parse(&narrowed.to_toml(), "USD").is_ok());
}
