//! Waiting for an upstream on a client's behalf: its questions and its news reach the client as part of the very call that waits.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientResult, InputRequest, InputRequiredResult, InputResponses, ProgressNotificationParam, ProgressToken,
        ServerNotification, ServerRequest,
    },
    service::{RequestContext, ServiceError},
};
use std::pin::pin;
use tokio::{sync::mpsc, time::Instant};

use super::{
    face::modern,
    keep::{Reply, nobody},
    mail::Mail,
};
use crate::mcp::{BEAT, SAYS};

type Context = RequestContext<RoleServer>;

/// Where a request of the newer era says that it wants to hear the log.
const LOGS: &str = "io.modelcontextprotocol/logLevel";

/// Who gives the signs of life while something is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The upstream, if it likes; and it is told when the client withdraws.
    Theirs,
    /// We do, because a person may have to decide; what was begun goes on when the client withdraws.
    Ours,
}

/// What becomes of an upstream's question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// The client is asked at once, on the stream of its call.
    AtOnce,
    /// It is handed back, for a client that is asked by answering its call.
    Later,
    /// Nobody is asked.
    Never,
}

/// How far the waiting came.
pub enum Step<T> {
    /// To the end.
    Done(T),
    /// To a question, which is to be handed to the client; the work goes on with its answer.
    Asks(Box<ServerRequest>, Reply),
}

/// Follows `work` to its end, or to a question for later, and carries its mail meanwhile.
///
/// # Errors
/// When the client withdrew the request.
pub async fn attend<T>(
    context: &Context,
    progress: &mut Progress,
    mail: &mut mpsc::Receiver<Mail>,
    (beat, asking): (Beat, Asking),
    work: impl Future<Output = T>,
) -> Result<Step<T>, ErrorData> {
    let mut beats = tokio::time::interval_at(Instant::now() + BEAT, BEAT);
    let mut work = pin!(work);
    let done = loop {
        tokio::select! {
            biased;
            Some(letter) = mail.recv() => match (letter, asking) {
                (Mail::Says(news), _) => progress.tell(context, *news).await,
                (Mail::Asks(question, reply), Asking::Later) => return Ok(Step::Asks(question, reply)),
                (Mail::Asks(question, reply), Asking::Never) => drop(reply.send(nobody(&question))),
                (Mail::Asks(question, reply), Asking::AtOnce) => {
                    let mut asked = pin!(ask(context, *question));
                    tokio::select! {
                        answer = &mut asked => drop(reply.send(answer)),
                        done = &mut work => break done,
                    }
                }
            },
            done = &mut work => break done,
            () = context.ct.cancelled(), if beat == Beat::Ours => {
                let why = "the request was withdrawn; a payment it started goes on, and get_payment tells how";
                return Err(ErrorData::internal_error(why, None));
            }
            _ = beats.tick(), if beat == Beat::Ours => progress.beat(context).await,
        }
    };
    // News that came before the answer may still be on its way through the library's tasks.
    for _ in 0..8 {
        tokio::task::yield_now().await;
        while let Ok(letter) = mail.try_recv() {
            if let Mail::Says(news) = letter {
                progress.tell(context, *news).await;
            }
        }
    }
    Ok(Step::Done(done))
}

async fn ask(context: &Context, question: ServerRequest) -> Result<ClientResult, ErrorData> {
    context.peer.send_request(question).await.map_err(|error| match error {
        ServiceError::McpError(error) => error,
        _ => ErrorData::invalid_request("there is nobody to ask", None),
    })
}

/// Asks a client of the older era what an upstream of the newer one wants to know before it goes on.
///
/// # Errors
/// What a person or a model reads, where the client cannot be asked.
pub async fn fulfil(context: &Context, required: &InputRequiredResult) -> Result<InputResponses, String> {
    let mut answers = InputResponses::new();
    for (key, question) in required.input_requests.iter().flatten() {
        let (question, what) = match question.clone() {
            InputRequest::CreateMessage(request) => {
                (ServerRequest::CreateMessageRequest(request), "a model (sampling)")
            }
            InputRequest::Elicitation(request) => (ServerRequest::ElicitRequest(request), "the user (elicitation)"),
            InputRequest::ListRoots(request) => (ServerRequest::ListRootsRequest(request), "for folders (roots)"),
            _ => return Err("the tool asks something in a way Countersign does not know".to_owned()),
        };
        let cannot =
            |why: String| format!("the tool asks {what} before it goes on, and this client does not answer: {why}");
        let answer = ask(context, question).await.map_err(|error| cannot(error.message.into_owned()))?;
        let answer = serde_json::to_value(answer).map_err(|error| cannot(error.to_string()))?;
        answers.insert(key.clone(), answer);
    }
    Ok(answers)
}

/// The progress of one request: it rises, whoever makes it.
pub struct Progress {
    token: Option<ProgressToken>,
    last: f64,
    /// A client of the newer era hears the upstream's log where its request says so.
    logs: bool,
}

impl Progress {
    /// Of this request, if it wants any.
    pub fn of(context: &Context) -> Self {
        let logs = !modern(context) || context.meta.0.0.contains_key(LOGS);
        Self { token: context.meta.get_progress_token(), last: 0.0, logs }
    }

    async fn tell(&mut self, context: &Context, mut news: ServerNotification) {
        if let ServerNotification::ProgressNotification(progress) = &mut news {
            let Some(token) = self.token.clone() else { return };
            progress.params.progress_token = token;
            self.last = self.last.max(progress.params.progress);
        }
        if !self.logs && matches!(news, ServerNotification::LoggingMessageNotification(_)) {
            return;
        }
        let _ = context.peer.send_notification(news).await;
    }

    async fn beat(&mut self, context: &Context) {
        let Some(token) = self.token.clone() else { return };
        self.last += 1.0;
        let progress = ProgressNotificationParam::new(token, self.last).with_message(SAYS);
        let _ = context.peer.notify_progress(progress).await;
    }
}
