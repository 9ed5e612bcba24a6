//! Intent `charge` by method `stripe`: its terms, and the shared payment token that pays them. Stripe issues it, for the price, to the
//! seller and until the challenge ends, or five minutes at most.

mod answer;
mod currency;

use countersign_core::{
    Millis,
    money::{Amount, Money},
    payment::{Op, Payee, Quote},
    policy::Risk,
    rail::{QuoteContext, QuoteError},
    signable::spt::{self, Spt},
};
use std::collections::BTreeSet;

use super::{
    challenge::{Challenge, missing, word},
    charge::{MAX_WORD, amount, details, lifetime},
    malformed,
};
use crate::json::{Json, quote};
pub use answer::{Issued, Standing, issued, may_ask, standing};

/// Longest number of the seller's own for a purchase, in bytes.
const MAX_EXTERNAL: usize = 256;
/// Most bytes of a credential beside its challenge.
pub(super) const TOKEN: usize = 1000;

/// What a request demands.
struct Terms<'a> {
    amount: Amount,
    /// As Stripe writes it, in lower case.
    currency: &'a str,
    /// The seller's profile at Stripe.
    seller: &'a str,
    /// The seller's number of the purchase, which comes back to it.
    external: Option<&'a str>,
}

impl<'a> Terms<'a> {
    fn read(request: &'a Json<'a>) -> Result<Self, QuoteError> {
        let details = details(request)?;
        let seller = word(details, "networkId", MAX_WORD)?.ok_or_else(|| missing("methodDetails.networkId"))?;
        if !seller.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return Err(QuoteError::BadPayee("it names no profile at Stripe".into()));
        }
        if word(request, "recipient", MAX_WORD)?.is_some_and(|recipient| recipient != seller) {
            return Err(QuoteError::BadPayee("it names two sellers".into()));
        }
        takes_cards(details)?;
        reserves_nothing(details)?;
        Ok(Self {
            amount: amount(request)?,
            currency: word(request, "currency", MAX_WORD)?.ok_or_else(|| missing("currency"))?,
            seller,
            external: word(request, "externalId", MAX_EXTERNAL)?,
        })
    }
}

fn takes_cards(details: &Json<'_>) -> Result<(), QuoteError> {
    let types = details.get("paymentMethodTypes").and_then(Json::list);
    let types = types.ok_or_else(|| malformed("methodDetails.paymentMethodTypes is not a list"))?;
    if types.iter().any(|kind| kind.text() == Some("card")) {
        return Ok(());
    }
    Err(QuoteError::Unsupported("stripe/charge without cards".into()))
}

/// Metadata is the seller's own; one name in it would pass for the number of the purchase.
fn reserves_nothing(details: &Json<'_>) -> Result<(), QuoteError> {
    let Some(metadata) = details.given("metadata") else { return Ok(()) };
    let mut names = metadata.names().ok_or_else(|| malformed("methodDetails.metadata is not an object"))?;
    if names.any(|name| name == "externalId") {
        return Err(malformed("methodDetails.metadata uses a reserved name"));
    }
    Ok(())
}

/// The price of a challenge that ends in so many seconds. It always asks: the seller charges before it delivers.
pub(super) fn price(
    challenge: &Challenge<'_>,
    request: &Json<'_>,
    lifetime: u64,
    context: &QuoteContext<'_>,
) -> Result<Quote, QuoteError> {
    let terms = Terms::read(request)?;
    if context.claimed {
        return Err(QuoteError::Unsupported("stripe/charge is paid only for a page that is fetched here".into()));
    }
    let asset = currency::asset(terms.currency, terms.amount)?;
    let card = context.wallets.card().ok_or(QuoteError::NoCard)?;
    let value = context.registry.value(&asset, terms.amount);
    let value = value.map_err(|error| malformed(format!("the amount is {error}")))?;
    let money = Money { asset: asset.id, amount: terms.amount };
    Ok(Quote {
        rail: "mpp".into(),
        version: 1,
        scheme: format!("{}/{}", challenge.method, challenge.intent),
        op: Op::Pay,
        payee: Payee { origin: context.origin.clone(), account: terms.seller.to_owned(), claimed: false },
        network: None,
        testnet: !card.live,
        wallet: spt::account(&card.payment_method),
        money: money.clone(),
        shares: Vec::new(),
        exposure: money,
        symbol: asset.symbol,
        decimals: asset.decimals,
        domain: None,
        amount_value: value,
        exposure_value: value,
        resource: context.resource.clone(),
        lifetime_seconds: lifetime,
        // By the person's bank, afterwards.
        reversible: true,
        risks: BTreeSet::from([Risk::Upfront]),
    })
}

