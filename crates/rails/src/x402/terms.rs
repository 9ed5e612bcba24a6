//! One offer's terms, read strictly from its JSON. Form only; whether we pay them is [`super::offer`]'s question.

use alloy_primitives::Address;
use countersign_core::{
    asset::{Network, parse_address},
    money::Amount,
    rail::QuoteError,
};

use super::{Version, malformed, v1};
use crate::{evm, json::Json};

/// Longest protocol word, such as an address or a token's name, in bytes.
const MAX_WORD: usize = 128;

/// Longest resource URL, in bytes.
const MAX_URL: usize = 8192;

/// What an offer demands.
pub(super) struct Terms<'a> {
    pub(super) network: Network,
    pub(super) chain_id: u64,
    pub(super) amount: Amount,
    /// The token; none if the text is no address.
    pub(super) asset: Option<Address>,
    /// Who is paid; none if the text is no address.
    pub(super) pay_to: Option<Address>,
    /// Seconds.
    pub(super) lifetime: u64,
    pub(super) upfront: bool,
    pub(super) name: Option<&'a str>,
    pub(super) token_version: Option<&'a str>,
}

impl<'a> Terms<'a> {
    /// Reads an offer of scheme `exact` on an EVM chain with the transfer method and flows we pay.
    ///
    /// Scheme and network come first: another ledger's offer has another form and is unsupported, not malformed.
    pub(super) fn read(version: Version, offer: &'a Json<'a>) -> Result<Self, QuoteError> {
        if !offer.is_object() {
            return Err(malformed("an offer is not an object"));
        }
        if word(offer, "scheme")? != "exact" {
            return Err(QuoteError::Unsupported("its scheme is not exact".into()));
        }
        let network = network(version, word(offer, "network")?)?;
        let chain_id = network.chain_id().ok_or_else(|| QuoteError::Unsupported("it is not on an EVM chain".into()))?;
        let amount = match version {
            Version::V1 => word(offer, "maxAmountRequired")?,
            Version::V2 => word(offer, "amount")?,
        };
        let amount = Amount::parse_atomic(amount).map_err(|e| malformed(format!("the amount is {e}")))?;
        if amount.is_zero() {
            return Err(malformed("the amount is zero"));
        }
        let lifetime = lifetime(offer)?;
        let asset = parse_address(word(offer, "asset")?).ok();
        let pay_to = parse_address(word(offer, "payTo")?).ok();
        if offer.given("extra").is_some_and(|extra| !extra.is_object()) {
            return Err(malformed("extra is not an object"));
        }
        let method = extra(offer, "assetTransferMethod")?;
        let flow = extra(offer, "paymentFlow")?;
        let (name, token_version) = (extra(offer, "name")?, extra(offer, "version")?);
        if method.is_some_and(|method| method != "eip3009") {
            return Err(QuoteError::Unsupported("its assetTransferMethod is not eip3009".into()));
        }
        let upfront = match flow {
            None | Some("authorization") => false,
            Some("upfront") => true,
            Some(_) => {
                return Err(QuoteError::Unsupported("its paymentFlow is neither authorization nor upfront".into()));
            }
        };
        Ok(Self { network, chain_id, amount, asset, pay_to, lifetime, upfront, name, token_version })
    }
}

/// The resource URL, checked as the protocol field it is.
pub(super) fn resource_url<'a>(holder: &'a Json<'a>, name: &str) -> Result<Option<&'a str>, QuoteError> {
    holder.given(name).map(|value| evm::plain(value, name, MAX_URL)).transpose()
}

fn network(version: Version, name: &str) -> Result<Network, QuoteError> {
    let fault = || malformed("the network is not one the protocol can name");
    match version {
        Version::V2 => name.parse().map_err(|_| fault()),
        Version::V1 if !v1::is_name(name) => Err(fault()),
        Version::V1 => v1::chain_id(name)
            .map(Network::eip155)
            .ok_or_else(|| QuoteError::Unsupported("it is on a network without a known chain id".into())),
    }
}

fn lifetime(offer: &Json<'_>) -> Result<u64, QuoteError> {
    let number = offer
        .get("maxTimeoutSeconds")
        .and_then(Json::number)
        .ok_or_else(|| malformed("maxTimeoutSeconds is not a number"))?;
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed("maxTimeoutSeconds is not a whole number of seconds"));
    }
    match number.parse().unwrap_or(u64::MAX) {
        0..10 => Err(malformed("maxTimeoutSeconds is below 10")),
        seconds => Ok(seconds),
    }
}

fn word<'a>(offer: &'a Json<'a>, name: &str) -> Result<&'a str, QuoteError> {
    evm::plain(offer.get(name).ok_or_else(|| malformed(format!("{name} is missing")))?, name, MAX_WORD)
}

fn extra<'a>(offer: &'a Json<'a>, name: &str) -> Result<Option<&'a str>, QuoteError> {
    let value = offer.get("extra").and_then(|extra| extra.given(name));
    value.map(|value| evm::plain(value, &format!("extra.{name}"), MAX_WORD)).transpose()
}
