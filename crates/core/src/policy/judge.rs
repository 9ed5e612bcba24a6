//! Judging one payment. Skeleton: everything asks.

use serde::Serialize;

use super::{Decision, Effect, Facts, Judged, Policy, Usage};
use crate::{
    Millis,
    money::Micro,
    payment::{AgentName, PaymentId, SessionId},
};

/// Judges one payment.
pub fn judge<U: Usage>(policy: &Policy, payment: &PaymentId, facts: &Facts, _usage: &mut U) -> Result<Judged, U::Error> {
    let denied = facts.conditions.iter().find(|c| c.denies());
    let decision = Decision {
        effect: if denied.is_some() { Effect::Deny } else { Effect::Ask },
        rule: denied.map_or("default", |c| c.rule()).to_owned(),
        because: Vec::new(),
        policy_hash: policy.hash(""),
        budgets: Vec::new(),
        consumes: None,
    };
    Ok(Judged::new(payment.clone(), decision))
}

/// What one budget leaves an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BudgetView {
    /// The budget's id.
    pub id: String,
    /// Its window as written: `calendar:day`.
    pub window: String,
    /// What is left; null for a budget that only counts.
    pub left: Option<Micro>,
    /// The cap; only if the counter is this agent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Micro>,
    /// What is used; only if the counter is this agent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Micro>,
    /// Payments left; only if the counter is this agent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_left: Option<u64>,
    /// When a calendar window starts again, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
    /// What happens over the cap.
    pub on_exceed: Effect,
}

/// What an agent may still spend, per budget.
pub fn budgets_of<U: Usage>(
    _policy: &Policy,
    _agent: &AgentName,
    _session: &SessionId,
    _now: Millis,
    _testnet: bool,
    _usage: &mut U,
) -> Result<Vec<BudgetView>, U::Error> {
    Ok(Vec::new())
}

/// What a change of policy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Same,
    /// Nobody has to confirm it.
    Tighter,
    /// A person confirms it; one sentence per loosening.
    Looser(Vec<String>),
}

/// Whether a change tightens or loosens, by its syntax.
pub fn compare(old: &Policy, new: &Policy) -> Change {
    if old == new { Change::Same } else { Change::Looser(vec!["the policy is another one".to_owned()]) }
}

/// One stored payment under a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Which payment.
    pub payment: PaymentId,
    /// What the draft says.
    pub decision: Decision,
}

/// Runs stored facts through a draft in order, with empty counters.
pub fn replay(_draft: &Policy, _facts: &[(PaymentId, Facts)]) -> Vec<Replayed> {
    Vec::new()
}
