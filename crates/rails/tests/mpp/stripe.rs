//! Charges by method `stripe`: what they cost, what token is asked for, and what is sent of it.

use countersign_core::{
    Millis,
    asset::Network,
    money::Amount,
    payment::{Digest, Resource},
    policy::Risk,
    rail::{Card, Challenge, QuoteContext, QuoteError, Quoted, Rail as _, Receipt, Wallets},
    registry::Registry,
    signable::{Signable, spt::Spt},
};
use countersign_rails::mpp::{Mpp, Ways};
use serde_json::{Value, json};

use crate::support::{EXPIRES, NOW, carried, challenge, coded, line, with, without};

#[derive(Debug)]
struct Paying(Option<Card>);

impl Wallets for Paying {
    fn payer(&self, _network: &Network) -> Option<String> {
        None
    }

    fn is_ours(&self, _account: &str) -> bool {
        false
    }

    fn card(&self) -> Option<Card> {
        self.0.clone()
    }
}

fn rail() -> Mpp {
    Mpp::new(Ways::parse(&["stripe/charge".to_owned()]).unwrap())
}

fn card(live: bool) -> Option<Card> {
    Some(Card { payment_method: "pm_1".into(), live })
}

fn quoted_with(params: &Value, card: Option<Card>, now: Millis, claimed: bool) -> Result<Quoted, QuoteError> {
    let (registry, wallets) = (Registry::builtin("USD"), Paying(card));
    let origin = "https://api.example".parse().unwrap();
    let resource =
        Resource { method: "GET".into(), path: "https://api.example/x".into(), request: Digest::of(&[b"GET"]) };
    let headers = [("www-authenticate".to_owned(), line(params))];
    let challenge = Challenge::Http { status: 402, headers: &headers, body: b"{}" };
    let context =
        QuoteContext { registry: &registry, wallets: &wallets, now, origin: &origin, claimed, resource: &resource };
    rail().quote(challenge, context)
}

fn request() -> Value {
    json!({
        "amount": "150", "currency": "usd",
        "methodDetails": {"networkId": "profile_1", "paymentMethodTypes": ["card", "link"], "metadata": {"a": "b"}},
    })
}

fn asking(request: &Value) -> Value {
    with(with(challenge(), "/method", json!("stripe")), "/request", json!(coded(request)))
}

fn quoted(request: &Value) -> Result<Quoted, QuoteError> {
    quoted_with(&asking(request), card(true), NOW, false)
}

fn form(quoted: &Quoted, now: Millis) -> Result<Spt, QuoteError> {
    let forms = rail().signables(&quoted.quote, &quoted.offer, now, [7; 32])?;
    let [Signable::Spt(form)] = <[Signable; 1]>::try_from(forms).unwrap() else { panic!("another form") };
    Ok(form)
}

#[test]
fn a_price_is_in_the_sellers_currency_and_always_asks() {
    let quote = quoted(&request()).unwrap().quote;
    assert_eq!((quote.scheme.as_str(), quote.wallet.as_str()), ("stripe/charge", "stripe:pm_1"));
    assert_eq!((quote.payee.account.as_str(), quote.exposure.asset.as_str()), ("profile_1", "iso4217:USD"));
    assert_eq!((quote.asset_text().as_str(), quote.exposure_value.unwrap().to_string().as_str()), ("1.5 USD", "1.50"));
    assert!(quote.risks.contains(&Risk::Upfront) && quote.reversible && !quote.testnet && quote.network.is_none());
    assert!(
        quoted_with(&asking(&request()), card(false), NOW, false).unwrap().quote.testnet,
        "a test key is play money"
    );
    let yen = quoted(&with(request(), "/currency", json!("jpy"))).unwrap().quote;
    assert_eq!((yen.asset_text().as_str(), yen.exposure_value), ("150 JPY", None), "worth nobody knows what: it asks");
}

#[test]
fn the_form_is_the_price_for_the_seller_until_the_challenge_ends_or_five_minutes_are_over() {
    let quoted = quoted(&request()).unwrap();
    let spt = form(&quoted, NOW).unwrap();
    assert_eq!(
        (spt.seller.as_str(), spt.currency.as_str(), spt.amount.to_string()),
        ("profile_1", "usd", "150".into())
    );
    assert_eq!((spt.payment_method.as_str(), spt.live, spt.challenge.as_str()), ("pm_1", true, "chal-1"));
    assert_eq!(spt.valid_before, NOW.seconds() + 300, "{EXPIRES}");
    let later = form(&quoted, NOW.plus_seconds(200)).unwrap();
    assert_eq!(later.valid_before, NOW.seconds() + 300, "the challenge's end, not five minutes more");
    assert_eq!(form(&quoted, NOW.plus_seconds(298)), Err(QuoteError::Expired));
    let long = with(asking(&request()), "/expires", json!("2027-01-15T09:00:00Z"));
    let long = quoted_with(&long, card(true), NOW, false).unwrap();
    assert_eq!(form(&long, NOW).unwrap().valid_before, NOW.seconds() + 300);
}

