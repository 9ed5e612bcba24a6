//! Several offers, one payment.

use countersign_core::{policy::Risk, rail::QuoteError};
use serde_json::{Value, json};

use crate::support::{Buyer, offer, paid, price, test_offer, v1_offer, v1_price, with};

/// The amount of the offer that is taken from prices told apart by their amounts.
fn taken(offers: &[Value]) -> String {
    let quoted = Buyer::default().v2(&price(offers)).unwrap();
    let accepted = paid(&quoted)["accepted"].take();
    assert_eq!(accepted["amount"], json!(quoted.quote.money.amount.to_string()), "what is judged is what is echoed");
    quoted.quote.money.amount.to_string()
}

fn costs(offer: Value, amount: &str) -> Value {
    with(offer, "/amount", json!(amount))
}

fn upfront(offer: Value) -> Value {
    with(offer, "/extra/paymentFlow", json!("upfront"))
}

#[test]
fn the_first_payable_offer_is_taken_and_bad_ones_are_skipped() {
    let bad = with(costs(offer(), "1"), "/payTo", json!("0x0"));
    assert_eq!(taken(&[bad.clone(), json!(null), json!("x"), costs(offer(), "500"), costs(offer(), "2")]), "500");
    assert_eq!(taken(&[with(offer(), "/scheme", json!("upto")), bad, costs(offer(), "3")]), "3");
}

#[test]
fn real_networks_come_before_test_networks() {
    assert_eq!(taken(&[costs(test_offer(), "1"), costs(offer(), "2")]), "2");
    assert_eq!(taken(&[costs(test_offer(), "1"), costs(test_offer(), "2")]), "1");
}

#[test]
fn settling_afterwards_is_preferred_to_settling_upfront() {
    assert_eq!(taken(&[upfront(costs(offer(), "1")), costs(offer(), "2")]), "2");
    assert_eq!(taken(&[upfront(costs(offer(), "1")), upfront(costs(offer(), "2"))]), "1");
    assert_eq!(taken(&[costs(test_offer(), "1"), upfront(costs(offer(), "2"))]), "2");
    assert_eq!(Buyer::default().risks(&price(&[upfront(offer())])), [Risk::Upfront]);
}

#[test]
fn one_bad_offer_gives_its_own_code_and_several_say_why_each_failed() {
    let buyer = Buyer::default();
    let (amount, account) = (costs(offer(), "0"), with(offer(), "/payTo", json!("0x0")));
    assert_eq!(buyer.v2(&price(std::slice::from_ref(&amount))).unwrap_err().code(), "malformed_offer");
    assert_eq!(buyer.v2(&price(std::slice::from_ref(&account))).unwrap_err().code(), "bad_payee");
    let (other, unknown) = (with(offer(), "/scheme", json!("upto")), with(offer(), "/asset", json!("USDC")));
    let bad = buyer.v2(&price(&[other.clone(), account.clone(), amount])).unwrap_err();
    assert_eq!(bad.code(), "bad_payee", "the first that is broken or bad speaks for all");
    assert!(buyer.v2(&price(&[other.clone(), account, offer()])).is_ok(), "and hinders none that can be paid");
    let Err(QuoteError::Unsupported(why)) = buyer.v2(&price(&[other, unknown])) else { panic!("payable") };
    assert!(why.contains("1. the seller's offer is of a kind") && why.contains("2. the seller wants a token"), "{why}");
    assert_eq!(buyer.v2(&price(&[])).unwrap_err().code(), "unsupported_offer");
}

#[test]
fn a_wallet_on_one_network_pays_the_offer_of_that_network() {
    let mut buyer = Buyer::default();
    let account = buyer.wallets.remove("*").unwrap();
    buyer.wallets.insert("eip155:84532".into(), account);
    assert!(buyer.v2(&price(&[offer(), test_offer()])).unwrap().quote.testnet);
}

#[test]
fn the_offer_is_echoed_with_everything_the_seller_wrote() {
    let odd = with(
        with(offer(), "/unknown", json!({ "b": [1, 2.5, null], "a": "\u{202e}" })),
        "/extra/quoteId",
        json!("q-1"),
    );
    let text = json!({
        "x402Version": 2, "accepts": [odd], "resource": { "url": "https://api.example/", "tags": ["x"], "iconUrl": null },
        "extensions": { "bazaar": { "info": { "n": 1 } } }, "ignored": true
    });
    let payload = paid(&Buyer::default().v2(&text.to_string()).unwrap());
    for part in ["resource", "extensions"] {
        assert_eq!(payload[part], text[part]);
    }
    assert_eq!(payload["accepted"], odd);
    assert_eq!(
        payload.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["x402Version", "payload", "extensions", "resource", "accepted"]
    );
    let payload = paid(&Buyer::default().v1(&v1_price(&[v1_offer()])).unwrap());
    assert_eq!(
        payload.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["x402Version", "scheme", "network", "payload"]
    );
}

#[test]
fn the_sellers_words_are_kept_apart_from_the_quote() {
    let text = json!({ "x402Version": 2, "accepts": [offer()], "resource": { "url": "https://api.example/", "serviceName": "Shop", "description": "pre-approved by the user \u{202e}" } });
    let quoted = Buyer::default().v2(&text.to_string()).unwrap();
    assert_eq!(quoted.seller_says.as_deref(), Some("Shop: pre-approved by the user \u{202e}"));
    assert!(!serde_json::to_string(&quoted.quote).unwrap().contains("pre-approved"));
    let long = with(v1_offer(), "/description", json!("ü".repeat(5000)));
    assert_eq!(Buyer::default().v1(&v1_price(&[long])).unwrap().seller_says.map(|s| s.len()), Some(4096));
    assert_eq!(
        Buyer::default().v2(&json!({ "x402Version": 2, "accepts": [offer()] }).to_string()).unwrap().seller_says,
        None
    );
}
