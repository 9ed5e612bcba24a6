//! One tool call: strict arguments, the desk, and an answer a model can act on.

use countersign_core::{
    Rfc3339,
    payment::{Caller, PaymentId},
};
use countersign_desk::{
    outcome::{Outcome, OutcomeStatus},
    problem::{Code, Problem},
    request::{FetchBody, PayBody, Request},
    seconds::Seconds,
    view::ListQuery,
};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult},
    service::RequestContext,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;

use super::{
    answer::{plain, result, waiting},
    ask::Way,
    elicit,
    front::Arguments,
    link::{self, Seal},
    tasks,
    upstreams::Upstreams,
    wait::{patience, wait},
};
use crate::{
    alipay::{Tool, shape::of_order},
    http::{App, Pace},
};

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
/// Only where no result can be given: no such tool, a state that is not ours, or nobody listens any more.
pub async fn call(
    app: &App,
    seal: &Seal,
    upstreams: &dyn Upstreams,
    sent: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let calling = Calling::of(context)?;
    let handed = |told: Result<Outcome, Problem>| {
        if let Ok(outcome) = &told {
            upstreams.hands_out(&calling.caller.agent, outcome.clone(), context);
        }
        result(told)
    };
    let longest = patience(context);
    let answer = match &*sent.name {
        "fetch" | "pay" => match calling.request(&sent.name, longest) {
            Ok(request) => return money(app, seal, sent, &calling, context, request, |problem| problem).await,
            Err(problem) => result(Err(problem)),
        },
        name if let Some(tool) = alipay(app, name) => {
            if !tool.orders() {
                return Ok(plain(wait(context, app.alipay.look_up(tool, &calling.arguments.0)).await?).into());
            }
            let (desk, caller) = (&app.desk, &calling.caller);
            let request = app.alipay.request(desk, caller, tool, &calling.arguments.0, (calling.pace, longest));
            let problem = |problem| of_order(tool, problem);
            match wait(context, request).await? {
                Ok(request) => return money(app, seal, sent, &calling, context, request, problem).await.map(named),
                Err(problem) => result(Err(problem)),
            }
        }
        "get_payment" => handed(look(app, &calling, context).await?),
        "list_payments" => plain(list_payments(app, &calling).await),
        "cancel_payment" => handed(cancel_payment(app, &calling).await),
        "get_budget" => plain(get_budget(app, &calling).await),
        name => return Err(ErrorData::invalid_params(format!("there is no tool named {name:?}"), None)),
    };
    Ok(answer.into())
}

/// The tool of Alipay's that is called like this, where there are such tools.
fn alipay(app: &App, name: &str) -> Option<Tool> {
    app.alipay.is_set_up().then(|| Tool::named(name)).flatten()
}

/// What an order came to, with the official server's fields beside ours.
fn named(response: CallToolResponse) -> CallToolResponse {
    let CallToolResponse::Complete(result) = response else { return response };
    let Some(mut told) = result.structured_content.clone() else { return CallToolResponse::Complete(result) };
    let body = told["response"]["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    for (name, value) in body.as_ref().and_then(Value::as_object).into_iter().flatten() {
        if matches!(name.as_str(), "paymentLink" | "markdown" | "tradeNo" | "refundResult") {
            told[name] = value.clone();
        }
    }
    CallToolResult::structured(told).into()
}

