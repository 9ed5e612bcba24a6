//! A Tempo transaction is held against its price by what its bytes say.

#![expect(clippy::arithmetic_side_effects, reason = "the numbers of a test are known")]

use alloy_primitives::{Address, B256};
use countersign_core::{
    money::{Amount, Money},
    payment::{Digest, Payee, Resource, Share},
    signable::tempo::{Charge, Fee, Proof, Split},
};
use std::collections::BTreeSet;

use super::*;

const NOW: Millis = Millis(1_795_199_615_000);

fn units(text: &str) -> Amount {
    Amount::parse_atomic(text).unwrap()
}

fn account(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// 0.01 pathUSD, of which two others get a tenth each.
fn charge() -> Charge {
    let split = |n| Split { to: account(n), value: units("1000"), memo: (n == 4).then_some(B256::repeat_byte(9)) };
    Charge {
        chain_id: 42431,
        token: "0x20c0000000000000000000000000000000000000".parse().unwrap(),
        from: account(1),
        to: account(2),
        value: units("8000"),
        splits: vec![split(3), split(4)],
        realm: "api.example".into(),
        challenge: "chal-1".into(),
        fee: Fee::for_splits(2, false),
        valid_before: NOW.seconds() + 25,
    }
}

fn quote() -> Quote {
    let asset: AssetId = "eip155:42431/erc20:0x20c0000000000000000000000000000000000000".parse().unwrap();
    let share = |n| Share { account: account(n).to_string(), amount: units("1000") };
    Quote {
        rail: "mpp".into(),
        version: 1,
        scheme: "tempo/charge".into(),
        op: Op::Pay,
        payee: Payee {
            origin: "https://api.example".parse().unwrap(),
            account: account(2).to_string(),
            claimed: false,
        },
        network: Some(Network::eip155(42431)),
        testnet: true,
        wallet: account(1).to_string(),
        money: Money { asset: asset.clone(), amount: units("10000") },
        shares: vec![share(3), share(4)],
        exposure: Money { asset, amount: units("45000") },
        symbol: "pathUSD".into(),
        decimals: 6,
        domain: None,
        amount_value: None,
        exposure_value: None,
        resource: Resource { method: "GET".into(), path: "x".into(), request: Digest([7; 32]) },
        lifetime_seconds: 25,
        reversible: false,
        risks: BTreeSet::new(),
    }
}

type Change = fn(&mut Quote);

fn why(quote: &Quote, charge: Charge) -> Option<&'static str> {
    match fits(quote, &[Signable::Tempo(charge)], NOW) {
        Ok(()) => None,
        Err(VaultError::Mismatch(why)) => Some(why),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_transaction_that_differs_from_its_quote_in_any_field_is_not_written_down() {
    assert_eq!(why(&quote(), charge()), None);
    let fee = |fee: Fee| Charge { fee, ..charge() };
    let of = Fee::for_splits(2, false);
    let splits = |change: fn(&mut Vec<Split>)| {
        let mut other = charge();
        change(&mut other.splits);
        other
    };
    for (other, what) in [
        (Charge { chain_id: 4217, ..charge() }, "the network"),
        (Charge { token: account(9), ..charge() }, "the token"),
        (Charge { from: account(9), ..charge() }, "the paying account"),
        (Charge { to: account(9), ..charge() }, "the paid account"),
        (Charge { value: units("8001"), ..charge() }, "the amount"),
        (Charge { value: units("10000"), splits: Vec::new(), ..charge() }, "the amount"),
        (splits(|all| all.swap(0, 1)), "the shares"),
        (splits(|all| all[0].to = account(9)), "the shares"),
        (splits(|all| all[0].value = units("999")), "the shares"),
        (splits(|all| all.push(all[0].clone())), "the shares"),
        (splits(|all| all.truncate(1)), "the shares"),
        (fee(Fee { gas: of.gas + 1_000, ..of }), "the fee"),
        (fee(Fee { price: of.price + 1_000_000, ..of }), "the fee"),
        (fee(Fee { sponsored: true, ..of }), "the fee"),
        (Charge { valid_before: NOW.seconds() + 31, ..charge() }, "the length of the validity window"),
        (Charge { valid_before: NOW.seconds(), ..charge() }, "the end of the validity window"),
    ] {
        assert_eq!(why(&quote(), other.clone()), Some(what), "{other:?}");
    }
}

#[test]
fn a_proof_is_made_for_the_host_that_was_asked_and_costs_nothing() {
    let mut asked = Quote { op: Op::Sign, shares: Vec::new(), ..quote() };
    (asked.money.amount, asked.exposure.amount) = (units("0"), units("0"));
    let proof = Proof {
        chain_id: 42431,
        account: account(1),
        realm: "api.example".into(),
        challenge: "chal-1".into(),
        valid_before: NOW.seconds() + 25,
    };
    let why = |quote: &Quote, proof: &Proof| match fits(quote, &[Signable::Proof(proof.clone())], NOW) {
        Ok(()) => None,
        Err(VaultError::Mismatch(why)) => Some(why),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(why(&asked, &proof), None);
    for (other, what) in [
        (Proof { chain_id: 4217, ..proof.clone() }, "the network"),
        (Proof { account: account(9), ..proof.clone() }, "the account"),
        (Proof { realm: "bank.example".into(), ..proof.clone() }, "the realm"),
    ] {
        assert_eq!(why(&asked, &other), Some(what));
    }
    let claimed = Payee { claimed: true, ..asked.payee.clone() };
    assert_eq!(why(&Quote { payee: claimed, ..asked.clone() }, &proof), Some("the realm"));
    assert_eq!(why(&Quote { op: Op::Pay, ..asked.clone() }, &proof), Some("what it does"));
    asked.exposure.amount = units("1");
    assert_eq!(why(&asked, &proof), Some("the amount"));
}

#[test]
fn a_quote_that_costs_more_shares_more_or_pays_nothing_is_not_what_a_transaction_is_for() {
    let changes: [(Change, &str); 7] = [
        (|q| q.op = Op::Sign, "what it does"),
        (|q| q.exposure.amount = q.money.amount, "the fee"),
        (
            |q| q.exposure.asset = "eip155:42431/erc20:0x20C000000000000000000000b9537d11c60E8b50".parse().unwrap(),
            "the token",
        ),
        (|q| q.shares.clear(), "the amount"),
        (|q| q.network = None, "the network"),
        (|q| q.payee.account = "nobody".into(), "the paid account"),
        (|q| q.lifetime_seconds = 5, "the length of the validity window"),
    ];
    for (change, what) in changes {
        let mut other = quote();
        change(&mut other);
        assert_eq!(why(&other, charge()), Some(what));
    }
    let nothing = Charge { value: units("0"), splits: Vec::new(), fee: Fee::for_splits(0, true), ..charge() };
    let mut free = Quote { shares: Vec::new(), ..quote() };
    (free.money.amount, free.exposure.amount) = (units("0"), units("0"));
    assert_eq!(why(&free, nothing), Some("a transfer of nothing"));
}
