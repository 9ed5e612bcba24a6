//! Changes made by control: each does what its control says, and none touches what a person wrote.

use countersign_core::{
    Millis,
    payment::{ProcessId, Program},
    policy::{
        Change, Edit, EditError, Effect, Known, Limit, OFF, Only, PRESETS, Policy, Remembered, Rule, RuleForm, Setting,
        Source, Subject, Tier, Window, compare,
    },
};
use proptest::prelude::*;

use super::{
    random,
    world::{Counters, USDC, decide, facts, usd},
};

fn preset(name: &str) -> Policy {
    Policy::preset(name, "USD").unwrap()
}

fn edited(policy: &Policy, edit: Edit) -> Policy {
    policy.edited(&edit).unwrap()
}

fn looser(old: &Policy, new: &Policy) -> Vec<String> {
    match compare(old, new) {
        Change::Looser(why) => why.iter().map(|w| w.said("USD").to_string()).collect(),
        Change::Same | Change::Tighter => Vec::new(),
    }
}

fn limit(limit: Limit, max: Option<&str>) -> Edit {
    Edit::Limit { limit, max: max.map(usd), on_exceed: None }
}

/// What a person wrote beside the shipped rules.
fn with_own() -> Policy {
    let toml = preset("everyday").to_toml().replace(
        "rule = [\n",
        r#"rule = [
  { id = "own-deny", effect = "deny", note = "mine", when = { agent = ["a", "b"], exposure = { gt = "2.00" } } },
  { id = "own-tiles", effect = "except", when = { payee_origin = "https://tiles.example", exposure = { le = "0.40" } } },
"#,
    );
    let own = r#"budget = [
  { id = "tiles-own", scope = ["rule:own-tiles"], window = "rolling:24h", max_amount = "5.00", on_exceed = "ask" },
  { id = "a-day", when = { agent = "a" }, scope = [], window = "calendar:day", max_amount = "3.00", on_exceed = "ask" },
"#;
    Policy::parse(&toml.replace("budget = [\n", own), "USD").unwrap()
}

fn keeps_own(new: &Policy) {
    let old = with_own();
    for id in ["own-deny", "own-tiles"] {
        assert_eq!(new.rule(id), old.rule(id));
    }
    for id in ["tiles-own", "a-day"] {
        assert_eq!(new.budget(id), old.budget(id));
    }
}

#[test]
fn a_limit_is_set_lowered_raised_and_taken_away() {
    for which in Limit::ALL {
        let mut policy = edited(&preset("careful"), limit(which, Some("20")));
        assert!(matches!(policy.limit(which), Setting::At(max, Effect::Deny) if max == usd("20")), "{which:?}");
        let lower = edited(&policy, limit(which, Some("5.5")));
        assert_eq!(compare(&policy, &lower), Change::Tighter, "{which:?}");
        assert_eq!(looser(&lower, &policy).len(), 1, "{which:?}");
        policy = edited(&lower, limit(which, None));
        assert_eq!(policy.limit(which), Setting::Off);
        assert_eq!(looser(&lower, &policy).len(), 1, "{which:?}");
        assert_eq!(edited(&policy, limit(which, None)), policy, "nothing to take away");
    }
}

#[test]
fn a_month_needs_what_the_tightest_budget_over_everything_leaves() {
    assert_eq!(preset("everyday").most_in_a_month(), Some(usd("300")), "five weeks of 60");
    let by_day = edited(&preset("everyday"), limit(Limit::Day, Some("2")));
    assert_eq!(by_day.most_in_a_month(), Some(usd("62")));
    assert_eq!(edited(&by_day, limit(Limit::Month, Some("50"))).most_in_a_month(), Some(usd("50")));
    let none = edited(&preset("everyday"), limit(Limit::Week, None));
    assert_eq!(none.most_in_a_month(), None, "what is per agent or per rule says nothing of the whole");
}

