//! One tool call: free ones pass, a price goes to the desk, and what was paid for comes back as if it had been free.

use async_trait::async_trait;
use countersign_core::{
    payment::{AgentName, Digest, IdempotencyKey},
    policy::Risk,
    rail::Credential,
};
use countersign_desk::{
    carrier::Carrier,
    outcome::{Outcome, OutcomeStatus},
    problem::{Code, Problem},
    request::{self, Request as Purchase},
    wire::Answer,
};
use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientRequest, InputRequiredResult, MetaObject,
        ProtocolVersion, Request, RequestMetaObject, ServerResult,
    },
    service::ServiceError,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use url::Url;

use super::{
    Gateway,
    attend::{Beat, attend, fulfil},
    clean,
    face::{Context, Face},
    mail::{BOX, Letterbox, Mail},
    pins::{self, Terms},
    price::{self, Asks},
    room::{Room, Session},
};
use crate::mcp::{self, Calling};

/// The longest a paid call may take until nobody knows what became of it.
const DELIVERY: Duration = Duration::from_secs(600);
/// Most rounds of questions an upstream of the newer era may ask a client of the older one in one call.
const ROUNDS: usize = 10;
/// Where a result says what was paid for it.
const PAID: &str = "org.countersign/payment";

/// Calls the tool of this name.
///
/// # Errors
/// What the upstream says instead of a result; or that there is no such tool.
pub async fn call(
    face: &Face,
    mut sent: CallToolRequestParams,
    context: &Context,
) -> Result<CallToolResponse, ErrorData> {
    sent.meta = None;
    let calling = Calling::of(context)?;
    let known = face.tool(&sent.name, context).await?;
    if sent.name == face.look() {
        let told = mcp::look(&face.app, &calling, context).await?;
        if let Ok(outcome) = &told {
            face.gateway.handed_out(&calling.caller.agent, outcome);
        }
        return Ok(mcp::answer(told).into());
    }
    let Some(tool) = known else {
        return Err(ErrorData::invalid_params(format!("there is no tool named {:?}", sent.name), None));
    };
    let place = face.room.target.place(&face.room.name).map_err(broken)?;
    let what = what(&sent);
    let wanted = Wanted { face, sent: &sent, place: &place, what: &what, context, calling: &calling };
    if let Some(key) = face.gateway.left_over(&calling.caller.agent, wanted.digest())
        && let Some(result) = wanted.pay(key, None).await?
    {
        return Ok(fitting(result, tool.output_schema.is_some()).into());
    }
    let (answer, required) = free(face, &sent, context).await?;
    let price = match answer {
        Ok(ServerResult::CallToolResult(result)) => match price::of_result(&result) {
            Asks::Nothing => return Ok(clean::result(result).into()),
            Asks::Price(price) => price,
            Asks::Otherwise => return Ok(otherwise().into()),
        },
        Ok(ServerResult::InputRequiredResult(required)) => return Ok(required.into()),
        Ok(_) => return Err(ErrorData::internal_error("the upstream answered something else", None)),
        Err(ServiceError::McpError(error)) => match price::of_error(&error) {
            Asks::Nothing => return Err(face.error(ServiceError::McpError(error))),
            Asks::Price(price) => price,
            Asks::Otherwise => return Ok(otherwise().into()),
        },
        Err(error) => return Err(face.error(error)),
    };
    let sent = required.unwrap_or(sent.clone());
    let wanted = Wanted { sent: &sent, ..wanted };
    let key = face.gateway.key(&calling.caller.agent, wanted.digest()).map_err(broken)?;
    let result = wanted.pay(key, Some(price)).await?;
    let result = result.unwrap_or_else(|| mcp::answer(Err(Problem::new(Code::MalformedOffer, "there is no price"))));
    Ok(fitting(result, tool.output_schema.is_some()).into())
}

