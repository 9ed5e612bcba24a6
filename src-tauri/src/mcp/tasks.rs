//! The newer era's tasks, as a view of the payments: a task is a payment that asked a person, and its id is the payment's.
//! Nothing is kept here, so a task survives a restart, and another agent's is not found.
//!
//! A cancelled task is only no longer followed: the question to the person stays. `cancel_payment` withdraws it.

use countersign_core::{
    Rfc3339,
    payment::{Caller, PaymentId},
};
use countersign_desk::{
    Standing,
    outcome::{Outcome, OutcomeStatus},
    problem::{Code, Problem},
};
use rmcp::{
    ErrorData,
    model::{CallToolResult, CreateTaskResult, DetailedTask, GetTaskResult, Task, TaskPayload, TaskStatus},
};
use serde_json::Value;

use super::answer::POLL_AFTER_MS;
use crate::http::App;

/// How the task of a purchase of the agent's own begins.
pub const PURCHASE: &str = "task_";
/// How the task of an upstream's tool begins; its result is that tool's.
pub const CALL: &str = "call_";
const OF_PAYMENT: &str = "pay_";
const SAYS: &str = "A person decides in the Countersign window.";

/// The task that follows a payment a person is being asked about.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn begin(app: &App, caller: &Caller, payment: &PaymentId, form: &str) -> Result<CreateTaskResult, ErrorData> {
    let standing = app.desk.standing(caller, payment).await.map_err(|problem| lost(&problem))?;
    Ok(CreateTaskResult::new(task(id(form, payment), &standing).with_status_message(SAYS)))
}

/// How a task stands, with its tool's result once there is one, written down by `result`.
///
/// # Errors
/// `-32602` for what is no task of this agent.
pub async fn look(
    app: &App,
    caller: &Caller,
    task_id: &str,
    result: impl FnOnce(Outcome) -> CallToolResult,
) -> Result<GetTaskResult, ErrorData> {
    let payment = payment(task_id)?;
    let standing = app.desk.standing(caller, &payment).await.map_err(|problem| lost(&problem))?;
    Ok(GetTaskResult::new(DetailedTask::new(task(task_id.to_owned(), &standing), payload(standing, result)?)))
}

/// Accepts a word about a task: there is nothing a client could tell it, and nothing it could stop but its own waiting.
///
/// # Errors
/// `-32602` for what is no task of this agent.
pub async fn heard(app: &App, caller: &Caller, task_id: &str) -> Result<(), ErrorData> {
    let standing = app.desk.standing(caller, &payment(task_id)?).await;
    standing.map(|_| ()).map_err(|problem| lost(&problem))
}

fn payload(standing: Standing, result: impl FnOnce(Outcome) -> CallToolResult) -> Result<TaskPayload, ErrorData> {
    // What is withdrawn stays so, however long its story takes to hear of it.
    if standing.outcome.status == OutcomeStatus::Cancelled {
        return Ok(TaskPayload::Cancelled);
    }
    if standing.underway || standing.outcome.status == OutcomeStatus::PendingApproval {
        return Ok(TaskPayload::Working);
    }
    match serde_json::to_value(result(standing.outcome)) {
        Ok(Value::Object(result)) => Ok(TaskPayload::Completed { result }),
        _ => Err(ErrorData::internal_error("the result cannot be written down", None)),
    }
}

/// The status is the payload's to say.
fn task(id: String, standing: &Standing) -> Task {
    let told = standing.outcome.payment.as_ref();
    let text = |name: &str| told.and_then(|told| told[name].as_str()).unwrap_or_default().to_owned();
    let changed = standing.changed_at.rfc3339();
    let task = Task::new(id, TaskStatus::Working, text("created_at"), changed).with_poll_interval_ms(POLL_AFTER_MS);
    match life(&text("created_at"), &text("expires_at")) {
        Some(life) => task.with_ttl_ms(life),
        // The ledger forgets no payment.
        None => task,
    }
}

fn life(created: &str, expires: &str) -> Option<u64> {
    let at = |text: &str| text.parse::<Rfc3339>().ok().map(|time| time.0.0);
    u64::try_from(at(expires)?.checked_sub(at(created)?)?).ok()
}

fn id(form: &str, payment: &PaymentId) -> String {
    format!("{form}{}", payment.as_str().trim_start_matches(OF_PAYMENT))
}

fn payment(task_id: &str) -> Result<PaymentId, ErrorData> {
    let hex = [PURCHASE, CALL].iter().find_map(|form| task_id.strip_prefix(form)).ok_or_else(unknown)?;
    format!("{OF_PAYMENT}{hex}").parse().map_err(|_| unknown())
}

fn lost(problem: &Problem) -> ErrorData {
    match problem.code {
        Code::NotFound => unknown(),
        _ => ErrorData::internal_error(problem.detail.clone(), None),
    }
}

fn unknown() -> ErrorData {
    ErrorData::invalid_params("there is no such task of this agent", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_its_payment_under_another_name() {
        let of = PaymentId::from_random([0xa7; 16]);
        for form in [PURCHASE, CALL] {
            assert_eq!(payment(&id(form, &of)).unwrap(), of);
        }
        for odd in ["", "task_", "call_", of.as_str(), "task_pay_", "task_../x", &id(PURCHASE, &of).to_uppercase()] {
            assert!(payment(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_task_lives_as_long_as_its_question() {
        assert_eq!(life("2026-11-20T10:00:00Z", "2026-11-20T10:02:00.5Z"), Some(120_500));
        assert_eq!(life("2026-11-20T10:00:00Z", ""), None);
    }
}
