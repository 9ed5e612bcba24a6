//! The ledger's record as an agent may see it.

use countersign_core::{
    policy::Effect,
    registry::Registry,
    status::{Settlement, Status},
};
use countersign_vault::{Outcome as Ended, Record, RefusedAs};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    outcome::{Outcome, OutcomeStatus, money_view},
    problem::{Code, Problem},
};

/// Query of `GET /v1/payments`, arguments of `list_payments`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// A state or an outcome word.
    pub status: Option<String>,
    /// RFC 3339.
    pub since: Option<String>,
    /// 1 to 500, 50 by default.
    pub limit: Option<u32>,
    /// From the page before.
    pub cursor: Option<String>,
}

/// The `payment` object of the API.
pub fn payment_view(record: &Record, registry: &Registry) -> Value {
    let effect = match record.decision.effect {
        Effect::Allow => "allow",
        Effect::Ask => "ask",
        Effect::Deny => "deny",
    };
    let mut view = json!({
        "id": record.id,
        "rail": record.quote.rail,
        "scheme": record.quote.scheme,
        "state": record.status.api(),
        "amount": money_view(&record.quote, false, registry),
        "exposure": money_view(&record.quote, true, registry),
        "payee": {"origin": record.quote.payee.origin, "account": record.quote.payee.account},
        "agent": record.agent,
        "decision": {
            "effect": effect,
            "rule": record.decision.rule,
            "because": record.decision.because,
            "policy_hash": record.decision.policy_hash,
        },
        "settlement": record.settlement.as_str(),
        "created_at": record.created_at.rfc3339(),
    });
    if let Some(object) = view.as_object_mut() {
        if let Some(transaction) = &record.transaction {
            object.insert("transaction".to_owned(), json!(transaction));
        }
        if let Some(expires) = record.expires_at {
            object.insert("expires_at".to_owned(), json!(expires.rfc3339()));
        }
    }
    view
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