/// The unpaid call. What an upstream of the newer era asks on the way, a client of the older one is asked as it knows it; then
/// the call as it was made last is given too.
async fn free(
    face: &Face,
    sent: &CallToolRequestParams,
    context: &Context,
) -> Result<(Result<ServerResult, ServiceError>, Option<CallToolRequestParams>), ErrorData> {
    let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    let mut now = sent.clone();
    for round in 0..ROUNDS {
        let answer = face.pass(ClientRequest::CallToolRequest(Request::new(now.clone())), context).await?;
        match answer {
            Ok(ServerResult::InputRequiredResult(required)) if !modern => now = next(now, context, required).await?,
            answer => return Ok((answer, (round > 0).then_some(now))),
        }
    }
    Err(ErrorData::internal_error("the upstream does not stop asking", None))
}

async fn next(
    mut call: CallToolRequestParams,
    context: &Context,
    required: InputRequiredResult,
) -> Result<CallToolRequestParams, ErrorData> {
    call.input_responses = Some(fulfil(context, &required).await?);
    call.request_state = required.request_state;
    Ok(call)
}

/// A call that costs money.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    face: &'a Face,
    sent: &'a CallToolRequestParams,
    place: &'a Url,
    what: &'a [u8],
    context: &'a Context,
    calling: &'a Calling,
}

impl Wanted<'_> {
    fn digest(&self) -> Digest {
        Purchase::digest_of_call(self.place, &self.sent.name, self.what)
    }

    /// Pays, or says how it stands. Without a price only what is known of the key; none if nothing is.
    async fn pay(&self, key: IdempotencyKey, price: Option<Value>) -> Result<Option<CallToolResult>, ErrorData> {
        let (room, gateway, agent) = (&self.face.room, &self.face.gateway, &self.calling.caller.agent);
        let line = room.line(&self.face.session).await?;
        let now = price.as_ref().map(pins::terms).unwrap_or_default();
        let risks = if gateway.terms_changed(&room.name, &self.sent.name, &now) {
            BTreeSet::from([Risk::TermsChanged])
        } else {
            BTreeSet::new()
        };
        let (to, mut mail) = mpsc::channel::<Mail>(BOX);
        let retry = Retry {
            gateway: gateway.clone(),
            room: room.clone(),
            session: self.face.session.clone(),
            call: self.sent.clone(),
            meta: clean::request(&self.context.meta, line.modern()),
            place: self.place.clone(),
            terms: now,
            to,
        };
        let known = price.is_none();
        let request = Purchase::call(request::Call {
            carrier: Arc::new(retry),
            origin: room.target.origin(&room.name).map_err(broken)?,
            server: self.place.clone(),
            tool: &self.sent.name,
            arguments: self.what,
            price: price.map(|price| price.to_string()).unwrap_or_default(),
            risks,
            key: key.clone(),
            wait: mcp::patience(self.context),
        });
        let work = self.face.app.desk.pay(self.calling.caller.clone(), request);
        let told = attend(self.context, &mut mail, Beat::Ours, work).await?.result;
        gateway.told(agent, self.digest(), &key, &told);
        if let (true, Err(Problem { code: Code::MalformedOffer, outcome: None, .. })) = (known, &told) {
            return Ok(None);
        }
        Ok(Some(goods(&told).unwrap_or_else(|| mcp::answer(told))))
    }
}

/// The paid call, as the desk makes it.
struct Retry {
    gateway: Arc<Gateway>,
    room: Arc<Room>,
    session: Arc<Session>,
    call: CallToolRequestParams,
    meta: RequestMetaObject,
    place: Url,
    terms: Terms,
    to: Letterbox,
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Retry({} of {})", self.call.name, self.room.name)
    }
}

