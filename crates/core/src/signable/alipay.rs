//! The forms of Alipay's gateway: requests whose exact text is signed with the merchant's key.
//!
//! The text is made of these fields alone. What moves money or asks for it is an [`Order`] and is signed for a reservation only;
//! what merely asks is a [`Question`], which cannot be written as an order.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Millis, money::Amount, payment::Digest};

/// The currency of every sum here, as an asset.
pub const CNY: &str = "iso4217:CNY";
/// Seconds for which a signed request is sent again: its timestamp is checked at the gateway.
pub const WINDOW: u64 = 300;

/// A request that moves money out, or makes a page on which it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The merchant's app at Alipay.
    pub app_id: String,
    /// Unix seconds; the request's `timestamp`.
    pub at: u64,
    /// What is ordered.
    pub what: Ordered,
}

/// What an order does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ordered {
    /// `alipay.trade.refund`: money back to a buyer.
    Refund {
        /// The merchant's number of the trade.
        out_trade_no: String,
        /// Fen.
        amount: Amount,
        /// The merchant's number of this refund: the same number is the same refund for ever.
        out_request_no: String,
        /// Shown to the buyer.
        reason: Option<String>,
        /// What the whole trade brought, in fen, as Alipay said: all refunds together are never more.
        of: Amount,
    },
    /// `alipay.trade.page.pay` or `alipay.trade.wap.pay`: a page on which a buyer pays the merchant.
    Link {
        /// For which screen.
        screen: Screen,
        /// The merchant's number of the trade.
        out_trade_no: String,
        /// Fen.
        amount: Amount,
        /// What the buyer reads.
        title: String,
        /// Where the buyer is sent afterwards.
        return_url: Option<String>,
        /// Where Alipay tells the merchant's own server.
        notify_url: Option<String>,
    },
}

/// Where a buyer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// A browser on a computer.
    Web,
    /// A browser on a telephone.
    Mobile,
}

/// A request that only asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The merchant's app at Alipay.
    pub app_id: String,
    /// Unix seconds; the request's `timestamp`.
    pub at: u64,
    /// What is asked.
    pub about: About,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// `alipay.trade.query`
    Trade {
        /// The merchant's number of the trade.
        out_trade_no: String,
    },
    /// `alipay.trade.fastpay.refund.query`
    Refund {
        /// The merchant's number of the trade.
        out_trade_no: String,
        /// The merchant's number of the refund.
        out_request_no: String,
    },
}

impl Order {
    /// The gateway's name for what is ordered.
    pub const fn method(&self) -> &'static str {
        match &self.what {
            Ordered::Refund { .. } => "alipay.trade.refund",
            Ordered::Link { screen: Screen::Web, .. } => "alipay.trade.page.pay",
            Ordered::Link { screen: Screen::Mobile, .. } => "alipay.trade.wap.pay",
        }
    }

    /// Fen.
    pub const fn amount(&self) -> Amount {
        match &self.what {
            Ordered::Refund { amount, .. } | Ordered::Link { amount, .. } => *amount,
        }
    }

    /// Who gets the money, as a quote names it: the buyer of one trade, or the merchant's own app.
    pub fn account(&self) -> String {
        match &self.what {
            Ordered::Refund { out_trade_no, .. } => format!("buyer of {out_trade_no}"),
            Ordered::Link { .. } => self.app_id.clone(),
        }
    }

    /// What may be ordered once: a refund's number, a page for a trade on whatever screen.
    pub fn number(&self) -> B256 {
        let parts: [&[u8]; 4] = match &self.what {
            Ordered::Refund { out_trade_no, out_request_no, .. } => {
                [b"refund", self.app_id.as_bytes(), out_trade_no.as_bytes(), out_request_no.as_bytes()]
            }
            Ordered::Link { out_trade_no, .. } => [b"link", self.app_id.as_bytes(), out_trade_no.as_bytes(), b""],
        };
        B256::from(Digest::of(&parts).0)
    }

    /// Every parameter but the signature, sorted.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let (content, urls) = match &self.what {
            Ordered::Refund { out_trade_no, amount, out_request_no, reason, of: _ } => (
                object([
                    ("out_trade_no", Some(out_trade_no.clone())),
                    ("refund_amount", Some(yuan(*amount))),
                    ("out_request_no", Some(out_request_no.clone())),
                    ("refund_reason", reason.clone()),
                ]),
                (&None, &None),
            ),
            Ordered::Link { screen, out_trade_no, amount, title, return_url, notify_url } => {
                let product = match screen {
                    Screen::Web => "FAST_INSTANT_TRADE_PAY",
                    Screen::Mobile => "QUICK_WAP_WAY",
                };
                let content = object([
                    ("out_trade_no", Some(out_trade_no.clone())),
                    ("total_amount", Some(yuan(*amount))),
                    ("subject", Some(title.clone())),
                    ("product_code", Some(product.to_owned())),
                ]);
                (content, (return_url, notify_url))
            }
        };
        parameters(&self.app_id, self.method(), self.at, content, urls)
    }

    /// What is signed, byte for byte.
    pub fn text(&self) -> String {
        text(&self.parameters())
    }
}

