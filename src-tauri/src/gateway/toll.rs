//! The library's HTTP client, with one eye on money: a tool call that is answered with status 402 tells its price, a paid one
//! carries its credential in a header and brings its receipt back.
//!
//! Everything that is no tool call goes through the library's own client.

use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE},
};
use rmcp::{
    ErrorData,
    model::{
        ClientJsonRpcMessage, ErrorCode, GetExtensions as _, JsonRpcError, JsonRpcVersion2_0, RequestId,
        ServerJsonRpcMessage,
    },
    transport::{
        common::http_header::{EVENT_STREAM_MIME_TYPE, HEADER_SESSION_ID, JSON_MIME_TYPE},
        streamable_http_client::{
            AuthRequiredError, InsufficientScopeError, SseError, StreamableHttpClient, StreamableHttpError,
            StreamableHttpPostResponse,
        },
    },
};
use sse_stream::{Sse, SseStream};
use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio_stream::StreamExt as _;

use super::price::{self, Asks};

/// How the library tells of a 402.
const PAY: &str = "HTTP 402";
/// The longest answer in one piece.
const LONGEST: usize = 16 * 1024 * 1024;
/// All that may come in answer to one call, news and result together.
const ALL: usize = 64 * 1024 * 1024;
/// The longest answer that is an error, or a price.
const LONGEST_ERROR: usize = 64 * 1024;

type Failure = StreamableHttpError<reqwest::Error>;
type Events = Pin<Box<dyn tokio_stream::Stream<Item = Result<Sse, SseError>> + Send>>;

/// Travels beside one tool call, and is seen by nobody but the client below.
#[derive(Clone, Default)]
pub struct Booth {
    /// What pays, where it is paid by header.
    pub credential: Vec<(String, String)>,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    asks: Option<Asks>,
    receipts: Vec<(String, String)>,
}

impl Booth {
    /// What a 402 asked for, if that was the answer.
    pub fn asks(&self) -> Option<Asks> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).asks.take()
    }

    /// The receipt headers of the answer.
    pub fn receipts(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner).receipts)
    }

    fn tell(&self, told: Told) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

/// The client.
#[derive(Clone)]
pub struct Toll {
    http: Client,
    gate: Arc<AtomicBool>,
}

impl Toll {
    /// Over this way out.
    pub fn new(http: Client) -> Self {
        Self { http, gate: Arc::default() }
    }

    /// Becomes true when the upstream asks this client, from here on, for money for anything but a tool call.
    pub fn watch(&mut self) -> Arc<AtomicBool> {
        self.gate = Arc::default();
        self.gate.clone()
    }

    async fn call(
        booth: Booth,
        id: RequestId,
        mut request: RequestBuilder,
        in_session: bool,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let credential = booth.credential.iter().map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        let credential: Option<HeaderMap> = credential.collect();
        // It takes the place of a header of its name.
        request = request.headers(credential.ok_or_else(|| odd("the credential is no header"))?);
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if status == StatusCode::PAYMENT_REQUIRED {
            let body = whole(response, LONGEST_ERROR).await.unwrap_or_default();
            booth.tell(Told { asks: Some(price::of_http(&headers, &body)), receipts: Vec::new() });
            let error = ErrorData::new(ErrorCode(402), "Payment Required", None);
            let error = JsonRpcError { jsonrpc: JsonRpcVersion2_0, id: Some(id), error };
            return Ok(StreamableHttpPostResponse::Json(ServerJsonRpcMessage::Error(error), None));
        }
        if status == StatusCode::NOT_FOUND && in_session {
            return Err(Failure::SessionExpired);
        }
        let session = text(HEADER_SESSION_ID);
        if !status.is_success() {
            return failed(response, status, &headers, session).await;
        }
        booth.tell(Told { asks: None, receipts: price::receipts_by_http(&headers) });
        match text(CONTENT_TYPE.as_str()) {
            Some(form) if form.starts_with(EVENT_STREAM_MIME_TYPE) => {
                Ok(StreamableHttpPostResponse::Sse(events(response), session))
            }
            Some(form) if form.starts_with(JSON_MIME_TYPE) => {
                let body = whole(response, LONGEST).await.ok_or_else(|| odd("the answer is too long, or broke off"))?;
                let message = serde_json::from_slice(&body).map_err(|_| odd("the answer is no JSON-RPC"))?;
                Ok(StreamableHttpPostResponse::Json(message, session))
            }
            form => Err(Failure::UnexpectedContentType(form)),
        }
    }
}

async fn failed(
    response: Response,
    status: StatusCode,
    headers: &HeaderMap,
    session: Option<String>,
) -> Result<StreamableHttpPostResponse, Failure> {
    let challenge = headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match (status, challenge) {
        (StatusCode::UNAUTHORIZED, Some(challenge)) => Err(Failure::AuthRequired(AuthRequiredError::new(challenge))),
        (StatusCode::FORBIDDEN, Some(challenge)) => {
            Err(Failure::InsufficientScope(InsufficientScopeError::new(challenge, None)))
        }
        _ => {
            let body = whole(response, LONGEST_ERROR).await.unwrap_or_default();
            match serde_json::from_slice(&body) {
                Ok(message @ ServerJsonRpcMessage::Error(_)) => Ok(StreamableHttpPostResponse::Json(message, session)),
                _ => Err(odd(format!("HTTP {status}"))),
            }
        }
    }
}

fn odd(what: impl Into<String>) -> Failure {
    Failure::UnexpectedServerResponse(what.into().into())
}

/// The whole body; none if it is longer.
async fn whole(mut response: Response, longest: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len().saturating_add(chunk.len()) > longest {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// The events of an answer; a stream that does not end ends here.
fn events(response: Response) -> Events {
    let mut left = ALL;
    let bounded = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(std::io::Error::other)?;
        left = left.checked_sub(chunk.len()).ok_or_else(|| std::io::Error::other("the answer does not end"))?;
        Ok::<_, std::io::Error>(chunk)
    });
    Box::pin(SseStream::from_bytes_stream(bounded))
}

impl StreamableHttpClient for Toll {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let called = match &message {
            ClientJsonRpcMessage::Request(sent) => {
                sent.request.extensions().get::<Booth>().map(|booth| (booth.clone(), sent.id.clone()))
            }
            _ => None,
        };
        let Some((booth, id)) = called else {
            let answer = self.http.post_message(uri, message, session_id, auth_header, custom_headers).await;
            if matches!(&answer, Err(Failure::UnexpectedServerResponse(what)) if what.starts_with(PAY)) {
                self.gate.store(true, Ordering::Relaxed);
            }
            return answer;
        };
        let accepts = format!("{EVENT_STREAM_MIME_TYPE}, {JSON_MIME_TYPE}");
        let mut request = self.http.post(&*uri).headers(custom_headers.into_iter().collect()).header(ACCEPT, accepts);
        if let Some(token) = auth_header {
            request = request.bearer_auth(token);
        }
        let in_session = session_id.is_some();
        if let Some(session) = session_id {
            request = request.header(HEADER_SESSION_ID, &*session);
        }
        Self::call(booth, id, request.json(&message), in_session).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        self.http.delete_session(uri, session_id, auth_header, custom_headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Events, Failure> {
        self.http.get_stream(uri, session_id, last_event_id, auth_header, custom_headers).await
    }
}
