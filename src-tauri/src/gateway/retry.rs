//! The paid call, as the desk makes it.

use async_trait::async_trait;
use countersign_core::{payment::Quote, policy::Risk, rail::Credential};
use countersign_desk::{carrier::Carrier, wire::Answer};
use rmcp::{
    model::{
        CallToolRequestParams, CallToolResult, ClientCapabilities, ClientRequest, ClientResult, ContentBlock,
        InputRequest, InputRequiredResult, InputResponses, Request, RequestMetaObject, ServerRequest, ServerResult,
    },
    service::ServiceError,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};
use tokio::sync::oneshot;
use url::Url;

use super::{
    Gateway, clean,
    mail::{Letterbox, Mail},
    pins::Taken,
    price::{self, Asks},
    room::{Room, Session},
    toll::Booth,
};

/// The longest a paid call may take until nobody knows what became of it.
const DELIVERY: Duration = Duration::from_secs(600);
/// Most rounds of questions in one call.
pub const ROUNDS: usize = 10;

/// Makes a call once more, with a credential.
pub struct Retry {
    pub gateway: Arc<Gateway>,
    pub room: Arc<Room>,
    pub session: Arc<Session>,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
    pub call: CallToolRequestParams,
    /// What travels beside it, as the client sent it.
    pub meta: RequestMetaObject,
    /// Where the upstream is, for the ledger.
    pub place: Url,
    /// Whether the price came as HTTP status 402: then the credential goes into the headers.
    pub by_http: bool,
    /// Who hears what the upstream says and asks meanwhile.
    pub to: Letterbox,
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Retry({} of {})", self.call.name, self.room.name)
    }
}

#[async_trait]
impl Carrier for Retry {
    fn costs(&self, quote: &Quote) -> BTreeSet<Risk> {
        let new = self.gateway.is_new(&self.room.name, &self.call.name, &Taken::of(quote));
        new.then_some(Risk::TermsChanged).into_iter().collect()
    }

    fn headers(&self) -> &'static [&'static str] {
        if self.room.is_logged_in() { &["authorization"] } else { &[] }
    }

    fn pays(&self, quote: &Quote) {
        self.gateway.paid(&self.room.name, &self.call.name, Taken::of(quote));
    }

    async fn deliver(&self, credential: &Credential) -> Result<Answer, String> {
        let answer = tokio::time::timeout(DELIVERY, self.make(credential)).await;
        let (answer, booth) = answer.map_err(|_| "the upstream does not answer".to_owned())??;
        self.told(answer, &booth)
    }

    fn is_gone(&self) -> bool {
        self.room.is_gone()
    }
}

impl Retry {
    /// Makes the call; where the upstream asks on the way, the same credential is shown with the answers.
    async fn make(&self, credential: &Credential) -> Result<(Result<ServerResult, ServiceError>, Booth), String> {
        let line = self.room.line(&self.session, &self.capabilities).await;
        let line = line.map_err(|error| error.message.into_owned())?;
        let mut meta = clean::request(&self.meta, line.modern());
        let mut booth = Booth::default();
        // A protocol may write its credential in one form only, that of its price.
        if credential.meta.is_empty() || self.by_http && !credential.headers.is_empty() {
            booth.credential = credential.headers.clone().into_iter().collect();
        } else {
            meta.0.0.extend(credential.meta.clone());
        }
        let mut call = self.call.clone();
        for _ in 0..ROUNDS {
            let request = ClientRequest::CallToolRequest(Request::new(call.clone()));
            let answer = line.call(request, meta.clone(), self.to.clone(), &booth, std::future::pending::<()>()).await;
            let Ok(ServerResult::InputRequiredResult(required)) = answer else { return Ok((answer, booth)) };
            call.input_responses = Some(self.ask(&required).await);
            call.request_state = required.request_state;
        }
        Err("the upstream does not stop asking".to_owned())
    }

    /// What the client answers; what it does not answer is left out.
    async fn ask(&self, required: &InputRequiredResult) -> InputResponses {
        let mut answers = InputResponses::new();
        for (name, question) in required.input_requests.iter().flatten() {
            let question = match question.clone() {
                InputRequest::CreateMessage(request) => ServerRequest::CreateMessageRequest(request),
                InputRequest::Elicitation(request) => ServerRequest::ElicitRequest(request),
                InputRequest::ListRoots(request) => ServerRequest::ListRootsRequest(request),
                _ => continue,
            };
            let (reply, answer) = oneshot::channel();
            if self.to.send(Mail::Asks(Box::new(question), reply)).await.is_ok()
                && let Ok(Ok(answer)) = answer.await
                && let Ok(answer) = serde_json::to_value::<ClientResult>(answer)
            {
                answers.insert(name.clone(), answer);
            }
        }
        answers
    }

    fn told(&self, answer: Result<ServerResult, ServiceError>, booth: &Booth) -> Result<Answer, String> {
        let tell =
            |status, headers, body: Value| Answer::told(status, headers, body.to_string().into(), self.place.clone());
        let refused = |asks: Asks| {
            let says = match asks {
                Asks::Price(prices) => price::refusal(&prices),
                Asks::Otherwise => Vec::new(),
                Asks::Nothing | Asks::Visits(_) => return None,
            };
            Some(tell(402, says, failed("the upstream did not take the payment")))
        };
        if let Some(refusal) = booth.asks().and_then(refused) {
            return Ok(refusal);
        }
        Ok(match answer {
            Ok(ServerResult::CallToolResult(result)) => {
                let receipts = [price::receipts(&result), booth.receipts()].concat();
                let status = if result.is_error == Some(true) { 500 } else { 200 };
                refused(price::of_result(&result))
                    .unwrap_or_else(|| tell(status, receipts, json!(clean::result(result))))
            }
            Err(ServiceError::McpError(error)) => {
                refused(price::of_error(&error)).unwrap_or_else(|| tell(500, Vec::new(), failed(&error.message)))
            }
            Ok(_) => tell(500, Vec::new(), failed("the upstream answered something else")),
            // The library's words may hold what the upstream sent, which is logged nowhere.
            Err(_) => return Err("the upstream gave no answer that can be read".to_owned()),
        })
    }
}

fn failed(why: &str) -> Value {
    json!(CallToolResult::error(vec![ContentBlock::text(why)]))
}
