//! What every protocol that pays with an EIP-3009 authorisation shares: the token, the payee, the form and its evidence.
//!
//! All of it comes from our own table and the quote; a seller names a token, it never describes one.

pub(crate) mod evidence;
pub(crate) mod payee;

use alloy_primitives::{Address, B256};
use countersign_core::{
    asset::{Asset, AssetId, Eip712, Network, Transfer, parse_address},
    money::{Amount, Money},
    payment::{Op, Payee, Quote, Share},
    policy::Risk,
    rail::{QuoteContext, QuoteError},
    signable::Eip3009,
    text,
};
use std::collections::BTreeSet;

use crate::json::Json;

/// Longest life that may be offered, in seconds: a day.
pub(crate) const MAX_LIFETIME: u64 = 86_400;
/// A life below this is unusually short, in seconds.
pub(crate) const SHORT_LIFETIME: u64 = 30;
/// Most bytes of the seller's words that are kept.
pub(crate) const MAX_SAYS: usize = 4096;

/// The token of our table that an offer means, with its EIP-712 domain, if it moves by an authorisation.
pub(crate) fn token<'a>(
    named: Option<Address>,
    network: &Network,
    context: &QuoteContext<'a>,
) -> Result<(&'a Asset, &'a Eip712), QuoteError> {
    let asset = moving(named, network, Transfer::Eip3009, context)?;
    let domain = asset.eip712.as_ref();
    let domain = domain.ok_or_else(|| QuoteError::AssetMismatch("the table has no EIP-712 name for it".into()))?;
    Ok((asset, domain))
}

/// The token of our table that an offer means, if it moves this way.
pub(crate) fn moving<'a>(
    token: Option<Address>,
    network: &Network,
    by: Transfer,
    context: &QuoteContext<'a>,
) -> Result<&'a Asset, QuoteError> {
    let unknown = || {
        let token = token.map_or_else(|| "what it names is not an address".to_owned(), |token| token.to_string());
        QuoteError::UnknownAsset(format!("{token} on {network}"))
    };
    let asset = token.and_then(|token| context.registry.asset(&AssetId::erc20(network, token))).ok_or_else(unknown)?;
    if context.registry.chain(network).is_none() {
        return Err(unknown());
    }
    if asset.transfer == by {
        return Ok(asset);
    }
    let only = match asset.transfer {
        Transfer::Eip3009 => "by an EIP-3009 authorisation",
        Transfer::Permit2 => "through Permit2",
        Transfer::Tip20 => "by a Tempo transaction",
    };
    Err(QuoteError::Unsupported(format!("{} on {network} moves only {only}", asset.symbol)))
}

/// A text of the protocol: there, not empty, of at most so many bytes, and all of it to be seen.
pub(crate) fn plain<'a>(value: &'a Json<'a>, name: &str, most: usize) -> Result<&'a str, QuoteError> {
    let malformed = |what: &str| QuoteError::Malformed(format!("{name} {what}"));
    let text = value.text().ok_or_else(|| malformed("is not a string"))?;
    if text.is_empty() || text.len() > most {
        return Err(malformed("is empty or too long"));
    }
    if text::has_hidden(text) {
        return Err(malformed("has hidden characters"));
    }
    Ok(text)
}

/// Why none of the offers of a price can be paid, each with its own reason. One that is broken or bad is the reason for all.
pub(crate) fn none_payable(mut why: Vec<QuoteError>) -> QuoteError {
    if let Some(bad) = why.iter().position(|error| !error.leaves_others()) {
        return why.swap_remove(bad);
    }
    match why.len() {
        0 => QuoteError::Unsupported("it names no price".into()),
        1 => why.remove(0),
        n => {
            let list: Vec<_> = why.iter().enumerate().map(|(i, e)| format!("{}. {e}", i.saturating_add(1))).collect();
            QuoteError::Unsupported(format!("none of its {n} offers can be paid: {}", list.join("; ")))
        }
    }
}

/// A price that was read, and found to mean a token and an account that can be paid.
pub(crate) struct Price<'a> {
    pub rail: &'static str,
    pub version: u8,
    pub scheme: String,
    pub op: Op,
    pub network: Network,
    pub asset: &'a Asset,
    pub account: Address,
    pub payer: Address,
    pub amount: Amount,
    /// Of the amount, what others get than the account.
    pub shares: Vec<Share>,
    /// The most that the network takes beside the amount.
    pub fee: Amount,
    pub lifetime: u64,
    pub risks: BTreeSet<Risk>,
}

impl Price<'_> {
    /// As it is judged: it costs what it says and at most the fee more, and cannot be taken back.
    pub(crate) fn quote(self, context: &QuoteContext<'_>) -> Result<Quote, QuoteError> {
        let Self { asset, amount, .. } = self;
        let value = |amount| {
            let value = context.registry.value(asset, amount);
            value.map_err(|error| QuoteError::Malformed(format!("the amount is {error}")))
        };
        let most =
            amount.checked_add(self.fee).ok_or_else(|| QuoteError::Malformed("the amount is too large".into()))?;
        let money = Money { asset: asset.id.clone(), amount };
        Ok(Quote {
            rail: self.rail.into(),
            version: self.version,
            scheme: self.scheme,
            op: self.op,
            payee: Payee {
                origin: context.origin.clone(),
                account: self.account.to_string(),
                claimed: context.claimed,
            },
            testnet: context.registry.chain(&self.network).is_some_and(|chain| chain.testnet),
            wallet: self.payer.to_string(),
            exposure: Money { amount: most, ..money.clone() },
            money,
            shares: self.shares,
            symbol: asset.symbol.clone(),
            decimals: asset.decimals,
            domain: asset.eip712.clone(),
            amount_value: value(amount)?,
            exposure_value: value(most)?,
            resource: context.resource.clone(),
            lifetime_seconds: self.lifetime,
            reversible: false,
            risks: self.risks,
            network: Some(self.network),
        })
    }
}

/// The members of a signed authorisation, as both protocols write them.
pub(crate) fn members(form: &Eip3009) -> String {
    format!(
        "\"from\":\"{}\",\"to\":\"{}\",\"value\":\"{}\",\"validAfter\":\"{}\",\"validBefore\":\"{}\",\"nonce\":\"{}\"",
        form.from, form.to, form.value, form.valid_after, form.valid_before, form.nonce,
    )
}

/// Our account that pays on a network.
pub(crate) fn payer(network: &Network, context: &QuoteContext<'_>) -> Result<Address, QuoteError> {
    let payer = context.wallets.payer(network).as_deref().and_then(|account| parse_address(account).ok());
    payer.ok_or_else(|| QuoteError::NoWallet(network.to_string()))
}

/// The form for a price, complete: fields from our quote and table only.
pub(crate) fn transfer(quote: &Quote, valid_after: u64, valid_before: u64, nonce: B256) -> Result<Eip3009, QuoteError> {
    let fault = || QuoteError::Malformed("the quote is not for an EIP-3009 transfer".into());
    let address = |text: &str| parse_address(text).map_err(|_| fault());
    let domain = quote.domain.as_ref().ok_or_else(fault)?;
    Ok(Eip3009 {
        chain_id: quote.network.as_ref().and_then(|network| network.chain_id()).ok_or_else(fault)?,
        token: quote.money.asset.token().ok_or_else(fault)?,
        name: domain.name.clone(),
        version: domain.version.clone(),
        from: address(&quote.wallet)?,
        to: address(&quote.payee.account)?,
        value: quote.money.amount,
        valid_after,
        valid_before,
        nonce,
    })
}
