//! Whether the answer to a request has left: what it hands out is handed out only then. A client that hung up before asks again,
//! and must find what it paid for instead of paying once more.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use rmcp::{RoleServer, service::RequestContext};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

type Done = Box<dyn FnOnce() + Send>;

/// What is done once an answer has left to its end. Lies beside the request.
#[derive(Clone, Default)]
pub struct Delivery(Arc<Mutex<Vec<Done>>>);

impl Delivery {
    /// Of this request.
    pub fn of(context: &RequestContext<RoleServer>) -> Self {
        let parts = context.extensions.get::<axum::http::request::Parts>();
        parts.and_then(|parts| parts.extensions.get::<Self>()).cloned().unwrap_or_default()
    }

    /// Also does this.
    pub fn then(&self, done: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(done));
    }

    /// The answer of this body.
    pub fn watch(self, body: Body) -> Body {
        Body::new(Watched { body, delivery: self })
    }

    fn complete(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.into_iter().for_each(|done| done());
    }
}

struct Watched {
    body: Body,
    delivery: Delivery,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || (matches!(frame, Some(Ok(_))) && self.body.is_end_stream()) {
            self.delivery.complete();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn watched(body: Body) -> (Body, Arc<AtomicBool>) {
        let (delivery, done) = (Delivery::default(), Arc::new(AtomicBool::new(false)));
        let mark = done.clone();
        delivery.then(move || mark.store(true, Ordering::SeqCst));
        (delivery.watch(body), done)
    }

    #[tokio::test]
    async fn an_answer_is_delivered_when_it_was_read_to_its_end_and_not_before() {
        let parts = || tokio_stream::iter([Ok::<_, std::io::Error>("one"), Ok("two")]);
        for body in [Body::from("whole"), Body::from_stream(parts())] {
            let (body, done) = watched(body);
            assert!(!done.load(Ordering::SeqCst));
            to_bytes(body, 99).await.unwrap();
            assert!(done.load(Ordering::SeqCst));
        }
        let (body, done) = watched(Body::from_stream(parts()));
        drop(body);
        assert!(!done.load(Ordering::SeqCst), "the client hung up");
    }
}
