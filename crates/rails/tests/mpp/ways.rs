//! What is not paid is refused by its name, whether it is turned off or unknown.

use countersign_rails::mpp::{Mpp, Ways};
use serde_json::json;

use crate::support::{Buyer, challenge, line, with};

#[test]
fn every_other_method_and_intent_is_named_in_its_refusal() {
    for (method, intent) in [
        ("tempo", "session"),
        ("tempo", "subscription"),
        ("stripe", "subscription"),
        ("solana", "charge"),
        ("lightning", "charge"),
        ("card", "charge"),
        ("evm", "session"),
        ("stellar", "charge"),
        ("new:method_2-x", "charge"),
    ] {
        let other = with(with(challenge(), "/method", json!(method)), "/intent", json!(intent));
        // Its request may have any shape.
        let other = with(other, "/request", json!(crate::support::coded(&json!({"amount": "1"}))));
        let error = Buyer::default().lines(&[&line(&other)]).unwrap_err();
        assert_eq!(error.code(), "unsupported_offer", "{method}/{intent}");
        assert!(error.to_string().contains(&format!("{method}/{intent} is not supported")), "{error}");
    }
    let both = format!(
        "{}, {}",
        line(&with(challenge(), "/method", json!("card"))),
        line(&with(challenge(), "/intent", json!("session")))
    );
    let error = Buyer::default().lines(&[&both]).unwrap_err().to_string();
    assert!(error.contains("1. ") && error.contains("card/charge") && error.contains("evm/session"), "{error}");
    let broken = format!("{both}, {}", line(&with(challenge(), "/expires", json!("soon"))));
    let error = Buyer::default().lines(&[&broken]).unwrap_err();
    assert_eq!((error.code(), error.leaves_others()), ("malformed_offer", false), "one that is broken speaks for all");
    let payable = format!("{broken}, {}", line(&challenge()));
    assert!(Buyer::default().lines(&[&payable]).is_ok(), "and hinders none that can be paid");
}

#[test]
fn a_way_that_is_turned_off_is_not_paid_and_says_so() {
    let off = Buyer { rail: Mpp::new(Ways::parse(&[]).unwrap()), ..Buyer::default() };
    let error = off.lines(&[&line(&challenge())]).unwrap_err();
    assert_eq!(error.code(), "unsupported_offer");
    assert!(error.to_string().contains("evm/charge is turned off"), "{error}");
    for method in ["tempo", "stripe"] {
        let other = Buyer::default().lines(&[&line(&with(challenge(), "/method", json!(method)))]).unwrap_err();
        let off = format!("{method}/charge is turned off");
        assert!(other.to_string().contains(&off), "unless somebody turns it on: {other}");
    }
    let unknown = Ways::parse(&["evm/charge".to_owned(), "card/charge".to_owned()]).unwrap_err().to_string();
    assert!(unknown.contains("card/charge") && unknown.contains("evm/charge"), "{unknown}");
    assert_eq!(Ways::parse(&["evm/charge".to_owned()]), Ok(Ways::default()));
}
