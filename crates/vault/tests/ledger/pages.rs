//! Open pages: a person can have their provider asked no more, and nothing else can be looked away from.

use countersign_core::{
    payment::{Op, PaymentId},
    status::{Event, Settlement, Status},
};
use countersign_vault::{Admitted, VaultError};

use crate::support::{Home, Shop, wait};

fn page(shop: &Shop, key: &str) -> PaymentId {
    let mut quote = shop.quote("10000", &format!("/{key}"));
    quote.op = Op::ReceiveLink;
    let Admitted::Reserved(reserved) = wait(shop.vault.admit(shop.request_for("a", key, quote))).unwrap() else {
        panic!("it was not allowed");
    };
    let id = shop.vault.sign(*reserved).unwrap().record().id.clone();
    shop.vault.mark_delivered(&id);
    wait(shop.vault.flush());
    id
}

#[test]
fn a_page_that_is_looked_away_from_stays_so_over_a_start_until_somebody_wants_to_look_again() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let (one, other) = (page(&shop, "one"), page(&shop, "other"));
    let before = shop.record(&one);
    assert!(before.is_open_page() && before.watched);
    let after = wait(shop.vault.watch(&one, false)).unwrap();
    assert_eq!((after.watched, after.status, after.settlement), (false, before.status, before.settlement));
    assert!(shop.record(&other).watched, "another page is none of its business");
    wait(shop.vault.watch(&one, false)).unwrap();
    let steps = wait(shop.vault.explain(&one)).unwrap().unwrap().steps;
    let said: Vec<&str> = steps.iter().filter_map(|step| step.evidence.as_ref()?.as_str()).collect();
    assert_eq!(said, ["unwatched"], "what is so already is not written twice");
    drop(shop);

    let vault = home.open();
    let open = wait(vault.open_payment(&one)).unwrap().expect("it is still open").0;
    assert!(!open.watched && open.is_open_page());
    assert!(wait(vault.watch(&one, true)).unwrap().watched);
    assert!(wait(vault.payment(&one)).unwrap().unwrap().watched);
    // What a buyer pays all the same is settled like any other page, looked at or not.
    wait(vault.watch(&one, false)).unwrap();
    let seen = serde_json::json!({"transaction": "T1"});
    let paid = wait(vault.advance(&one, Event::Settled, Settlement::Verified, seen)).unwrap();
    assert_eq!((paid.status, paid.is_open_page()), (Status::Settled, false));
    assert!(matches!(wait(vault.watch(&one, true)), Err(VaultError::Refused(_))), "it has its end");
    assert_eq!(wait(vault.verify()).unwrap().faults, Vec::<String>::new());
}

#[test]
fn what_may_move_money_is_never_looked_away_from() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let paid = shop.paid("a", "one", "10000");
    assert!(matches!(wait(shop.vault.watch(&paid, false)), Err(VaultError::Refused(_))));
    let mut refund = shop.quote("10000", "/refund");
    refund.op = Op::Refund;
    let Admitted::Reserved(reserved) = wait(shop.vault.admit(shop.request_for("a", "two", refund))).unwrap() else {
        panic!("it was not allowed");
    };
    let refund = shop.vault.sign(*reserved).unwrap().record().id.clone();
    wait(shop.vault.flush());
    assert!(matches!(wait(shop.vault.watch(&refund, false)), Err(VaultError::Refused(_))));
    assert!(shop.record(&paid).watched && shop.record(&refund).watched);
}
