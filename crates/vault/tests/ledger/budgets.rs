//! Sums of holds: exact under any interleaving, freed only by proof.

use countersign_core::{
    policy::Effect,
    status::{Event, Settlement, Status},
};
use countersign_vault::{Admitted, RefusedAs, Reserved, VaultError};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Home, budget_policy, wait, yes};

#[test]
fn sixty_four_threads_on_one_budget_get_exactly_as_many_as_fit() {
    let home = Home::with(budget_policy("10.00", "calendar:day"));
    let names: Vec<String> = (0..64).map(|n| format!("agent-{n}")).collect();
    let shop = home.open_for(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let (fits, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for name in &names {
            let (shop, fits, refused) = (&shop, &fits, &refused);
            scope.spawn(move || {
                for n in 0..100 {
                    match shop.admit(name, &format!("k{n}"), "7000") {
                        Admitted::Reserved(r) => {
                            shop.vault.sign(*r).unwrap();
                            fits.fetch_add(1, Ordering::SeqCst)
                        }
                        Admitted::Refused(r) => {
                            assert_eq!(r.refused_as, Some(RefusedAs::OverBudget));
                            refused.fetch_add(1, Ordering::SeqCst)
                        }
                        other => panic!("{other:?}"),
                    };
                }
            });
        }
    });
    assert_eq!((fits.load(Ordering::SeqCst), refused.load(Ordering::SeqCst)), (1428, 6400 - 1428), "10.00 / 0.007");
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_rolling_window_slides_by_the_millisecond() {
    let home = Home::with(budget_policy("0.10", "rolling:10m"));
    let shop = home.open_for(&["a"]);
    drop(shop.vault.sign(shop.reserved("a", "k1", "60000")).unwrap());
    home.clock.advance_ms(1);
    drop(shop.vault.sign(shop.reserved("a", "k2", "40000")).unwrap());
    assert!(matches!(shop.admit("a", "k3", "1"), Admitted::Refused(_)));
    home.clock.advance_ms(600_000 - 1);
    assert!(
        matches!(shop.admit("a", "k4", "60000"), Admitted::Refused(_)),
        "the window includes its first millisecond"
    );
    home.clock.advance_ms(1);
    drop(shop.vault.sign(shop.reserved("a", "k5", "60000")).unwrap());
    assert!(matches!(shop.admit("a", "k6", "1"), Admitted::Refused(_)));
    home.clock.advance_ms(1);
    drop(shop.vault.sign(shop.reserved("a", "k7", "40000")).unwrap());
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_reopened_ledger_knows_the_same_sums() {
    let home = Home::with(budget_policy("0.10", "lifetime"));
    let shop = home.open_for(&["a"]);
    drop(shop.vault.sign(shop.reserved("a", "k1", "60000")).unwrap());
    let freed = shop.vault.sign(shop.reserved("a", "k2", "40000")).unwrap();
    wait(shop.vault.advance(&freed.record().id, Event::Dead, Settlement::Failed, serde_json::json!({"block": 1})))
        .unwrap();
    drop(shop);
    let shop = home.open_for(&[]);
    assert!(matches!(shop.admit("a", "k3", "40001"), Admitted::Refused(_)));
    let reservation = shop.reserved("a", "k4", "40000");
    assert!(matches!(shop.admit("a", "k5", "1"), Admitted::Refused(_)));
    drop(reservation);
}

#[test]
fn only_proof_of_non_use_frees_a_hold_and_a_smaller_amount_frees_the_rest() {
    let home = Home::with(budget_policy("0.10", "calendar:day"));
    let shop = home.open_for(&["a"]);
    let id = shop.vault.sign(shop.reserved("a", "k1", "100000")).unwrap().record().id.clone();
    let over = wait(shop.vault.advance(&id, Event::WindowOver, Settlement::None, serde_json::Value::Null));
    assert!(matches!(over, Err(VaultError::Illegal { .. })), "the window is still open");
    home.clock.advance_ms(61_000);
    let record = wait(shop.vault.advance(&id, Event::WindowOver, Settlement::None, serde_json::Value::Null)).unwrap();
    assert_eq!(record.status, Status::Unknown);
    assert!(matches!(shop.admit("a", "k2", "1"), Admitted::Refused(_)), "unknown counts as spent");
    wait(shop.vault.advance(
        &id,
        Event::Settled,
        Settlement::Verified,
        serde_json::json!({"actual": "30000", "transaction": "0x1"}),
    ))
    .unwrap();
    assert!(matches!(shop.admit("a", "k3", "70001"), Admitted::Refused(_)));
    let two = shop.vault.sign(shop.reserved("a", "k4", "70000")).unwrap().record().id.clone();
    assert!(matches!(shop.admit("a", "k5", "1"), Admitted::Refused(_)));
    wait(shop.vault.advance(&two, Event::Dead, Settlement::Failed, serde_json::json!({"final": true}))).unwrap();
    let again = wait(shop.vault.advance(&two, Event::Dead, Settlement::Failed, serde_json::Value::Null));
    assert!(matches!(again, Err(VaultError::Illegal { from: Status::Released, .. })));
    drop(shop.reserved("a", "k6", "70000"));
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_yes_may_overshoot_a_budget_that_asks_and_never_one_that_denies() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    for n in 0..5 {
        drop(shop.vault.sign(shop.reserved("a", &format!("k{n}"), "100000")).unwrap());
    }
    let over = shop.waiting("a", "over", "100000", "/over");
    assert_eq!((over.needs.decision().effect, over.needs.decision().rule.as_str()), (Effect::Ask, "budget:burst"));
    let forms = shop.forms(&over.record.quote);
    let Reserved::Reservation(r) = wait(shop.vault.reserve(yes(over), forms)).unwrap() else { panic!() };
    drop(shop.vault.sign(*r).unwrap());
    let two = shop.waiting("a", "two", "400000", "/two");
    let three = shop.waiting("a", "three", "300000", "/three");
    let forms = shop.forms(&two.record.quote);
    let Reserved::Reservation(r) = wait(shop.vault.reserve(yes(two), forms)).unwrap() else { panic!() };
    drop(shop.vault.sign(*r).unwrap());
    let forms = shop.forms(&three.record.quote);
    let Reserved::Refused(record) = wait(shop.vault.reserve(yes(three), forms)).unwrap() else { panic!() };
    assert_eq!(record.refused_as, Some(RefusedAs::OverBudget), "1.00 a day is a denial, whoever says yes");
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn what_is_left_is_told_from_the_same_counters() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    drop(shop.vault.sign(shop.reserved("a", "k1", "30000")).unwrap());
    let budgets = wait(shop.vault.budgets(&shop.name("a"), &"s".parse().unwrap(), false)).unwrap();
    let left: Vec<_> = budgets.iter().map(|b| (b.id.as_str(), b.left.map(|m| m.to_string()))).collect();
    assert_eq!(left, [("burst", Some("0.47".to_owned())), ("day", Some("0.97".to_owned()))]);
}
