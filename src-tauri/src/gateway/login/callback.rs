//! Where the browser comes back to: one address on this computer, for one answer, known by its state.

use anyhow::{Context as _, bail};
use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use countersign_core::text::clean;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc};
use url::Url;

const PATH: &str = "/callback";
const DONE: &str = "Countersign has heard the answer. You can close this page.";
/// Listens until it is dropped or has heard the answer.
pub struct Callback {
    listener: TcpListener,
    redirect: String,
}

struct Ear {
    host: String,
    redirect: String,
    state: String,
    heard: mpsc::Sender<Url>,
}

impl Callback {
    /// On a free port of 127.0.0.1.
    pub async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listening for the browser's answer")?;
        let redirect = format!("http://{}{PATH}", listener.local_addr()?);
        Ok(Self { listener, redirect })
    }

    /// The exact address.
    pub fn redirect(&self) -> &str {
        &self.redirect
    }

    /// The answer to the question with this state; what else comes is turned away and changes nothing.
    ///
    /// # Errors
    /// The authorization server's no.
    pub async fn answer(self, state: String) -> anyhow::Result<Url> {
        let host = self.listener.local_addr()?.to_string();
        let (heard, mut answer) = mpsc::channel(1);
        let ear = Arc::new(Ear { host, redirect: self.redirect, state, heard });
        let router = Router::new().route(PATH, get(listen)).with_state(ear);
        let (over, end) = tokio::sync::oneshot::channel::<()>();
        let served = axum::serve(self.listener, router).with_graceful_shutdown(async move { drop(end.await) });
        let mut served = Serving(tokio::spawn(async move { served.await }));
        let url = answer.recv().await.context("nobody listens any more")?;
        drop(over);
        // The browser gets its page; one that dawdles is hung up on.
        let _ = tokio::time::timeout(Duration::from_secs(2), &mut served.0).await;
        match one(&url, "error") {
            Some(error) => bail!("the authorization server says no: {}", clean(&error)),
            None => Ok(url),
        }
    }
}

/// Ends with whoever waits.
struct Serving(tokio::task::JoinHandle<std::io::Result<()>>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listen(State(ear): State<Arc<Ear>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let url = Url::parse(&format!("{}?{}", ear.redirect, query.unwrap_or_default())).ok();
    let ours = url.filter(|url| host == Some(&*ear.host) && one(url, "state").as_deref() == Some(&*ear.state));
    let clear = |url: &Url| one(url, "code").is_some() != one(url, "error").is_some() && !twice(url, "iss");
    let Some(url) = ours.filter(clear) else {
        return (StatusCode::BAD_REQUEST, "This is no answer Countersign waits for.").into_response();
    };
    let _ = ear.heard.try_send(url);
    let quiet = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONNECTION, "close"),
    ];
    (quiet, DONE).into_response()
}

/// A parameter that is there exactly once.
pub fn one(url: &Url, name: &str) -> Option<String> {
    let mut found = url.query_pairs().filter(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    found.next().filter(|_| found.next().is_none())
}

fn twice(url: &Url, name: &str) -> bool {
    url.query_pairs().filter(|(own, _)| own == name).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_answer_with_the_state_is_heard_and_only_once() {
        let callback = Callback::open().await.unwrap();
        let at = callback.redirect().to_owned();
        let waiting = tokio::spawn(callback.answer("right".to_owned()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let port = Url::parse(&at).unwrap().port().unwrap();
        for wrong in [
            format!("{at}?code=c&state=wrong"),
            format!("{at}?code=c"),
            format!("{at}?state=right"),
            format!("{at}?code=c&state=right&state=right"),
            format!("{at}?code=c&error=e&state=right"),
            format!("{at}?code=c&state=right&iss=a&iss=b"),
            format!("http://localhost:{port}/callback?code=c&state=right"),
        ] {
            assert_eq!(client.get(&wrong).send().await.unwrap().status(), 400, "{wrong}");
        }
        assert_eq!(client.get(format!("http://127.0.0.1:{port}/")).send().await.unwrap().status(), 404);
        let right = format!("{at}?code=c&state=right&iss=https%3A%2F%2Fas.example");
        assert_eq!(client.get(&right).send().await.unwrap().text().await.unwrap(), DONE);
        assert_eq!(waiting.await.unwrap().unwrap().as_str(), right);
        assert!(client.get(&right).send().await.is_err(), "nobody listens any more");
    }
}
