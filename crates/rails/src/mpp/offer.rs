//! Which challenge is paid: each is judged alone against our settings and our table, then the first payable one is taken.

use countersign_core::{
    policy::Risk,
    rail::{QuoteContext, QuoteError, Quoted},
};
use std::collections::BTreeSet;

use super::{
    carrier::Opened,
    challenge::{Challenge, Kept},
    charge, credential, malformed, stripe, tempo,
    ways::Ways,
};
use crate::{evm, json::Json, web_host};

/// Picks the challenge to pay: real money before play money, then the server's order.
pub(super) fn choose(opened: &Opened, on: &Ways, context: &QuoteContext<'_>) -> Result<Quoted, QuoteError> {
    let mut payable: Vec<Quoted> = Vec::new();
    let mut refused = Vec::new();
    for kept in &opened.challenges {
        match kept.as_ref().map_err(Clone::clone).and_then(|kept| judge(kept, opened.first_hand, on, context)) {
            Ok(quoted) => payable.push(quoted),
            Err(error) => refused.push(error),
        }
    }
    payable.into_iter().min_by_key(|quoted| quoted.quote.testnet).ok_or_else(|| evm::none_payable(refused))
}

fn judge(kept: &Kept, first_hand: bool, on: &Ways, context: &QuoteContext<'_>) -> Result<Quoted, QuoteError> {
    let unreadable = |error| malformed(format!("a challenge cannot be read: {error}"));
    let json = Json::parse(&kept.0).map_err(unreadable)?;
    let challenge = Challenge::read(&json)?;
    let request = Json::parse(&challenge.request).map_err(unreadable)?;
    if !request.is_object() {
        return Err(malformed("request is not an object"));
    }
    if let Some(why) = on.refuse(challenge.method, challenge.intent) {
        return Err(QuoteError::Unsupported(why));
    }
    let lifetime = charge::lifetime(&challenge, context.now)?;
    if lifetime > evm::MAX_LIFETIME {
        return Err(QuoteError::LifetimeTooLong(lifetime));
    }
    let (mut quote, payload) = match challenge.method {
        "tempo" => {
            let price = tempo::price(&challenge, &request, context)?;
            let payload = credential::of_transaction(price.shares.len());
            (price.quote(context)?, payload)
        }
        "stripe" => (stripe::price(&challenge, &request, lifetime, context)?, stripe::TOKEN),
        _ => (charge::price(&challenge, &request, lifetime, context)?.quote(context)?, credential::AUTHORISATION),
    };
    if !credential::fits(&kept.0, challenge.native, payload) {
        return Err(QuoteError::Unsupported("its credential would be longer than servers take".into()));
    }
    quote.risks.extend(risks(&challenge, lifetime, first_hand, context));
    Ok(Quoted { quote, offer: kept.0.clone(), seller_says: says(&challenge, &request) })
}

fn risks(challenge: &Challenge<'_>, lifetime: u64, first_hand: bool, context: &QuoteContext<'_>) -> BTreeSet<Risk> {
    [
        (Risk::ShortLife, lifetime < evm::SHORT_LIFETIME),
        (Risk::SellerUnverified, context.claimed),
        (Risk::OtherResource, is_for_another(challenge.realm, first_hand, context)),
    ]
    .into_iter()
    .filter_map(|(risk, found)| found.then_some(risk))
    .collect()
}

/// A realm is chosen by the server, and for a page it has to name the page's host; port and path may differ. Where there is no
/// page, as for a tool that is called through a caller, a realm that is no host's name says nothing.
fn is_for_another(realm: &str, first_hand: bool, context: &QuoteContext<'_>) -> bool {
    let is_url = realm.contains("://");
    let named = if is_url { web_host(realm) } else { web_host(&format!("https://{realm}")) };
    if !realm.contains('@') && named.as_deref() == Some(context.origin.host()) {
        return false;
    }
    // A single word is a name somebody thought of, though it could be a host's.
    let is_host = |host: String| is_url || (host.contains(['.', '[']) && realm.contains(['.', '[']));
    first_hand || named.is_some_and(is_host)
}

fn says(challenge: &Challenge<'_>, request: &Json<'_>) -> Option<String> {
    let words = challenge.description.or_else(|| request.get("description").and_then(Json::text))?;
    let words = words.get(..words.floor_char_boundary(evm::MAX_SAYS)).unwrap_or_default();
    (!words.is_empty()).then(|| words.to_owned())
}
