//! A hundred questions at once: whoever says yes to all of them cannot lift a budget that denies over its cap.

use countersign_vault::{Admitted, Limits, Open, RefusedAs, Reserved, Vault, Waiting};
use std::sync::Barrier;

use crate::support::{Home, Shop, budget_policy, wait, yes};

/// Says yes until it is paid or refused: a new reason is shown again, and the person says yes to that too.
fn insist(shop: &Shop, mut waiting: Waiting) -> Reserved {
    loop {
        let forms = shop.forms(&waiting.record.quote);
        match wait(shop.vault.reserve(yes(waiting), forms)).unwrap() {
            Reserved::Again(again) => waiting = *again,
            other => return other,
        }
    }
}

#[test]
fn a_hundred_questions_approved_at_once_never_pass_a_budget_that_denies() {
    // 0.11 each: nine fit into 1.00. With the second policy another budget asks on the way, and is overshot with every yes.
    for policy in [budget_policy("1.00", "calendar:day"), crate::support::policy(crate::support::POLICY)] {
        let home = Home::with(policy);
        let most = Limits { per_agent_waiting: 100, all_waiting: 100, prompts_per_minute: 1000, ..Limits::default() };
        let vault = Vault::open(Open { limits: most, ..home.settings() }).unwrap();
        let shop = home.shop(vault, &["a"]);
        let asked: Vec<Waiting> =
            (0..100).map(|n| shop.waiting("a", &format!("k{n}"), "110000", &format!("/{n}"))).collect();
        let over = wait(shop.vault.admit(shop.purchase("a", "k100", "110000"))).unwrap();
        assert!(matches!(over, Admitted::TooMany { .. }), "the raised limit holds too");
        let gate = Barrier::new(asked.len());
        let ends: Vec<Reserved> = std::thread::scope(|scope| {
            let (shop, gate) = (&shop, &gate);
            let threads: Vec<_> = asked
                .into_iter()
                .map(|waiting| {
                    scope.spawn(move || {
                        gate.wait();
                        insist(shop, waiting)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (mut paid, mut refused) = (0, 0);
        for end in ends {
            match end {
                Reserved::Reservation(reservation) => {
                    shop.vault.sign(*reservation).unwrap();
                    paid += 1;
                }
                Reserved::Refused(record) => {
                    assert_eq!(record.refused_as, Some(RefusedAs::OverBudget));
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((paid, refused), (9, 91));
        assert_eq!(shop.faults(), Vec::<String>::new());
    }
}
