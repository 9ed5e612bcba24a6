//! What a tool wants ordered, checked field by field, and the facts that are judged.

use countersign_core::{
    Millis,
    asset::{Asset, AssetId, Transfer},
    money::{Amount, Money},
    payment::{Op, Payee, Quote},
    policy::Risk,
    rail::{QuoteContext, QuoteError, Quoted},
    signable::alipay::{CNY, Order, Ordered, Screen, WINDOW},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The largest sum of the gateway, in fen: 100,000,000.00 yuan.
const MOST: &str = "10000000000";
/// Longest number of an order or a refund.
const LONGEST_NUMBER: usize = 64;
/// Longest title or reason, in characters.
const LONGEST_TEXT: usize = 256;

/// Why a field is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadField {
    /// Of an order's or a refund's number.
    #[error("a number of an order or a refund is 1 to 64 of A-Z, a-z, 0-9, '_' and '-'")]
    Number,
    /// Of a sum.
    #[error("a sum is in yuan, from 0.01 to 100000000.00, with at most two decimals")]
    Sum,
    /// Of a title or a reason.
    #[error("a title or reason is 1 to 256 characters without control characters")]
    Text,
    /// A refund of more than there is.
    #[error("a refund cannot be more than the trade")]
    TooMuch,
}

/// What is to be ordered, for which app: the price of a payment on this rail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The merchant's app.
    pub app_id: String,
    /// Whether its gateway moves play money.
    pub sandbox: bool,
    /// What is ordered.
    pub order: Ordered,
}

/// The number of an order or a refund.
pub fn number(text: &str) -> Result<String, BadField> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let ok = (1..=LONGEST_NUMBER).contains(&text.len()) && text.bytes().all(plain);
    if ok { Ok(text.to_owned()) } else { Err(BadField::Number) }
}

/// A sum in yuan as fen.
pub fn fen(text: &str) -> Result<Amount, BadField> {
    let amount = Amount::parse_human(text, 2).map_err(|_| BadField::Sum)?;
    let most = Amount::parse_atomic(MOST).map_err(|_| BadField::Sum)?;
    if amount.is_zero() || amount > most { Err(BadField::Sum) } else { Ok(amount) }
}

impl Terms {
    /// Holds every field against its rule.
    pub fn check(&self) -> Result<(), BadField> {
        let sum = |amount: Amount| fen(&amount.human(2)).map(|_| ());
        match &self.order {
            Ordered::Refund { out_trade_no, amount, out_request_no, reason, of } => {
                number(out_trade_no)?;
                number(out_request_no)?;
                sum(*amount)?;
                reason.as_deref().map_or(Ok(()), text)?;
                if amount > of { Err(BadField::TooMuch) } else { Ok(()) }
            }
            Ordered::Link { out_trade_no, amount, title, .. } => {
                number(out_trade_no)?;
                sum(*amount)?;
                text(title)
            }
        }
    }
}

fn text(text: &str) -> Result<(), BadField> {
    let ok = (1..=LONGEST_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if ok { Ok(()) } else { Err(BadField::Text) }
}

/// The order, dated now.
pub(super) fn order(offer: &str, now: Millis) -> Result<Order, QuoteError> {
    let Terms { app_id, order, .. } = read(offer)?;
    Ok(Order { app_id, at: now.seconds(), what: order })
}

fn read(offer: &str) -> Result<Terms, QuoteError> {
    let terms: Terms = serde_json::from_str(offer).map_err(|error| QuoteError::Malformed(error.to_string()))?;
    terms.check().map_err(|error| QuoteError::Malformed(error.to_string()))?;
    Ok(terms)
}

/// What is judged.
pub(super) fn quote(offer: &str, context: &QuoteContext<'_>) -> Result<Quoted, QuoteError> {
    let terms = read(offer)?;
    let order = order(offer, context.now)?;
    let (op, scheme) = match &order.what {
        Ordered::Refund { .. } => (Op::Refund, "refund"),
        Ordered::Link { screen: Screen::Web, .. } => (Op::ReceiveLink, "page.pay"),
        Ordered::Link { screen: Screen::Mobile, .. } => (Op::ReceiveLink, "wap.pay"),
    };
    let price = Price {
        scheme,
        op,
        account: order.account(),
        wallet: format!("alipay:{}", order.app_id),
        amount: order.amount(),
        play: terms.sandbox,
        lifetime: WINDOW,
        risks: BTreeSet::new(),
    };
    let quote = price.quote(context)?;
    // Title and reason are the agent's words, and are shown as such.
    Ok(Quoted { quote, offer: offer.to_owned(), seller_says: None })
}

/// A price in yuan that was read and held against its rules.
pub(super) struct Price {
    pub scheme: &'static str,
    pub op: Op,
    /// Who gets it.
    pub account: String,
    /// Whose order it is.
    pub wallet: String,
    /// Fen.
    pub amount: Amount,
    /// Whether it is play money.
    pub play: bool,
    pub lifetime: u64,
    pub risks: BTreeSet<Risk>,
}

impl Price {
    /// As it is judged: on no chain, and not to be taken back.
    pub(super) fn quote(self, context: &QuoteContext<'_>) -> Result<Quote, QuoteError> {
        let asset = yuan()?;
        let money = Money { asset: asset.id.clone(), amount: self.amount };
        let value = context.registry.value(&asset, self.amount);
        let value = value.map_err(|error| QuoteError::Malformed(error.to_string()))?;
        Ok(Quote {
            rail: "alipay".to_owned(),
            version: 1,
            scheme: self.scheme.to_owned(),
            op: self.op,
            payee: Payee { origin: context.origin.clone(), account: self.account, claimed: context.claimed },
            network: None,
            testnet: self.play,
            wallet: self.wallet,
            money: money.clone(),
            shares: Vec::new(),
            exposure: money,
            symbol: asset.symbol,
            decimals: asset.decimals,
            domain: None,
            amount_value: value,
            exposure_value: value,
            resource: context.resource.clone(),
            lifetime_seconds: self.lifetime,
            reversible: false,
            risks: self.risks,
        })
    }
}

fn yuan() -> Result<Asset, QuoteError> {
    let id: AssetId = CNY.parse().map_err(|_| QuoteError::UnknownAsset(CNY.to_owned()))?;
    let (symbol, peg) = ("CNY".to_owned(), Some("CNY".to_owned()));
    Ok(Asset { id, symbol, decimals: 2, peg, eip712: None, transfer: Transfer::Eip3009 })
}
