//! What an agent is told about its budgets.

use countersign_core::policy::{BudgetView, Policy, budgets_of};

use super::world::{Ledger, at, example, facts, policy, usd};

fn views(policy: &Policy, agent: &str, testnet: bool, ledger: &mut Ledger) -> Vec<BudgetView> {
    let (agent, session) = (agent.parse().unwrap(), "session-1".parse().unwrap());
    let Ok(views) = budgets_of(policy, &agent, &session, at("2026-11-20T12:00:00Z"), testnet, ledger);
    views
}

#[test]
fn own_budgets_are_shown_whole_and_shared_ones_only_by_what_is_left() {
    let p = example();
    let mut ledger = Ledger::default();
    for _ in 0..3 {
        ledger.pay(&p, &facts("0.10"));
    }
    let mut other = facts("0.10");
    other.agent = "coder".parse().unwrap();
    ledger.pay(&p, &other);
    let json = serde_json::to_value(views(&p, "researcher", false, &mut ledger)).unwrap();
    assert_eq!(
        json,
        serde_json::json!([
            { "id": "limit-week", "window": "rolling:7d", "left": "59.60", "on_exceed": "deny" },
            { "id": "micro-burst", "window": "rolling:10m", "left": "1.00", "max": "1.00", "used": "0.00", "count_left": 3000, "on_exceed": "ask" },
            { "id": "micro-day", "window": "calendar:day", "left": "4.70", "max": "5.00", "used": "0.30", "resets_at": "2026-11-20T23:00:00Z", "on_exceed": "ask" },
            { "id": "tiles-own", "window": "rolling:24h", "left": "5.00", "max": "5.00", "used": "0.00", "on_exceed": "ask" },
        ])
    );
    let ids = |views: Vec<BudgetView>| views.into_iter().map(|v| v.id).collect::<Vec<_>>();
    assert_eq!(
        ids(views(&p, "coder", false, &mut ledger)),
        ["limit-week", "micro-burst", "micro-day"],
        "tiles-own is not coder's"
    );
    let test = views(&p, "researcher", true, &mut ledger);
    assert!(test.iter().all(|v| v.left
        == Some(usd(if v.id == "limit-week" {
            "60"
        } else if v.id == "micro-burst" {
            "1"
        } else {
            "5"
        }))));
}

#[test]
fn the_counters_shown_are_those_payments_are_counted_in() {
    for (scope, window) in [
        ("[\"agent\", \"session\"]", "lifetime"),
        ("[\"agent\"]", "session"),
        ("[]", "session"),
        ("[\"session\"]", "session"),
    ] {
        for testnet in [false, true] {
            let p = policy(
                "{ id = \"a\", effect = \"allow\", when = { rail = \"x402\" } }",
                &format!(
                    "{{ id = \"b\", scope = {scope}, window = \"{window}\", max_amount = \"5\", max_count = 9, on_exceed = \"ask\" }}"
                ),
            );
            let mut ledger = Ledger::default();
            let mut f = facts("2");
            f.testnet = testnet;
            ledger.pay(&p, &f);
            let view = &views(&p, "researcher", testnet, &mut ledger)[0];
            assert_eq!(
                (view.left, view.used, view.count_left),
                (Some(usd("3")), Some(usd("2")), Some(8)),
                "{scope} {window}"
            );
        }
    }
}

#[test]
fn budgets_without_one_answer_are_left_out_and_an_overdrawn_one_has_nothing_left() {
    let p = policy(
        "{ id = \"a\", effect = \"allow\", when = { rail = \"x402\" } }",
        "{ id = \"p\", scope = [\"payee\"], window = \"lifetime\", max_amount = \"1\", on_exceed = \"ask\" }, \
         { id = \"t\", when = { testnet = true }, window = \"lifetime\", max_amount = \"1\", on_exceed = \"ask\" }, \
         { id = \"gone\", expires = 2026-01-01T00:00:00Z, window = \"lifetime\", max_amount = \"1\", on_exceed = \"ask\" }, \
         { id = \"c\", window = \"calendar:day\", max_count = 4, on_exceed = \"ask\" }, \
         { id = \"o\", when = { agent = \"researcher\" }, window = \"lifetime\", max_amount = \"1\", on_exceed = \"ask\" }",
    );
    let mut ledger = Ledger::default();
    let over = super::world::decide(&p, &facts("3"), &mut ledger);
    ledger.hold(&over, at("2026-11-20T10:00:00Z"));
    let views = views(&p, "researcher", false, &mut ledger);
    let shown: Vec<_> = views.iter().map(|v| (v.id.as_str(), v.left, v.used, v.count_left)).collect();
    assert_eq!(shown, [("c", None, None, Some(3)), ("o", Some(usd("0")), Some(usd("3")), None)]);
}
