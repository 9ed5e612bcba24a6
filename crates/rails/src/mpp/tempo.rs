//! Intent `charge` by method `tempo`: its terms, and the transaction that pays them. Signed for the server to send (mode `pull`); one
//! that was sent already (`push`) is never made here.

use alloy_primitives::{Address, B256};
use countersign_core::{
    Millis,
    asset::{Network, Transfer, parse_address},
    money::Amount,
    payment::{Op, Quote, Share},
    policy::Risk,
    rail::{QuoteContext, QuoteError},
    signable::{
        Signable,
        tempo::{Charge, Fee, Proof, Split, WINDOW},
    },
};

use super::{
    challenge::{Challenge, missing, word},
    charge::{Demand, MAX_WORD, amount, details, lifetime},
    malformed,
};
use crate::{
    evm::{self, Price},
    json::Json,
};

/// Most accounts beside the recipient.
const MAX_SPLITS: usize = 10;
/// Seconds that must be left where the server pays the fee: it signs after us, and takes no less.
const LEAST_SPONSORED: u64 = 15;

/// What a request demands.
struct Terms {
    demand: Demand,
    splits: Vec<Part>,
    sponsored: bool,
}

/// One of the splits.
struct Part {
    /// None if the text is no address.
    recipient: Option<Address>,
    amount: Amount,
    memo: Option<B256>,
}

impl Terms {
    /// A memo for the recipient is ignored: it is always the challenge's own.
    fn read(request: &Json<'_>) -> Result<Self, QuoteError> {
        let details = details(request)?;
        let (demand, splits) = (Demand::read(request)?, splits(details)?);
        if demand.amount.is_zero() && !splits.is_empty() {
            return Err(malformed("nothing is to be shared"));
        }
        if !demand.amount.is_zero() {
            takes_signed(details)?;
        }
        Ok(Self { demand, splits, sponsored: flag(details, "feePayer")? })
    }

    /// What the recipient gets: what the splits leave.
    fn rest(&self) -> Result<Amount, QuoteError> {
        if self.demand.amount.is_zero() {
            return Ok(Amount::ZERO);
        }
        let rest = self.splits.iter().try_fold(self.demand.amount, |rest, part| rest.checked_sub(part.amount));
        rest.filter(|rest| !rest.is_zero()).ok_or_else(|| malformed("the splits leave nothing for the recipient"))
    }

    /// Whether these are the parts and the fee that were judged.
    fn are_priced_in(&self, quote: &Quote) -> bool {
        let parts = self.splits.iter().map(|part| (part.recipient.map(|to| to.to_string()), part.amount));
        quote.fee() == self.fee().most()
            && parts.eq(quote.shares.iter().map(|share| (Some(share.account.clone()), share.amount)))
    }

    fn fee(&self) -> Fee {
        Fee::for_splits(self.splits.len(), self.sponsored || self.demand.amount.is_zero())
    }
}

/// Whether the server takes a transaction that it sends itself.
fn takes_signed(details: &Json<'_>) -> Result<(), QuoteError> {
    let Some(modes) = details.given("supportedModes") else { return Ok(()) };
    let modes = modes.list().ok_or_else(|| malformed("supportedModes is not a list"))?;
    if modes.iter().any(|mode| mode.text() == Some("pull")) {
        return Ok(());
    }
    Err(QuoteError::Unsupported(
        "tempo/charge without the mode pull: it wants a transaction that was sent already".into(),
    ))
}

fn splits(details: &Json<'_>) -> Result<Vec<Part>, QuoteError> {
    let Some(list) = details.given("splits") else { return Ok(Vec::new()) };
    let list = list.list().ok_or_else(|| malformed("splits is not a list"))?;
    if list.len() > MAX_SPLITS {
        return Err(malformed("there are more than 10 splits"));
    }
    list.iter().map(part).collect()
}

fn part(split: &Json<'_>) -> Result<Part, QuoteError> {
    if !split.is_object() {
        return Err(malformed("a split is not an object"));
    }
    let recipient = word(split, "recipient", MAX_WORD)?.ok_or_else(|| missing("a split's recipient"))?;
    let amount = amount(split)?;
    if amount.is_zero() {
        return Err(malformed("a split of nothing"));
    }
    let memo = word(split, "memo", MAX_WORD)?.map(|memo| {
        let hex = memo.strip_prefix("0x").filter(|hex| hex.len() == 64);
        hex.and_then(|hex| hex.parse().ok()).ok_or_else(|| malformed("a split's memo is not 32 bytes"))
    });
    Ok(Part { recipient: parse_address(recipient).ok(), amount, memo: memo.transpose()? })
}

fn flag(holder: &Json<'_>, name: &str) -> Result<bool, QuoteError> {
    let Some(value) = holder.given(name) else { return Ok(false) };
    value.boolean().ok_or_else(|| malformed(format!("{name} is neither true nor false")))
}

