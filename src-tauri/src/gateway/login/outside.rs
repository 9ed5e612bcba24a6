//! The library's way to an authorization server: ours, with the rules of every address that we do not choose ourselves.

use axum::http::{Request, Response};
use countersign_desk::wire::{Outgoing, Wire};
use rmcp::transport::auth::{OAuthHttpClient, OAuthHttpClientError, OAuthHttpClientFuture, OAuthHttpRequest};
use url::Url;

/// Nothing an authorization server says is larger.
const MOST: usize = 256 * 1024;

/// Public https only, or hosts the person allowed; bounded; no redirect is followed but those that the library checks itself.
pub struct Outside(Wire);

impl Outside {
    /// Over the way out of everything.
    pub fn new(wire: &Wire) -> Self {
        Self(wire.narrowed(MOST))
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, OAuthHttpClientError> {
        let url = Url::parse(&request.uri().to_string())?;
        let text = |value: &axum::http::HeaderValue| value.to_str().map(str::to_owned);
        let headers = request.headers().iter().map(|(name, value)| Ok((name.as_str().to_owned(), text(value)?)));
        let headers = headers.collect::<Result<Vec<_>, axum::http::header::ToStrError>>()?;
        let outgoing =
            Outgoing { method: request.method().as_str(), url: &url, headers: &headers, body: request.body() };
        let answer = self.0.ask_once(&outgoing).await?;
        if answer.too_large {
            return Err(format!("the answer is larger than {MOST} bytes").into());
        }
        let told = Response::builder().status(answer.status);
        let told = answer.headers.iter().fold(told, |told, (name, value)| told.header(name, value));
        Ok(told.body(answer.body)?)
    }
}

impl OAuthHttpClient for Outside {
    fn execute(&self, asked: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(self.send(asked.request))
    }
}