/// Completes the form: no more than the price, no longer than the challenge.
pub(super) fn complete(quote: &Quote, offer: &str, now: Millis) -> Result<Spt, QuoteError> {
    let kept = Json::parse(offer).map_err(|e| malformed(format!("the kept challenge cannot be read: {e}")))?;
    let challenge = Challenge::read(&kept)?;
    let end = now.seconds().saturating_add(lifetime(&challenge, now)?);
    let payment_method = quote.wallet.strip_prefix("stripe:");
    let code = quote.money.asset.as_str().strip_prefix("iso4217:");
    let (Some(payment_method), Some(code)) = (payment_method, code) else {
        return Err(malformed("the quote is not for a charge by Stripe"));
    };
    let form = Spt {
        payment_method: payment_method.to_owned(),
        live: !quote.testnet,
        seller: quote.payee.account.clone(),
        currency: code.to_ascii_lowercase(),
        amount: quote.money.amount,
        realm: challenge.realm.to_owned(),
        challenge: challenge.id.to_owned(),
        valid_before: end.min(quote.valid_before(now)),
    };
    with_terms(&challenge, |terms| agree(&challenge, &terms, &form))?;
    Ok(form)
}

/// What is sent: the token that Stripe issued for this form, and the seller's own number of the purchase.
pub(super) fn payload(challenge: &Challenge<'_>, form: &Spt, token: &[u8]) -> Result<String, QuoteError> {
    let token = std::str::from_utf8(token).ok().filter(|token| is_token(token));
    let token = token.ok_or_else(|| malformed("what Stripe issued is no token"))?;
    with_terms(challenge, |terms| {
        agree(challenge, &terms, form)?;
        let external = terms.external.map(|number| format!(",\"externalId\":{}", quote(number))).unwrap_or_default();
        Ok(format!("{{\"spt\":\"{token}\"{external}}}"))
    })
}

/// Whether a text is a token as Stripe writes one.
fn is_token(text: &str) -> bool {
    let plain = |rest: &str| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.len() <= 255 && text.strip_prefix("spt_").is_some_and(|rest| !rest.is_empty() && plain(rest))
}

/// Compares a form with the challenge its token is sent with.
fn agree(challenge: &Challenge<'_>, terms: &Terms<'_>, form: &Spt) -> Result<(), QuoteError> {
    let same = challenge.method == "stripe"
        && (terms.seller, terms.currency, terms.amount) == (form.seller.as_str(), form.currency.as_str(), form.amount)
        && (challenge.realm, challenge.id) == (form.realm.as_str(), form.challenge.as_str())
        && challenge.expires.is_some_and(|expires| form.valid_before <= expires.seconds());
    if same { Ok(()) } else { Err(malformed("the kept challenge is not the one that was written down")) }
}

fn with_terms<T>(
    challenge: &Challenge<'_>,
    work: impl FnOnce(Terms<'_>) -> Result<T, QuoteError>,
) -> Result<T, QuoteError> {
    let request = Json::parse(&challenge.request).map_err(|e| malformed(format!("the request cannot be read: {e}")))?;
    work(Terms::read(&request)?)
}
