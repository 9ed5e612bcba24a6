//! One HTTP exchange at the door: a connection each, so that to let go of an answer is to hang up.

use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Body as _, Bytes, Incoming},
    client::conn::http1,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use std::{future::poll_fn, pin::Pin};
use tokio::task::JoinHandle;

use super::way::Trouble;
use crate::{door::Knock, http::AT_THE_DOOR};

/// What is asked.
pub struct Ask {
    /// `/mcp`, or an upstream's place under it.
    pub path: String,
    /// `POST` a message, or `GET` the stream.
    pub method: Method,
    /// Beside the fixed ones.
    pub headers: Vec<(&'static str, String)>,
    /// The message.
    pub body: String,
}

/// What comes back.
pub struct Answer {
    response: Response<Incoming>,
    _connection: Connection,
}

/// Hangs up when dropped.
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends it and waits for the answer's head.
pub async fn exchange(line: Knock, ask: Ask, bearer: HeaderValue) -> Result<Answer, Trouble> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(ask.path)
        .header(header::HOST, AT_THE_DOOR)
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, bearer);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let request = request.body(ask.body).map_err(|error| Trouble(format!("the message cannot be sent: {error}")))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(line)).await.map_err(broken)?;
    let connection = Connection(tokio::spawn(async move { drop(connection.await) }));
    let response = sender.send_request(request).await.map_err(broken)?;
    Ok(Answer { response, _connection: connection })
}

impl Answer {
    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers: &HeaderMap = self.response.headers();
        headers.get(name)?.to_str().ok()
    }

    /// Whether it is a stream of events.
    pub fn is_stream(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// The next piece of the body; none at its end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Trouble> {
        loop {
            let body = self.response.body_mut();
            match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
                None => return Ok(None),
                Some(Err(error)) => return Err(broken(error)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The whole body.
    pub async fn text(mut self) -> Result<String, Trouble> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            all.extend_from_slice(&piece);
        }
        Ok(String::from_utf8_lossy(&all).into_owned())
    }
}

fn broken(_: hyper::Error) -> Trouble {
    broken_off()
}

/// There was no answer, or not all of it.
pub fn broken_off() -> Trouble {
    Trouble(
        "the connection to Countersign broke before the answer; what was asked for may have happened: repeat it with the same idempotency_key, which never pays twice, or look with list_payments".to_owned(),
    )
}
