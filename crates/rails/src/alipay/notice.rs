//! A notice of Alipay to the merchant's own server: parameters of a form, and whether they say that a trade was paid.
//!
//! Countersign has no public address and asks instead; this is for a server of the merchant's that was told something.

use countersign_core::money::Amount;

use super::{PublicKey, fen};

/// Why a notice says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNotice {
    /// No signature, or one of other parameters or another key; a parameter that came twice.
    #[error("the notice is not signed by Alipay's key in the profile")]
    Unverified,
    /// A parameter we do not know, or a value in which one could begin: the signed text does not say where one ends.
    #[error("the notice can be read in more than one way")]
    Ambiguous,
    /// Of another app, trade or sum.
    #[error("the notice is about another app, trade or sum")]
    Other,
}

/// The parameters of a notice about a trade that we know of. A notice with another one is refused until it stands here.
const NAMES: [&str; 35] = [
    "app_id",
    "auth_app_id",
    "body",
    "buyer_id",
    "buyer_logon_id",
    "buyer_open_id",
    "buyer_pay_amount",
    "charset",
    "fund_bill_list",
    "gmt_close",
    "gmt_create",
    "gmt_payment",
    "gmt_refund",
    "invoice_amount",
    "notify_id",
    "notify_time",
    "notify_type",
    "out_biz_no",
    "out_trade_no",
    "passback_params",
    "point_amount",
    "receipt_amount",
    "refund_fee",
    "seller_email",
    "seller_id",
    "send_back_fee",
    "sign",
    "sign_type",
    "subject",
    "total_amount",
    "trade_no",
    "trade_status",
    "version",
    "vocher_detail_list",
    "voucher_detail_list",
];

/// What a verified notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The trade was paid.
    Paid,
    /// Anything else: still open, closed, or about a refund.
    NotPaid,
}

/// What a notice is held against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The merchant's app.
    pub app_id: &'a str,
    /// The merchant's number of the trade.
    pub out_trade_no: &'a str,
    /// Fen.
    pub amount: Amount,
    /// The merchant's account, where it is known.
    pub seller_id: Option<&'a str>,
}

impl Notice {
    /// Checks parameters, decoded and in any order. They are signed without `sign_type` by some of Alipay's senders and with it by
    /// others; no other form is accepted.
    pub fn read(key: &PublicKey, parameters: &[(String, String)], expected: Expected<'_>) -> Result<Self, BadNotice> {
        let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let mut names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).any(|pair| matches!(pair, [one, other] if one == other));
        let sign = get("sign").filter(|_| !twice && get("sign_type") == Some("RSA2")).ok_or(BadNotice::Unverified)?;
        let signed = |without: &[&str]| {
            let kept = parameters.iter().filter(|(name, _)| !without.contains(&name.as_str()));
            raw(kept.map(|(name, value)| (name.as_str(), value.as_str())).collect())
        };
        let holds = |without: &[&str]| key.verifies(signed(without).as_bytes(), sign);
        if !holds(&["sign", "sign_type"]) && !holds(&["sign"]) {
            return Err(BadNotice::Unverified);
        }
        if parameters.iter().any(|(name, value)| !is_known(name) || could_hold_another(value)) {
            return Err(BadNotice::Ambiguous);
        }
        let sum = get("total_amount").and_then(|sum| fen(sum).ok());
        let seller = expected.seller_id.is_none_or(|ours| get("seller_id") == Some(ours));
        if get("app_id") != Some(expected.app_id)
            || get("out_trade_no") != Some(expected.out_trade_no)
            || sum != Some(expected.amount)
            || !seller
        {
            return Err(BadNotice::Other);
        }
        let about_a_refund = ["out_biz_no", "gmt_refund", "refund_fee"].iter().any(|name| get(name).is_some());
        let paid = matches!(get("trade_status"), Some("TRADE_SUCCESS" | "TRADE_FINISHED"));
        Ok(if paid && !about_a_refund { Self::Paid } else { Self::NotPaid })
    }
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether joined with others this value could be read as one that ends earlier and another parameter.
fn could_hold_another(value: &str) -> bool {
    value.split('&').skip(1).filter_map(|part| part.split_once('=')).any(|(name, _)| is_known(name))
}

/// Sorted and joined with what is empty kept, unlike in a request.
fn raw(mut pairs: Vec<(&str, &str)>) -> String {
    pairs.sort_unstable();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<String>>().join("&")
}
