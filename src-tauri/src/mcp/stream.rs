//! The stream that a session's client keeps open for what the server might say of its own accord. Nobody waits for its end, so it
//! does not hold up the end of the service.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::watch;

/// A body that is over once the service stops.
pub struct Stream {
    body: Body,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Stream {
    /// This body, until then.
    pub fn new(body: Body, mut stopping: watch::Receiver<bool>) -> Self {
        let stopped = async move {
            // Who would say so is gone: so is the service.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        Self { body, stopped: Box::pin(stopped) }
    }
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn it_ends_with_the_service_and_not_before_what_was_said() {
        let (stop, stopping) = watch::channel(false);
        let said = Stream::new(Body::from("said"), stopping.clone());
        assert_eq!(to_bytes(Body::new(said), 99).await.unwrap(), "said");
        let endless = Body::from_stream(tokio_stream::pending::<Result<Bytes, std::io::Error>>());
        let ended = tokio::spawn(to_bytes(Body::new(Stream::new(endless, stopping)), 99));
        stop.send_replace(true);
        assert_eq!(ended.await.unwrap().unwrap(), "");
    }
}
