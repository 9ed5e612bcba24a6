//! Intent `charge` by method `evm`: its terms, and the EIP-3009 form that pays them.

use alloy_primitives::{Address, B256, U256, keccak256};
use countersign_core::{
    Millis,
    asset::{Network, parse_address},
    money::Amount,
    payment::{Op, Quote},
    rail::{QuoteContext, QuoteError},
    signable::Eip3009,
};
use std::collections::BTreeSet;

use super::{
    challenge::{Challenge, missing, word},
    malformed,
};
use crate::{
    evm::{self, Price},
    json::Json,
};

/// Seconds a challenge must still hold when it is priced and when it is signed: below that no server settles in time.
const LEAST: u64 = 5;
/// Longest amount, or word for an account or a token, in bytes.
pub(super) const MAX_WORD: usize = 128;

/// What a request demands by whatever method on an EVM chain.
pub(super) struct Demand {
    pub network: Network,
    pub chain_id: u64,
    pub amount: Amount,
    /// The token; none if the text is no address.
    pub token: Option<Address>,
    /// Who is paid; none if the text is no address.
    pub recipient: Option<Address>,
}

impl Demand {
    pub fn read(request: &Json<'_>) -> Result<Self, QuoteError> {
        let chain_id = number(details(request)?, "chainId")?.ok_or_else(|| missing("methodDetails.chainId"))?;
        let currency = word(request, "currency", MAX_WORD)?.ok_or_else(|| missing("currency"))?;
        let recipient = word(request, "recipient", MAX_WORD)?.ok_or_else(|| missing("recipient"))?;
        Ok(Self {
            network: Network::eip155(chain_id),
            chain_id,
            amount: amount(request)?,
            token: parse_address(currency).ok(),
            recipient: parse_address(recipient).ok(),
        })
    }

    /// Whether a form moves this token to this account on this chain.
    pub fn is_for(&self, chain_id: u64, token: Address, to: Address) -> bool {
        (self.chain_id, self.token, self.recipient) == (chain_id, Some(token), Some(to))
    }
}

/// A request's part for its method.
pub(super) fn details<'a>(request: &'a Json<'a>) -> Result<&'a Json<'a>, QuoteError> {
    let details = request.get("methodDetails").filter(|details| details.is_object());
    details.ok_or_else(|| malformed("methodDetails is not an object"))
}

/// An amount in atomic units.
pub(super) fn amount(holder: &Json<'_>) -> Result<Amount, QuoteError> {
    let amount = word(holder, "amount", MAX_WORD)?.ok_or_else(|| missing("amount"))?;
    let amount = Amount::parse_atomic(amount).map_err(|e| malformed(format!("an amount is {e}")))?;
    if amount.units() > U256::from(u128::MAX) {
        return Err(malformed("an amount is more than there is"));
    }
    Ok(amount)
}

/// What a request by method `evm` demands.
struct Terms {
    demand: Demand,
    /// What the server says of the token's decimals.
    decimals: Option<u64>,
}

impl Terms {
    fn read(request: &Json<'_>) -> Result<Self, QuoteError> {
        let details = details(request)?;
        authorisation(details)?;
        let demand = Demand::read(request)?;
        if demand.amount.is_zero() {
            return Err(malformed("the amount is zero"));
        }
        Ok(Self { demand, decimals: number(details, "decimals")? })
    }
}

/// Refuses what is not one EIP-3009 authorisation to one account.
fn authorisation(details: &Json<'_>) -> Result<(), QuoteError> {
    let types = details
        .given("credentialTypes")
        .map(|types| types.list().ok_or_else(|| malformed("credentialTypes is not a list")));
    let types = types.transpose()?.unwrap_or_default();
    if !types.iter().any(|kind| kind.text() == Some("authorization")) {
        return Err(QuoteError::Unsupported("it does not take the credential type authorization".into()));
    }
    match details.given("splits").map(Json::list) {
        None | Some(Some([])) => Ok(()),
        Some(Some(_)) => Err(QuoteError::Unsupported("it splits the amount among several accounts".into())),
        Some(None) => Err(malformed("splits is not a list")),
    }
}

/// A whole number of a request.
pub(super) fn number(holder: &Json<'_>, name: &str) -> Result<Option<u64>, QuoteError> {
    let Some(value) = holder.given(name) else { return Ok(None) };
    let digits = value.number().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let number =
        digits.and_then(|text| text.parse().ok()).ok_or_else(|| malformed(format!("{name} is not a whole number")))?;
    Ok(Some(number))
}

/// The price of a challenge that ends in so many seconds, by our table.
pub(super) fn price<'a>(
    challenge: &Challenge<'_>,
    request: &Json<'_>,
    lifetime: u64,
    context: &QuoteContext<'a>,
) -> Result<Price<'a>, QuoteError> {
    let Terms { demand, decimals } = Terms::read(request)?;
    let (asset, _) = evm::token(demand.token, &demand.network, context)?;
    if decimals.is_some_and(|decimals| decimals != u64::from(asset.decimals)) {
        return Err(QuoteError::AssetMismatch(format!("it has {} decimals", asset.decimals)));
    }
    let account = evm::payee::check(demand.recipient, context)?;
    let payer = evm::payer(&demand.network, context)?;
    Ok(Price {
        rail: "mpp",
        version: 1,
        scheme: format!("{}/{}", challenge.method, challenge.intent),
        op: Op::Pay,
        network: demand.network,
        asset,
        account,
        payer,
        amount: demand.amount,
        shares: Vec::new(),
        fee: Amount::ZERO,
        lifetime,
        risks: BTreeSet::new(),
    })
}

/// Seconds until a challenge ends.
pub(super) fn lifetime(challenge: &Challenge<'_>, now: Millis) -> Result<u64, QuoteError> {
    let expires = challenge.expires.ok_or_else(|| malformed("it does not say when it expires"))?;
    match expires.seconds().saturating_sub(now.seconds()) {
        0..LEAST => Err(QuoteError::Expired),
        seconds => Ok(seconds),
    }
}

/// Completes the form: the nonce is the challenge's, the window ends with the challenge or after 300 s, whichever is sooner.
pub(super) fn complete(quote: &Quote, offer: &str, now: Millis) -> Result<Eip3009, QuoteError> {
    let kept = Json::parse(offer).map_err(|e| malformed(format!("the kept challenge cannot be read: {e}")))?;
    let challenge = Challenge::read(&kept)?;
    let end = now.seconds().saturating_add(lifetime(&challenge, now)?);
    let form = evm::transfer(quote, 0, end.min(quote.valid_before(now)), nonce(&challenge))?;
    agree(&challenge, &form)?;
    Ok(form)
}

/// The number that ties an authorisation to its challenge: one challenge can be paid once.
fn nonce(challenge: &Challenge<'_>) -> B256 {
    keccak256(format!("{}{}", challenge.id, challenge.realm))
}

/// Compares a form with the challenge it is sent with.
pub(super) fn agree(challenge: &Challenge<'_>, form: &Eip3009) -> Result<(), QuoteError> {
    let request = Json::parse(&challenge.request).map_err(|e| malformed(format!("the request cannot be read: {e}")))?;
    let Terms { demand, .. } = Terms::read(&request)?;
    let same = challenge.method == "evm"
        && demand.is_for(form.chain_id, form.token, form.to)
        && demand.amount == form.value
        && nonce(challenge) == form.nonce
        && challenge.expires.is_some_and(|expires| form.valid_before <= expires.seconds());
    if same { Ok(()) } else { Err(malformed("the kept challenge is not the one that was signed")) }
}
