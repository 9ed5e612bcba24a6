//! Lines in, lines out.

use hyper::{Method, StatusCode, header::HeaderValue};
use serde_json::Value;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use super::{
    exchange::{Answer, Ask, broken_off, exchange},
    message::{Message, failure},
    stream::{Events, one_line},
    token,
    way::{Trouble, Way},
};
use crate::{app::Place, gateway::Name};
use countersign_core::payment::AgentName;

/// JSON-RPC: the text is no JSON.
const UNREADABLE: i32 = -32700;
/// JSON-RPC: it could not be carried.
const INTERNAL: i32 = -32603;
/// How long until a stream that broke is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// One client's bridge.
pub struct Bridge {
    place: Place,
    agent: Result<AgentName, String>,
    /// `/mcp`, or an upstream's place under it.
    path: String,
    way: Way,
    out: mpsc::Sender<String>,
    session: Mutex<Session>,
    reopening: tokio::sync::Mutex<()>,
    /// Requests of the newer era, by id, that can still be withdrawn.
    open: Mutex<HashMap<String, AbortHandle>>,
}

/// What an older client's `initialize` began.
#[derive(Debug, Default, Clone)]
struct Session {
    version: Option<String>,
    id: Option<String>,
    /// The two messages that begin it again.
    initialize: Option<Message>,
    initialized: Option<Message>,
}

