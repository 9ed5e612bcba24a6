//! History run again.

use countersign_core::policy::{Effect, Past, replay, replay_answered};
use proptest::{collection::vec, prelude::*};

use super::{
    random,
    world::{Ledger, decide, example, facts, payment, policy},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_same_policy_reproduces_every_verdict(policy in random::policy(), history in vec((random::facts(), 0..400_000i64, any::<bool>()), 0..25)) {
        let mut ledger = Ledger::default();
        let (mut past, mut decisions) = (Vec::new(), Vec::new());
        let mut now = 0;
        for (mut facts, later, yes) in history {
            // Time only moves on; one base for all keeps rules with an end in play.
            now += later;
            facts.now = countersign_core::Millis(super::world::at("2026-11-20T09:30:00Z").0 + now);
            let decision = decide(&policy, &facts, &mut ledger);
            let paid = decision.effect == Effect::Allow || (decision.effect == Effect::Ask && yes);
            if paid {
                ledger.hold(&decision, facts.now);
            }
            past.push(Past { payment: payment(1), facts, paid });
            decisions.push(decision);
        }
        let again: Vec<_> = replay_answered(&policy, &past).into_iter().map(|r| r.decision).collect();
        prop_assert_eq!(again, decisions);
    }
}

#[test]
fn each_verdict_feeds_the_next_and_a_draft_shows_what_would_be_silent() {
    let history: Vec<_> = (1..=4).map(|n| (payment(n), facts("0.50"))).collect();
    let old: Vec<_> = replay(&example(), &history).into_iter().map(|r| r.decision.rule).collect();
    assert_eq!(old, ["ask-above"; 4]);
    let draft = policy(
        "{ id = \"half\", effect = \"allow\", when = { exposure = { le = \"0.50\" } } }",
        "{ id = \"b\", window = \"calendar:day\", max_amount = \"1.00\", on_exceed = \"ask\" }",
    );
    let new = replay(&draft, &history);
    let rules: Vec<_> = new.iter().map(|r| r.decision.rule.as_str()).collect();
    assert_eq!(rules, ["half", "half", "budget:b", "budget:b"]);
    assert_eq!(new[3].payment, payment(4));
}

#[test]
fn a_replayed_window_has_the_same_ends_as_the_ledgers() {
    let draft = policy(
        "{ id = \"a\", effect = \"allow\", when = { rail = \"x402\" } }",
        "{ id = \"b\", window = \"rolling:10m\", max_count = 1, on_exceed = \"ask\" }",
    );
    let later = |ms: i64| {
        let mut f = facts("0.01");
        f.now.0 += ms;
        (payment(1), f)
    };
    let effects = |history: &[_]| replay(&draft, history).into_iter().map(|r| r.decision.effect).collect::<Vec<_>>();
    assert_eq!(effects(&[later(0), later(600_000)]), [Effect::Allow, Effect::Ask]);
    assert_eq!(effects(&[later(0), later(600_001)]), [Effect::Allow, Effect::Allow]);
}

#[test]
fn facts_written_before_programs_were_looked_at_are_read_and_written_as_they_were() {
    let old = facts("1.00");
    let text = serde_json::to_string(&old).unwrap();
    assert!(!text.contains("program"), "{text}");
    assert_eq!(serde_json::from_str::<countersign_core::policy::Facts>(&text).unwrap(), old);
}
