//! Laws that hold for every policy, every payment and every state of the ledger.

use countersign_core::policy::{Budget, Change, Draft, Effect, Mode, Policy, Rule, Tier, compare};
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use std::cell::Cell;

use super::{
    random::{self, Scattered},
    world::decide,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn adding_a_deny_ask_or_budget_never_loosens(
        policy in random::policy(), rule in random::rule(), budget in random::budget(), facts in random::facts(), seed: u64, which in 0..3,
    ) {
        let mut draft = policy.draft();
        match which {
            0 => draft.rules.push(Rule { id: "new".to_owned(), effect: Tier::Deny, ..rule }),
            1 => draft.rules.push(Rule { id: "new".to_owned(), effect: Tier::Ask, ..rule }),
            _ => draft.budgets.push(Budget { id: "new".to_owned(), ..budget }),
        }
        let more = random::repaired(draft);
        // The one exception, which `compare` reports: an exception's first money budget lets its seller change the account.
        if let Change::Looser(why) = compare(&policy, &more) {
            prop_assert!(which == 2 && why.iter().all(|w| w.said("USD").to_string().contains("lets its seller change")), "{why:?}");
        } else {
            let (before, after) = (decide(&policy, &facts, &mut Scattered(seed)), decide(&more, &facts, &mut Scattered(seed)));
            prop_assert!(after.effect <= before.effect, "{before:?} {after:?}");
        }
    }

    #[test]
    fn the_order_of_rules_and_budgets_never_matters(
        (policy, rules, budgets) in random::policy().prop_flat_map(|p| {
            let d = p.draft();
            (Just(p), Just(d.rules).prop_shuffle(), Just(d.budgets).prop_shuffle())
        }),
        facts in random::facts(), seed: u64,
    ) {
        let shuffled = Draft { rules, budgets, ..policy.draft() }.check().unwrap();
        prop_assert_eq!(decide(&shuffled, &facts, &mut Scattered(seed)), decide(&policy, &facts, &mut Scattered(seed)));
        prop_assert_eq!(shuffled, policy);
    }

    #[test]
    fn every_policy_survives_its_own_file_and_has_one_canonical_text(policy in random::policy()) {
        let again = Policy::parse(&policy.to_toml(), "USD").unwrap();
        prop_assert_eq!(again.canonical(), policy.canonical());
        prop_assert_eq!(&again, &policy);
        prop_assert_eq!(compare(&policy, &again), Change::Same);
        let text: serde_json::Value = serde_json::from_str(&policy.canonical()).unwrap();
        prop_assert_eq!(countersign_core::policy::canonical_json(&text), policy.canonical());
    }

    #[test]
    fn a_narrower_condition_never_matches_more(a in random::when(), b in random::when(), facts in random::facts()) {
        if a.within(&b) {
            prop_assert!(!a.matches(&facts) || b.matches(&facts), "{a:?} {b:?}");
        }
        prop_assert!(a.within(&a));
    }

    #[test]
    fn only_what_a_person_allowed_this_agent_is_silent_once_narrowed(policy in random::policy(), facts in random::facts(), seed: u64) {
        let narrowed = policy.narrowed_to_ask();
        prop_assert_eq!(compare(&policy, &narrowed), Change::Tighter);
        let again = Policy::parse(&narrowed.to_toml(), "USD");
        prop_assert_eq!(again.as_ref(), Ok(&narrowed));
        let after = decide(&narrowed, &facts, &mut Scattered(seed));
        prop_assert!(after.effect <= decide(&policy, &facts, &mut Scattered(seed)).effect);
        if after.effect == Effect::Allow {
            let rule = narrowed.rule(&after.rule).unwrap();
            prop_assert!(rule.effect == Tier::Except && !rule.when.on(countersign_core::policy::Field::Agent).is_empty());
        }
    }

    #[test]
    fn the_reasons_of_a_verdict_are_of_its_kind(policy in random::policy(), facts in random::facts(), seed: u64) {
        let d = decide(&policy, &facts, &mut Scattered(seed));
        for reason in d.reasons() {
            let kind = if let Some(id) = reason.strip_prefix("budget:") {
                let line = d.budgets.iter().find(|l| l.id == id).unwrap();
                prop_assert!(line.exceeded);
                line.on_exceed
            } else if let Some(rule) = policy.rule(reason) {
                match rule.effect { Tier::Deny => Effect::Deny, Tier::Ask => Effect::Ask, Tier::Allow | Tier::Except => Effect::Allow }
            } else if reason == "default" {
                Effect::Ask
            } else {
                let condition = facts.conditions.iter().find(|c| c.rule() == reason);
                if condition.is_some_and(|c| c.denies()) { Effect::Deny } else { Effect::Ask }
            };
            prop_assert_eq!(kind, d.effect, "{}", reason);
        }
        if d.effect == Effect::Allow {
            prop_assert!(d.budgets.iter().all(|l| !l.exceeded) && facts.exposure.is_some() && policy.mode() == Mode::Enforce);
        }
    }
}

