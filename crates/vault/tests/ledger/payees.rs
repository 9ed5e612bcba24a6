//! Payees a person said yes to: listed, forgotten until the next yes, named; and what was judged lately.

use countersign_core::Millis;
use countersign_vault::{Reserved, VaultError};

use crate::support::{Home, NOON, SELLER, policy, wait, yes};

/// Asks about payees never seen, and about nothing else.
const ASKS: &str = r#"
format = 1
reference = "USD"
rule = [
  { id = "first-payee", effect = "ask", when = { payee_known = false } },
  { id = "all", effect = "allow", when = { exposure = { le = "1.00" } } },
]
"#;

#[test]
fn a_payee_is_listed_after_a_yes_forgotten_on_demand_and_known_again_after_the_next_yes() {
    let home = Home::with(policy(ASKS));
    let shop = home.open_for(&["a"]);
    assert!(wait(shop.vault.payees()).unwrap().is_empty());
    let say_yes = |key: &str| {
        let waiting = shop.waiting("a", key, "1000", &format!("/{key}"));
        let forms = shop.forms(&shop.quote("1000", &format!("/{key}")));
        let reserved = wait(shop.vault.reserve(yes(waiting), forms)).unwrap();
        assert!(matches!(reserved, Reserved::Reservation(_)), "{reserved:?}");
    };
    say_yes("k1");
    let known = wait(shop.vault.payees()).unwrap();
    assert_eq!((known.len(), known[0].key.account.as_str(), known[0].since), (1, SELLER, NOON));
    shop.paid("a", "k2", "1000");

    wait(shop.vault.forget_payee(known[0].key.clone())).unwrap();
    assert!(wait(shop.vault.payees()).unwrap().is_empty());
    say_yes("k3");
    assert_eq!(wait(shop.vault.payees()).unwrap().len(), 1, "a new yes makes it known again");
    shop.paid("a", "k4", "1000");

    let mut stranger = known[0].key.clone();
    stranger.account = "0x1111111111111111111111111111111111111111".to_owned();
    assert_eq!(wait(shop.vault.forget_payee(stranger)), Err(VaultError::NotFound));
    assert!(shop.faults().is_empty());
}

#[test]
fn what_is_forgotten_and_named_outlives_the_process_and_is_under_the_seal() {
    let home = Home::with(policy(ASKS));
    let shop = home.open_for(&["a"]);
    let origin: countersign_core::origin::Origin = "https://api.example".parse().unwrap();
    wait(shop.vault.label_payee(origin.clone(), Some("the seller".into()))).unwrap();
    wait(shop.vault.clone().shutdown());
    drop(shop);
    let vault = home.open();
    assert_eq!(wait(vault.payee_labels()).unwrap().get(&origin).map(String::as_str), Some("the seller"));
    wait(vault.clone().shutdown());
    drop(vault);
    home.sql()
        .execute("UPDATE setting SET value = CAST(replace(value, 'the seller', 'your bank') AS BLOB) WHERE name = 'payee_labels'", [])
        .unwrap();
    let vault = home.open();
    assert!(vault.doubts().policy.is_some(), "an edit behind our back makes everything ask");
}

#[test]
fn the_past_is_read_oldest_first_back_to_a_moment_and_no_further_than_wanted() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    for key in ["k1", "k2", "k3"] {
        shop.paid("a", key, "1000");
        home.clock.advance_ms(1000);
    }
    let waits = shop.waiting("a", "k4", "200000", "/dear");
    let past = |since: i64, most: usize| wait(shop.vault.past(Millis(NOON.0 + since), most)).unwrap();
    let (all, whole) = past(0, 10);
    assert_eq!((all.len(), whole), (4, true));
    assert!(all.windows(2).all(|pair| pair[0].facts.now <= pair[1].facts.now));
    assert_eq!(all.iter().map(|p| p.paid).collect::<Vec<_>>(), [true, true, true, false]);
    assert_eq!(&all[3].payment, waits.needs.payment());
    assert_eq!(past(1000, 10).0.len(), 3, "from that moment on");
    assert_eq!((past(0, 2).0.len(), past(0, 2).1), (2, false));
}
