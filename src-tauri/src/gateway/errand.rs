//! One tool call on its way: the unpaid call, then the payment, with whatever the upstream asks in between.

use countersign_core::payment::{Digest, IdempotencyKey};
use countersign_desk::{
    outcome::Outcome,
    problem::{Code, Problem},
    request::Request as Purchase,
};
use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientRequest, ContentBlock, ErrorCode,
        InputRequiredResult, Request, ServerRequest, ServerResult,
    },
    service::ServiceError,
};
use std::pin::Pin;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use super::{
    attend::{Asking, Beat, Progress, Step, attend, fulfil},
    clean,
    face::{Context, Face, can, modern},
    keep::{self, Kept, Reply, nobody},
    left::Post,
    mail::BOX,
    price::{self, Asks},
    retry::ROUNDS,
    state::{At, State},
    toll::Booth,
    visits,
};
use crate::mcp::{self, Calling};

/// Work that goes on whoever waits for it.
pub type Work = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// How a piece of work ended.
pub enum Ended {
    /// The upstream answered the unpaid call.
    Free(Box<Result<ServerResult, ServiceError>>, Booth),
    /// The desk answered.
    Paid(Box<Result<Outcome, Problem>>),
}

/// What is being waited for.
pub struct Going {
    pub work: Work,
    /// What the upstream says and asks meanwhile.
    pub post: Post,
    /// Withdraws the unpaid call when the client does.
    pub gone: Option<oneshot::Sender<()>>,
    /// The payment, if it is one.
    pub paying: Option<Box<Paying>>,
}

/// A payment that is being waited for.
pub struct Paying {
    pub key: IdempotencyKey,
    /// Whether its price came as HTTP status 402.
    pub by_http: bool,
    pub request: Purchase,
    /// Nothing but the key is known: an earlier call like this one brought the price.
    pub known: bool,
    /// A person was given all the time there is.
    pub waited: bool,
}

/// What is done next.
pub enum Next {
    Say(CallToolResponse),
    Go(Going),
}

/// One call of one client.
pub struct Errand<'a> {
    pub face: &'a Face,
    pub context: &'a Context,
    pub calling: &'a Calling,
    /// The call as it is made: with answers to what the upstream asked.
    pub sent: CallToolRequestParams,
    /// Everything that makes it this call, as it began.
    pub digest: Digest,
    pub what: Vec<u8>,
    /// What a state of ours is bound to.
    pub bound: Vec<u8>,
    pub place: Url,
    /// The payment that the client was shown where to decide about, and whether it declined.
    pub shown: Option<(String, bool)>,
    /// Whether the tool's own answers have a form.
    pub formed: bool,
    pub rounds: usize,
    pub progress: Progress,
}

