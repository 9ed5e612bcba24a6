//! One byte decides: an answer is Alipay's word or nothing, and only some words mean that money moved.

use countersign_core::{
    money::Amount,
    signable::alipay::{Order, Ordered},
};
use countersign_rails::alipay::{
    PublicKey, RefundFound, Refunded, Said, TradeFound, Unverified, refund, refund_found, trade_found,
};

use super::support::Gateway;

const QUERY: &str = "alipay.trade.query";
const NAME: &str = "alipay_trade_query";

#[test]
fn a_flipped_byte_makes_an_answer_worth_nothing() {
    let gateway = Gateway::new();
    let key = gateway.key();
    let answer = gateway.answer(NAME, r#"{"code":"10000","trade_status":"TRADE_SUCCESS","total_amount":"30.00"}"#);
    let honest = Said::open(&key, QUERY, 200, answer.as_bytes()).unwrap();
    for at in 0..answer.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bytes = answer.clone().into_bytes();
            bytes[at] ^= flip;
            let said = Said::open(&key, QUERY, 200, &bytes);
            assert!(said.is_err() || said.as_ref() == Ok(&honest), "byte {at}: {}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn what_is_not_signed_over_its_own_bytes_is_told_apart_and_changes_nothing() {
    let (gateway, stranger) = (Gateway::new(), Gateway::new());
    let (object, other) = (r#"{"code":"10000","note":"a\/b }\"sign\":\"x\" 中文"}"#, r#"{"code":"10000"}"#);
    let sign = gateway.sign(object);
    let open = |status, text: &str| Said::open(&gateway.key(), QUERY, status, text.as_bytes()).map(|_| ());
    assert_eq!(open(200, &gateway.answer(NAME, object)), Ok(()));
    let spaced = format!("{{ \"sign\" : \"{sign}\" , \"alipay_cert_sn\":\"c\",\n\"{NAME}_response\" : {object} }}");
    assert_eq!(open(200, &spaced), Ok(()));
    let name = format!("{NAME}_response");
    for (text, why) in [
        (stranger.answer(NAME, object), Unverified::Signature),
        (format!("{{\"{name}\":{other},\"sign\":\"{sign}\"}}"), Unverified::Signature),
        (format!("{{\"{name}\":{},\"sign\":\"{sign}\"}}", object.replace("\\/", "/")), Unverified::Signature),
        (format!("{{\"{name}\":{object}}}"), Unverified::Unsigned),
        (r#"{"error_response":{"code":"20000","sub_code":"isp.unknow-error"}}"#.to_owned(), Unverified::Unsigned),
        (gateway.answer("alipay_trade_refund", object), Unverified::Form),
        (format!("{}x", gateway.answer(NAME, object)), Unverified::Form),
        (format!("{{\"{name}\":{object},\"{name}\":{object},\"sign\":\"{sign}\"}}"), Unverified::Form),
        (format!("{{\"{name}\":{object},\"sign\":\"{sign}\",\"more\":1}}"), Unverified::Form),
        (format!("{{\"{name}\":\"{}\",\"sign\":\"{sign}\"}}", "x".repeat(70_000)), Unverified::Form),
        (String::new(), Unverified::Form),
    ] {
        assert_eq!(open(200, &text), Err(why), "{text:.200}");
    }
    assert_eq!(open(502, &gateway.answer(NAME, object)), Err(Unverified::Status(502)));
}

fn said(object: &str) -> Said {
    let gateway = Gateway::new();
    Said::open(&gateway.key(), QUERY, 200, gateway.answer(NAME, object).as_bytes()).unwrap()
}

fn fen(text: &str) -> Amount {
    Amount::parse_atomic(text).unwrap()
}

#[test]
fn only_a_fund_change_moved_money_and_a_fault_is_no_refusal() {
    let order = Order {
        app_id: "2021000000000001".into(),
        at: 0,
        what: Ordered::Refund {
            out_trade_no: "A1".into(),
            amount: fen("100"),
            out_request_no: "R1".into(),
            reason: None,
            of: fen("100"),
        },
    };
    let ok = |more: &str| format!(r#"{{"code":"10000","msg":"Success","out_trade_no":"A1","trade_no":"T1"{more}}}"#);
    let no = |code: &str, word: &str| format!(r#"{{"code":"{code}","msg":"m","sub_code":"{word}"}}"#);
    let refused = |word: &str| Refunded::Refused(word.to_owned());
    for (answer, means) in [
        (ok(r#","fund_change":"Y""#), Refunded::Moved { trade_no: "T1".into() }),
        (ok(r#","fund_change":"N""#), Refunded::Unclear("no_fund_change")),
        (ok(""), Refunded::Unclear("no_fund_change")),
        (ok(r#","fund_change":"Y""#).replace("A1", "A2"), Refunded::Unclear("other_trade")),
        (ok(r#","fund_change":"Y","sub_code":"ACQ.SYSTEM_ERROR""#), Refunded::Unclear("gateway_fault")),
        (no("20000", "isp.unknow-error"), Refunded::Unclear("gateway_fault")),
        (no("20000", "aop.unknow-error"), Refunded::Unclear("gateway_fault")),
        (no("40004", "ACQ.SYSTEM_ERROR"), Refunded::Unclear("gateway_fault")),
        (no("40004", ""), Refunded::Unclear("gateway_fault")),
        (no("99999", "ACQ.INVALID_PARAMETER"), Refunded::Unclear("gateway_fault")),
        (no("40004", "ACQ.DISCORDANT_REPEAT_REQUEST"), Refunded::Unclear("gateway_fault")),
        (no("40004", "ACQ.A_WORD_OF_TOMORROW"), Refunded::Unclear("gateway_fault")),
        (no("20001", "aop.invalid-auth-token"), Refunded::Unclear("gateway_fault")),
        (no("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"), refused("ACQ.SELLER_BALANCE_NOT_ENOUGH")),
        (no("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"), refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")),
        (no("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR"), refused("ACQ.REASON_TRADE_REFUND_FEE_ERR")),
        (no("40004", "ACQ.REASON_TRADE_BEEN_FREEZEN"), refused("ACQ.REASON_TRADE_BEEN_FREEZEN")),
        (no("40004", "ACQ.TRADE_HAS_FINISHED"), refused("ACQ.TRADE_HAS_FINISHED")),
        (no("40002", "isv.invalid-signature"), refused("isv.invalid-signature")),
        (no("40006", "isv.invalid-cloud-app-permission"), refused("isv.invalid-cloud-app-permission")),
    ] {
        assert_eq!(refund(&order, &said(&answer)), means, "{answer}");
    }
}

#[test]
fn a_refund_is_done_when_its_query_says_so_and_a_trade_is_what_its_query_says() {
    let done =
        |more: &str| format!(r#"{{"code":"10000","out_trade_no":"A1","trade_no":"T1","refund_amount":"1.00"{more}}}"#);
    let success = done(r#","out_request_no":"R1","refund_status":"REFUND_SUCCESS""#);
    let found = RefundFound::Done { trade_no: "T1".into(), amount: fen("100") };
    for (answer, means) in [
        (success.clone(), found),
        (done(""), RefundFound::NotDone),
        (r#"{"code":"10000"}"#.to_owned(), RefundFound::NotDone),
        (r#"{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}"#.to_owned(), RefundFound::Unclear),
        (done(r#","refund_status":"REFUND_SUCCESS""#), RefundFound::Unclear),
        (success.replace(r#""out_trade_no":"A1","#, ""), RefundFound::Unclear),
        (success.replace("R1", "R2"), RefundFound::Unclear),
        (success.replace("A1", "A2"), RefundFound::Unclear),
        (success.replace("1.00", "1.000"), RefundFound::Done { trade_no: "T1".into(), amount: fen("100") }),
        (success.replace("1.00", "1.001"), RefundFound::Unclear),
        (done(r#","refund_status":"REFUND_PROCESSING""#), RefundFound::Unclear),
        (r#"{"code":"40004","sub_code":"ACQ.SYSTEM_ERROR"}"#.to_owned(), RefundFound::Unclear),
    ] {
        assert_eq!(refund_found("A1", "R1", &said(&answer)), means, "{answer}");
    }
    let trade =
        r#"{"code":"10000","out_trade_no":"A1","trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"30.00"}"#;
    let known = |status| TradeFound::Known { trade_no: "T1".into(), status, amount: fen("3000") };
    for (answer, means) in [
        (trade.to_owned(), known("TRADE_SUCCESS")),
        (trade.replace("TRADE_SUCCESS", "WAIT_BUYER_PAY"), known("WAIT_BUYER_PAY")),
        (trade.replace("TRADE_SUCCESS", "PAID"), TradeFound::Unclear),
        (trade.replace("\"A1\"", "\"A2\""), TradeFound::Unclear),
        (trade.replace("30.00", "-30.00"), TradeFound::Unclear),
        (trade.replace("\"30.00\"", "3e1"), TradeFound::Unclear),
        (r#"{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}"#.to_owned(), TradeFound::Unknown),
        (r#"{"code":"40006","sub_code":"isv.x"}"#.to_owned(), TradeFound::Refused("isv.x".to_owned())),
    ] {
        assert_eq!(trade_found("A1", &said(&answer)), means, "{answer}");
    }
}

#[test]
fn a_public_key_is_base64_or_pem_and_of_2048_bits_at_least() {
    let bare = Gateway::new().text();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &bare[..64], &bare[64..]);
    let print = PublicKey::parse(&pem).unwrap().fingerprint();
    assert_eq!(print, PublicKey::parse(&bare).unwrap().fingerprint());
    assert_eq!((print.len(), print == Gateway::new().key().fingerprint()), (39, false));
    let short = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDR0kVDDhDN4zGgCgqwFMxQ2Jjx8WLvXL0kqBgcRCbS1sCKDAHdSdhVWzDFNjPJFsZJXwzoxhCe6K+ah7dzTqAm\
                 y3VUmbtvAYOCkKbUHNhPOMHRtzLNBJyMNHy2TEfULxZyVcMNhoNOKBkDkOFOQJvWcTrV2TFhIZRSiBhsHKxKlQIDAQAB";
    for bad in ["", "AAAA", "no", short, &bare[..100]] {
        assert!(PublicKey::parse(bad).is_err(), "{bad}");
    }
}
