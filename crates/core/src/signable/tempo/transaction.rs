//! The bytes of a charge, written and read back.

use alloy_primitives::{Address, B256, Bytes};

use super::{
    Charge, Fee,
    rlp::{self, Reader},
};
use crate::money::Amount;

/// The first byte of a Tempo transaction.
const KIND: u8 = 0x76;
/// `transfer(address,uint256)`.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// `transferWithMemo(address,uint256,bytes32)`.
const TRANSFER_WITH_MEMO: [u8; 4] = [0x95, 0x77, 0x7d, 0x59];
/// The nonce key of transactions that end by themselves: no later one waits for them, and none can be put in their place.
const EXPIRING: [u8; 32] = [0xff; 32];
/// What stands where the sponsor will sign.
const SPONSOR: [u8; 1] = [0];

/// What the bytes to be signed say, and nothing besides: whatever else a transaction can do is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// EVM chain id.
    pub chain_id: u64,
    /// What it may cost, and whether the server pays that.
    pub fee: Fee,
    /// The token the fee is paid in; none where the server chooses.
    pub fee_token: Option<Address>,
    /// What it does, in order.
    pub calls: Vec<Call>,
    /// Unix seconds; valid strictly before.
    pub valid_before: u64,
}

/// One transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Of this token.
    pub token: Address,
    /// To this account.
    pub to: Address,
    /// Atomic units.
    pub value: Amount,
    /// With this memo.
    pub memo: Option<B256>,
}

impl Transaction {
    /// Reads bytes to be signed. Transfers of tokens under an expiring nonce only; no value of another kind, no access list, no
    /// keys, no start.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let mut outer = Reader(rest);
        let mut fields = outer.list()?;
        outer.end()?;
        if *kind != KIND {
            return None;
        }
        let chain_id = fields.number()?;
        let (tip, price, gas) = (fields.number()?, fields.number()?, fields.number()?);
        let calls = calls(fields.list()?)?;
        fields.list()?.end()?;
        if fields.bytes()? != EXPIRING {
            return None;
        }
        fields.empty()?;
        let valid_before = fields.number()?;
        fields.empty()?;
        let fee_token = match fields.bytes()? {
            [] => None,
            token => Some(Address::try_from(token).ok()?),
        };
        let sponsored = match fields.bytes()? {
            [] => false,
            slot if slot == SPONSOR => true,
            _ => return None,
        };
        fields.list()?.end()?;
        fields.end()?;
        Some(Self { chain_id, fee: Fee { sponsored, gas, price, tip }, fee_token, calls, valid_before })
    }
}

fn calls(mut list: Reader<'_>) -> Option<Vec<Call>> {
    let mut all = Vec::new();
    while !list.0.is_empty() {
        let mut fields = list.list()?;
        let token = Address::try_from(fields.bytes()?).ok()?;
        fields.empty()?;
        let (to, value, memo) = read_transfer(fields.bytes()?)?;
        fields.end()?;
        all.push(Call { token, to, value, memo });
    }
    Some(all)
}

fn read_transfer(data: &[u8]) -> Option<(Address, Amount, Option<B256>)> {
    let (selector, words) = data.split_first_chunk::<4>()?;
    let (words, rest) = words.as_chunks::<32>();
    let (to, value, memo) = match (words, *selector) {
        ([to, value], TRANSFER) => (to, value, None),
        ([to, value, memo], TRANSFER_WITH_MEMO) => (to, value, Some(B256::new(*memo))),
        _ => return None,
    };
    let account = Address::from_word(B256::new(*to));
    (rest.is_empty() && account.into_word().0 == *to).then_some((account, Amount::from_be_bytes(*value), memo))
}

/// The call data of one transfer.
pub(super) fn transfer(to: Address, value: Amount, memo: Option<B256>) -> Bytes {
    let selector = if memo.is_some() { TRANSFER_WITH_MEMO } else { TRANSFER };
    let memo = memo.map(|memo| memo.to_vec()).unwrap_or_default();
    [&selector[..], to.into_word().as_slice(), &value.to_be_bytes(), &memo].concat().into()
}

/// The transaction, with a signature or as it is signed.
pub(super) fn write(charge: &Charge, signature: Option<&[u8]>) -> Vec<u8> {
    let Charge { fee, .. } = charge;
    let none: &[u8] = &[];
    let calls: Vec<Vec<u8>> = charge
        .calls()
        .iter()
        .map(|(to, data)| rlp::list(&[rlp::bytes(to.as_slice()), rlp::bytes(none), rlp::bytes(data)]))
        .collect();
    let (fee_token, sponsor) = if fee.sponsored { (none, &SPONSOR[..]) } else { (charge.token.as_slice(), none) };
    let mut fields = vec![
        rlp::number(charge.chain_id),
        rlp::number(fee.tip),
        rlp::number(fee.price),
        rlp::number(fee.gas),
        rlp::list(&calls),
        rlp::list(&[]),
        rlp::bytes(&EXPIRING),
        rlp::bytes(none),
        rlp::number(charge.valid_before),
        rlp::bytes(none),
        rlp::bytes(fee_token),
        rlp::bytes(sponsor),
        rlp::list(&[]),
    ];
    fields.extend(signature.map(rlp::bytes));
    [vec![KIND], rlp::list(&fields)].concat()
}