/// One edit of a policy, in either direction.
#[derive(Debug, Clone)]
enum Edit {
    AddRule(Rule),
    AddBudget(Budget),
    DropRule(Index),
    DropBudget(Index),
    /// Takes over one part of another rule.
    Rule(Index, Rule, u8),
    /// Takes over one part of another budget.
    Budget(Index, Budget, u8),
    /// Adds or removes a rule's conditions.
    Widen(Index, Index),
    Mode(bool),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        1 => random::rule().prop_map(Edit::AddRule),
        1 => random::budget().prop_map(Edit::AddBudget),
        2 => any::<Index>().prop_map(Edit::DropRule),
        1 => any::<Index>().prop_map(Edit::DropBudget),
        6 => (any::<Index>(), random::rule(), 0..5u8).prop_map(|(i, r, part)| Edit::Rule(i, r, part)),
        4 => (any::<Index>(), random::budget(), 0..6u8).prop_map(|(i, b, part)| Edit::Budget(i, b, part)),
        4 => (any::<Index>(), any::<Index>()).prop_map(|(i, j)| Edit::Widen(i, j)),
        1 => any::<bool>().prop_map(Edit::Mode),
    ]
}

fn apply(draft: &mut Draft, edit: Edit) {
    match edit {
        Edit::AddRule(r) => draft.rules.push(Rule { id: format!("{}-new", r.id), ..r }),
        Edit::AddBudget(b) => draft.budgets.push(Budget { id: format!("{}-new", b.id), ..b }),
        Edit::DropRule(i) if !draft.rules.is_empty() => drop(draft.rules.remove(i.index(draft.rules.len()))),
        Edit::DropBudget(i) if !draft.budgets.is_empty() => drop(draft.budgets.remove(i.index(draft.budgets.len()))),
        Edit::Rule(i, from, part) if !draft.rules.is_empty() => {
            let n = i.index(draft.rules.len());
            let to = &mut draft.rules[n];
            match part {
                0 | 1 => to.effect = from.effect,
                2 => to.when = from.when,
                3 => to.expires = from.expires,
                _ => to.uses_left = from.uses_left,
            }
        }
        Edit::Budget(i, from, part) if !draft.budgets.is_empty() => {
            let n = i.index(draft.budgets.len());
            let to = &mut draft.budgets[n];
            match part {
                0 => to.max_amount = from.max_amount,
                1 => to.max_count = from.max_count,
                2 => to.on_exceed = from.on_exceed,
                3 => to.when = from.when,
                4 => to.expires = from.expires,
                _ => to.window = from.window,
            }
        }
        Edit::Widen(i, j) if !draft.rules.is_empty() => {
            let (n, m) = (i.index(draft.rules.len()), j.index(draft.rules.len()));
            let tests = |r: &Rule| {
                r.when
                    .conditions()
                    .flat_map(|(f, ts)| ts.iter().map(move |t| (f, t.clone())).collect::<Vec<_>>())
                    .collect::<Vec<_>>()
            };
            let mut mine = tests(&draft.rules[n]);
            if n == m {
                mine.pop();
            } else {
                mine.extend(tests(&draft.rules[m]));
            }
            if let Ok(when) = countersign_core::policy::When::new(mine) {
                draft.rules[n].when = when;
            }
        }
        Edit::Mode(observe) => draft.mode = if observe { Mode::Observe } else { Mode::Enforce },
        _ => {}
    }
}

#[test]
fn no_tightening_ever_raises_a_verdict() {
    let (tighter, lower) = (Cell::new(0u32), Cell::new(0u32));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(4000));
    let strategy = (
        random::policy(),
        prop::collection::vec(edit(), 1..4),
        prop::collection::vec((random::facts(), any::<u64>()), 6),
    );
    let result = runner.run(&strategy, |(old, edits, cases)| {
        let mut draft = old.draft();
        for edit in edits {
            apply(&mut draft, edit);
        }
        let new = random::repaired(draft);
        if compare(&old, &new) != Change::Tighter {
            return Ok(());
        }
        tighter.set(tighter.get() + 1);
        for (facts, seed) in cases {
            let (before, after) =
                (decide(&old, &facts, &mut Scattered(seed)), decide(&new, &facts, &mut Scattered(seed)));
            prop_assert!(after.effect <= before.effect, "{before:?} became {after:?} for {facts:?}");
            lower.set(lower.get() + u32::from(after.effect < before.effect));
        }
        Ok(())
    });
    result.unwrap();
    assert!(
        tighter.get() > 400 && lower.get() > 40,
        "the law was hardly tried: {} tightenings, {} lower verdicts",
        tighter.get(),
        lower.get()
    );
}