impl Errand<'_> {
    /// Follows the call to what the client is told.
    ///
    /// # Errors
    /// What the upstream says instead of a result.
    pub async fn run(mut self, mut going: Going) -> Result<CallToolResponse, ErrorData> {
        loop {
            let next = match self.follow(&mut going).await? {
                Step::Asks(question, reply) => self.ask(going, *question, reply),
                Step::Done(Ended::Free(answer, booth)) => self.answered(*answer, &booth, going).await?,
                Step::Done(Ended::Paid(told)) => self.paid(*told, going).await?,
            };
            match next {
                Next::Say(response) => return Ok(response),
                Next::Go(further) => going = further,
            }
        }
    }

    async fn follow(&mut self, going: &mut Going) -> Result<Step<Ended>, ErrorData> {
        let asking = if modern(self.context) { Asking::Later } else { Asking::AtOnce };
        let beat = if going.paying.is_some() { Beat::Ours } else { Beat::Theirs };
        let (context, progress) = (self.context, &mut self.progress);
        tokio::select! {
            step = attend(context, progress, &mut going.post.1, (beat, asking), &mut going.work) => return step,
            () = context.ct.cancelled(), if beat == Beat::Theirs => {}
        }
        if let Some(gone) = going.gone.take() {
            let _ = gone.send(());
        }
        Ok(Step::Done((&mut going.work).await))
    }

    /// The unpaid call.
    ///
    /// # Errors
    /// When the upstream cannot be reached.
    pub async fn free(&self) -> Result<Going, ErrorData> {
        let line = self.face.room.line(&self.face.session, &can(self.context)).await?;
        let (to, mail) = mpsc::channel(BOX);
        let (gone, withdrawn) = oneshot::channel();
        let meta = clean::request(&self.context.meta, line.modern());
        let request = ClientRequest::CallToolRequest(Request::new(self.sent.clone()));
        let writes = to.clone();
        let work = async move {
            let booth = Booth::default();
            let withdrawn = async {
                if withdrawn.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let answer = line.call(request, meta, writes, &booth, withdrawn).await;
            Ended::Free(Box::new(answer), booth)
        };
        Ok(Going { work: Box::pin(work), post: (to, mail), gone: Some(gone), paying: None })
    }

    /// What the unpaid call was answered.
    async fn answered(
        &mut self,
        answer: Result<ServerResult, ServiceError>,
        booth: &Booth,
        going: Going,
    ) -> Result<Next, ErrorData> {
        let by_http = booth.asks();
        let asks = match (&by_http, &answer) {
            (Some(asks), _) => asks.clone(),
            (None, Ok(ServerResult::CallToolResult(result))) => price::of_result(result),
            (None, Err(ServiceError::McpError(error))) => price::of_error(error),
            _ => Asks::Nothing,
        };
        match asks {
            Asks::Price(prices) => self.buy(prices, by_http.is_some(), going.post).await.map(Next::Go),
            Asks::Otherwise => {
                Ok(Next::Say(mcp::answer(Err(Problem::new(Code::UnsupportedOffer, price::UNREADABLE))).into()))
            }
            Asks::Visits(pages) => visits::tell(&pages, modern(self.context), self.context).map(Next::Say),
            Asks::Nothing => match answer {
                Ok(ServerResult::CallToolResult(result)) => Ok(Next::Say(clean::result(result).into())),
                Ok(ServerResult::InputRequiredResult(required)) => self.required(required).await,
                Ok(_) => Err(ErrorData::internal_error("the upstream answered something else", None)),
                Err(ServiceError::McpError(error))
                    if error.code == ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY && !modern(self.context) =>
                {
                    Ok(Next::Say(
                        says("the tool needs something this client does not offer, such as asking its user").into(),
                    ))
                }
                Err(error) => Err(self.face.error(error, modern(self.context))),
            },
        }
    }

    /// An upstream of the newer era asks before it goes on: a client of that era too is asked by that very answer.
    async fn required(&mut self, mut required: InputRequiredResult) -> Result<Next, ErrorData> {
        clean::meta(&mut required.meta);
        if modern(self.context) {
            return Ok(Next::Say(required.into()));
        }
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds >= ROUNDS {
            return Err(ErrorData::internal_error("the upstream does not stop asking", None));
        }
        match fulfil(self.context, &required).await {
            Ok(responses) => {
                self.sent.input_responses = Some(responses);
                self.sent.request_state = required.request_state;
                self.free().await.map(Next::Go)
            }
            Err(why) => Ok(Next::Say(says(&why).into())),
        }
    }

    /// Hands an upstream's question to a client that is asked by answering its call; the call is kept meanwhile. Where that cannot
    /// be, nobody answers, and the call goes on.
    fn ask(&self, mut going: Going, question: ServerRequest, reply: Reply) -> Next {
        let Some((name, request)) = keep::asked(&question).filter(|_| self.can_be_asked(&question)) else {
            let _ = reply.send(nobody(&question));
            return Next::Go(going);
        };
        let key = going.paying.as_mut().map(|paying| {
            paying.waited = true;
            (paying.key.clone(), paying.by_http)
        });
        match self.face.room.keep.put(Kept { going, question, reply }) {
            Ok(id) => {
                let state = self.seal(At::Kept(id), key);
                Next::Say(InputRequiredResult::new(Some([(name, request)].into()), Some(state)).into())
            }
            Err(kept) => {
                let _ = kept.reply.send(nobody(&kept.question));
                Next::Go(kept.going)
            }
        }
    }

    /// What the client carries to its repeat.
    pub fn seal(&self, at: At, key: Option<(IdempotencyKey, bool)>) -> String {
        let (responses, state) = (self.sent.input_responses.clone(), self.sent.request_state.clone());
        self.face.gateway.states.seal(&State { at, key, responses, state }, &self.bound)
    }

    fn can_be_asked(&self, question: &ServerRequest) -> bool {
        let can = can(self.context);
        match question {
            ServerRequest::ElicitRequest(_) => can.elicitation.is_some(),
            ServerRequest::CreateMessageRequest(_) => can.sampling.is_some(),
            ServerRequest::ListRootsRequest(_) => can.roots.is_some(),
            _ => false,
        }
    }
}

/// A tool error in words.
pub fn says(what: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(what)])
}
