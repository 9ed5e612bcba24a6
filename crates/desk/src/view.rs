//! The ledger's record as an agent may see it.

use countersign_core::{
    registry::Registry,
    status::{Settlement, Status},
};
use countersign_vault::{Outcome as Ended, Record, RefusedAs};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    outcome::{Outcome, OutcomeStatus, money_view},
    problem::{Code, Problem},
    shape::{ASKED_STATES, DecisionView, PayeeView, PaymentView, word},
};

/// Which payments.
///
/// Query of `GET /v1/payments`, arguments of `list_payments`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "Which payments.")]
pub struct ListQuery {
    /// Only payments in this state: signed for everything that left, pending_approval while a person decides.
    #[schemars(extend("enum" = ASKED_STATES))]
    pub status: Option<String>,
    /// Only payments made at or after this time.
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
    /// 50 if absent.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// next_cursor of the page before.
    pub cursor: Option<String>,
}

/// The `payment` object of the API.
pub fn payment_view(record: &Record, registry: &Registry) -> Value {
    json!(payment(record, registry))
}

pub(crate) fn payment(record: &Record, registry: &Registry) -> PaymentView {
    let quote = &record.quote;
    PaymentView {
        id: record.id.to_string(),
        rail: quote.rail.clone(),
        scheme: quote.scheme.clone(),
        state: record.status.api(),
        amount: money_view(quote, false, registry),
        exposure: money_view(quote, true, registry),
        payee: PayeeView { origin: quote.payee.origin.to_string(), account: quote.payee.account.to_string() },
        agent: record.agent.to_string(),
        decision: DecisionView {
            effect: word(record.decision.effect),
            rule: record.decision.rule.clone(),
            because: record.decision.because.clone(),
            policy_hash: record.decision.policy_hash.to_string(),
        },
        transaction: record.transaction.clone(),
        settlement: record.settlement.as_str(),
        created_at: record.created_at.rfc3339(),
        expires_at: record.expires_at.map(countersign_core::Millis::rfc3339),
    }
}

/// How a recorded payment stands for its agent.
pub fn status_of(record: &Record) -> OutcomeStatus {
    match record.status {
        Status::Waiting => OutcomeStatus::PendingApproval,
        Status::Refused => match record.refused_as {
            Some(RefusedAs::ApprovalExpired) => OutcomeStatus::Expired,
            Some(RefusedAs::Cancelled) => OutcomeStatus::Cancelled,
            _ => OutcomeStatus::Denied,
        },
        // A credential that was handed out stays handed out, whatever became of it.
        _ if record.quote.payee.claimed && (record.signed || record.status != Status::Released) => {
            OutcomeStatus::Authorized
        }
        Status::Released => OutcomeStatus::Failed,
        Status::Unknown if record.settlement == Settlement::Failed => OutcomeStatus::Unknown,
        _ => match (record.settlement, record.outcome) {
            // The seller delivered and claimed, and the chain says no.
            (Settlement::Failed, Some(Ended::Completed)) => OutcomeStatus::Unknown,
            (_, Some(Ended::Completed)) => OutcomeStatus::Completed,
            (_, Some(Ended::Failed)) => OutcomeStatus::Failed,
            _ if record.status == Status::Settled => OutcomeStatus::Completed,
            _ => OutcomeStatus::Unknown,
        },
    }
}

/// An outcome without credential and response.
pub fn outcome_of(record: &Record, registry: &Registry) -> Outcome {
    let status = status_of(record);
    let code = code_of(record, status);
    let next = match status {
        OutcomeStatus::PendingApproval => Some(
            "A person is being asked. Ask for this payment again with its id until it ends; do not start another."
                .to_owned(),
        ),
        OutcomeStatus::Denied | OutcomeStatus::Expired => {
            code.map(|c| format!("{} A new try needs a new key.", c.next()))
        }
        OutcomeStatus::Cancelled => Some("It was withdrawn; a new try needs a new key.".to_owned()),
        OutcomeStatus::Unknown => Some(Code::SettlementUnknown.next().to_owned()),
        OutcomeStatus::Failed if record.status == Status::Released => {
            Some("Nothing was paid, and that is proved. A new try needs a new key.".to_owned())
        }
        OutcomeStatus::Failed => {
            Some("The seller refused the payment; the amount stays held until it can no longer be taken.".to_owned())
        }
        _ => None,
    };
    Outcome {
        status,
        payment: Some(payment_view(record, registry)),
        credential: None,
        response: None,
        code: code.map(Code::as_str),
        next,
    }
}

/// The code of a recorded payment that did not simply work.
fn code_of(record: &Record, status: OutcomeStatus) -> Option<Code> {
    match status {
        OutcomeStatus::Unknown => Some(Code::SettlementUnknown),
        OutcomeStatus::Denied | OutcomeStatus::Expired => Some(refusal_code(record)),
        _ => None,
    }
}

fn refusal_code(record: &Record) -> Code {
    match record.decision.rule.as_str() {
        "builtin:paused" | "builtin:agent-paused" if record.refused_as == Some(RefusedAs::DeniedByRule) => Code::Paused,
        _ => record.refused_as.and_then(|r| Code::from_word(r.code())).unwrap_or(Code::DeniedByRule),
    }
}

/// The answer of a money-moving call about a recorded payment: refusals are problems, everything else is an outcome.
pub fn answer_of(outcome: Outcome, record: &Record) -> Result<Outcome, Problem> {
    match outcome.status {
        OutcomeStatus::Denied | OutcomeStatus::Expired => {
            let code = refusal_code(record);
            Err(Problem::about(code, refusal_text(record, code), outcome))
        }
        _ => Ok(outcome),
    }
}

fn refusal_text(record: &Record, code: Code) -> String {
    let price = record.quote.asset_text();
    let host = record.quote.payee.origin.host();
    match code {
        Code::DeniedByHuman => format!("the person refused to pay {price} to {host}"),
        Code::ApprovalExpired => format!("nobody answered whether to pay {price} to {host}"),
        Code::OverBudget => format!("paying {price} to {host} would go over {}", record.decision.rule),
        Code::NoApprover => {
            format!("paying {price} to {host} needs a person ({}), and nobody can be asked", record.decision.rule)
        }
        Code::Paused => "payments are paused".to_owned(),
        _ => format!("paying {price} to {host} is refused by {}", record.decision.rule),
    }
}