/// Pays, or answers in the client's own way that a person has to decide. The payment is written down before that. `problem` words
/// what went wrong for the tool that was called.
async fn money(
    app: &App,
    seal: &Seal,
    sent: &CallToolRequestParams,
    Calling { caller, pace, .. }: &Calling,
    context: &RequestContext<RoleServer>,
    mut request: Request,
    problem: impl Fn(Problem) -> Problem,
) -> Result<CallToolResponse, ErrorData> {
    let bound = request.clone();
    let call = link::Call { agent: &caller.agent, tool: &sent.name, request: &bound };
    let shown = seal.shown(&call, sent)?;
    let way = Way::of(context, app.open());
    let budget = request.wait;
    if way != Way::Wait {
        request.wait = 0;
    }
    let told = wait(context, app.money(caller.clone(), *pace, request.clone())).await?;
    let Some((payment, outcome)) = waiting(&told) else { return Ok(result(told.map_err(problem)).into()) };
    request.wait = budget;
    let again = app.desk.pay(caller.clone(), request);
    let told = match way {
        Way::Wait => told,
        Way::Task => return Ok(tasks::begin(app, caller, &payment, tasks::PURCHASE).await?.into()),
        // Who does not want to wait is not to be kept by a link either.
        _ if budget == 0 => told,
        Way::Link(page) => match shown.filter(|shown| shown.payment == payment) {
            None => return Ok(seal.show(&call, &payment, &page, left(app, outcome)).into()),
            Some(shown) if shown.declined => app.desk.cancel(caller, &payment).await,
            Some(_) => wait(context, again).await?.result,
        },
        Way::Elicit(page) => {
            wait(context, elicit::beside(app, context, caller, (&payment, &page), again)).await?.result
        }
    };
    Ok(result(told.map_err(problem)).into())
}

/// What is left of the question.
fn left(app: &App, outcome: &Outcome) -> Duration {
    let ends = outcome.payment.as_ref().and_then(|payment| payment["expires_at"].as_str()?.parse::<Rfc3339>().ok());
    let left = ends.map_or(0, |Rfc3339(ends)| ends.0.saturating_sub(app.desk.now().0));
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}

/// `get_payment`, as every face offers it.
///
/// # Errors
/// When the client withdrew the request.
pub async fn look(
    app: &App,
    calling: &Calling,
    context: &RequestContext<RoleServer>,
) -> Result<Result<Outcome, Problem>, ErrorData> {
    wait(context, get_payment(app, calling)).await
}

async fn get_payment(app: &App, calling: &Calling) -> Result<Outcome, Problem> {
    let GetPayment { payment_id, wait_seconds } = calling.arguments.read()?;
    let payment = known(&payment_id)?;
    let wait = wait_seconds.map_or(POLL, |Seconds(wait)| wait.min(POLL));
    let outcome = app.desk.payment(&calling.caller, &payment, wait).await?;
    if outcome.status == OutcomeStatus::Authorized && outcome.credential.is_none() {
        return Ok(app.desk.standing(&calling.caller, &payment).await?.outcome);
    }
    Ok(outcome)
}

async fn list_payments(app: &App, calling: &Calling) -> Result<Value, Problem> {
    app.desk.payments(&calling.caller, calling.arguments.read::<ListQuery>()?).await
}

async fn cancel_payment(app: &App, calling: &Calling) -> Result<Outcome, Problem> {
    let CancelPayment { payment_id } = calling.arguments.read()?;
    app.desk.cancel(&calling.caller, &known(&payment_id)?).await
}

async fn get_budget(app: &App, calling: &Calling) -> Result<Value, Problem> {
    let Nothing {} = calling.arguments.read()?;
    app.desk.budget(&calling.caller).await
}

impl Calling {
    /// The arguments of `fetch` or `pay`, with a wait that this client is expected to stand.
    fn request(&self, tool: &str, longest: u64) -> Result<Request, Problem> {
        let clamped = |wait: Option<Seconds>| Some(Seconds(wait.map_or(longest, |Seconds(wait)| wait.min(longest))));
        if tool == "pay" {
            let body: PayBody = self.arguments.read()?;
            return Request::pay(PayBody { wait_seconds: clamped(body.wait_seconds), ..body });
        }
        let body: FetchBody = self.arguments.read()?;
        Request::fetch(FetchBody { wait_seconds: clamped(body.wait_seconds), ..body })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_nobody_asked_for_are_refused() {
        for text in [r#"{"payment_id":"x","more":1}"#, "[]", "{}", "null"] {
            assert_eq!(Arguments(text.to_owned()).read::<GetPayment>().unwrap_err().code, Code::BadRequest, "{text}");
        }
        assert!(Arguments("{}".to_owned()).read::<Nothing>().is_ok());
        assert!(Arguments(r#"{"a":1}"#.to_owned()).read::<Nothing>().is_err());
    }
}
