//! What is different to say about payments that are not plain ones: money back, and pages on which money comes in.

use super::Said;
use crate::payment::{Op, Quote};

/// What the button does.
pub(super) fn act(op: Op, amount: String) -> Said {
    match op {
        Op::Refund => Said::ActRefund { amount },
        Op::ReceiveLink => Said::ActPage { amount },
        _ => Said::ActPay { amount },
    }
}

/// Why an account that nobody approved before is a reason to ask.
pub(super) const fn first(op: Op) -> Said {
    match op {
        Op::Refund => Said::WhyFirstBuyer {},
        Op::ReceiveLink => Said::WhyFirstPage {},
        _ => Said::WhyFirstPayee {},
    }
}

/// The same as a warning.
pub(super) const fn first_warning(op: Op) -> Said {
    match op {
        Op::Refund => Said::WarnFirstBuyer {},
        Op::ReceiveLink => Said::WarnFirstPage {},
        _ => Said::WarnFirstPayee {},
    }
}

/// Why something that may have happened already is a reason to ask.
pub(super) const fn again(op: Op) -> Said {
    match op {
        Op::Refund => Said::WhyRefundOpen {},
        _ => Said::WhyDuplicate {},
    }
}

/// The same as a warning.
pub(super) const fn again_warning(op: Op) -> Said {
    match op {
        Op::Refund => Said::WarnRefundOpen {},
        _ => Said::WarnDuplicate {},
    }
}

/// What is signed: on a chain one form; elsewhere the protocol's own request.
pub(super) fn form(quote: &Quote) -> String {
    match &quote.network {
        Some(_) => "EIP-3009 TransferWithAuthorization".to_owned(),
        None => format!("{} {} · SHA256withRSA", quote.rail, quote.scheme),
    }
}
