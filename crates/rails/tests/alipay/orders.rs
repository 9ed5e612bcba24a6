//! Orders as facts, as forms and as requests; what a caller brings is none.

use countersign_core::{
    Millis,
    money::{Amount, Micro},
    origin::Origin,
    payment::{Digest, Op, Resource},
    rail::{Challenge, QuoteContext, QuoteError, Quoted, Rail as _, Receipt},
    registry::{Rate, Registry},
    signable::{
        Signable,
        alipay::{Ordered, Screen},
    },
};
use countersign_rails::alipay::{Alipay, BadField, Sent, Terms, fen, number, page};
use serde_json::{json, value::RawValue};
use std::collections::BTreeMap;

fn amount(fen: &str) -> Amount {
    Amount::parse_atomic(fen).unwrap()
}

fn refund(yuan: &str, of: &str) -> Ordered {
    let (out_trade_no, out_request_no) = ("A1".to_owned(), "R1".to_owned());
    Ordered::Refund {
        out_trade_no, amount: amount(yuan), out_request_no, reason: Some("退货".into()), of: amount(of)
    }
}

fn link(title: &str) -> Ordered {
    Ordered::Link {
        screen: Screen::Web,
        out_trade_no: "A1".into(),
        amount: amount("3000"),
        title: title.into(),
        return_url: None,
        notify_url: None,
    }
}

fn terms(order: Ordered) -> Terms {
    Terms { app_id: "2021000000000001".into(), sandbox: false, order }
}

fn quote(terms: &str, claimed: bool) -> Result<Quoted, QuoteError> {
    let mut registry = Registry::builtin("USD");
    registry.set_rate("CNY", Rate::parse("0.14").unwrap());
    let (raw, wallets) = (RawValue::from_string(terms.to_owned()).unwrap(), BTreeMap::new());
    let origin: Origin = "https://openapi.alipay.com".parse().unwrap();
    let resource = Resource { method: "CALL".into(), path: "x".into(), request: Digest::of(&[b"x"]) };
    let now = Millis(1_795_199_615_000);
    let context =
        QuoteContext { registry: &registry, wallets: &wallets, now, origin: &origin, claimed, resource: &resource };
    Alipay::default().quote(Challenge::Json(&raw), context)
}

#[test]
fn a_refund_of_thirty_yuan_is_judged_as_such_and_signed_as_its_own_text() {
    let quoted = quote(&json!(terms(refund("3000", "3000"))).to_string(), false).unwrap();
    let q = &quoted.quote;
    assert_eq!((q.op, q.exposure_value, q.asset_text()), (Op::Refund, Some(Micro(4_200_000)), "30 CNY".to_owned()));
    assert_eq!((q.wallet.as_str(), q.payee.account.as_str()), ("alipay:2021000000000001", "buyer of A1"));
    assert_eq!((q.network.is_none(), q.testnet, q.reversible), (true, false, false));
    let forms = Alipay::default().signables(q, &quoted.offer, Millis(1_795_199_615_000), [0; 32]).unwrap();
    let [Signable::Alipay(order)] = &forms[..] else { panic!("{forms:?}") };
    assert!(order.text().contains("&timestamp=2026-11-21 02:33:35&"));
    let credential = Alipay::default().credential(q, &quoted.offer, &[(forms[0].clone(), vec![7; 256])]).unwrap();
    let gateway = "https://openapi.alipay.com/gateway.do".parse().unwrap();
    let sent = Sent::of(&credential).unwrap();
    let (url, body) = sent.at(&gateway);
    let both: BTreeMap<String, String> = url
        .query_pairs()
        .into_owned()
        .chain(url::form_urlencoded::parse(body).into_owned())
        .filter(|(n, _)| n != "sign")
        .collect();
    assert_eq!(both, order.parameters().into_iter().map(|(n, v)| (n.to_owned(), v)).collect());
    assert!(credential.headers.is_empty() && page(&gateway, &sent).query_pairs().any(|(name, _)| name == "sign"));
}

#[test]
fn a_page_is_money_coming_in_and_no_seller_says_its_title() {
    let quoted = quote(&json!(terms(link("stamps"))).to_string(), false).unwrap();
    assert_eq!((quoted.quote.op, quoted.quote.scheme.as_str()), (Op::ReceiveLink, "page.pay"));
    assert_eq!(quoted.seller_says, None);
}

#[test]
fn what_a_caller_brings_is_no_order_and_what_breaks_a_rule_is_none_either() {
    let order = json!(terms(refund("3000", "3000"))).to_string();
    assert!(matches!(quote(&order, true), Err(QuoteError::Unsupported(_))));
    for bad in [
        json!(terms(refund("3001", "3000"))).to_string(),
        json!(terms(refund("0", "3000"))).to_string(),
        json!(terms(link(""))).to_string(),
        json!(terms(link("a\nb"))).to_string(),
        json!(terms(link(&"长".repeat(257)))).to_string(),
        order.replace("\"A1\"", "\"A 1\""),
        order.replace("\"sandbox\"", "\"sandbox2\""),
        "{}".to_owned(),
    ] {
        assert!(matches!(quote(&bad, false), Err(QuoteError::Malformed(_))), "{bad}");
    }
}

#[test]
fn sums_and_numbers_are_read_strictly() {
    for (text, units) in [("0.01", "1"), ("1", "100"), ("12.5", "1250"), ("100000000.00", "10000000000")] {
        assert_eq!(fen(text), Ok(amount(units)), "{text}");
    }
    for bad in ["0", "0.00", "0.001", "01.00", "1e2", "-1", "+1", "1.", ".5", " 1", "1,00", "１", "100000000.01", ""] {
        assert_eq!(fen(bad), Err(BadField::Sum), "{bad}");
    }
    assert!(number("A-1_b").is_ok() && number(&"x".repeat(64)).is_ok());
    for bad in ["", "a b", "订单", "a&b", &"x".repeat(65)] {
        assert_eq!(number(bad), Err(BadField::Number), "{bad}");
    }
}

#[test]
fn only_our_carriers_word_that_money_moved_is_a_receipt() {
    let quoted = quote(&json!(terms(refund("3000", "3000"))).to_string(), false).unwrap();
    let receipt = |status, body: &str| Alipay::default().receipt(&quoted.quote, status, &[], body.as_bytes());
    assert_eq!(receipt(200, r#"{"tradeNo":"T1","fundChange":"Y"}"#), Receipt::Success { transaction: "T1".into() });
    assert_eq!(receipt(402, r#"{"refused":"ACQ.X"}"#), Receipt::Failed { reason: "ACQ.X".into() });
    for (status, body) in [(503, r#"{"fundChange":"Y"}"#), (200, r#"{"fundChange":"N"}"#), (200, "x"), (502, "{}")] {
        assert_eq!(receipt(status, body), Receipt::Absent, "{status} {body}");
    }
}
