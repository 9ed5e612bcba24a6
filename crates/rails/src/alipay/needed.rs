//! The payer's side: a 402 with `Payment-Needed`, which Alipay's own program pays. Read strictly; nothing in it is trusted.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_core::{
    Millis, Rfc3339,
    money::Amount,
    payment::{Digest, Op},
    policy::Risk,
    rail::{QuoteContext, QuoteError, Quoted},
    signable::handed::{ALIPAY_BOT, Handed},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::{
    PublicKey,
    terms::{Price, fen, number},
};
use crate::{json::Json, web_host};

/// The header that asks, and that the program is given.
pub const HEADER: &str = "payment-needed";
/// Longest header read, in bytes.
const MOST: usize = 16 * 1024;
/// Longest single text in it, in characters.
const LONGEST: usize = 256;
/// Seconds within which a purchase is handed over.
const WINDOW: u64 = 300;
/// The names that a seller signs, sorted.
const SIGNED: [&str; 8] =
    ["amount", "currency", "goods_name", "out_trade_no", "pay_before", "resource_id", "seller_id", "service_id"];

/// Sellers whose public key the person knows, by their number at Alipay.
pub type Sellers = BTreeMap<String, PublicKey>;

/// The kept offer: the header's value as it came.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) needed: String,
}

/// What a seller wants, its form checked.
#[derive(Debug)]
struct Needed {
    all: BTreeMap<&'static str, String>,
    sign: String,
    seller_name: Option<String>,
    pay_before: Millis,
}

impl Kept {
    /// The one header of an answer; `None` if there is none.
    pub(super) fn of(headers: &[(String, String)]) -> Option<Result<Self, QuoteError>> {
        let mut all = headers.iter().filter(|(name, _)| name == HEADER).map(|(_, value)| value);
        let needed = all.next()?.clone();
        Some(if all.next().is_some() { Err(malformed("it says twice what is needed")) } else { Ok(Self { needed }) })
    }

    pub(super) fn read(offer: &str) -> Result<Self, QuoteError> {
        serde_json::from_str(offer).map_err(|error| malformed(&error.to_string()))
    }

    fn open(&self) -> Result<Needed, QuoteError> {
        if self.needed.len() > MOST {
            return Err(malformed("it is longer than 16 KB"));
        }
        let bytes =
            URL_SAFE_NO_PAD.decode(&self.needed).map_err(|_| malformed("it is not base64url without padding"))?;
        let text = String::from_utf8(bytes).map_err(|_| malformed("it is not text"))?;
        Needed::read(&Json::parse(&text).map_err(|error| malformed(&error.to_string()))?)
    }

    /// What is handed over, from now on.
    pub(super) fn handed(&self, now: Millis) -> Result<Handed, QuoteError> {
        let needed = self.open()?;
        let left = needed.left(now)?;
        Ok(Handed {
            program: ALIPAY_BOT.to_owned(),
            seller: needed.get("seller_id").to_owned(),
            number: needed.get("out_trade_no").to_owned(),
            amount: needed.amount()?,
            valid_after: now.seconds(),
            valid_before: now.seconds().saturating_add(left),
            price: self.digest(),
        })
    }

    /// The price as the seller wrote it, if it is the one that was written down as handed over.
    pub(super) fn agreed(self, handed: &Handed) -> Result<String, QuoteError> {
        if self.digest() == handed.price {
            return Ok(self.needed);
        }
        Err(malformed("the kept price is not the one that was written down"))
    }

    fn digest(&self) -> Digest {
        Digest::of(&[self.needed.as_bytes()])
    }

    /// What is judged.
    pub(super) fn quote(self, sellers: &Sellers, context: &QuoteContext<'_>) -> Result<Quoted, QuoteError> {
        let needed = self.open()?;
        let left = needed.left(context.now)?;
        let unpinned = match sellers.get(needed.get("seller_id")) {
            Some(key) if needed.is_signed_by(key) => false,
            Some(_) => return Err(malformed("its signature is not by the key that is kept for this seller")),
            None => true,
        };
        // A genuine price can be passed on by somebody else: it vouches only for the host it names.
        let named = web_host(needed.get("resource_id"));
        let elsewhere = named.as_deref().is_some_and(|host| host != context.origin.host());
        let unpinned = unpinned || named.is_none() || elsewhere;
        let risks: BTreeSet<Risk> = [
            // Alipay moves the money before the seller answers.
            (Risk::Upfront, true),
            (Risk::SellerUnverified, unpinned || context.claimed),
            (Risk::OtherResource, elsewhere),
        ]
        .into_iter()
        .filter_map(|(risk, found)| found.then_some(risk))
        .collect();
        let price = Price {
            scheme: "a2m",
            op: Op::Pay,
            account: needed.get("seller_id").to_owned(),
            wallet: ALIPAY_BOT.to_owned(),
            amount: needed.amount()?,
            // What a seller calls a test, the program would pay all the same.
            play: false,
            lifetime: left,
            risks,
        };
        let quote = price.quote(context)?;
        let offer = serde_json::to_string(&self).map_err(|error| malformed(&error.to_string()))?;
        Ok(Quoted { quote, offer, seller_says: Some(needed.says()) })
    }
}

