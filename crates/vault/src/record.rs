//! A payment as the ledger tells it: the fold of its rows.

use countersign_core::{
    Millis,
    payment::{AgentName, Digest, IdempotencyKey, Op, PaymentId, Quote},
    policy::{By, Decision, Facts},
    status::{Event, Settlement, Status},
};
use serde::{Deserialize, Serialize};

/// Why a payment was refused, by the API's problem code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedAs {
    /// A rule or a built-in state said no.
    DeniedByRule,
    /// A budget said no.
    OverBudget,
    /// A person said no, or said it three times lately.
    DeniedByHuman,
    /// Nobody answered in time.
    ApprovalExpired,
    /// The agent withdrew it.
    Cancelled,
    /// A person said no to what looked like a second payment for the same thing.
    DuplicatePurchase,
    /// There was nobody to ask.
    NoApprover,
}

impl RefusedAs {
    /// The stable problem code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DeniedByRule => "denied_by_rule",
            Self::OverBudget => "over_budget",
            Self::DeniedByHuman => "denied_by_human",
            Self::ApprovalExpired => "approval_expired",
            Self::Cancelled => "cancelled",
            Self::DuplicatePurchase => "duplicate_purchase",
            Self::NoApprover => "no_approver",
        }
    }
}

/// How the caller's request ended, once it has; what the payment became is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The seller answered 2xx.
    Completed,
    /// The credential was handed to the caller.
    Authorized,
    /// The seller refused after it was paid.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// One payment, complete as far as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// Our name for it.
    pub id: PaymentId,
    /// Who asked.
    pub agent: AgentName,
    /// The caller's name for it.
    pub key: IdempotencyKey,
    /// Digest of the whole request as the API defines it.
    pub request: Digest,
    /// The price.
    pub quote: Quote,
    /// Where it stands.
    pub status: Status,
    /// What is known about the money.
    pub settlement: Settlement,
    /// How the request ended, as last noted.
    pub outcome: Option<Outcome>,
    /// The judgement in force: of the admission, or of the second look.
    pub decision: Decision,
    /// Who let it through.
    pub by: Option<By>,
    /// When it came.
    pub created_at: Millis,
    /// When it last changed.
    pub changed_at: Millis,
    /// When a waiting question ends; none unless waiting.
    pub expires_at: Option<Millis>,
    /// Unix seconds at which the last signed form dies; none before a reservation.
    pub valid_before: Option<u64>,
    /// The transaction, as the seller claims or the chain shows.
    pub transaction: Option<String>,
    /// Why it was refused.
    pub refused_as: Option<RefusedAs>,
    /// Whether its provider is asked about it again and again. A person can stop that for an open page.
    pub watched: bool,
    /// Whether the ledger knows of a signature. A reserved payment of an earlier process life may have one all the same.
    pub signed: bool,
    /// The process life that made it.
    pub epoch: i64,
}

impl Record {
    /// Whether it is a page on which a buyer may still pay, as far as is known.
    pub fn is_open_page(&self) -> bool {
        self.quote.op == Op::ReceiveLink && self.status.holds() && self.status != Status::Settled
    }
}

/// What to write beside a payment without moving it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// What is known about the money from here on.
    pub settlement: Option<Settlement>,
    /// How the request ended.
    pub outcome: Option<Outcome>,
    /// The transaction.
    pub transaction: Option<String>,
    /// Why, in a short word of ours; never foreign text.
    pub why: Option<String>,
    /// Bodies that a person may want forgotten, by kind; kept outside the chain. The same kind again replaces the old one.
    pub detail: Vec<(String, Vec<u8>)>,
    /// When those bodies go; none = the ordinary retention.
    pub detail_until: Option<Millis>,
}

/// Which payments to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this agent's.
    pub agent: Option<AgentName>,
    /// Only in these states; empty = all.
    pub status: Vec<Status>,
    /// Only those made at or after this moment.
    pub since: Option<Millis>,
    /// At most so many; 0 = 50.
    pub limit: u32,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// One page of payments, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The payments.
    pub payments: Vec<Record>,
    /// Where the next page starts; none at the end.
    pub next_cursor: Option<String>,
}

/// One entry of a payment's chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Position in the whole chain.
    pub seq: i64,
    /// What happened.
    pub event: Event,
    /// What it became.
    pub status: Status,
    /// When.
    pub at: Millis,
    /// The judgement made then, if one was.
    pub decision: Option<Decision>,
    /// What was seen: evidence, claims, a word of ours.
    pub evidence: Option<serde_json::Value>,
}

/// Why a payment is what it is: facts, judgements, steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The payment.
    pub record: Record,
    /// The facts as first judged.
    pub facts: Facts,
    /// Everything that happened, in order.
    pub steps: Vec<Step>,
}