#[async_trait]
impl Carrier for Retry {
    async fn deliver(&self, credential: &Credential) -> Result<Answer, String> {
        let line = self.room.line(&self.session).await.map_err(|error| error.message.into_owned())?;
        let mut meta = self.meta.clone();
        meta.0.0.extend(credential.meta.clone());
        self.gateway.paid(&self.room.name, &self.call.name, &self.terms);
        let request = ClientRequest::CallToolRequest(Request::new(self.call.clone()));
        let call = line.call(request, meta, self.to.clone(), std::future::pending());
        let answer =
            tokio::time::timeout(DELIVERY, call).await.map_err(|_| "the upstream does not answer".to_owned())?;
        let told =
            |status, headers, body: Value| Answer::told(status, headers, body.to_string().into(), self.place.clone());
        match answer {
            Ok(ServerResult::CallToolResult(result)) => {
                let receipt: Vec<(String, String)> = price::receipt(&result).into_iter().collect();
                Ok(match (price::of_result(&result), result.is_error) {
                    (Asks::Price(price), _) => told(402, refusal(&price), refused()),
                    (Asks::Otherwise, _) => told(402, Vec::new(), refused()),
                    (Asks::Nothing, Some(true)) => told(500, receipt, json!(clean::result(result))),
                    (Asks::Nothing, _) => told(200, receipt, json!(clean::result(result))),
                })
            }
            Ok(other) => Ok(told(500, Vec::new(), json!(other))),
            Err(ServiceError::McpError(error)) => Ok(match price::of_error(&error) {
                Asks::Price(price) => told(402, refusal(&price), refused()),
                Asks::Otherwise => told(402, Vec::new(), refused()),
                Asks::Nothing => told(
                    500,
                    Vec::new(),
                    json!(CallToolResult::error(vec![rmcp::model::ContentBlock::text(error.message)])),
                ),
            }),
            // The library's words may hold what the upstream sent, which is logged nowhere.
            Err(_) => Err("the upstream gave no answer that can be read".to_owned()),
        }
    }
}

fn refusal(price: &Value) -> Vec<(String, String)> {
    vec![("payment-required".to_owned(), price::header(price))]
}

fn refused() -> Value {
    json!(CallToolResult::error(vec![rmcp::model::ContentBlock::text("the upstream did not take the payment")]))
}

/// What was paid for, with a summary of what was paid; none where there is nothing to hand out.
fn goods(told: &Result<Outcome, Problem>) -> Option<CallToolResult> {
    let outcome = told.as_ref().ok().filter(|outcome| outcome.status == OutcomeStatus::Completed)?;
    let mut result: CallToolResult = serde_json::from_str(outcome.response.as_ref()?.body.as_ref()?).ok()?;
    let payment = outcome.payment.as_ref()?;
    let part = |name: &str| payment.get(name).cloned().unwrap_or(Value::Null);
    let summary = json!({
        "payment_id": part("id"), "amount": part("amount"), "payee": part("payee"), "transaction": part("transaction"),
        "settlement": part("settlement"),
    });
    result.meta.get_or_insert_with(MetaObject::new).0.insert(PAID.to_owned(), summary);
    Some(result)
}

/// Where a tool's own answers have a form that ours could not be added to, ours is told as an error, which no client checks.
fn fitting(mut result: CallToolResult, formed: bool) -> CallToolResult {
    if result.structured_content.is_none() && formed && result.is_error != Some(true) {
        result.is_error = Some(true);
    }
    result
}

fn otherwise() -> CallToolResult {
    let what = "the upstream asks for payment in a way Countersign does not pay";
    mcp::answer(Err(Problem::new(Code::UnsupportedOffer, what)))
}

/// Everything that makes it this call.
fn what(sent: &CallToolRequestParams) -> Vec<u8> {
    serde_json::to_vec(&json!([sent.arguments, sent.input_responses, sent.request_state])).unwrap_or_default()
}

fn broken(error: anyhow::Error) -> ErrorData {
    ErrorData::internal_error(format!("{error:#}"), None)
}

/// The name of a purchase by an agent.
pub type Purchased = (AgentName, Digest);
