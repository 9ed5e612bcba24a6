//! What a tool answers, so that a model can act on it.

use countersign_core::payment::PaymentId;
use countersign_desk::{
    outcome::{Outcome, OutcomeStatus},
    problem::Problem,
};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

use crate::http::problem_body;

/// Between two looks at a payment that waits for a person, milliseconds; `get_payment` itself waits as well.
pub const POLL_AFTER_MS: u64 = 2_000;
/// What a model does while a person decides.
const MEANWHILE: &str = "Tell the user that you are waiting for their approval in Countersign. Then call get_payment with this \
                         payment_id, again and again while the status is pending_approval, and stop after expires_at. Do not \
                         start the purchase again, and not under another key.";

/// The payment a person is being asked about.
pub fn waiting(told: &Result<Outcome, Problem>) -> Option<(PaymentId, &Outcome)> {
    let outcome = told.as_ref().ok().filter(|outcome| outcome.status == OutcomeStatus::PendingApproval)?;
    let id = outcome.payment.as_ref()?["id"].as_str()?.parse().ok()?;
    Some((id, outcome))
}

/// An outcome as the tools answer it: where a person is being asked, with what to do meanwhile.
pub fn view(outcome: &Outcome) -> Value {
    let mut view = json!(outcome);
    if let (OutcomeStatus::PendingApproval, Some(payment), Some(object)) =
        (outcome.status, &outcome.payment, view.as_object_mut())
    {
        object.insert("payment_id".to_owned(), payment["id"].clone());
        if let Some(expires) = payment.get("expires_at") {
            object.insert("expires_at".to_owned(), expires.clone());
        }
        object.insert("poll_after_ms".to_owned(), json!(POLL_AFTER_MS));
        object.insert("next_step".to_owned(), json!(MEANWHILE));
    }
    view
}

/// A refusal is an ordinary result. A fault is a tool error whose text is the problem: it has no structured content, because
/// clients hold that against the output schema.
pub fn result(told: Result<Outcome, Problem>) -> CallToolResult {
    match told {
        Ok(outcome) => CallToolResult::structured(view(&outcome)),
        Err(Problem { outcome: Some(outcome), .. }) if refused(&outcome) => CallToolResult::structured(view(&outcome)),
        Err(problem) => fault(&problem),
    }
}

/// The same for what is no outcome.
pub fn plain(told: Result<Value, Problem>) -> CallToolResult {
    told.map_or_else(|problem| fault(&problem), CallToolResult::structured)
}

fn fault(problem: &Problem) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(problem_body(problem).to_string())])
}

fn refused(outcome: &Outcome) -> bool {
    matches!(outcome.status, OutcomeStatus::Denied | OutcomeStatus::Expired)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_desk::problem::Code;

    fn outcome(status: OutcomeStatus) -> Outcome {
        let payment = json!({"id": "pay_00000000000000000000000000000007", "expires_at": "2026-11-20T10:00:00Z"});
        Outcome { status, payment: Some(payment), credential: None, response: None, code: None, next: None }
    }

    #[test]
    fn a_refusal_is_an_ordinary_result_and_a_fault_is_a_tool_error() {
        let denied = result(Err(Problem::about(Code::DeniedByRule, "no", outcome(OutcomeStatus::Denied))));
        assert_eq!(denied.is_error, Some(false));
        assert_eq!(denied.structured_content.unwrap()["status"], "denied");
        let late = result(Err(Problem::about(Code::NotCancellable, "late", outcome(OutcomeStatus::Completed))));
        assert_eq!((late.is_error, late.structured_content), (Some(true), None));
        let fault = result(Err(Problem::new(Code::BadRequest, "`url`: relative")));
        let text = fault.content[0].as_text().unwrap().text.clone();
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((fault.is_error, body["code"].as_str()), (Some(true), Some("bad_request")));
    }

    #[test]
    fn only_a_payment_that_waits_for_a_person_says_what_to_do_meanwhile() {
        let pending = view(&outcome(OutcomeStatus::PendingApproval));
        assert_eq!(pending["payment_id"], pending["payment"]["id"]);
        assert_eq!(pending["expires_at"], "2026-11-20T10:00:00Z");
        assert_eq!(pending["poll_after_ms"], 2_000);
        for word in ["get_payment", "payment_id", "expires_at", "waiting for their approval in Countersign"] {
            assert!(pending["next_step"].as_str().unwrap().contains(word), "{word}");
        }
        let done = view(&outcome(OutcomeStatus::Completed));
        for name in ["payment_id", "expires_at", "poll_after_ms", "next_step"] {
            assert!(done.get(name).is_none(), "{name}");
        }
        assert_eq!(waiting(&Ok(outcome(OutcomeStatus::PendingApproval))).unwrap().0.as_str(), pending["payment_id"]);
        assert!(waiting(&Ok(outcome(OutcomeStatus::Completed))).is_none());
    }
}
