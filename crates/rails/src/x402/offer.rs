//! Which offer is paid: each is judged alone against our table, then the first payable one is taken.

use countersign_core::{
    asset::Asset,
    money::Amount,
    payment::{Op, Quote},
    policy::Risk,
    rail::{QuoteContext, QuoteError, Quoted},
};
use std::collections::BTreeSet;
use url::Url;

use super::{
    Version,
    envelope::{Brought, Carrier, Required},
    terms::{Terms, resource_url},
};
use crate::{
    evm::{self, Price},
    json::Json,
    web_host,
};

/// Picks the offer to pay: real money before play money, settled afterwards before settled upfront, then the server's order.
pub(super) fn choose(required: &Required<'_>, context: &QuoteContext<'_>) -> Result<Quoted, QuoteError> {
    let judged: Vec<_> =
        required.offers.iter().map(|offer| judge(required, offer, context).map(|quote| (offer, quote))).collect();
    let rank = |quote: &Quote| (quote.testnet, quote.risks.contains(&Risk::Upfront));
    match judged.iter().flatten().min_by_key(|(_, quote)| rank(quote)) {
        Some((offer, quote)) => {
            Ok(Quoted { quote: quote.clone(), offer: keep(required, offer), seller_says: says(required, offer) })
        }
        None => Err(evm::none_payable(judged.into_iter().filter_map(Result::err).collect())),
    }
}

fn judge(required: &Required<'_>, offer: &Json<'_>, context: &QuoteContext<'_>) -> Result<Quote, QuoteError> {
    let terms = Terms::read(required.version, offer)?;
    let url = if required.version == Version::V1 { resource_url(offer, "resource")? } else { required.url };
    let asset = known(&terms, context)?;
    let account = evm::payee::check(terms.pay_to, context)?;
    if terms.lifetime > evm::MAX_LIFETIME {
        return Err(QuoteError::LifetimeTooLong(terms.lifetime));
    }
    let payer = evm::payer(&terms.network, context)?;
    let risks = risks(&terms, url, required.first_hand(), context);
    let price = Price {
        rail: "x402",
        version: required.version.number(),
        scheme: "exact".into(),
        op: Op::Pay,
        network: terms.network,
        asset,
        account,
        payer,
        amount: terms.amount,
        shares: Vec::new(),
        fee: Amount::ZERO,
        lifetime: terms.lifetime,
        risks,
    };
    price.quote(context)
}

/// The token as our table knows it, if the offer means that token: its name and version must be the table's.
fn known<'a>(terms: &Terms<'_>, context: &QuoteContext<'a>) -> Result<&'a Asset, QuoteError> {
    let (asset, domain) = evm::token(terms.asset, &terms.network, context)?;
    if terms.name != Some(&domain.name) || terms.token_version != Some(&domain.version) {
        return Err(QuoteError::AssetMismatch(format!(
            "its name and version must be {} and {}",
            domain.name, domain.version
        )));
    }
    Ok(asset)
}

fn risks(terms: &Terms<'_>, url: Option<&str>, first_hand: bool, context: &QuoteContext<'_>) -> BTreeSet<Risk> {
    [
        (Risk::Upfront, terms.upfront),
        (Risk::ShortLife, terms.lifetime < evm::SHORT_LIFETIME),
        (Risk::SellerUnverified, context.claimed),
        (Risk::OtherResource, url.is_some_and(|url| names_other_host(url, first_hand, context))),
    ]
    .into_iter()
    .filter_map(|(risk, found)| found.then_some(risk))
    .collect()
}

/// Scheme, port and path may differ. What a caller brings may also name a thing that is not on the web, such as `mcp://tool/x`.
fn names_other_host(url: &str, first_hand: bool, context: &QuoteContext<'_>) -> bool {
    let ours = context.origin.host();
    if !first_hand {
        return web_host(url).is_some_and(|host| host != ours);
    }
    let base = Url::parse(context.origin.as_str());
    base.and_then(|base| base.join(url)).ok().as_ref().and_then(Url::host_str) != Some(ours)
}

/// What [`super::credential`] needs again, each part exactly as the seller wrote it.
fn keep(required: &Required<'_>, offer: &Json<'_>) -> String {
    let part = |name: &str, part: Option<&Json<'_>>| {
        part.map(|json| format!(",\"{name}\":{}", json.raw())).unwrap_or_default()
    };
    let (resource, extensions) = (part("resource", required.resource), part("extensions", required.extensions));
    let carrier = if required.carrier == Carrier::Caller(Brought::A2a) { ",\"carrier\":\"a2a\"" } else { "" };
    format!(
        "{{\"x402Version\":{},\"accepted\":{}{resource}{extensions}{carrier}}}",
        required.version.number(),
        offer.raw()
    )
}

fn says(required: &Required<'_>, offer: &Json<'_>) -> Option<String> {
    let holder = if required.version == Version::V1 { Some(offer) } else { required.resource };
    let word = |name| holder.and_then(|h| h.get(name)).and_then(Json::text).filter(|text| !text.is_empty());
    let mut words = [word("serviceName"), word("description")].into_iter().flatten().collect::<Vec<_>>().join(": ");
    words.truncate(words.floor_char_boundary(evm::MAX_SAYS));
    (!words.is_empty()).then_some(words)
}
