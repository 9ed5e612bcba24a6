//! What an upstream says or asks while a call of ours is open, and which call it belongs to.

use rmcp::{
    ErrorData,
    model::{ClientResult, ProgressToken, RequestId, ServerNotification, ServerRequest},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Letters that may lie unread; an upstream that talks more is not listened to.
pub const BOX: usize = 64;

/// What comes while a call is open.
pub enum Mail {
    /// A question to the client, and where its answer goes.
    Asks(Box<ServerRequest>, oneshot::Sender<Result<ClientResult, ErrorData>>),
    /// News.
    Says(Box<ServerNotification>),
}

/// Where the letters of one call go.
pub type Letterbox = mpsc::Sender<Mail>;

struct Open {
    number: u64,
    /// Known once the request left.
    named: Option<(RequestId, ProgressToken)>,
    to: Letterbox,
}

/// The open calls of one connection.
#[derive(Default)]
pub struct Calls(Mutex<Vec<Open>>);

/// One of them; closed when dropped.
pub struct OpenCall {
    calls: Arc<Calls>,
    number: u64,
}

impl Calls {
    /// Opens one whose request is about to leave.
    pub fn open(self: &Arc<Self>, to: Letterbox) -> OpenCall {
        let mut calls = self.lock();
        let number = calls.last().map_or(0, |open| open.number.wrapping_add(1));
        calls.push(Open { number, named: None, to });
        OpenCall { calls: self.clone(), number }
    }

    /// The call in whose answer something came; where that is not known, the one opened last.
    pub fn of_request(&self, id: Option<&RequestId>) -> Option<Letterbox> {
        self.find(|(own, _)| Some(own) == id)
    }

    /// The call with this progress token.
    pub fn of_progress(&self, token: &ProgressToken) -> Option<Letterbox> {
        self.find(|(_, own)| own == token)
    }

    fn find(&self, is: impl Fn(&(RequestId, ProgressToken)) -> bool) -> Option<Letterbox> {
        let calls = self.lock();
        let named = calls.iter().find(|open| open.named.as_ref().is_some_and(&is));
        named.or(calls.last()).map(|open| open.to.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenCall {
    /// The request left under this id.
    pub fn is_named(&self, id: &RequestId, token: &ProgressToken) {
        if let Some(open) = self.calls.lock().iter_mut().find(|open| open.number == self.number) {
            open.named = Some((id.clone(), token.clone()));
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.calls.lock().retain(|open| open.number != self.number);
    }
}