#[test]
fn the_credential_is_the_token_and_the_sellers_number_of_the_purchase() {
    let numbered = quoted(&with(request(), "/externalId", json!("a \"b\" ü"))).unwrap();
    let spt = form(&numbered, NOW).unwrap();
    let sent = |quoted: &Quoted, spt: &Spt, token: &str| {
        let signed = [(Signable::Spt(spt.clone()), token.as_bytes().to_vec())];
        rail().credential(&quoted.quote, &quoted.offer, &signed)
    };
    let (header, credential) = carried(&sent(&numbered, &spt, "spt_1").unwrap());
    assert_eq!((header.as_str(), &credential["challenge"]["id"]), ("Authorization", &json!("chal-1")));
    assert_eq!(credential["payload"], json!({"spt": "spt_1", "externalId": "a \"b\" ü"}));
    assert!(credential["source"].is_null());
    let plain = quoted(&request()).unwrap();
    assert_eq!(carried(&sent(&plain, &spt, "spt_1").unwrap()).1["payload"], json!({"spt": "spt_1"}));
    for odd in ["", "spt_", "pi_1", "spt_\"", "spt_1 ", &format!("spt_{}", "a".repeat(255))] {
        assert!(sent(&plain, &spt, odd).is_err(), "{odd}");
    }
    // No token is sent with another challenge than its own.
    for other in [
        Spt { amount: Amount::parse_atomic("151").unwrap(), ..spt.clone() },
        Spt { seller: "profile_2".into(), ..spt.clone() },
        Spt { currency: "eur".into(), ..spt.clone() },
        Spt { challenge: "chal-2".into(), ..spt.clone() },
        Spt { valid_before: spt.valid_before + 1, ..spt.clone() },
    ] {
        assert!(sent(&plain, &other, "spt_1").is_err(), "{other:?}");
    }
}

#[test]
fn what_stripe_would_not_charge_or_nobody_should_pay_is_refused_by_its_reason() {
    let error = |request: &Value| quoted(request).unwrap_err();
    for (request, code) in [
        (with(request(), "/amount", json!("49")), "unsupported_offer"),
        (with(request(), "/amount", json!("0")), "unsupported_offer"),
        (with(request(), "/amount", json!("100000000")), "unsupported_offer"),
        (with(request(), "/amount", json!("1.5")), "malformed_offer"),
        (with(request(), "/amount", json!(150)), "malformed_offer"),
        (with(request(), "/currency", json!("USD")), "unknown_asset"),
        (with(request(), "/currency", json!("xau")), "unknown_asset"),
        (with(request(), "/currency", json!("usdc")), "unknown_asset"),
        (without(request(), "/currency"), "malformed_offer"),
        (with(request(), "/recipient", json!("profile_2")), "bad_payee"),
        (with(request(), "/methodDetails/networkId", json!("a b")), "bad_payee"),
        (with(request(), "/methodDetails/networkId", json!("")), "malformed_offer"),
        (without(request(), "/methodDetails/networkId"), "malformed_offer"),
        (with(request(), "/methodDetails/paymentMethodTypes", json!(["link"])), "unsupported_offer"),
        (with(request(), "/methodDetails/paymentMethodTypes", json!("card")), "malformed_offer"),
        (with(request(), "/methodDetails/metadata", json!({"externalId": "1"})), "malformed_offer"),
        (with(request(), "/methodDetails/metadata", json!([])), "malformed_offer"),
        (with(request(), "/externalId", json!("a\u{202e}b")), "malformed_offer"),
        (with(request(), "/externalId", json!("a".repeat(257))), "malformed_offer"),
        (without(request(), "/methodDetails"), "malformed_offer"),
    ] {
        assert_eq!(error(&request).code(), code, "{request}: {}", error(&request));
    }
    let endless = without(asking(&request()), "/expires");
    assert_eq!(quoted_with(&endless, card(true), NOW, false).unwrap_err().code(), "malformed_offer");
    assert_eq!(quoted_with(&asking(&request()), None, NOW, false).unwrap_err().code(), "no_wallet");
    let claimed = quoted_with(&asking(&request()), card(true), NOW, true).unwrap_err();
    assert_eq!(claimed.code(), "unsupported_offer", "only for a page that is fetched here");
}

#[test]
fn a_receipt_is_a_claim_and_a_refusal_no_proof() {
    let quote = quoted(&request()).unwrap().quote;
    let receipt =
        json!({"method": "stripe", "status": "success", "reference": "pi_1", "timestamp": "2027-01-15T08:00:00Z"});
    let headers = [("payment-receipt".to_owned(), coded(&receipt))];
    assert_eq!(rail().receipt(&quote, 200, &headers, b""), Receipt::Success { transaction: "pi_1".into() });
    let body = json!({"type": "https://paymentauth.org/problems/verification-failed"}).to_string();
    assert!(matches!(rail().receipt(&quote, 402, &headers, body.as_bytes()), Receipt::Doubtful { .. }));
}
