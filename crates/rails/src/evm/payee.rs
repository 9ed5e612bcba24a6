//! Who must not be paid: money sent there is lost, or never left.

use alloy_primitives::{Address, address};
use countersign_core::rail::{QuoteContext, QuoteError};

/// Contracts of the payment protocols, and of Tempo itself; none of them credits a seller for a plain transfer.
const CONTRACTS: &[Address] = &[
    address!("0x000000000022D473030F116dDEE9F6B43aC78BA3"),
    address!("0x402085c248EeA27D92E8b30b2C58ed07f9E20001"),
    address!("0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002"),
    address!("0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003"),
    address!("0x4020806089470a89826cB9fB1f4059150b550004"),
    address!("0x4020425FAf3B746C082C2f942b4E5159887B0005"),
    address!("0xf96815976523E00e65Be8f34cA5e64b4f41EB19c"),
    address!("0x8612dfdc421f80336cd14E8EF9cb1E765dB5ab88"),
    address!("0xD69831Aed5bfe262067ec4c751f4F830EcdD446e"),
    address!("0xBdEA0D1bcC5966192B070Fdf62aB4EF5b4420cff"),
    address!("0xfeec000000000000000000000000000000000000"),
    address!("0x403c000000000000000000000000000000000000"),
    address!("0x20fc000000000000000000000000000000000000"),
    address!("0xaAAAaaAA00000000000000000000000000000000"),
    address!("0xdec0000000000000000000000000000000000000"),
    address!("0x4e4F4E4345000000000000000000000000000000"),
    address!("0x5165300000000000000000000000000000000000"),
    address!("0x4D50500000000000000000000000000000000000"),
    address!("0xF72E5107c32C655ffA7539a3C8e97B7C3cE16A3F"),
    address!("0xd05f8EdFBB54Da0d765C9fE9b2B3f7d2E3a8C466"),
    address!("0x0E3dF9510de65469C4518D7843919c0b8C7A7757"),
    address!("0x992476B9Ee81d52a5BdA0622C333938D0Af0aB26"),
];

/// How every TIP-20 token's address begins.
const TIP20: [u8; 12] = [0x20, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Checks the account an offer wants paid.
pub(crate) fn check(pay_to: Option<Address>, context: &QuoteContext<'_>) -> Result<Address, QuoteError> {
    let bad = |why: &str| Err(QuoteError::BadPayee(why.to_owned()));
    let Some(account) = pay_to else { return bad("it is not an address, or its checksum is wrong") };
    if account.is_zero() {
        return bad("it is the zero address");
    }
    if account.as_slice().starts_with(&[0; 18]) {
        return bad("it is reserved for built-in contracts");
    }
    if account.as_slice().starts_with(&TIP20)
        || context.registry.assets().any(|asset| asset.id.token() == Some(account))
    {
        return bad("it is a token contract");
    }
    if CONTRACTS.contains(&account) {
        return bad("it is a contract of the payment protocol");
    }
    if context.wallets.is_ours(&account.to_string()) {
        return bad("it is our own");
    }
    Ok(account)
}
