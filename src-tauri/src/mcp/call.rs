//! One tool call: strict arguments, the desk, and an answer a model can act on.

use countersign_core::payment::{Caller, PaymentId};
use countersign_desk::{
    outcome::{Outcome, OutcomeStatus},
    problem::{Code, Problem},
    request::Request,
    seconds::Seconds,
    view::ListQuery,
};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolResult, ContentBlock},
    service::RequestContext,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    front::Arguments,
    wait::{patience, wait},
};
use crate::http::{App, Pace, problem_body};

/// Longest poll for a payment, seconds; also the poll of a caller who does not say.
const POLL: u64 = 25;

/// Who calls, as the guard found out.
pub struct Calling {
    /// The agent behind the token.
    pub caller: Caller,
    pace: Pace,
    arguments: Arguments,
}

impl Calling {
    /// Reads what guard and front left beside the request.
    ///
    /// # Errors
    /// When it did not pass through them, which no connection can bring about.
    pub fn of(context: &RequestContext<RoleServer>) -> Result<Self, ErrorData> {
        let parts = context.extensions.get::<axum::http::request::Parts>();
        let beside = parts.map(|parts| &parts.extensions);
        let found = beside.and_then(|b| Some((b.get::<Caller>()?, b.get::<Pace>()?, b.get::<Arguments>()?)));
        let Some((caller, pace, arguments)) = found else {
            return Err(ErrorData::internal_error("the request has no caller", None));
        };
        Ok(Self { caller: caller.clone(), pace: *pace, arguments: arguments.clone() })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GetPayment {
    payment_id: String,
    wait_seconds: Option<Seconds>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CancelPayment {
    payment_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Calls the tool of this name.
///
/// # Errors
/// Only where no result can be given: no such tool, or nobody listens any more.
pub async fn call(app: &App, name: &str, context: &RequestContext<RoleServer>) -> Result<CallToolResult, ErrorData> {
    let calling = Calling::of(context)?;
    let answer = match name {
        "fetch" => match calling.arguments.read().and_then(Request::fetch) {
            Ok(request) => money(app, calling, context, request).await?,
            Err(problem) => Err(problem),
        },
        "pay" => match calling.arguments.read().and_then(Request::pay) {
            Ok(request) => money(app, calling, context, request).await?,
            Err(problem) => Err(problem),
        },
        "get_payment" => wait(context, get_payment(app, &calling)).await?,
        "list_payments" => list_payments(app, &calling).await,
        "cancel_payment" => cancel_payment(app, &calling).await,
        "get_budget" => get_budget(app, &calling).await,
        _ => return Err(ErrorData::invalid_params(format!("there is no tool named {name:?}"), None)),
    };
    Ok(result(answer))
}

async fn money(
    app: &App,
    calling: Calling,
    context: &RequestContext<RoleServer>,
    mut request: Request,
) -> Result<Result<Value, Problem>, ErrorData> {
    request.wait = request.wait.min(patience(context));
    let told = wait(context, app.money(calling.caller, calling.pace, request)).await?;
    Ok(told.map(|outcome| json!(outcome)))
}

async fn get_payment(app: &App, calling: &Calling) -> Result<Value, Problem> {
    let GetPayment { payment_id, wait_seconds } = calling.arguments.read()?;
    let wait = wait_seconds.map_or(POLL, |Seconds(wait)| wait.min(POLL));
    Ok(json!(app.desk.payment(&calling.caller, &known(&payment_id)?, wait).await?))
}

async fn list_payments(app: &App, calling: &Calling) -> Result<Value, Problem> {
    app.desk.payments(&calling.caller, calling.arguments.read::<ListQuery>()?).await
}

async fn cancel_payment(app: &App, calling: &Calling) -> Result<Value, Problem> {
    let CancelPayment { payment_id } = calling.arguments.read()?;
    Ok(json!(app.desk.cancel(&calling.caller, &known(&payment_id)?).await?))
}

async fn get_budget(app: &App, calling: &Calling) -> Result<Value, Problem> {
    let Nothing {} = calling.arguments.read()?;
    app.desk.budget(&calling.caller).await
}

impl Arguments {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_str(&self.0)
            .map_err(|error| Problem::new(Code::BadRequest, format!("the arguments are not as expected: {error}")))
    }
}

/// An id of the right form; any other cannot be anybody's payment.
pub fn known(id: &str) -> Result<PaymentId, Problem> {
    id.parse().map_err(|_| Problem::new(Code::NotFound, "there is no such payment of this agent"))
}

/// A refusal is an ordinary result. A fault is a tool error whose text is the problem: it has no structured content, because
/// clients hold that against the output schema.
fn result(answer: Result<Value, Problem>) -> CallToolResult {
    match answer {
        Ok(value) => CallToolResult::structured(value),
        Err(Problem { outcome: Some(outcome), .. }) if refused(&outcome) => CallToolResult::structured(json!(outcome)),
        Err(problem) => CallToolResult::error(vec![ContentBlock::text(problem_body(&problem).to_string())]),
    }
}

fn refused(outcome: &Outcome) -> bool {
    matches!(outcome.status, OutcomeStatus::Denied | OutcomeStatus::Expired)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: OutcomeStatus) -> Outcome {
        Outcome { status, payment: None, credential: None, response: None, code: Some("denied_by_rule"), next: None }
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
    fn arguments_nobody_asked_for_are_refused() {
        for text in [r#"{"payment_id":"x","more":1}"#, "[]", "{}", "null"] {
            assert_eq!(Arguments(text.to_owned()).read::<GetPayment>().unwrap_err().code, Code::BadRequest, "{text}");
        }
        assert!(Arguments("{}".to_owned()).read::<Nothing>().is_ok());
        assert!(Arguments(r#"{"a":1}"#.to_owned()).read::<Nothing>().is_err());
    }
}