/// The price of a challenge, by our table.
pub(super) fn price<'a>(
    challenge: &Challenge<'_>,
    request: &Json<'_>,
    context: &QuoteContext<'a>,
) -> Result<Price<'a>, QuoteError> {
    let terms = Terms::read(request)?;
    let left = in_time(challenge, &terms, context.now)?;
    let proof = terms.demand.amount.is_zero();
    if proof && (challenge.realm != context.origin.host() || context.claimed) {
        return Err(malformed("it wants a proof of who pays for another host than the one Countersign asks itself"));
    }
    let asset = evm::moving(terms.demand.token, &terms.demand.network, Transfer::Tip20, context)?;
    let account = evm::payee::check(terms.demand.recipient, context)?;
    terms.rest()?;
    let shares = terms.splits.iter().map(|part| {
        let account = evm::payee::check(part.recipient, context)?.to_string();
        Ok(Share { account, amount: part.amount })
    });
    let shares = shares.collect::<Result<Vec<_>, QuoteError>>()?;
    let payer = evm::payer(&terms.demand.network, context)?;
    let fee = terms.fee().most();
    Ok(Price {
        rail: "mpp",
        version: 1,
        scheme: format!("{}/{}", challenge.method, challenge.intent),
        op: if proof { Op::Sign } else { Op::Pay },
        network: terms.demand.network,
        asset,
        account,
        payer,
        amount: terms.demand.amount,
        risks: (!shares.is_empty()).then_some(Risk::Shared).into_iter().collect(),
        shares,
        fee,
        lifetime: if proof { left } else { left.min(WINDOW) },
    })
}

/// Seconds until a challenge ends, if that is time enough.
fn in_time(challenge: &Challenge<'_>, terms: &Terms, now: Millis) -> Result<u64, QuoteError> {
    let left = lifetime(challenge, now)?;
    if terms.sponsored && left < LEAST_SPONSORED { Err(QuoteError::Expired) } else { Ok(left) }
}

/// Completes the transaction, or for a charge of nothing the proof.
pub(super) fn complete(quote: &Quote, offer: &str, now: Millis) -> Result<Signable, QuoteError> {
    let kept = Json::parse(offer).map_err(|e| malformed(format!("the kept challenge cannot be read: {e}")))?;
    let challenge = Challenge::read(&kept)?;
    let terms = read_terms(&challenge)?;
    let left = in_time(&challenge, &terms, now)?;
    let fault = || malformed("the quote is not for a Tempo charge");
    let address = |text: &str| parse_address(text).map_err(|_| fault());
    let chain_id = quote.network.as_ref().and_then(Network::chain_id).ok_or_else(fault)?;
    let (realm, id) = (challenge.realm.to_owned(), challenge.id.to_owned());
    // No later than the challenge, and a transaction within seconds.
    let end = |most: u64| now.seconds().saturating_add(left.min(most)).min(quote.valid_before(now));
    if quote.op == Op::Sign {
        let account = address(&quote.wallet)?;
        let proof = Proof { chain_id, account, realm, challenge: id, valid_before: end(left) };
        agree_proof(&challenge, &proof)?;
        return Ok(Signable::Proof(proof));
    }
    if !terms.are_priced_in(quote) {
        return Err(malformed("the kept challenge is not the one that was priced"));
    }
    let splits = terms
        .splits
        .iter()
        .map(|part| Ok(Split { to: part.recipient.ok_or_else(fault)?, value: part.amount, memo: part.memo }));
    let charge = Charge {
        chain_id,
        token: quote.money.asset.token().ok_or_else(fault)?,
        from: address(&quote.wallet)?,
        to: address(&quote.payee.account)?,
        value: quote.payee_gets().ok_or_else(fault)?,
        splits: splits.collect::<Result<_, QuoteError>>()?,
        realm,
        challenge: id,
        fee: terms.fee(),
        valid_before: end(WINDOW),
    };
    agree(&challenge, &charge)?;
    Ok(Signable::Tempo(charge))
}

/// Compares a proof with the challenge it is sent with.
pub(super) fn agree_proof(challenge: &Challenge<'_>, proof: &Proof) -> Result<(), QuoteError> {
    let terms = read_terms(challenge)?;
    let same = challenge.method == "tempo"
        && terms.demand.amount.is_zero()
        && terms.demand.chain_id == proof.chain_id
        && (challenge.realm, challenge.id) == (proof.realm.as_str(), proof.challenge.as_str())
        && challenge.expires.is_some_and(|expires| proof.valid_before <= expires.seconds());
    if same { Ok(()) } else { Err(malformed("the kept challenge is not the one that was signed")) }
}

/// Compares a transaction with the challenge it is sent with.
pub(super) fn agree(challenge: &Challenge<'_>, charge: &Charge) -> Result<(), QuoteError> {
    let terms = read_terms(challenge)?;
    let splits = charge.splits.iter().map(|split| (Some(split.to), split.value, split.memo));
    let same = challenge.method == "tempo"
        && !terms.demand.amount.is_zero()
        && terms.demand.is_for(charge.chain_id, charge.token, charge.to)
        && terms.rest()? == charge.value
        && splits.eq(terms.splits.iter().map(|part| (part.recipient, part.amount, part.memo)))
        && terms.fee() == charge.fee
        && (challenge.realm, challenge.id) == (charge.realm.as_str(), charge.challenge.as_str())
        && challenge.expires.is_some_and(|expires| charge.valid_before <= expires.seconds());
    if same { Ok(()) } else { Err(malformed("the kept challenge is not the one that was signed")) }
}

fn read_terms(challenge: &Challenge<'_>) -> Result<Terms, QuoteError> {
    let request = Json::parse(&challenge.request).map_err(|e| malformed(format!("the request cannot be read: {e}")))?;
    Terms::read(&request)
}
