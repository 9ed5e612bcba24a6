//! One key, one payment, one signature, for ever.

use countersign_core::status::{Settlement, Status};
use countersign_vault::{Admitted, Lookup, Note, Outcome, RefusedAs, VaultError};
use std::{collections::BTreeSet, sync::Barrier};

use crate::support::{Home, wait};

#[test]
fn a_small_payment_is_reserved_signed_and_marked() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let reservation = shop.reserved("a", "k1", "30000");
    assert_eq!(reservation.record().status, Status::Reserved);
    let signed = shop.vault.sign(reservation).unwrap();
    assert_eq!(signed.forms().len(), 1);
    assert_eq!(signed.forms()[0].1.len(), 65);
    assert_eq!(signed.offer(), "{\"offer\":1}");
    let id = signed.record().id.clone();
    shop.vault.mark_delivered(&id);
    let note = Note {
        settlement: Some(Settlement::Claimed),
        outcome: Some(Outcome::Completed),
        transaction: Some("0xabc".into()),
        ..Note::default()
    };
    let record = wait(shop.vault.note(&id, note)).unwrap();
    assert_eq!((record.status, record.signed), (Status::Delivered, true), "marks ride along before the note");
    assert_eq!((record.settlement, record.transaction.as_deref()), (Settlement::Claimed, Some("0xabc")));
    assert_eq!(wait(shop.vault.detail(&id, "url")).unwrap().unwrap(), b"https://api.example/thing?secret=1");
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn the_same_request_twice_is_one_payment_and_equal_bytes() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let signed = shop.vault.sign(shop.reserved("a", "k1", "30000")).unwrap();
    let id = signed.record().id.clone();
    let Admitted::Same(record) = shop.admit("a", "k1", "30000") else { panic!() };
    assert_eq!(record.id, id);
    let again = wait(shop.vault.sign_again(&id)).unwrap().unwrap();
    assert_eq!(again.forms(), signed.forms());
    assert!(matches!(shop.admit("a", "k1", "40000"), Admitted::Conflict));
    let other = shop.request("a", "k1", "40000");
    assert!(matches!(
        wait(shop.vault.lookup(&other.caller.agent, &other.key, other.request)).unwrap(),
        Lookup::Conflict
    ));
    let payments = wait(shop.vault.payments(countersign_vault::Filter::default())).unwrap().payments;
    assert_eq!(payments.len(), 1);
}

#[test]
fn another_agents_key_is_another_payment() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let one = shop.reserved("a", "k1", "30000");
    let two = shop.reserved("b", "k1", "30000");
    assert_ne!(one.record().id, two.record().id);
}

