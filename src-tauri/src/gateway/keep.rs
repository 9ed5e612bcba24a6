//! Calls of an upstream of the older era that asked something in the middle, kept until a client of the newer one brings the
//! answer with its repeat. Few, and not for long: whoever does not come back has declined.

use rmcp::{
    ErrorData,
    model::{ClientResult, ElicitResult, ElicitationAction, InputRequest, InputResponses, ServerRequest},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

use super::errand::Going;

/// Calls one agent may leave open at one upstream.
const MOST: usize = 8;
/// How long a client may take to answer; what took longer is declined.
const LIFE: Duration = Duration::from_secs(300);
/// Our name for the one question that is asked at a time.
const ASKED: &str = "upstream";

/// Where the answer to an upstream's question goes.
pub type Reply = oneshot::Sender<Result<ClientResult, ErrorData>>;

/// A call that waits for an answer.
pub struct Kept {
    /// The call, with all that belongs to it.
    pub going: Going,
    /// What was asked.
    pub question: ServerRequest,
    /// Who waits for the answer.
    pub reply: Reply,
}

/// The kept calls of one agent at one upstream.
#[derive(Default)]
pub struct Keep(Mutex<HashMap<String, Kept>>);

impl Keep {
    /// Keeps one for a while; its name. Given back where too many are kept.
    pub fn put(self: &Arc<Self>, kept: Kept) -> Result<String, Box<Kept>> {
        let mut name = [0; 16];
        let unknown = getrandom::fill(&mut name).is_err();
        let name = format!("{:032x}", u128::from_be_bytes(name));
        let mut all = self.lock();
        if unknown || all.len() >= MOST {
            return Err(Box::new(kept));
        }
        all.insert(name.clone(), kept);
        drop(all);
        let (keep, late) = (Arc::downgrade(self), name.clone());
        tokio::spawn(async move {
            tokio::time::sleep(LIFE).await;
            if let Some(kept) = keep.upgrade().and_then(|keep| keep.take(&late)) {
                decline(kept.question, kept.reply);
            }
        });
        Ok(name)
    }

    /// The one of this name, once.
    pub fn take(&self, name: &str) -> Option<Kept> {
        self.lock().remove(name)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question of the older era as the newer one asks it, under its name; none for what it cannot ask.
pub fn asked(question: &ServerRequest) -> Option<(String, InputRequest)> {
    let asked = match question.clone() {
        ServerRequest::ElicitRequest(request) => InputRequest::Elicitation(request),
        ServerRequest::CreateMessageRequest(request) => InputRequest::CreateMessage(request),
        ServerRequest::ListRootsRequest(request) => InputRequest::ListRoots(request),
        _ => return None,
    };
    Some((ASKED.to_owned(), asked))
}

/// What the client brought, in the form its upstream waits for; nothing that can be read is nobody's answer.
pub fn answer(kept: (ServerRequest, Reply), responses: Option<&InputResponses>) {
    let (question, reply) = kept;
    let brought = responses.and_then(|responses| responses.get(ASKED)).cloned();
    match brought.and_then(|brought| result(&question, brought)) {
        Some(result) => drop(reply.send(Ok(result))),
        None => decline(question, reply),
    }
}

fn result(question: &ServerRequest, brought: Value) -> Option<ClientResult> {
    match question {
        ServerRequest::ElicitRequest(_) => serde_json::from_value(brought).ok().map(ClientResult::ElicitResult),
        ServerRequest::CreateMessageRequest(_) => {
            serde_json::from_value(brought).ok().map(|message| ClientResult::CreateMessageResult(Box::new(message)))
        }
        ServerRequest::ListRootsRequest(_) => serde_json::from_value(brought).ok().map(ClientResult::ListRootsResult),
        _ => None,
    }
}

/// Nobody answers.
pub fn nobody(question: &ServerRequest) -> Result<ClientResult, ErrorData> {
    match question {
        ServerRequest::ElicitRequest(_) => {
            Ok(ClientResult::ElicitResult(ElicitResult::new(ElicitationAction::Decline)))
        }
        _ => Err(ErrorData::invalid_request("there is nobody to ask", None)),
    }
}

fn decline(question: ServerRequest, reply: Reply) {
    let _ = reply.send(nobody(&question));
}