impl Question {
    /// The gateway's name for what is asked.
    pub const fn method(&self) -> &'static str {
        match &self.about {
            About::Trade { .. } => "alipay.trade.query",
            About::Refund { .. } => "alipay.trade.fastpay.refund.query",
        }
    }

    /// Every parameter but the signature, sorted.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let content = match &self.about {
            About::Trade { out_trade_no } => object([("out_trade_no", Some(out_trade_no.clone()))]),
            About::Refund { out_trade_no, out_request_no } => {
                object([("out_trade_no", Some(out_trade_no.clone())), ("out_request_no", Some(out_request_no.clone()))])
            }
        };
        parameters(&self.app_id, self.method(), self.at, content, (&None, &None))
    }

    /// What is signed, byte for byte.
    pub fn text(&self) -> String {
        text(&self.parameters())
    }
}

/// A sum as the gateway writes it: yuan with two decimals.
pub fn yuan(fen: Amount) -> String {
    let digits = format!("{:0>3}", fen.to_string());
    let (whole, part) = digits.split_at(digits.len().saturating_sub(2));
    format!("{whole}.{part}")
}

/// Parameters sorted by name, byte for byte, and joined raw. An empty one is left out, as the gateway does.
pub fn text(parameters: &[(&str, String)]) -> String {
    let mut sorted: Vec<_> = parameters.iter().filter(|(_, value)| !value.is_empty()).collect();
    sorted.sort_by_key(|(name, _)| *name);
    let parts: Vec<String> = sorted.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join("&")
}

fn parameters(
    app_id: &str,
    method: &str,
    at: u64,
    content: String,
    (return_url, notify_url): (&Option<String>, &Option<String>),
) -> Vec<(&'static str, String)> {
    let mut all = vec![("app_id", app_id.to_owned()), ("biz_content", content), ("charset", "utf-8".to_owned())];
    all.push(("method", method.to_owned()));
    all.extend(notify_url.iter().map(|url| ("notify_url", url.clone())));
    all.extend(return_url.iter().map(|url| ("return_url", url.clone())));
    all.push(("sign_type", "RSA2".to_owned()));
    all.push(("timestamp", beijing(at)));
    all.push(("version", "1.0".to_owned()));
    all
}

fn object<const N: usize>(members: [(&str, Option<String>); N]) -> String {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))));
    Value::Object(given.collect::<Map<String, Value>>()).to_string()
}

/// `yyyy-MM-dd HH:mm:ss` at UTC+8, wherever we are. Moments no calendar has are written as the epoch, which the gateway refuses.
fn beijing(at: u64) -> String {
    let shifted = i64::try_from(at).unwrap_or(0).saturating_add(8 * 3600).saturating_mul(1000);
    let text = Millis(shifted).rfc3339();
    text.get(..19).map_or_else(|| "1970-01-01 08:00:00".to_owned(), |moment| moment.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `alipay-sdk` 4.14.0 signs for the same fields.
    #[test]
    fn the_text_is_the_official_sdks() {
        let question = Question {
            app_id: "2021000000000001".into(),
            at: 1_795_199_615,
            about: About::Trade { out_trade_no: "A1".into() },
        };
        assert_eq!(
            question.text(),
            "app_id=2021000000000001&biz_content={\"out_trade_no\":\"A1\"}&charset=utf-8&method=alipay.trade.query\
             &sign_type=RSA2&timestamp=2026-11-21 02:33:35&version=1.0"
        );
    }

    #[test]
    fn sums_have_two_decimals_and_are_never_rounded() {
        for (fen, text) in
            [("0", "0.00"), ("1", "0.01"), ("10", "0.10"), ("100", "1.00"), ("10000000000", "100000000.00")]
        {
            assert_eq!(yuan(Amount::parse_atomic(fen).unwrap()), text);
        }
    }

    fn refund(out_request_no: &str, reason: Option<&str>) -> Order {
        let amount = Amount::parse_atomic("3000").unwrap();
        let (out_request_no, reason) = (out_request_no.to_owned(), reason.map(str::to_owned));
        let what = Ordered::Refund { out_trade_no: "A1".into(), amount, out_request_no, reason, of: amount };
        Order { app_id: "2021000000000001".into(), at: 0, what }
    }

    #[test]
    fn values_stand_raw_in_the_text_and_nothing_empty_does() {
        let text = refund("R&1=%", Some("退货 \"a\"")).text();
        let content =
            r#"{"out_trade_no":"A1","refund_amount":"30.00","out_request_no":"R&1=%","refund_reason":"退货 \"a\""}"#;
        assert!(text.contains(&format!("&biz_content={content}&charset")), "{text}");
        assert!(!refund("R1", None).text().contains("refund_reason"));
        assert!(!text.contains("_url") && !super::text(&[("a", String::new()), ("b", "1".into())]).contains("a="));
    }

    #[test]
    fn a_number_names_one_refund_of_one_trade_of_one_app_whatever_else_differs() {
        let one = refund("R1", None);
        assert_eq!(one.number(), Order { at: 9, ..refund("R1", Some("why")) }.number());
        assert_ne!(one.number(), refund("R2", None).number());
        assert_ne!(one.number(), Order { app_id: "2021000000000002".into(), ..one.clone() }.number());
    }

    #[test]
    fn a_trade_has_one_page_for_whatever_screen() {
        let page = |screen, number: &str| {
            let (out_trade_no, amount, title) = (number.to_owned(), Amount::parse_atomic("3000").unwrap(), "x".into());
            let what = Ordered::Link { screen, out_trade_no, amount, title, return_url: None, notify_url: None };
            Order { app_id: "2021000000000001".into(), at: 0, what }.number()
        };
        assert_eq!(page(Screen::Web, "A1"), page(Screen::Mobile, "A1"));
        assert_ne!(page(Screen::Web, "A1"), page(Screen::Web, "A2"));
    }
}