impl Bridge {
    /// Carries every line of `input` and writes what comes back to `output`, until either ends.
    ///
    /// `agent` is whose token is used, or why none can be; a client is told so for every request it makes. `upstream` is the one
    /// MCP server behind Countersign that is meant, if any.
    pub async fn run<R, W>(
        place: Place,
        agent: Result<AgentName, String>,
        upstream: Option<Name>,
        input: R,
        output: W,
    ) -> io::Result<()>
    where
        R: AsyncBufRead + Unpin,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (out, lines) = mpsc::channel(64);
        let mut writing = tokio::spawn(write(lines, output));
        let way = Way::to(place.clone());
        let path = upstream.map_or_else(|| "/mcp".to_owned(), |name| format!("/mcp/{name}"));
        let bridge = Arc::new(Self {
            place,
            agent,
            path,
            way,
            out,
            session: Mutex::default(),
            reopening: tokio::sync::Mutex::default(),
            open: Mutex::default(),
        });
        let mut carrying = JoinSet::new();
        let mut listening = JoinSet::new();
        let mut lines = input.split(b'\n');
        loop {
            let line = tokio::select! {
                line = lines.next_segment() => line?,
                ended = &mut writing => return ended.unwrap_or(Ok(())),
                Some(_) = carrying.join_next() => continue,
            };
            match line {
                Some(line) => bridge.take(line.trim_ascii(), &mut carrying, &mut listening).await,
                None => break,
            }
        }
        // The client has said everything; what it waits for is still brought.
        while !carrying.is_empty() {
            tokio::select! {
                _ = carrying.join_next() => {}
                ended = &mut writing => return ended.unwrap_or(Ok(())),
            }
        }
        listening.shutdown().await;
        drop(bridge);
        writing.await.unwrap_or(Ok(()))
    }

    async fn take(self: &Arc<Self>, line: &[u8], carrying: &mut JoinSet<()>, listening: &mut JoinSet<()>) {
        if line.is_empty() {
            return;
        }
        let Ok(message) = Message::read(line) else {
            return self.say(failure(&Value::Null, UNREADABLE, "this line is not JSON")).await;
        };
        if let Some(handle) = message.cancels.as_ref().and_then(|id| self.open().remove(&id.to_string())) {
            // Nobody waits for the answer any more, and in this era that is how the server is told.
            return handle.abort();
        }
        // A session is opened in order; everything else runs side by side.
        if message.opens() || message.opened() {
            self.carry(&message).await;
            if message.opened() && self.session().id.is_some() {
                listening.abort_all();
                listening.spawn(self.clone().listen());
            }
            return;
        }
        let key = message.id.as_ref().filter(|_| message.is_modern()).map(Value::to_string);
        let bridge = self.clone();
        let carried = carrying.spawn({
            let key = key.clone();
            async move {
                bridge.carry(&message).await;
                if let Some(key) = key {
                    bridge.open().remove(&key);
                }
            }
        });
        if let Some(key) = key.filter(|_| !carried.is_finished()) {
            self.open().insert(key, carried);
        }
    }

    /// Carries one message and its answer; a request always gets one.
    async fn carry(&self, message: &Message) {
        if let Err(trouble) = self.exchange(message).await {
            tracing::warn!("not carried: {trouble}");
            if let Some(id) = &message.id {
                self.say(failure(id, INTERNAL, &trouble.to_string())).await;
            }
        }
    }

    async fn exchange(&self, message: &Message) -> Result<(), Trouble> {
        if message.opens() {
            *self.session() = Session::default();
        }
        let used = self.session().id.clone();
        let mut answer = self.post(message).await?;
        if let (StatusCode::NOT_FOUND, false, Some(used)) = (answer.status(), message.is_modern(), used)
            && self.reopen(&used).await?
        {
            answer = self.post(message).await?;
        }
        if message.opens() && answer.status().is_success() {
            let mut session = self.session();
            session.id = answer.header("mcp-session-id").map(str::to_owned);
            session.initialize = Some(message.clone());
        }
        if message.opened() {
            self.session().initialized = Some(message.clone());
        }
        self.bring(message, answer).await
    }

    /// Opens the session of an older client again, which the server no longer knows; once, however many messages found out.
    async fn reopen(&self, lost: &str) -> Result<bool, Trouble> {
        let _one_at_a_time = self.reopening.lock().await;
        let Session { id: Some(id), initialize: Some(initialize), initialized, .. } = self.session().clone() else {
            return Ok(false);
        };
        if id != lost {
            return Ok(true);
        }
        let answer = self.post(&initialize).await?;
        if !answer.status().is_success() {
            return Ok(false);
        }
        let id = answer.header("mcp-session-id").map(str::to_owned);
        self.session().id = id;
        // The client has its answer to this; only the server's state is made anew.
        answer.text().await?;
        if let Some(initialized) = &initialized {
            self.post(initialized).await?;
        }
        Ok(true)
    }

    async fn post(&self, message: &Message) -> Result<Answer, Trouble> {
        let mut headers = message.headers();
        if message.is_modern() {
            headers.extend(message.version.clone().map(|version| ("mcp-protocol-version", version)));
        } else if !message.opens() {
            headers.extend(self.session_headers());
        }
        let ask = Ask { path: self.path.clone(), method: Method::POST, headers, body: message.text.clone() };
        let bearer = self.bearer()?;
        exchange(self.way.line().await?, ask, bearer).await
    }

    fn session_headers(&self) -> Vec<(&'static str, String)> {
        let session = self.session();
        let version = session.version.clone().map(|version| ("mcp-protocol-version", version));
        version.into_iter().chain(session.id.clone().map(|id| ("mcp-session-id", id))).collect()
    }

    /// Asks for the stream of a session. What nobody waits for starts no app, and waits for none.
    async fn get(&self, headers: Vec<(&'static str, String)>) -> Result<Option<Answer>, Trouble> {
        let Some(line) = self.way.knock().await? else { return Ok(None) };
        let ask = Ask { path: self.path.clone(), method: Method::GET, headers, body: String::new() };
        exchange(line, ask, self.bearer()?).await.map(Some)
    }

    /// Read each time: a token may be replaced while the bridge runs, and none stays in memory longer than it is needed.
    fn bearer(&self) -> Result<HeaderValue, Trouble> {
        let agent = self.agent.as_ref().map_err(|why| Trouble(why.clone()))?;
        let token = token::read(&self.place.dir, agent).map_err(|error| Trouble(format!("{error:#}")))?;
        let mut bearer = HeaderValue::from_bytes(&[b"Bearer ", token.expose()].concat())
            .map_err(|_| Trouble("the token is not one".to_owned()))?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }

    /// Writes the answer's messages; makes one where a request got none.
    async fn bring(&self, message: &Message, mut answer: Answer) -> Result<(), Trouble> {
        if answer.is_stream() {
            let mut events = Events::default();
            let mut answered = message.id.is_none();
            while let Some(piece) = answer.piece().await? {
                for text in events.take(&piece) {
                    answered |= self.pass(message, &text).await;
                }
            }
            return if answered { Ok(()) } else { Err(broken_off()) };
        }
        let status = answer.status();
        let text = answer.text().await?;
        let Some(id) = &message.id else {
            if !status.is_success() {
                tracing::warn!("{}", refusal(status, &text, &self.agent));
            }
            return Ok(());
        };
        match serde_json::from_str::<Value>(&text) {
            // A refusal that could not tell which request it is about would leave the client waiting.
            Ok(mut said) if said.get("jsonrpc").is_some() && said.get("id").is_none_or(Value::is_null) => {
                said["id"] = id.clone();
                self.say(said.to_string()).await;
                Ok(())
            }
            Ok(said) if said.get("jsonrpc").is_some() => {
                self.pass(message, &text).await;
                Ok(())
            }
            _ => Err(Trouble(refusal(status, &text, &self.agent))),
        }
    }

    /// Writes one message; true if it answers this request.
    async fn pass(&self, message: &Message, text: &str) -> bool {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let answers = said.get("method").is_none() && said.get("id") == message.id.as_ref();
        if let (true, true, Some(version)) = (answers, message.opens(), said["result"]["protocolVersion"].as_str()) {
            self.session().version = Some(version.to_owned());
        }
        self.say(one_line(text)).await;
        answers
    }

    /// What the server says of its own accord in a session: the stream of the older era, as long as it is offered.
    async fn listen(self: Arc<Self>) {
        let (mut events, mut of) = (Events::default(), None);
        loop {
            let id = self.session().id.clone();
            if of != id {
                (events, of) = (Events::default(), id);
            }
            let mut headers = self.session_headers();
            headers.extend(events.last.clone().map(|last| ("last-event-id", last)));
            match self.get(headers).await {
                Ok(Some(mut answer)) if answer.is_stream() => {
                    while let Ok(Some(piece)) = answer.piece().await {
                        for text in events.take(&piece) {
                            self.say(one_line(&text)).await;
                        }
                    }
                }
                // A session that is gone is opened again by the next message, which brings a stream of its own.
                Ok(Some(answer)) if answer.status() != StatusCode::NOT_FOUND => return,
                Ok(_) | Err(_) => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn say(&self, line: String) {
        // Nobody reads any more: the loop notices it too.
        let _ = self.out.send(line).await;
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(mut lines: mpsc::Receiver<String>, mut output: impl AsyncWrite + Unpin) -> io::Result<()> {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        output.write_all(line.as_bytes()).await?;
        output.flush().await?;
    }
    Ok(())
}

/// What an answer that is no JSON-RPC says.
fn refusal(status: StatusCode, text: &str, agent: &Result<AgentName, String>) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let part = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    match (status, agent) {
        (StatusCode::UNAUTHORIZED, Ok(agent)) => format!(
            "Countersign does not know the token of the agent {agent}; run `countersign agent revoke {agent}` and `countersign agent add {agent} --bridge`"
        ),
        _ if !part("detail").is_empty() => format!("{}. {}", part("detail"), part("next")),
        _ => format!("Countersign answered {status}"),
    }
}
