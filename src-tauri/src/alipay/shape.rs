//! What the tools take and answer, with the official server's names.

use countersign_core::{money::Amount, signable::alipay::yuan};
use countersign_desk::problem::{Code, Problem};
use countersign_rails::alipay::{RefundFound, TradeFound, fen, number};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::Tool;

/// A page on which a buyer pays you.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AlipayPaymentRequest", description = "A page on which a buyer pays you.")]
pub struct PaymentBody {
    /// Your number of the order: 1 to 64 letters, digits, '_' and '-'.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub out_trade_no: String,
    /// Yuan, from 0.01, with at most two decimals.
    pub total_amount: Sum,
    /// What the buyer reads; 256 characters at most.
    #[schemars(length(min = 1, max = 256))]
    pub order_title: String,
}

/// Money back to a buyer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AlipayRefundRequest", description = "Money back to a buyer.")]
pub struct RefundBody {
    /// Your number of the order that was paid.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub out_trade_no: String,
    /// Yuan, from 0.01, with at most two decimals; no more than the order brought.
    pub refund_amount: Sum,
    /// Your number of this one refund. The same number is the same refund for ever: repeat it to retry, never take another.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub out_request_no: String,
    /// Shown to the buyer and to the person who decides; 256 characters at most.
    #[schemars(length(min = 1, max = 256))]
    pub refund_reason: Option<String>,
}

/// Which order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AlipayPaymentQuery", description = "Which order.")]
pub struct TradeQuery {
    /// Your number of the order.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub out_trade_no: String,
}

/// Which refund.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AlipayRefundQuery", description = "Which refund.")]
pub struct RefundQuery {
    /// Your number of the refund.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub out_request_no: String,
    /// Your number of the order.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub out_trade_no: String,
}

/// How an order stands at Alipay.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AlipayPayment", description = "How an order stands at Alipay.")]
pub struct Trade {
    /// WAIT_BUYER_PAY, TRADE_SUCCESS, TRADE_FINISHED or TRADE_CLOSED; TRADE_NOT_EXIST while no buyer has opened its page, and for a
    /// number nobody used.
    pub trade_status: &'static str,
    /// Yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_amount: Option<String>,
    /// Alipay's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<String>,
}

/// How a refund stands at Alipay.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AlipayRefund", description = "How a refund stands at Alipay.")]
pub struct Refund {
    /// REFUND_SUCCESS once it is done; absent while it is not, which is no refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_status: Option<&'static str>,
    /// Yuan that went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_amount: Option<String>,
    /// Alipay's number of the trade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<String>,
}

/// A sum as it was written: never a float.
#[derive(Debug, Clone)]
pub struct Sum(String);

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(d)?;
        let text = raw.get();
        Ok(Self(serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())))
    }
}

impl JsonSchema for Sum {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sum".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({"type": "string", "pattern": "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,2})?$"});
        json_schema!({"anyOf": [{"type": "number", "minimum": 0.01, "maximum": 100_000_000}, text]})
    }
}

impl Sum {
    /// Fen.
    pub fn fen(&self) -> Result<Amount, Problem> {
        fen(&self.0).map_err(bad)
    }
}

/// Reads a tool's arguments.
pub fn read<T: DeserializeOwned>(arguments: &str) -> Result<T, Problem> {
    serde_json::from_str(arguments)
        .map_err(|error| Problem::new(Code::BadRequest, format!("the arguments are not as expected: {error}")))
}

/// A field that breaks its rule.
pub fn bad(error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::BadRequest, error.to_string())
}

impl TradeQuery {
    /// With a number that is one.
    pub fn checked(self) -> Result<Self, Problem> {
        number(&self.out_trade_no).map_err(bad)?;
        Ok(self)
    }
}

impl RefundQuery {
    /// With numbers that are some.
    pub fn checked(self) -> Result<Self, Problem> {
        number(&self.out_trade_no).and_then(|_| number(&self.out_request_no)).map_err(bad)?;
        Ok(self)
    }
}

impl Trade {
    /// What was found.
    pub fn of(found: TradeFound) -> Result<Self, Problem> {
        match found {
            TradeFound::Known { trade_no, status, amount } => {
                Ok(Self { trade_status: status, total_amount: Some(yuan(amount)), trade_no: Some(trade_no) })
            }
            TradeFound::Unknown => Ok(Self { trade_status: "TRADE_NOT_EXIST", total_amount: None, trade_no: None }),
            TradeFound::Refused(why) => Err(refused(&why)),
            TradeFound::Unclear => Err(unclear()),
        }
    }
}

impl Refund {
    /// What was found.
    pub fn of(found: RefundFound) -> Result<Self, Problem> {
        match found {
            RefundFound::Done { trade_no, amount } => Ok(Self {
                refund_status: Some("REFUND_SUCCESS"),
                refund_amount: Some(yuan(amount)),
                trade_no: Some(trade_no),
            }),
            RefundFound::NotDone => Ok(Self { refund_status: None, refund_amount: None, trade_no: None }),
            RefundFound::Unclear => Err(unclear()),
        }
    }
}

/// The gateway will not answer this.
pub fn refused(why: &str) -> Problem {
    Problem::new(Code::UnsupportedOffer, format!("Alipay refuses: {}", countersign_core::text::clean(why)))
        .saying("Nothing was learnt. Ask the person to run `countersign alipay check`.")
}

/// The gateway has a fault.
pub fn unclear() -> Problem {
    unlearnt("Alipay's gateway could not say".to_owned())
}

/// A question without an answer: what was asked about may have happened all the same.
pub fn unlearnt(why: String) -> Problem {
    Problem::new(Code::SellerUnreachable, why).saying("Nothing was learnt; ask again later.")
}

/// A problem of an order, where another number would be another order: then what is there is looked at.
pub fn of_order(tool: Tool, problem: Problem) -> Problem {
    match (problem.code, tool) {
        (Code::OfferUsed | Code::IdempotencyConflict, Tool::Refund) => {
            problem.saying("This number is taken by a refund; look with query-alipay-refund.")
        }
        (Code::OfferUsed | Code::IdempotencyConflict, _) => {
            problem.saying("This number is taken by a page; look with query-alipay-payment.")
        }
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_about_an_order_says_that_nothing_was_paid_or_to_take_another_number() {
        let taken = [Code::OfferUsed, Code::IdempotencyConflict].map(|code| Problem::new(code, "taken"));
        for problem in taken.map(|problem| of_order(Tool::Refund, problem)).into_iter().chain([unclear(), refused("x")])
        {
            let next = problem.next;
            assert!(!["Nothing was paid", "new key", "seller"].iter().any(|word| next.contains(word)), "{next}");
        }
        assert_eq!(of_order(Tool::Refund, Problem::new(Code::Paused, "p")).next, Code::Paused.next());
    }
}