#[test]
fn what_happens_above_a_limit_can_be_chosen_and_stays() {
    let asks = Edit::Limit { limit: Limit::Day, max: Some(usd("20")), on_exceed: Some(Effect::Ask) };
    let policy = edited(&preset("everyday"), asks);
    assert_eq!(edited(&policy, limit(Limit::Day, Some("10"))).limit(Limit::Day), Setting::At(usd("10"), Effect::Ask));
}

#[test]
fn the_threshold_goes_down_without_touching_an_allow_and_up_with_the_shipped_ones() {
    let policy = preset("everyday");
    let down = edited(&policy, Edit::AskAbove(usd("0.02")));
    assert_eq!((down.ask_above(), down.rule("micro")), (Some(usd("0.02")), policy.rule("micro")));
    assert_eq!(compare(&policy, &down), Change::Tighter);
    let up = edited(&down, Edit::AskAbove(usd("0.50")));
    assert_eq!(up.ask_above(), Some(usd("0.50")));
    assert!(looser(&down, &up).iter().any(|why| why.contains("micro")), "the allow follows");
    let back = edited(&up, Edit::AskAbove(usd("0.10")));
    assert_eq!(back.rule("micro"), up.rule("micro"));
    let own = with_own();
    keeps_own(&edited(&own, Edit::AskAbove(usd("1.00"))));
    assert_eq!(preset("careful").edited(&Edit::AskAbove(usd("1"))), Err(EditError::NothingAllowed));
}