#[test]
fn a_thousand_parallel_duplicates_are_one_row_and_equal_bytes() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let gate = Barrier::new(50);
    let results: Vec<(String, Vec<u8>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| {
                    gate.wait();
                    (0..20)
                        .map(|_| {
                            // On a slow machine a request may have waited too long to be begun: its caller comes again.
                            let signed = loop {
                                match wait(shop.vault.admit(shop.request("a", "the-key", "30000"))) {
                                    Ok(Admitted::Reserved(r)) => break shop.vault.sign(*r).unwrap(),
                                    Ok(Admitted::Same(r)) => match wait(shop.vault.sign_again(&r.id)) {
                                        Err(VaultError::Busy) => {}
                                        signed => break signed.unwrap().unwrap(),
                                    },
                                    Err(VaultError::Busy) => {}
                                    other => panic!("{other:?}"),
                                }
                            };
                            (signed.record().id.to_string(), signed.forms()[0].1.clone())
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(results.len(), 1000);
    assert_eq!(results.into_iter().collect::<BTreeSet<_>>().len(), 1);
    let rows: i64 = home
        .sql()
        .query_row("SELECT (SELECT count(*) FROM payment) + (SELECT count(*) FROM signable)", [], |r| r.get(0))
        .unwrap();
    assert_eq!(rows, 2);
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn outside_the_window_there_is_no_signature() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let late = shop.reserved("a", "k2", "30000");
    let signed = shop.vault.sign(shop.reserved("a", "k1", "30000")).unwrap();
    home.clock.advance_ms(60_000);
    assert!(wait(shop.vault.sign_again(&signed.record().id)).unwrap().is_none());
    let id = late.record().id.clone();
    assert!(shop.vault.sign(late).is_err());
    wait(shop.vault.budgets(&shop.name("a"), &"s".parse().unwrap(), false)).unwrap();
    assert_eq!(shop.record(&id).status, Status::Released, "never signed: given back");
}

#[test]
fn a_reservation_dropped_unsigned_gives_its_hold_back() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    for n in 0..40 {
        let reservation = shop.reserved("a", &format!("k{n}"), "100000");
        drop(reservation);
    }
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_repeat_that_was_signed_keeps_the_hold_of_a_dropped_reservation() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let reservation = shop.reserved("a", "k1", "30000");
    let id = reservation.record().id.clone();
    assert!(wait(shop.vault.sign_again(&id)).unwrap().is_some());
    drop(reservation);
    wait(shop.vault.note(&id, Note::default())).unwrap();
    assert!(shop.record(&id).status.holds());
}

#[test]
fn forms_that_differ_from_the_price_are_refused_and_leave_no_row() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let quote = shop.quote("30000", "/thing");
    let mut dearer = quote.clone();
    dearer.exposure.amount = countersign_core::money::Amount::parse_atomic("30001").unwrap();
    let mut elsewhere = quote.clone();
    elsewhere.payee.account = "0x3333333333333333333333333333333333333333".into();
    let mut longer = quote.clone();
    longer.lifetime_seconds = 290;
    for (n, other) in [dearer, elsewhere, longer].into_iter().enumerate() {
        let mut request = shop.request_for("a", &format!("k{n}"), quote.clone());
        request.signables = shop.forms(&other);
        assert!(matches!(wait(shop.vault.admit(request)), Err(VaultError::Mismatch(_))), "{n}");
    }
    let mut none = shop.request("a", "k9", "30000");
    none.signables.clear();
    assert!(matches!(wait(shop.vault.admit(none)), Err(VaultError::Mismatch(_))));
    assert_eq!(wait(shop.vault.verify()).unwrap().payments, 0);
}

#[test]
fn a_refusal_is_recorded_with_its_reason() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let Admitted::Refused(record) = shop.admit("a", "k1", "50010000") else { panic!() };
    assert_eq!((record.status, record.refused_as), (Status::Refused, Some(RefusedAs::DeniedByRule)));
    assert_eq!(record.decision.rule, "limit-payment");
    let why = wait(shop.vault.explain(&record.id)).unwrap().unwrap();
    assert_eq!((why.steps.len(), why.facts.agent.as_str()), (1, "a"));
    assert!(wait(shop.vault.sign_again(&record.id)).unwrap().is_none());
}

#[test]
fn lists_are_newest_first_and_pages_follow_each_other() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    for n in 0..7 {
        drop(shop.vault.sign(shop.reserved(if n % 2 == 0 { "a" } else { "b" }, &format!("k{n}"), "10000")).unwrap());
    }
    let mut filter = countersign_vault::Filter { limit: 3, ..Default::default() };
    let mut keys = Vec::new();
    loop {
        let page = wait(shop.vault.payments(filter.clone())).unwrap();
        keys.extend(page.payments.iter().map(|p| p.key.to_string()));
        match page.next_cursor {
            Some(cursor) => filter.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(keys, ["k6", "k5", "k4", "k3", "k2", "k1", "k0"]);
    let only = countersign_vault::Filter { agent: Some(shop.name("b")), ..Default::default() };
    assert_eq!(wait(shop.vault.payments(only)).unwrap().payments.len(), 3);
}
