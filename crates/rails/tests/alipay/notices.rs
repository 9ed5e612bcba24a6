//! Notices to the merchant's own server: both forms that Alipay's senders sign, and nothing else.

use countersign_core::money::Amount;
use countersign_rails::alipay::{BadNotice, Expected, Notice, PublicKey};

use super::support::Gateway;

type Pairs = Vec<(String, String)>;

fn notice() -> Pairs {
    [
        ("app_id", "2021000000000001"),
        ("out_trade_no", "A1"),
        ("total_amount", "30.00"),
        ("trade_status", "TRADE_SUCCESS"),
        ("subject", "邮票 & 100%=x+y"),
        ("body", ""),
        ("sign_type", "RSA2"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn signed(gateway: &Gateway, mut pairs: Pairs, without: &[&str]) -> Pairs {
    let mut kept: Vec<String> =
        pairs.iter().filter(|(n, _)| !without.contains(&n.as_str())).map(|(n, v)| format!("{n}={v}")).collect();
    kept.sort();
    pairs.push(("sign".to_owned(), gateway.sign(&kept.join("&"))));
    pairs
}

fn read(key: &PublicKey, pairs: &[(String, String)]) -> Result<Notice, BadNotice> {
    let amount = Amount::parse_atomic("3000").unwrap();
    Notice::read(key, pairs, Expected { app_id: "2021000000000001", out_trade_no: "A1", amount, seller_id: None })
}

fn with(name: &str, value: &str) -> Pairs {
    let mut pairs: Pairs = notice().into_iter().filter(|(n, _)| n != name).collect();
    pairs.push((name.to_owned(), value.to_owned()));
    pairs
}

#[test]
fn a_notice_counts_if_its_parameters_are_signed_with_or_without_sign_type_and_empties_kept() {
    let gateway = Gateway::new();
    let key = gateway.key();
    for without in [&["sign_type"][..], &[]] {
        assert_eq!(read(&key, &signed(&gateway, notice(), without)), Ok(Notice::Paid));
    }
    let without_empties = signed(&gateway, notice(), &["sign_type", "body"]);
    assert_eq!(read(&key, &without_empties), Err(BadNotice::Unverified));
    let mut tampered = signed(&gateway, notice(), &["sign_type"]);
    tampered[2].1 = "3000.00".to_owned();
    assert_eq!(read(&key, &tampered), Err(BadNotice::Unverified));
    let mut twice = signed(&gateway, notice(), &["sign_type"]);
    twice.push(("total_amount".to_owned(), "1.00".to_owned()));
    assert_eq!(read(&key, &twice), Err(BadNotice::Unverified));
    assert_eq!(read(&key, &signed(&Gateway::new(), notice(), &["sign_type"])), Err(BadNotice::Unverified));
    assert_eq!(read(&key, &notice()), Err(BadNotice::Unverified));
}

#[test]
fn a_signed_notice_about_something_else_says_nothing_and_one_of_a_refund_is_no_payment() {
    let gateway = Gateway::new();
    for (name, value, means) in [
        ("trade_status", "TRADE_FINISHED", Ok(Notice::Paid)),
        ("trade_status", "WAIT_BUYER_PAY", Ok(Notice::NotPaid)),
        ("trade_status", "TRADE_CLOSED", Ok(Notice::NotPaid)),
        ("gmt_refund", "2026-11-21 02:33:35", Ok(Notice::NotPaid)),
        ("refund_fee", "1.00", Ok(Notice::NotPaid)),
        ("out_biz_no", "R1", Ok(Notice::NotPaid)),
        ("app_id", "2021000000000002", Err(BadNotice::Other)),
        ("out_trade_no", "A2", Err(BadNotice::Other)),
        ("total_amount", "30.01", Err(BadNotice::Other)),
        ("total_amount", "", Err(BadNotice::Other)),
        ("subject", "stamps&total_amount=30.00", Err(BadNotice::Ambiguous)),
        ("subject", "a&b=c", Ok(Notice::Paid)),
        ("subjectt", "stamps", Err(BadNotice::Ambiguous)),
    ] {
        let pairs = signed(&gateway, with(name, value), &["sign_type"]);
        assert_eq!(read(&gateway.key(), &pairs), means, "{name}={value}");
    }
}