#[test]
fn a_rule_written_by_hand_under_a_controls_id_is_refused_and_not_overwritten() {
    let toml = preset("everyday")
        .to_toml()
        .replace(r#"when = { exposure = { gt = "50.00" } }"#, r#"when = { agent = "a", exposure = { gt = "50.00" } }"#);
    let policy = Policy::parse(&toml, "USD").unwrap();
    assert_eq!(policy.limit(Limit::Payment), Setting::ByHand);
    let refused = policy.edited(&limit(Limit::Payment, Some("1")));
    assert_eq!(refused, Err(EditError::ByHand("limit-payment".to_owned())));
    let toml = preset("everyday")
        .to_toml()
        .replace(r#"id = "limit-week", scope = []"#, r#"id = "limit-week", scope = ["agent"]"#);
    let policy = Policy::parse(&toml, "USD").unwrap();
    assert_eq!(policy.edited(&limit(Limit::Week, None)), Err(EditError::ByHand("limit-week".to_owned())));
}

#[test]
fn a_shipped_policy_is_told_apart_from_a_changed_one() {
    for name in PRESETS {
        assert_eq!(preset(name).standing().preset, Some(name));
        assert_eq!(preset(name).standing().own, 0);
    }
    assert_eq!((with_own().standing().preset, with_own().standing().own), (Some("everyday"), 4));
    let lower = edited(&preset("everyday"), limit(Limit::Week, Some("30")));
    assert_eq!(lower.standing().preset, None);
}

#[test]
fn choosing_a_shipped_policy_keeps_everything_of_the_persons_own() {
    let own = with_own();
    for name in PRESETS {
        let new = edited(&own, Edit::Preset(name.to_owned()));
        keeps_own(&new);
        assert_eq!(new.standing().preset, Some(name));
        assert_eq!(edited(&new, Edit::Preset("everyday".to_owned())).draft(), own.draft(), "there and back");
    }
    assert!(own.edited(&Edit::Preset("generous".to_owned())).is_err());
}

#[test]
fn from_a_starting_point_to_careful_only_tightens_and_keeps_the_limits() {
    for name in ["everyday", "hands-off"] {
        let old = preset(name);
        let new = edited(&old, Edit::Preset("careful".to_owned()));
        assert_eq!(compare(&old, &new), Change::Tighter, "{name}");
        assert!(!new.lets_something_through());
        assert_eq!(new.limit(Limit::Payment), old.limit(Limit::Payment));
        assert_eq!(new.standing().preset, Some("careful"));
    }
    let new = edited(&preset("test-network"), Edit::Preset("careful".to_owned()));
    assert!(new.rule("no-real-money").is_none(), "real money asks");
}

#[test]
fn a_rule_of_the_persons_under_a_shipped_id_stays_and_the_shipped_one_takes_another() {
    let toml =
        "format = 1\nreference = \"USD\"\nrule = [{ id = \"micro\", effect = \"deny\", when = { agent = \"a\" } }]";
    let policy = Policy::parse(toml, "USD").unwrap();
    let new = edited(&policy, Edit::Preset("everyday".to_owned()));
    assert_eq!(new.rule("micro"), policy.rule("micro"));
    assert_eq!(new.rule("micro-2").unwrap().effect, Tier::Allow);
    assert_eq!(new.budget("micro-day").unwrap().rule(), Some("micro-2"));
}

#[test]
fn one_agent_payee_or_network_has_a_budget_of_its_own() {
    let subjects = [
        Subject::Agent("researcher".parse().unwrap()),
        Subject::Payee("https://api.example:8443".parse().unwrap()),
        Subject::Network("eip155:8453".parse().unwrap()),
    ];
    for of in subjects {
        let set = |max: Option<&str>| Edit::Budget {
            of: of.clone(),
            window: Window::CalendarDay,
            max: max.map(usd),
            on_exceed: Effect::Ask,
        };
        let old = with_own();
        let new = edited(&old, set(Some("3")));
        assert_eq!(compare(&old, &new), Change::Tighter);
        let own = new.budgets().iter().filter(|b| Subject::of(b).as_ref() == Some(&of)).collect::<Vec<_>>();
        assert_eq!(own.len(), 1);
        let again = edited(&new, set(Some("2")));
        assert_eq!(again.budget(&own[0].id).unwrap().max_amount, Some(usd("2")));
        keeps_own(&again);
        assert_eq!(edited(&again, set(None)), old);
        assert_eq!(edited(&new, Edit::BudgetMax { id: own[0].id.clone(), max: None }), old);
    }
    assert!(with_own().edited(&Edit::BudgetMax { id: "none".to_owned(), max: None }).is_err());
}

fn form(effect: Tier) -> RuleForm {
    RuleForm {
        effect,
        agent: Some("a".parse().unwrap()),
        payee: None,
        network: None,
        above: None,
        up_to: Some(usd("0.50")),
        note: Some("by form".to_owned()),
        expires: None,
    }
}

#[test]
fn a_rule_is_added_changed_switched_off_and_on_and_removed() {
    let old = with_own();
    let new = edited(&old, Edit::Rule { id: None, form: form(Tier::Ask) });
    let id = new.rules().iter().find(|r| old.rule(&r.id).is_none()).unwrap().id.clone();
    assert_eq!(new.rule(&id).unwrap().origin, Source::User);
    assert_eq!(compare(&old, &new), Change::Tighter);
    let stricter = edited(&new, Edit::Rule { id: Some(id.clone()), form: form(Tier::Deny) });
    assert_eq!(compare(&new, &stricter), Change::Tighter);
    let off = edited(&new, Edit::Disable(id.clone()));
    assert_eq!(off.rule(&id).unwrap().expires, Some(OFF));
    assert_eq!(looser(&new, &off).len(), 1, "a question that no longer comes");
    assert_eq!(edited(&off, Edit::Enable { id: id.clone(), expires: None }), new);
    assert_eq!(edited(&new, Edit::Remove(id)), old);
    assert_eq!(old.edited(&Edit::Remove("own-tiles".to_owned())), Err(EditError::Counted("own-tiles".to_owned())));
    let allow = edited(&old, Edit::Disable("micro".to_owned()));
    assert_eq!(compare(&old, &allow), Change::Tighter, "an allow that is off lets nothing through");
    assert!(!looser(&allow, &old).is_empty(), "on again is looser");
}

#[test]
fn a_form_keeps_conditions_it_has_no_place_for_and_refuses_those_it_would_lose() {
    let old = with_own();
    let micro = old.rule("micro").unwrap();
    let new = edited(&old, Edit::Rule { id: Some("micro".to_owned()), form: form(Tier::Allow) });
    let now = new.rule("micro").unwrap();
    let rest = |r: &Rule| r.when.conditions().filter(|(f, _)| matches!(f.name(), "rail" | "op")).count();
    assert_eq!((rest(micro), rest(now)), (2, 2));
    let lost = old.edited(&Edit::Rule { id: Some("own-deny".to_owned()), form: form(Tier::Deny) });
    assert_eq!(lost, Err(EditError::ByHand("own-deny".to_owned())), "two agents fit no form");
}

#[test]
fn payees_are_pinned_and_blocked_and_let_go_again() {
    let known = Known {
        origin: "https://api.example".parse().unwrap(),
        account: "0x2222222222222222222222222222222222222222".to_owned(),
        asset: USDC.parse().unwrap(),
    };
    let old = with_own();
    let pinned = edited(&old, Edit::Pin(known.clone()));
    assert!(!looser(&old, &pinned).is_empty() && !looser(&pinned, &old).is_empty());
    assert_eq!(edited(&pinned, Edit::Unpin(known.clone())), old);
    assert!(old.edited(&Edit::Unpin(known.clone())).is_err());
    let blocked = edited(&old, Edit::Block(known.origin.clone()));
    assert_eq!(compare(&old, &blocked), Change::Tighter);
    assert_eq!(blocked.blocked().collect::<Vec<_>>(), std::slice::from_ref(&known.origin));
    assert_eq!(edited(&blocked, Edit::Block(known.origin.clone())), blocked);
    assert_eq!(edited(&blocked, Edit::Unblock(known.origin.clone())), old);
    assert!(old.edited(&Edit::Unblock(known.origin)).is_err());
}

#[test]
fn a_text_is_taken_whole_or_refused_in_the_parsers_words() {
    let old = with_own();
    assert_eq!(edited(&old, Edit::Text(old.to_toml())), old);
    let wrong = old.to_toml().replace("calendar:day", "calendar:year");
    let error = old.edited(&Edit::Text(wrong)).unwrap_err().to_string();
    assert!(error.contains("calendar:year") && error.contains("it is one of"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever was written before, a control changes its own rule and budget and the shipped allows, nothing else.
    #[test]
    fn no_control_drops_or_changes_what_a_person_wrote(policy in random::policy(), which in 0..7usize, cents in 0u128..500_000_000) {
        let amount = countersign_core::money::Micro(cents);
        let edit = match which {
            0 => Edit::Limit { limit: Limit::Day, max: Some(amount), on_exceed: None },
            1 => Edit::Limit { limit: Limit::Payment, max: Some(amount), on_exceed: None },
            2 => Edit::AskAbove(amount),
            3 => Edit::Budget { of: Subject::Agent("zz".parse().unwrap()), window: Window::CalendarDay, max: Some(amount), on_exceed: Effect::Deny },
            4 => Edit::Block("https://blocked.example".parse().unwrap()),
            5 => Edit::Preset("hands-off".to_owned()),
            _ => Edit::Rule { id: None, form: RuleForm { effect: Tier::Deny, agent: None, payee: None, network: None, above: Some(amount), up_to: None, note: None, expires: Some(Millis(1)) } },
        };
        let Ok(new) = policy.edited(&edit) else { return Ok(()) };
        let control = |id: &str| matches!(id, "ask-above" | "limit-payment" | "limit-day" | "limit-week");
        for rule in policy.rules().iter().filter(|r| r.origin == Source::User && !control(&r.id)) {
            prop_assert_eq!(new.rule(&rule.id), Some(rule));
        }
        for budget in policy.budgets().iter().filter(|b| !control(&b.id)) {
            let of_rule = budget.rule().and_then(|id| policy.rule(id));
            let of_own = of_rule.is_some_and(|r| r.origin == Source::Preset || control(&r.id));
            prop_assert!(of_own || new.budget(&budget.id) == Some(budget), "{:?}", budget);
        }
        prop_assert_eq!(Policy::parse(&new.to_toml(), "USD").unwrap(), new);
    }
}

fn remembered(exposure: &str, yes: bool, only: Option<Only>) -> Edit {
    Edit::Remember(Box::new(Remembered { facts: facts(exposure), yes, only, expires: None, at: Millis(0) }))
}

#[test]
fn a_remembered_yes_lets_this_payee_through_up_to_this_amount_within_a_budget_of_its_own() {
    let old = preset("everyday");
    let effect = |policy: &Policy, facts: &_, counters: &mut Counters| decide(policy, facts, counters).effect;
    assert_eq!(effect(&old, &facts("0.40"), &mut Counters::default()), Effect::Ask);
    let new = edited(&old, remembered("0.40", true, None));
    let rule = new.rules().iter().find(|rule| rule.origin == Source::Prompt).unwrap();
    let budget = new.budget(&rule.id).unwrap();
    assert_eq!((rule.effect, budget.max_amount, budget.window), (Tier::Except, Some(usd("5.00")), Window::Rolling24h));
    assert_eq!(effect(&new, &facts("0.40"), &mut Counters::default()), Effect::Allow);
    assert_eq!(effect(&new, &facts("0.41"), &mut Counters::default()), Effect::Ask, "dearer");
    let mut elsewhere = facts("0.40");
    elsewhere.payee_account = "0x3333333333333333333333333333333333333333".to_owned();
    assert_eq!(effect(&new, &elsewhere, &mut Counters::default()), Effect::Ask, "another account");
    let large = edited(&old, remembered("4.20", true, None));
    let rule = large.rules().iter().find(|rule| rule.origin == Source::Prompt).unwrap();
    assert_eq!(large.budget(&rule.id).unwrap().max_amount, Some(usd("42.00")), "ten times as much");
    assert!(!looser(&old, &new).is_empty());
}

#[test]
fn what_is_remembered_for_a_session_holds_in_no_other_and_a_no_only_tightens() {
    let old = preset("everyday");
    let new = edited(&old, remembered("0.40", true, Some(Only::Session)));
    let mut other = facts("0.40");
    other.session = "session-2".parse().unwrap();
    assert_eq!(decide(&new, &facts("0.40"), &mut Counters::default()).effect, Effect::Allow);
    assert_eq!(decide(&new, &other, &mut Counters::default()).effect, Effect::Ask);
    let no = edited(&old, remembered("0.40", false, None));
    assert_eq!(decide(&no, &facts("0.01"), &mut Counters::default()).effect, Effect::Deny);
    assert_eq!(compare(&old, &no), Change::Tighter);
    let mut unknown = facts("0.40");
    unknown.exposure = None;
    let answer = Remembered { facts: unknown, yes: true, only: None, expires: None, at: Millis(0) };
    let nothing = Edit::Remember(Box::new(answer));
    assert_eq!(old.edited(&nothing), Err(EditError::NoValue));
}

#[test]
fn what_is_remembered_for_a_run_of_a_program_holds_for_no_other_and_for_none_that_is_over_or_not_seen() {
    let old = preset("everyday");
    let asks = |process: Option<ProcessId>| {
        let mut facts = facts("0.40");
        facts.program = Some(Program { path: "/usr/bin/node".to_owned(), parent: None, process });
        facts
    };
    let run = |life: u8, pid, began| Some(ProcessId::seen([life; 8], pid, began));
    let answer = |facts, yes| {
        let only = Some(Only::Process);
        old.edited(&Edit::Remember(Box::new(Remembered { facts, yes, only, expires: None, at: Millis(0) })))
    };
    let effect = |policy: &Policy, facts: &_| decide(policy, facts, &mut Counters::default()).effect;
    let others = [run(1, 8, 70), run(1, 7, 71), run(2, 7, 70), None];
    for (yes, wanted) in [(true, Effect::Allow), (false, Effect::Deny)] {
        let new = answer(asks(run(1, 7, 70)), yes).unwrap();
        assert_eq!(Policy::parse(&new.to_toml(), "USD").unwrap(), new, "it can be written down");
        assert_eq!(effect(&new, &asks(run(1, 7, 70))), wanted);
        for other in others.clone() {
            assert_eq!(effect(&new, &asks(other.clone())), Effect::Ask, "{other:?}");
        }
        assert_eq!(effect(&new, &facts("0.40")), Effect::Ask, "no program is seen");
        let mut over = asks(run(1, 7, 70));
        over.keep_process(|_| false);
        assert_eq!(effect(&new, &over), Effect::Ask);
        let ended = |pid| Edit::Ended(run(1, pid, 70).into_iter().collect());
        assert_eq!(edited(&new, ended(8)), new, "another run is over");
        assert_eq!(edited(&new, ended(7)), old, "its rule and its budget are gone");
    }
    assert_eq!(answer(asks(None), true), Err(EditError::NoProcess));
    assert_eq!(answer(facts("0.40"), false), Err(EditError::NoProcess), "it becomes no wider rule");
    for bad in
        ["", "1.2", "0101010101010101.7", "0101010101010101.7.x", "0101010101010101.07.1", "0101010101010101.7.1.1"]
    {
        assert!(bad.parse::<ProcessId>().is_err(), "{bad}");
    }
    assert_eq!(run(1, 7, 70).unwrap().run(), Some((7, 70)));
}

#[test]
fn a_remembered_answer_takes_the_place_of_what_it_makes_superfluous() {
    let say = |exposure, yes, expires, at| {
        let facts = facts(exposure);
        Edit::Remember(Box::new(Remembered { facts, yes, only: None, expires: Some(Millis(expires)), at: Millis(at) }))
    };
    let prompts = |policy: &Policy| {
        let all = policy.rules().iter().filter(|rule| rule.origin == Source::Prompt);
        all.map(|rule| (rule.id.clone(), rule.expires, policy.budget(&rule.id).and_then(|b| b.max_amount)))
            .collect::<Vec<_>>()
    };
    let one = edited(&preset("everyday"), say("0.40", true, 100, 0));
    let [(id, ..)] = <[_; 1]>::try_from(prompts(&one)).unwrap();
    let later = edited(&one, say("4.20", true, 200, 50));
    assert_eq!(prompts(&later), [(id.clone(), Some(Millis(200)), Some(usd("42.00")))], "in its place, under its name");
    assert_eq!(edited(&later, say("0.40", true, 200, 60)), later, "covered already");
    let sooner = edited(&later, say("4.20", false, 150, 60));
    assert_eq!(prompts(&sooner).len(), 2, "a no is another answer");
    assert_eq!(
        compare(&later, &edited(&later, say("4.20", false, 300, 250))),
        Change::Tighter,
        "a no takes nothing away"
    );
    let mut elsewhere = facts("0.40");
    elsewhere.agent = "other".parse().unwrap();
    let other = Remembered { facts: elsewhere, yes: true, only: None, expires: Some(Millis(400)), at: Millis(250) };
    let other = edited(&later, Edit::Remember(Box::new(other)));
    for policy in [&later, &other] {
        let mut late = facts("0.40");
        late.now = Millis(250);
        assert_eq!(decide(policy, &late, &mut Counters::default()).effect, Effect::Ask, "it had no effect any more");
    }
    assert!(prompts(&other).iter().all(|(other, ..)| *other != id), "what is over goes with the next yes");
    assert!(other.budget(&id).is_none());
}
