//! Prices that are the server's to repeat or to let expire: a number is used once, a renewed offer is the one that is sent.

use countersign_core::{signable::Signable, status::Status};
use countersign_vault::{Admitted, Rejudged, Reserved, VaultError};

use crate::support::{Home, Shop, wait, yes};

/// Forms of a price with the number of another form.
fn with_nonce(shop: &Shop, quote: &countersign_core::payment::Quote, of: &Signable) -> Vec<Signable> {
    let [Signable::Eip3009(mut form)] = <[Signable; 1]>::try_from(shop.forms(quote)).unwrap() else {
        panic!("another form")
    };
    form.nonce = of.nonce();
    vec![Signable::Eip3009(form)]
}

#[test]
fn a_number_that_belongs_to_an_earlier_payment_is_refused_and_leaves_no_row() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let first = shop.reserved("a", "k1", "30000");
    let used = first.signables()[0].clone();
    drop(shop.vault.sign(first).unwrap());

    let mut again = shop.purchase("a", "k2", "30000");
    again.signables = with_nonce(&shop, &again.quoted.quote, &used);
    assert!(matches!(wait(shop.vault.admit(again)), Err(VaultError::Used)));
    let mut asking = shop.purchase("a", "k2", "200000");
    asking.signables = with_nonce(&shop, &asking.quoted.quote, &used);
    assert!(matches!(wait(shop.vault.admit(asking)), Err(VaultError::Used)), "nobody is asked about it");
    let waiting = shop.waiting("a", "k3", "200000", "/asked");
    let forms = with_nonce(&shop, &waiting.record.quote, &used);
    let id = waiting.record.id.clone();
    assert!(matches!(wait(shop.vault.reserve(yes(waiting), forms)), Err(VaultError::Used)));
    assert_eq!(shop.record(&id).status, Status::Waiting, "nothing was held");
    // The ledger still takes others, and the key is free.
    assert!(matches!(wait(shop.vault.admit(shop.purchase("a", "k2", "30000"))).unwrap(), Admitted::Reserved(_)));
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_renewed_offer_takes_the_place_of_the_one_that_expired() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let waiting = shop.waiting("a", "k1", "200000", "/asked");
    let forms = shop.forms(&waiting.record.quote);
    let renewed = "{\"offer\":2}".to_owned();
    let reserved = wait(shop.vault.reserve_renewed(yes(waiting), forms, renewed.clone())).unwrap();
    let Reserved::Reservation(reservation) = reserved else { panic!("{reserved:?}") };
    let id = reservation.record().id.clone();
    assert_eq!(shop.vault.sign(*reservation).unwrap().offer(), renewed);
    assert_eq!(wait(shop.vault.sign_again(&id)).unwrap().unwrap().offer(), renewed, "a repeat sends the same");
    assert_eq!(wait(shop.vault.detail(&id, "offer")).unwrap(), Some(renewed.into_bytes()));
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_renewed_offer_changes_no_term_of_the_payment() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let waiting = shop.waiting("a", "k1", "200000", "/asked");
    let id = waiting.record.id.clone();
    let dearer = shop.forms(&shop.quote("300000", "/asked"));
    let refused = wait(shop.vault.reserve_renewed(yes(waiting), dearer, "{\"offer\":2}".into()));
    assert!(matches!(refused, Err(VaultError::Mismatch(_))), "{refused:?}");
    assert_eq!(shop.record(&id).status, Status::Waiting);
    assert_eq!(wait(shop.vault.detail(&id, "offer")).unwrap(), Some(b"{\"offer\":1}".to_vec()));
}

#[test]
fn without_forms_a_waiting_payment_is_not_let_through_and_still_ends() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let waiting = shop.waiting("a", "k1", "200000", "/asked");
    let id = waiting.record.id.clone();
    assert!(matches!(wait(shop.vault.rejudge_waiting(&id, Vec::new())).unwrap(), Rejudged::Still));
    wait(shop.vault.end_waiting(&id, countersign_core::status::Event::Cancelled, "agent")).unwrap();
    assert!(matches!(wait(shop.vault.rejudge_waiting(&id, Vec::new())).unwrap(), Rejudged::Moved(_)));
}
