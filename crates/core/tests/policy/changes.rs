//! Section 5 of the design, line by line: what is tighter and what is looser.

use countersign_core::policy::{
    Budget, Change, Draft, Effect, Field, Known, Mode, Policy, Rule, Test, Tier, Value, When, Window, compare,
};

use super::world::{USDC, at, example, usd};

fn when(conditions: &[(Field, Test)]) -> When {
    When::new(conditions.iter().cloned()).unwrap()
}

fn text(values: &[&str]) -> Test {
    Test::In(values.iter().map(|v| Value::Text((*v).to_owned())).collect())
}

fn at_most(amount: &str) -> Test {
    Test::Le(Value::Money(usd(amount)))
}

fn changed(edit: impl FnOnce(&mut Draft)) -> (Policy, Policy) {
    let old = example();
    let mut draft = old.draft();
    edit(&mut draft);
    (old, draft.check().unwrap())
}

fn rule<'a>(draft: &'a mut Draft, id: &str) -> &'a mut Rule {
    draft.rules.iter_mut().find(|r| r.id == id).unwrap()
}

fn budget<'a>(draft: &'a mut Draft, id: &str) -> &'a mut Budget {
    draft.budgets.iter_mut().find(|b| b.id == id).unwrap()
}

/// An allow without a budget, an ask with conditions and an end, a budget with conditions and an end.
fn with_more() -> Policy {
    let mut draft = example().draft();
    let limited = when(&[(Field::Agent, text(&["researcher", "coder"])), (Field::Exposure, at_most("5"))]);
    draft.rules.push(Rule {
        expires: Some(at("2027-01-01T00:00:00Z")),
        uses_left: Some(5),
        ..Rule::new("free", Tier::Allow, limited.clone())
    });
    draft
        .rules
        .push(Rule { expires: Some(at("2027-01-01T00:00:00Z")), ..Rule::new("stop", Tier::Ask, limited.clone()) });
    let mut part = draft.budgets[0].clone();
    (part.id, part.when, part.expires) = ("part".to_owned(), limited, Some(at("2027-01-01T00:00:00Z")));
    (part.scope, part.max_count) = (Default::default(), None);
    draft.budgets.push(part);
    draft.check().unwrap()
}

