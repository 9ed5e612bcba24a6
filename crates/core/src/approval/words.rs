//! What is different to say about payments that are not plain ones: money back, and pages on which money comes in.

use crate::payment::{Op, Quote};

/// What the button does.
pub(super) fn act(quote: &Quote, amount: &str) -> String {
    match quote.op {
        Op::Refund => format!("Pay back {amount}"),
        Op::ReceiveLink => format!("Make a page for {amount}"),
        _ => format!("Pay {amount}"),
    }
}

/// Why an account that nobody approved before is a reason to ask.
pub(super) const fn first(op: Op) -> &'static str {
    match op {
        Op::Refund => "first payment back to this buyer",
        Op::ReceiveLink => "first page for this merchant",
        _ => "first payment to this seller",
    }
}

/// The same as a warning.
pub(super) const fn first_warning(op: Op) -> &'static str {
    match op {
        Op::Refund => "First payment back to this buyer",
        Op::ReceiveLink => "First page for this merchant",
        _ => "First payment to this seller",
    }
}

/// What is signed, and its single-use number. On a chain that is one form; elsewhere it is the protocol's own request.
pub(super) fn form(quote: &Quote) -> (String, String) {
    match &quote.network {
        Some(_) => {
            ("EIP-3009 TransferWithAuthorization".to_owned(), "32 random bytes, chosen after your yes".to_owned())
        }
        None => (
            format!("{} {}, SHA256withRSA over the request", quote.rail, quote.scheme),
            "the agent's own number, used once".to_owned(),
        ),
    }
}
