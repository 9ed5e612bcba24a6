//! What the desk tells the tray, the notifications and the pages. Telling is never deciding: nothing here changes a payment.

use countersign_core::{approval::Question, payment::PaymentId};

/// Something a person may want to see.
#[derive(Debug, Clone)]
pub enum Event {
    /// A question was put.
    Asked(Box<Question>),
    /// A question ended: `yes`, `no`, `expired` or `cancelled`.
    Answered {
        /// Which payment.
        payment: PaymentId,
        /// How.
        answer: &'static str,
    },
    /// A payment went through without a question.
    Silent {
        /// Which payment.
        payment: PaymentId,
        /// Who asked.
        agent: String,
        /// `0.03 USD`, or the asset amount where there is no value.
        amount: String,
        /// In millionths of the reference currency, for sums; none without a value.
        micros: Option<u128>,
    },
    /// A payment moved on.
    Moved {
        /// Which payment.
        payment: PaymentId,
        /// The API's word for its state.
        state: &'static str,
    },
    /// A payment failed for want of something that only the person can bring.
    Lacking {
        /// Who asked.
        agent: String,
        /// What is wanted.
        lack: Lack,
    },
    /// Paused or resumed.
    Paused(bool),
    /// The ledger stopped or recovered: the word of `healthz`.
    Health(&'static str),
}

/// What a payment wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// The wallets, or the key store, are locked.
    Key,
    /// The wallet of this address holds too little.
    Money(String),
}
