//! A judgement costs the same however long the history is.

use std::time::{Duration, Instant};

use crate::support::{Home, Shop, budget_policy, wait};

fn fastest(shop: &Shop, run: usize) -> Duration {
    let times = (0..50).map(|n| {
        let request = shop.request_for("a", &format!("timed-{run}-{n}"), shop.quote("1", "/timed"));
        let begun = Instant::now();
        drop(wait(shop.vault.admit(request)).unwrap());
        begun.elapsed()
    });
    times.min().unwrap()
}

#[test]
#[ignore = "takes a minute: run before a release"]
fn twenty_thousand_payments_do_not_slow_the_next_one() {
    let home = Home::with(budget_policy("1000.00", "lifetime"));
    let names: Vec<String> = (0..64).map(|n| format!("agent-{n}")).collect();
    let shop = home.open_for(&names.iter().map(String::as_str).chain(["a"]).collect::<Vec<_>>());
    let before = fastest(&shop, 1);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for name in &names {
            let shop = &shop;
            scope.spawn(move || {
                for n in 0..313 {
                    let r = shop.reserved(name, &format!("k{n}"), "10000");
                    shop.vault.sign(r).unwrap();
                }
            });
        }
    });
    let took = begun.elapsed();
    let after = fastest(&shop, 2);
    println!("20,032 payments of 64 agents in {took:?}; one admission {before:?} before, {after:?} after");
    drop(shop);
    let begun = Instant::now();
    let shop = home.shop(home.open(), &[]);
    println!("opened in {:?}, first admission {:?}", begun.elapsed(), fastest(&shop, 3));
    assert!(after < before * 4, "{before:?} became {after:?}");
    assert_eq!(shop.faults(), Vec::<String>::new());
}
