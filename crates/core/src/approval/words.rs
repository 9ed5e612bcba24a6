//! What is different to say about payments that are not plain ones: money back, pages on which money comes in, prices that several
//! accounts share, fees of a network, and proofs that pay nothing.

use super::Said;
use crate::{
    payment::{Op, Quote},
    signable::handed::ALIPAY_BOT,
};

/// The scheme that is paid by a Tempo transaction.
pub(super) const TEMPO: &str = "tempo/charge";
/// The scheme that is paid by a token of Stripe's.
const STRIPE: &str = "stripe/charge";

/// Whether it is paid in a way that nobody has tried against a live service yet.
pub(super) fn untried(quote: &Quote) -> bool {
    !quote.testnet && (quote.scheme == TEMPO || quote.scheme == STRIPE || quote.wallet == ALIPAY_BOT)
}

/// What the button does.
pub(super) fn act(op: Op, amount: String) -> Said {
    match op {
        Op::Refund => Said::ActRefund { amount },
        Op::ReceiveLink => Said::ActPage { amount },
        Op::Sign => Said::ActProve {},
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
        Some(_) if quote.op == Op::Sign => "EIP-712 MPP Proof".to_owned(),
        Some(_) if quote.scheme == TEMPO => "Tempo 0x76 transferWithMemo".to_owned(),
        Some(_) => "EIP-3009 TransferWithAuthorization".to_owned(),
        None if quote.wallet == ALIPAY_BOT => "alipay-bot 402-buyer-pay · Payment-Needed".to_owned(),
        None if quote.scheme == STRIPE => "Stripe shared payment token".to_owned(),
        None => format!("{} {} · SHA256withRSA", quote.rail, quote.scheme),
    }
}

/// Where the money moves, where that is no chain.
pub(super) fn place(quote: &Quote) -> String {
    if quote.scheme == STRIPE { "Stripe".to_owned() } else { quote.rail.clone() }
}

/// The network's name, who pays its fee, and whether the money can be taken back.
pub(super) fn terms(quote: &Quote, network: String) -> Said {
    if quote.scheme == STRIPE {
        Said::TermsDispute { network }
    } else if quote.reversible {
        Said::TermsRefund { network }
    } else if quote.fee().is_zero() {
        Said::TermsFinal { network }
    } else {
        Said::TermsFee { network, fee: quote.text_of(quote.fee()) }
    }
}

/// The most that the network takes, in atomic units and as a person writes it.
pub(super) fn fee(quote: &Quote) -> String {
    format!("{} ({})", quote.fee(), quote.text_of(quote.fee()))
}

/// Every account that gets a part and what it gets, the payee first; nothing where nobody else gets any.
pub(super) fn shares(quote: &Quote) -> Vec<String> {
    if quote.shares.is_empty() {
        return Vec::new();
    }
    let payee = quote.payee_gets().map(|rest| (&quote.payee.account, rest));
    let others = quote.shares.iter().map(|share| (&share.account, share.amount));
    payee.into_iter().chain(others).map(|(account, amount)| format!("{account}: {}", quote.text_of(amount))).collect()
}

/// Who gets what of a price that several accounts share.
pub(super) fn shared(quote: &Quote) -> Said {
    let others = quote.shares.iter().map(|share| format!("{} → {}", quote.text_of(share.amount), share.account));
    let payee = quote.payee_gets().map_or_else(|| "0".to_owned(), |rest| quote.text_of(rest));
    Said::WarnShared { payee, others: others.collect::<Vec<_>>().join(", ") }
}
