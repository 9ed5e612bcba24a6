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
        match id {
            Some(id) => self.find(|(own, _)| own == id),
            None => self.lock().last().map(|open| open.to.clone()),
        }
    }

    /// The call with this progress token.
    pub fn of_progress(&self, token: &ProgressToken) -> Option<Letterbox> {
        self.find(|(_, own)| own == token)
    }

    /// The call with this name. One that has left but was not named yet may be it; one with another name is not.
    fn find(&self, is: impl Fn(&(RequestId, ProgressToken)) -> bool) -> Option<Letterbox> {
        let calls = self.lock();
        let named = calls.iter().find(|open| open.named.as_ref().is_some_and(&is));
        named.or_else(|| calls.iter().rfind(|open| open.named.is_none())).map(|open| open.to.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_call_that_is_over_reaches_no_other_call() {
        let calls = Arc::new(Calls::default());
        let id = |n: i64| RequestId::Number(n);
        let token = |n: i64| ProgressToken(RequestId::Number(n));
        let (to, other) = (mpsc::channel(1).0, mpsc::channel(1).0);
        let first = calls.open(to.clone());
        assert!(calls.of_request(Some(&id(1))).is_some_and(|found| found.same_channel(&to)), "it has no name yet");
        first.is_named(&id(1), &token(1));
        let second = calls.open(other.clone());
        second.is_named(&id(2), &token(2));
        assert!(calls.of_request(Some(&id(1))).is_some_and(|found| found.same_channel(&to)));
        drop(first);
        assert!(calls.of_request(Some(&id(1))).is_none() && calls.of_progress(&token(1)).is_none());
        assert!(calls.of_request(None).is_some_and(|found| found.same_channel(&other)));
    }
}
