//! What verified words mean. `code` 10000 does not mean that money moved, and a fault at the gateway is no refusal.

use countersign_core::{
    money::Amount,
    signable::alipay::{Order, Ordered},
};

use super::{Said, fen};

/// What became of a refund that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refunded {
    /// The gateway says the money moved.
    Moved {
        /// Alipay's number of the trade.
        trade_no: String,
    },
    /// Refused for this reason; a query has to agree before anything is freed.
    Refused(String),
    /// Nobody knows; a query will tell.
    Unclear(&'static str),
}

/// What a query about a refund found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundFound {
    /// Done.
    Done {
        /// Alipay's number of the trade.
        trade_no: String,
        /// Fen that went back.
        amount: Amount,
    },
    /// No refund of this number is done; one may be under way.
    NotDone,
    /// Nothing was learnt.
    Unclear,
}

/// What a query about a trade found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TradeFound {
    /// Alipay knows the trade.
    Known {
        /// Alipay's number of it.
        trade_no: String,
        /// `WAIT_BUYER_PAY`, `TRADE_SUCCESS`, `TRADE_FINISHED` or `TRADE_CLOSED`.
        status: &'static str,
        /// What it is worth, in fen.
        amount: Amount,
    },
    /// No buyer has opened its page yet, or there never was one.
    Unknown,
    /// The gateway refuses to say, for this reason.
    Refused(String),
    /// Nothing was learnt.
    Unclear,
}

/// How the gateway took a request.
enum Taken {
    Yes,
    No(String),
    Unclear,
}

/// Words of `alipay.trade.refund` and `alipay.trade.query` that we know to say that nothing happened. What is not among
/// them is no refusal; `DISCORDANT_REPEAT_REQUEST`, say, tells of a refund that was.
const REFUSALS: [&str; 16] = [
    "ACQ.BUYER_ENABLE_STATUS_FORBID",
    "ACQ.BUYER_ERROR",
    "ACQ.BUYER_NOT_EXIST",
    "ACQ.INVALID_PARAMETER",
    "ACQ.NOT_ALLOW_REFUND",
    "ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND",
    "ACQ.REASON_TRADE_BEEN_FREEZEN",
    "ACQ.REASON_TRADE_REFUND_FEE_ERR",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "ACQ.REFUND_FEE_ERROR",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH",
    "ACQ.TRADE_HAS_CLOSE",
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.TRADE_NOT_ALLOW_REFUND",
    "ACQ.TRADE_NOT_EXIST",
    "ACQ.TRADE_STATUS_ERROR",
];

fn taken(said: &Said) -> Taken {
    let word = said.text("sub_code").unwrap_or_default();
    match said.text("code").as_deref() {
        Some("10000") if word.is_empty() => Taken::Yes,
        Some("40004") if REFUSALS.contains(&word.as_str()) => Taken::No(word),
        // The gateway's own refusals, before anything is carried out.
        Some("40001" | "40002" | "40006") if word.starts_with("isv.") => Taken::No(word),
        _ => Taken::Unclear,
    }
}

/// Reads the answer to a refund.
pub fn refund(order: &Order, said: &Said) -> Refunded {
    let Ordered::Refund { out_trade_no, .. } = &order.what else { return Refunded::Unclear("not_a_refund") };
    match taken(said) {
        Taken::No(why) => Refunded::Refused(why),
        Taken::Unclear => Refunded::Unclear("gateway_fault"),
        Taken::Yes if said.text("out_trade_no").as_ref() != Some(out_trade_no) => Refunded::Unclear("other_trade"),
        Taken::Yes if said.text("fund_change").as_deref() == Some("Y") => {
            Refunded::Moved { trade_no: said.text("trade_no").unwrap_or_default() }
        }
        Taken::Yes => Refunded::Unclear("no_fund_change"),
    }
}

/// Reads the answer to a query about a refund.
pub fn refund_found(out_trade_no: &str, out_request_no: &str, said: &Said) -> RefundFound {
    match taken(said) {
        Taken::No(_) | Taken::Unclear => RefundFound::Unclear,
        Taken::Yes => {
            let other = |name: &str, ours: &str| said.text(name).is_some_and(|theirs| theirs != ours);
            if other("out_trade_no", out_trade_no) || other("out_request_no", out_request_no) {
                return RefundFound::Unclear;
            }
            let named = said.text("out_trade_no").is_some() && said.text("out_request_no").is_some();
            match said.text("refund_status").as_deref() {
                Some("REFUND_SUCCESS") if named => {
                    let Some(amount) = said.sum("refund_amount").and_then(|sum| fen(&sum).ok()) else {
                        return RefundFound::Unclear;
                    };
                    RefundFound::Done { trade_no: said.text("trade_no").unwrap_or_default(), amount }
                }
                None | Some("") => RefundFound::NotDone,
                Some(_) => RefundFound::Unclear,
            }
        }
    }
}

/// Reads the answer to a query about a trade.
pub fn trade_found(out_trade_no: &str, said: &Said) -> TradeFound {
    const STATES: [&str; 4] = ["WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"];
    match taken(said) {
        Taken::No(why) if why == "ACQ.TRADE_NOT_EXIST" => TradeFound::Unknown,
        Taken::No(why) => TradeFound::Refused(why),
        Taken::Unclear => TradeFound::Unclear,
        Taken::Yes => {
            let state = said.text("trade_status");
            let status = STATES.into_iter().find(|known| state.as_deref() == Some(known));
            let amount = said.sum("total_amount").and_then(|sum| fen(&sum).ok());
            match (status, amount, said.text("trade_no")) {
                (Some(status), Some(amount), Some(trade_no))
                    if said.text("out_trade_no").as_deref() == Some(out_trade_no) =>
                {
                    TradeFound::Known { trade_no, status, amount }
                }
                _ => TradeFound::Unclear,
            }
        }
    }
}
