//! What a judgement is, and the values that carry it: none can be made outside this crate, none can be copied.
//!
//! ```compile_fail
//! use countersign_core::policy::Approved;
//! fn forge(payment: countersign_core::payment::PaymentId) -> Approved {
//!     Approved { payment, decision: todo!(), by: todo!() } // private fields
//! }
//! ```
//!
//! ```compile_fail
//! fn twice(yes: countersign_core::policy::Approved) -> (countersign_core::policy::Approved, countersign_core::policy::Approved) {
//!     (yes.clone(), yes) // no Clone: an approval is used once
//! }
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    Millis,
    approval::{Answer, Yes},
    money::Micro,
    payment::{Digest, PaymentId},
};

/// What policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Refused.
    Deny,
    /// A person decides.
    Ask,
    /// Goes through.
    Allow,
}

/// One budget that covers a payment, before and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetLine {
    /// The budget's id.
    pub id: String,
    /// Which of its counters.
    pub key: String,
    /// What this payment adds; zero without a value.
    pub amount: Micro,
    /// Used before.
    pub before: Micro,
    /// Used after.
    pub after: Micro,
    /// The cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Micro>,
    /// Payments before.
    pub count_before: u64,
    /// Payments after.
    pub count_after: u64,
    /// The cap on payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_count: Option<u64>,
    /// Start of the window; none for a counter without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
    /// What happens over the cap.
    pub on_exceed: Effect,
    /// Whether this payment goes over it.
    pub exceeded: bool,
}

/// A judgement with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What policy says.
    pub effect: Effect,
    /// The rule that alone gives the verdict: an id, `builtin:X`, `budget:ID` or `default`.
    pub rule: String,
    /// The other reasons, in order.
    pub because: Vec<String>,
    /// Which policy judged.
    pub policy_hash: Digest,
    /// Every budget that covers the payment.
    pub budgets: Vec<BudgetLine>,
    /// The matching `except` with `uses_left`, which one use consumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumes: Option<String>,
}

impl Decision {
    /// Every reason, first the rule.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.rule.as_str()).chain(self.because.iter().map(String::as_str))
    }
}

/// How much of one counter is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Held, spent and unknown together.
    pub amount: Micro,
    /// Payments counted.
    pub count: u64,
}

/// Where budgets read what is used: the ledger inside its transaction, or a replay's memory.
pub trait Usage {
    /// Why it could not be read.
    type Error;
    /// What budget `id`'s counter `key` holds since `since` (inclusive; none = for ever).
    fn used(&mut self, id: &str, key: &str, since: Option<Millis>) -> Result<Used, Self::Error>;
    /// How often the rule `id` with `uses_left` was consumed.
    fn consumed(&mut self, id: &str) -> Result<u64, Self::Error>;
}

/// A payment after judgement.
#[derive(Debug)]
pub enum Judged {
    /// May be reserved.
    Allowed(Approved),
    /// A person decides.
    Asks(NeedsHuman),
    /// Refused.
    Refused(Decision),
}

impl Judged {
    pub(crate) fn new(payment: PaymentId, decision: Decision) -> Self {
        match decision.effect {
            Effect::Allow => Self::Allowed(Approved { payment, decision, by: By::Policy }),
            Effect::Ask => Self::Asks(NeedsHuman { payment, decision }),
            Effect::Deny => Self::Refused(decision),
        }
    }

    /// The judgement itself.
    pub fn decision(&self) -> &Decision {
        match self {
            Self::Allowed(a) => &a.decision,
            Self::Asks(n) => &n.decision,
            Self::Refused(d) => d,
        }
    }
}

/// A payment that only a person can let through.
#[derive(Debug)]
pub struct NeedsHuman {
    payment: PaymentId,
    decision: Decision,
}

/// The person did not say yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// Which payment.
    pub payment: PaymentId,
}

impl NeedsHuman {
    /// Which payment.
    pub fn payment(&self) -> &PaymentId {
        &self.payment
    }

    /// Why it asks.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Consumes the question with its answer. Only a yes about this payment makes an approval; silence is no.
    pub fn answer(self, answer: Answer) -> Result<Approved, Declined> {
        match answer {
            Answer::Yes(yes) if yes.payment == self.payment => {
                Ok(Approved { payment: self.payment, decision: self.decision, by: By::Person(yes) })
            }
            Answer::Yes(_) | Answer::No | Answer::Gone(_) | Answer::Silence => Err(Declined { payment: self.payment }),
        }
    }
}

/// Who let a payment through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The rules alone.
    Policy,
    /// A person, about one frozen display.
    Person(Yes),
}

/// A payment that may be reserved, once.
#[derive(Debug)]
pub struct Approved {
    payment: PaymentId,
    decision: Decision,
    by: By,
}

/// Why a yes is not enough after all.
#[derive(Debug)]
pub enum Again {
    /// Policy now refuses.
    Refused(Decision),
    /// A reason that was not on screen: shown again.
    Asks(NeedsHuman),
}

impl Approved {
    /// Which payment.
    pub fn payment(&self) -> &PaymentId {
        &self.payment
    }

    /// The judgement it rests on.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Who said yes.
    pub fn by(&self) -> &By {
        &self.by
    }

    /// Holds the approval against a fresh judgement of the same payment: deny is never overridden, and a person's yes covers
    /// only the reasons that were on screen.
    #[expect(clippy::result_large_err, reason = "both outcomes carry a whole decision, and it is made once a question")]
    pub fn confirm(self, fresh: Judged) -> Result<Self, Again> {
        match (fresh, self.by) {
            (Judged::Refused(decision), _) => Err(Again::Refused(decision)),
            (Judged::Allowed(a), by) => Ok(Self { payment: a.payment, decision: a.decision, by }),
            (Judged::Asks(n), By::Person(yes)) if n.payment == self.payment => {
                let shown = |reason: &str| self.decision.reasons().any(|r| r == reason);
                if n.decision.reasons().all(shown) {
                    Ok(Self { payment: n.payment, decision: n.decision, by: By::Person(yes) })
                } else {
                    Err(Again::Asks(n))
                }
            }
            (Judged::Asks(n), _) => Err(Again::Asks(n)),
        }
    }
}
