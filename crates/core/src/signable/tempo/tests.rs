//! The bytes of the official client (npm `mppx` 0.11, `viem` 2.56) for the same fields.

use super::*;
use alloy_primitives::{address, b256, hex};

/// The charge of the known vectors.
pub(crate) fn vector(sponsored: bool) -> Charge {
    Charge {
        chain_id: 42431,
        token: address!("20c0000000000000000000000000000000000000"),
        from: address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        to: address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        value: Amount::parse_atomic("10000").unwrap(),
        splits: Vec::new(),
        realm: "api.example.com".into(),
        challenge: "EriIrRclvOAYEs_yRsJvslorvLAXLwlHTsWs3OMedcY".into(),
        fee: Fee { sponsored, gas: 500_000, price: 25_000_000_000, tip: 1_000_000_000 },
        valid_before: 1_893_456_000,
    }
}

fn split(n: u8, memo: Option<u8>) -> Split {
    let value = Amount::parse_atomic("1000").unwrap();
    Split { to: Address::repeat_byte(n), value, memo: memo.map(B256::repeat_byte) }
}

#[test]
fn memo_bytes_and_hashes_are_those_of_the_official_client() {
    let form = vector(false);
    assert_eq!(form.memo(), b256!("ef1ed712011ece072f76bd8b82350e00000000000000000000fce701f439b2db"));
    assert_eq!(
        hex::encode(form.unsigned()),
        "76f8d282a5bf843b9aca008505d21dba008307a120f87ef87c9420c000000000000000000000000000000000000080b86495777d59\
         00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8\
         0000000000000000000000000000000000000000000000000000000000002710\
         ef1ed712011ece072f76bd8b82350e00000000000000000000fce701f439b2dbc0a0\
         ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff808470dbd880809420c000000000000000000000000000000000000080c0"
    );
    let hash = |form: &Charge| keccak256(form.unsigned());
    assert_eq!(hash(&form), b256!("da6045d084c2b11ed72e9c18be8eca8e2b7c027ac3e8651ac8e893dbb4915362"));
    assert_eq!(hash(&vector(true)), b256!("3eecfe15c0e3174028dd6925d9e570a0e0aeaef72a9721f1674c052c69a93bdb"));
}

#[test]
fn what_is_written_is_read_back_and_nothing_else_is() {
    for sponsored in [false, true] {
        let form = Charge { splits: vec![split(1, None), split(2, Some(7))], ..vector(sponsored) };
        let bytes = form.unsigned();
        let read = Transaction::read(&bytes).unwrap();
        assert_eq!((read.chain_id, read.fee, read.valid_before), (42431, form.fee, form.valid_before));
        assert_eq!(read.fee_token, (!sponsored).then_some(form.token));
        let paid: Vec<_> = read.calls.iter().map(|call| (call.to, call.value, call.memo)).collect();
        let [one, two] = &form.splits[..] else { panic!("two") };
        let first = (form.to, form.value, Some(form.memo()));
        assert_eq!(paid, [first, (one.to, one.value, None), (two.to, two.value, two.memo)]);
        for cut in 0..bytes.len() {
            assert_eq!(Transaction::read(&bytes[..cut]), None, "cut at {cut}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_ne!(Transaction::read(&other), Some(read.clone()), "byte {at} says nothing");
        }
        assert_eq!(Transaction::read(&[&bytes[..], &[0]].concat()), None, "more after it");
        assert_eq!(Transaction::read(&form.signed(&[27; 65])), None, "one that is signed already");
    }
}

#[test]
fn the_fee_is_capped_in_the_token_and_nothing_where_the_server_pays() {
    let most = |splits, sponsored| Fee::for_splits(splits, sponsored).most().to_string();
    assert_eq!([most(0, false), most(2, false), most(10, false), most(2, true)], ["20000", "35000", "95000", "0"]);
    assert_eq!(Fee::for_splits(10, true).gas, 2_000_000, "sponsors grant no more");
    let odd = Fee { sponsored: false, gas: 1, price: 1, tip: 1 };
    assert_eq!(odd.most().to_string(), "1", "rounded up");
}

#[test]
fn one_challenge_is_one_number_whatever_else_differs() {
    let one = vector(false);
    assert_eq!(one.number(), Charge { valid_before: 9, ..vector(true) }.number());
    assert_ne!(one.number(), Charge { challenge: "other".into(), ..vector(false) }.number());
}