impl Needed {
    fn read(json: &Json<'_>) -> Result<Self, QuoteError> {
        let part = |name| json.get(name).filter(|part| part.is_object()).ok_or_else(|| missing(name));
        let (protocol, method) = (part("protocol")?, part("method")?);
        let required = |part: &Json<'_>, name: &'static str| word(part, name)?.ok_or_else(|| missing(name));
        let mut all = BTreeMap::new();
        for name in SIGNED {
            let part = if matches!(name, "goods_name" | "seller_id" | "service_id") { method } else { protocol };
            all.insert(name, required(part, name)?);
        }
        let unsupported = |what: &str| Err(QuoteError::Unsupported(what.to_owned()));
        if all["currency"] != "CNY" {
            return unsupported("an Alipay purchase in another currency than CNY");
        }
        if required(protocol, "seller_sign_type")? != "RSA2" {
            return unsupported("an Alipay purchase that is not signed by RSA2");
        }
        number(&all["out_trade_no"]).map_err(|error| malformed(&error.to_string()))?;
        let id = &all["seller_id"];
        if id.len() != 16 || !id.starts_with("2088") || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(QuoteError::BadPayee(format!("{id} is no seller's number at Alipay")));
        }
        if word(method, "seller_unique_id_key")?.is_some_and(|key| key != "seller_id")
            || word(protocol, "seller_unique_id")?.is_some_and(|unique| unique != *id)
        {
            return Err(QuoteError::BadPayee("it names two sellers".to_owned()));
        }
        let moment = all["pay_before"].parse().map(|Rfc3339(moment)| moment);
        let pay_before = moment.map_err(|_| malformed("pay_before is no moment with an offset"))?;
        Ok(Self {
            sign: required(protocol, "seller_signature")?,
            seller_name: word(method, "seller_name")?,
            pay_before,
            all,
        })
    }

    fn get(&self, name: &str) -> &str {
        self.all.get(name).map_or("", String::as_str)
    }

    fn amount(&self) -> Result<Amount, QuoteError> {
        fen(self.get("amount")).map_err(|error| malformed(&error.to_string()))
    }

    /// Seconds that are left to hand it over.
    fn left(&self, now: Millis) -> Result<u64, QuoteError> {
        match self.pay_before.seconds().saturating_sub(now.seconds()) {
            0 => Err(QuoteError::Expired),
            left => Ok(left.min(WINDOW)),
        }
    }

    fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signed: Vec<String> = SIGNED.iter().map(|name| format!("{name}={}", self.get(name))).collect();
        key.verifies(signed.join("&").as_bytes(), &self.sign)
    }

    /// The goods and the seller, in the seller's words.
    fn says(&self) -> String {
        let goods = self.get("goods_name");
        self.seller_name.as_ref().map_or_else(|| goods.to_owned(), |name| format!("{goods} – {name}"))
    }
}

/// A member that is a text of moderate length.
fn word(part: &Json<'_>, name: &'static str) -> Result<Option<String>, QuoteError> {
    let Some(value) = part.given(name) else { return Ok(None) };
    let text = value.text().ok_or_else(|| malformed(&format!("{name} is no text")))?;
    // A signature of 4096 bits has 684 characters.
    let most = if name == "seller_signature" { 1024 } else { LONGEST };
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(malformed(&format!("{name} is empty, too long or has control characters")));
    }
    Ok(Some(text.to_owned()))
}

fn missing(name: &str) -> QuoteError {
    malformed(&format!("{name} is missing"))
}

fn malformed(what: &str) -> QuoteError {
    QuoteError::Malformed(format!("Payment-Needed: {what}"))
}
