//! Refunds of one trade: while one may still have happened, another asks.

use countersign_core::{
    money::{Amount, Money},
    payment::{Op, Quote},
    policy::Condition,
    rail::Quoted,
    signable::{
        Signable,
        alipay::{CNY, Order, Ordered},
    },
};
use countersign_vault::{Admit, Admitted, Clock as _};

use crate::support::{Home, Shop, wait};

fn refund(shop: &Shop, agent: &str, number: &str, (trade, fen): (&str, &str)) -> Admitted {
    let purchase = shop.purchase(agent, number, "10000");
    let amount = Amount::parse_atomic(fen).unwrap();
    let money = Money { asset: CNY.parse().unwrap(), amount };
    let what = Ordered::Refund {
        out_trade_no: trade.into(),
        amount,
        out_request_no: number.into(),
        reason: None,
        of: Amount::parse_atomic("9000").unwrap(),
    };
    let order = Order { app_id: "2021000000000001".into(), at: shop.clock.wall().seconds(), what };
    let mut quote = Quote {
        rail: "alipay".into(),
        op: Op::Refund,
        network: None,
        domain: None,
        wallet: "alipay:2021000000000001".into(),
        money: money.clone(),
        exposure: money,
        symbol: "CNY".into(),
        decimals: 2,
        lifetime_seconds: 300,
        ..purchase.quoted.quote
    };
    quote.payee.account = order.account();
    let quoted = Quoted { quote, ..purchase.quoted };
    wait(shop.vault.admit(Admit { quoted, signables: vec![Signable::Alipay(order)], ..purchase })).unwrap()
}

#[test]
fn a_refund_asks_while_any_other_of_its_trade_may_still_have_happened() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let asks = |admitted: Admitted| match admitted {
        Admitted::Waiting(waiting) => assert_eq!(waiting.record.decision.rule, Condition::PossibleDuplicate.rule()),
        other => panic!("{other:?}"),
    };
    let Admitted::Reserved(first) = refund(&shop, "a", "R1", ("A1", "3000")) else { panic!("not reserved") };
    asks(refund(&shop, "a", "R2", ("A1", "100")));
    home.clock.advance_ms(3_600_000);
    asks(refund(&shop, "b", "R3", ("A1", "200")));
    assert!(matches!(refund(&shop, "b", "R4", ("A2", "200")), Admitted::Reserved(_)), "another trade");
    drop(first);
    assert!(matches!(refund(&shop, "a", "R5", ("A1", "300")), Admitted::Reserved(_)), "the first never happened");
}