type Edit = (&'static str, fn(&mut Draft));

const TIGHTER: &[Edit] = &[
    ("add a deny", |d| d.rules.push(Rule::new("n", Tier::Deny, When::default()))),
    ("add an ask", |d| d.rules.push(Rule::new("n", Tier::Ask, when(&[(Field::Rail, text(&["x402"]))])))),
    ("add a budget", |d| {
        let b = Budget { id: "n".to_owned(), ..d.budgets[0].clone() };
        d.budgets.push(b)
    }),
    ("except to allow", |d| rule(d, "tiles").effect = Tier::Allow),
    ("except to ask: revoke", |d| rule(d, "tiles").effect = Tier::Ask),
    ("allow to ask, with a budget", |d| rule(d, "micro").effect = Tier::Ask),
    ("ask to deny", |d| rule(d, "first-payee").effect = Tier::Deny),
    ("remove an allow without a budget", |d| d.rules.retain(|r| r.id != "free")),
    ("narrow an allow: lower", |d| {
        rule(d, "free").when =
            when(&[(Field::Agent, text(&["researcher", "coder"])), (Field::Exposure, at_most("4.999999"))])
    }),
    ("narrow an allow: fewer", |d| {
        rule(d, "free").when = when(&[(Field::Agent, text(&["coder"])), (Field::Exposure, at_most("5"))])
    }),
    ("narrow an allow: more conditions", |d| {
        rule(d, "free").when = when(&[
            (Field::Agent, text(&["researcher", "coder"])),
            (Field::Exposure, at_most("5")),
            (Field::Rail, text(&["x402"])),
        ]);
    }),
    ("shorten an allow", |d| rule(d, "free").expires = Some(at("2026-12-31T23:59:59Z"))),
    ("cut its uses", |d| rule(d, "free").uses_left = Some(4)),
    ("shorten an except with a budget", |d| rule(d, "tiles").expires = Some(at("2026-11-30T00:00:00Z"))),
    ("widen an ask", |d| rule(d, "stop").when = when(&[(Field::Exposure, at_most("6"))])),
    ("widen an ask to everything", |d| rule(d, "stop").when = When::default()),
    ("lengthen an ask", |d| rule(d, "stop").expires = None),
    ("widen a budget", |d| budget(d, "part").when = when(&[(Field::Exposure, at_most("5"))])),
    ("remove a budget's conditions", |d| budget(d, "part").when = When::default()),
    ("lengthen a budget", |d| budget(d, "part").expires = None),
    ("lower a cap", |d| budget(d, "limit-week").max_amount = Some(usd("59.999999"))),
    ("add a missing cap", |d| budget(d, "limit-week").max_count = Some(100)),
    ("deny over the cap", |d| budget(d, "micro-day").on_exceed = Effect::Deny),
    ("only watch", |d| d.mode = Mode::Observe),
    ("other words", |d| {
        d.name = "mine".to_owned();
        rule(d, "micro").note = Some("small".to_owned())
    }),
];

const LOOSER: &[Edit] = &[
    ("remove a deny", |d| d.rules.retain(|r| r.id != "no-raw-sign")),
    ("remove an ask", |d| d.rules.retain(|r| r.id != "first-payee")),
    ("remove a budget", |d| d.budgets.retain(|b| b.id != "limit-week")),
    ("ask to allow", |d| rule(d, "stop").effect = Tier::Allow),
    ("allow to except", |d| rule(d, "free").effect = Tier::Except),
    ("deny to ask", |d| rule(d, "limit-payment").effect = Tier::Ask),
    ("remove an except with its budget", |d| {
        d.rules.retain(|r| r.id != "tiles");
        d.budgets.retain(|b| b.id != "tiles-own")
    }),
    ("narrow an allow with a budget", |d| {
        rule(d, "micro").when =
            when(&[(Field::Rail, text(&["x402"])), (Field::Op, text(&["pay"])), (Field::Exposure, at_most("0.10"))])
    }),
    ("narrow an allow with a budget and revoke it", |d| {
        let r = rule(d, "micro");
        (r.effect, r.when) = (Tier::Ask, when(&[(Field::Exposure, at_most("0.01"))]))
    }),
    ("widen an allow", |d| {
        rule(d, "free").when =
            when(&[(Field::Agent, text(&["researcher", "coder"])), (Field::Exposure, at_most("5.000001"))])
    }),
    ("drop a condition of an allow", |d| rule(d, "free").when = when(&[(Field::Exposure, at_most("5"))])),
    ("lengthen an allow", |d| rule(d, "free").expires = None),
    ("more uses", |d| rule(d, "free").uses_left = Some(6)),
    ("uses without end", |d| rule(d, "free").uses_left = None),
    ("add an allow", |d| d.rules.push(Rule::new("n", Tier::Allow, when(&[(Field::Rail, text(&["x402"]))])))),
    ("narrow an ask", |d| {
        rule(d, "stop").when = when(&[(Field::Agent, text(&["coder"])), (Field::Exposure, at_most("5"))])
    }),
    ("shorten an ask", |d| rule(d, "stop").expires = Some(at("2026-12-31T00:00:00Z"))),
    ("add conditions to a budget", |d| budget(d, "limit-week").when = when(&[(Field::Rail, text(&["x402"]))])),
    ("shorten a budget", |d| budget(d, "limit-week").expires = Some(at("2027-12-31T00:00:00Z"))),
    ("raise a cap", |d| budget(d, "limit-week").max_amount = Some(usd("60.000001"))),
    ("drop a cap", |d| budget(d, "micro-burst").max_count = None),
    ("ask over the cap", |d| budget(d, "limit-week").on_exceed = Effect::Ask),
    ("another window", |d| budget(d, "limit-week").window = Window::Lifetime),
    ("another scope", |d| budget(d, "micro-day").scope.clear()),
    ("another time zone", |d| d.timezone = "UTC".to_owned()),
    ("another reference", |d| d.reference = "EUR".to_owned()),
    ("pin a payee", |d| {
        d.known.push(Known {
            origin: "https://a.example".parse().unwrap(),
            account: "a".to_owned(),
            asset: USDC.parse().unwrap(),
        })
    }),
    ("pin an allow that trusted an origin alone to an account", |d| {
        let r = rule(d, "free");
        r.when = when(&[(Field::PayeeOrigin, text(&["https://a.example"]))]);
    }),
];

#[test]
fn the_left_column_is_tighter() {
    for (what, edit) in TIGHTER {
        let old = with_more();
        let mut draft = old.draft();
        edit(&mut draft);
        assert_eq!(compare(&old, &draft.check().unwrap()), Change::Tighter, "{what}");
    }
}

#[test]
fn the_right_column_is_looser_and_says_why() {
    for (what, edit) in LOOSER {
        let old = with_more();
        let mut draft = old.draft();
        edit(&mut draft);
        let Change::Looser(why) = compare(&old, &draft.check().unwrap()) else { panic!("{what}") };
        assert!(!why.is_empty() && why.iter().all(|w| w.said("USD").to_string().len() > 20), "{what}: {why:?}");
    }
}

#[test]
fn the_same_policy_is_the_same_in_any_order_and_under_any_configuration() {
    let (old, new) = changed(|d| {
        d.rules.reverse();
        d.budgets.reverse()
    });
    assert_eq!(compare(&old, &new.bound_to("config")), Change::Same);
}

#[test]
fn leaving_observe_mode_or_forgetting_a_pin_is_looser() {
    let (old, observing) = changed(|d| d.mode = Mode::Observe);
    assert!(matches!(compare(&observing, &old), Change::Looser(_)));
    let (old, pinned) = changed(|d| {
        d.known.push(Known {
            origin: "https://a.example".parse().unwrap(),
            account: "a".to_owned(),
            asset: USDC.parse().unwrap(),
        })
    });
    assert!(matches!(compare(&pinned, &old), Change::Looser(_)));
}

#[test]
fn tightenings_that_would_let_a_seller_through_are_looser() {
    // An account pinned beside an origin makes a claimed origin match for the first time.
    let origin = (Field::PayeeOrigin, text(&["https://a.example"]));
    let account = (Field::PayeeAccount, text(&["0x2222222222222222222222222222222222222222"]));
    let (_, old) = changed(|d| d.rules.push(Rule::new("n", Tier::Allow, when(std::slice::from_ref(&origin)))));
    let mut draft = old.draft();
    rule(&mut draft, "n").when = when(&[origin.clone(), account]);
    assert!(matches!(compare(&old, &draft.check().unwrap()), Change::Looser(_)));
    // A money budget of its own lets an exception's seller change the account.
    let (_, old) =
        changed(|d| d.rules.push(Rule { uses_left: Some(1), ..Rule::new("n", Tier::Except, when(&[origin])) }));
    let mut draft = old.draft();
    let mut own = draft.budgets[0].clone();
    (own.id, own.scope) = ("own".to_owned(), [countersign_core::policy::Scope::Rule("n".to_owned())].into());
    draft.budgets.push(own);
    let Change::Looser(why) = compare(&old, &draft.check().unwrap()) else { panic!("looser") };
    let said: Vec<String> = why.iter().map(|w| w.said("USD").to_string()).collect();
    assert_eq!(said, ["The rule n lets its seller change the account that is paid"]);
}

#[test]
fn narrower_is_decided_condition_by_condition() {
    let amount = |test: fn(Value) -> Test, text: &str| when(&[(Field::Exposure, test(Value::Money(usd(text))))]);
    let one = |text: &str| when(&[(Field::Exposure, Test::In([Value::Money(usd(text))].into()))]);
    let there = |wanted| when(&[(Field::Exposure, Test::Exists(wanted))]);
    let host = |text: &str| when(&[(Field::PayeeOrigin, Test::HostSuffix(text.to_owned()))]);
    let path = |text: &str| when(&[(Field::Resource, Test::Prefix(text.to_owned()))]);
    let origin = |text_: &str| when(&[(Field::PayeeOrigin, text(&[text_]))]);
    let all = When::default();
    for (narrow, wide, within) in [
        (amount(Test::Le, "1"), amount(Test::Le, "1"), true),
        (amount(Test::Le, "1"), amount(Test::Lt, "1"), false),
        (amount(Test::Lt, "1"), amount(Test::Le, "1"), true),
        (amount(Test::Le, "0.999999"), amount(Test::Lt, "1"), true),
        (amount(Test::Ge, "1"), amount(Test::Gt, "1"), false),
        (amount(Test::Gt, "1"), amount(Test::Ge, "1"), true),
        (amount(Test::Ge, "1.000001"), amount(Test::Gt, "1"), true),
        (amount(Test::Gt, "1"), amount(Test::Gt, "2"), false),
        (amount(Test::Le, "1"), amount(Test::Ge, "0"), false),
        (one("1"), amount(Test::Le, "1"), true),
        (one("1"), amount(Test::Lt, "1"), false),
        (amount(Test::Le, "1"), there(true), true),
        (there(false), there(true), false),
        (there(true), there(false), false),
        (there(true), amount(Test::Ge, "0"), false),
        (there(false), all.clone(), true),
        (all.clone(), there(true), false),
        (host("a.tiles.example"), host("tiles.example"), true),
        (host("tiles.example"), host("a.tiles.example"), false),
        (host("xtiles.example"), host("tiles.example"), false),
        (origin("https://a.tiles.example:8443"), host("tiles.example"), true),
        (origin("https://atiles.example"), host("tiles.example"), false),
        (path("https://a.example/v1/x"), path("https://a.example/v1"), true),
        (path("https://a.example/v1"), path("https://a.example/v1/x"), false),
    ] {
        assert_eq!(narrow.within(&wide), within, "{narrow:?} in {wide:?}");
    }
}

#[test]
fn removing_a_rule_whose_budget_counts_says_what_to_do_instead() {
    let (old, new) = changed(|d| {
        d.rules.retain(|r| r.id != "tiles");
        d.budgets.retain(|b| b.id != "tiles-own");
    });
    let Change::Looser(why) = compare(&old, &new) else { panic!("looser") };
    let told = |w: &String| w.starts_with("The rule tiles") && w.ends_with("let it ask instead");
    assert!(why.iter().map(|w| w.said("USD").to_string()).any(|w| told(&w)), "{why:?}");
}
