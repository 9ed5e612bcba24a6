//! The pump between a client and a server that does as it is told.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex},
    net::UnixListener,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_stream::StreamExt as _;

use super::{Bridge, token};
use crate::{app::Place, door::AGENTS};

const TOKEN: &str = "cs1_0011_2233";

#[derive(Debug, Clone)]
struct Heard {
    verb: Method,
    headers: HeaderMap,
    body: Value,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn asks(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }

    fn result(&self, result: Value) -> Response {
        reply(&json!({"jsonrpc": "2.0", "id": self.body["id"], "result": result}))
    }
}

fn reply(body: &Value) -> Response {
    ([("content-type", "application/json")], body.to_string()).into_response()
}

fn stream(pieces: impl tokio_stream::Stream<Item = String> + Send + 'static) -> Response {
    let body = Body::from_stream(pieces.map(Ok::<_, std::io::Error>));
    ([("content-type", "text/event-stream")], body).into_response()
}

/// A client, its bridge, and the server.
struct Trio {
    to: DuplexStream,
    from: Lines<BufReader<DuplexStream>>,
    bridge: JoinHandle<std::io::Result<()>>,
    heard: Arc<Mutex<Vec<Heard>>>,
    _dir: tempfile::TempDir,
}

fn trio(answer: impl Fn(&Heard) -> Response + Clone + Send + Sync + 'static) -> Trio {
    let dir = tempfile::tempdir().unwrap();
    let agent = "researcher".parse().unwrap();
    token::Blank::make(dir.path(), &agent).unwrap().keep(TOKEN).unwrap();
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let routes = Router::new().fallback({
        let heard = heard.clone();
        async move |verb: Method, headers: HeaderMap, body: Bytes| {
            let one = Heard { verb, headers, body: serde_json::from_slice(&body).unwrap_or_default() };
            heard.lock().unwrap().push(one.clone());
            answer(&one)
        }
    });
    let listener = UnixListener::bind(dir.path().join(AGENTS)).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let place = Place { dir: dir.path().to_owned(), config: dir.path().join("config.toml") };
    let ((to, input), (output, from)) = (duplex(4096), duplex(4096));
    let bridge = tokio::spawn(Bridge::run(place, Ok(agent), None, BufReader::new(input), output));
    Trio { to, from: BufReader::new(from).lines(), bridge, heard, _dir: dir }
}

impl Trio {
    async fn says(&mut self, message: &Value) {
        self.writes(&message.to_string()).await;
    }

    async fn writes(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn hears(&mut self) -> Value {
        let line = self.from.next_line().await.unwrap().expect("the bridge ended");
        serde_json::from_str(&line).unwrap()
    }

    /// The first request of this kind that reaches the server.
    async fn heard(&self, method: &str) -> Heard {
        let first = || self.heard.lock().unwrap().iter().find(|one| one.asks() == method).cloned();
        tokio::time::timeout(std::time::Duration::from_secs(30), async {
            loop {
                match first() {
                    Some(heard) => return heard,
                    None => tokio::task::yield_now().await,
                }
            }
        })
        .await
        .unwrap()
    }

    /// The client closes its end; what the bridge still said, and all that the server heard.
    async fn ends(mut self) -> (Vec<Value>, Vec<Heard>) {
        drop(self.to);
        let mut rest = Vec::new();
        while let Some(line) = self.from.next_line().await.unwrap() {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        self.bridge.await.unwrap().unwrap();
        let heard = self.heard.lock().unwrap().clone();
        (rest, heard)
    }
}

fn request(id: u32, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {}})
}

fn modern(id: u32, method: &str) -> Value {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"name": "größe", "_meta": meta}})
}

fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

#[tokio::test]
async fn an_older_session_is_kept_and_opened_again_when_the_server_lost_it() {
    let sessions = Arc::new(Mutex::new(0));
    let mut trio = trio(move |heard| {
        let mut sessions = sessions.lock().unwrap();
        match (heard.asks(), heard.header("mcp-session-id")) {
            ("initialize", _) => {
                *sessions += 1;
                let mut response = heard.result(json!({"protocolVersion": "2025-11-25"}));
                response.headers_mut().insert("mcp-session-id", format!("s{sessions}").parse().unwrap());
                response
            }
            ("tools/list", "s1") => StatusCode::NOT_FOUND.into_response(),
            ("tools/list", "s2") => heard.result(json!({"tools": []})),
            _ if heard.verb == Method::GET => StatusCode::METHOD_NOT_ALLOWED.into_response(),
            _ => StatusCode::ACCEPTED.into_response(),
        }
    });
    trio.says(&request(0, "initialize")).await;
    assert_eq!(trio.hears().await["result"]["protocolVersion"], "2025-11-25");
    trio.says(&notification("notifications/initialized", json!({}))).await;
    trio.says(&request(1, "tools/list")).await;
    trio.says(&request(2, "tools/list")).await;
    for _ in 0..2 {
        let answer = trio.hears().await;
        assert_eq!(answer["result"], json!({"tools": []}), "{answer}");
    }
    let (rest, heard) = trio.ends().await;
    assert_eq!(rest, Vec::<Value>::new(), "the second opening is not the client's");
    let opened = heard.iter().filter(|one| one.asks() == "initialize").count();
    assert_eq!(opened, 2, "two messages found the session lost and one opening made it anew");
    for one in &heard {
        assert_eq!((one.header("authorization"), one.header("host")), ("Bearer cs1_0011_2233", "countersign"));
        let version = if one.asks() == "initialize" { "" } else { "2025-11-25" };
        assert_eq!((one.header("mcp-protocol-version"), one.header("mcp-method")), (version, ""), "{one:?}");
    }
}

#[tokio::test]
async fn what_an_older_server_says_of_its_own_accord_arrives_and_is_answered() {
    let mut trio = trio(|heard| match (heard.asks(), &heard.verb) {
        ("initialize", _) => {
            let mut response = heard.result(json!({"protocolVersion": "2025-11-25"}));
            response.headers_mut().insert("mcp-session-id", "s".parse().unwrap());
            response
        }
        (_, &Method::GET) => {
            let asks = "id: 7\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"e1\",\ndata: \"method\":\"elicitation/create\"}\n\n";
            stream(tokio_stream::once(asks.to_owned()).chain(tokio_stream::pending()))
        }
        _ => StatusCode::ACCEPTED.into_response(),
    });
    trio.says(&request(0, "initialize")).await;
    trio.hears().await;
    trio.says(&notification("notifications/initialized", json!({}))).await;
    assert_eq!(trio.hears().await, json!({"jsonrpc": "2.0", "id": "e1", "method": "elicitation/create"}));
    let answer = json!({"jsonrpc": "2.0", "id": "e1", "result": {"action": "decline"}});
    trio.says(&answer).await;
    let (rest, heard) = trio.ends().await;
    assert_eq!((rest.len(), &heard.last().unwrap().body), (0, &answer));
}

#[tokio::test]
async fn withdrawing_hangs_up_in_the_newer_era_and_is_passed_on_in_the_older() {
    struct Gone(mpsc::UnboundedSender<()>);
    impl Drop for Gone {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (gone, mut went) = mpsc::unbounded_channel();
    let mut trio = trio(move |heard| {
        if heard.asks() != "tools/call" {
            return StatusCode::ACCEPTED.into_response();
        }
        let guard = Gone(gone.clone());
        let progress = format!("data: {{\"method\":\"notifications/progress\",\"params\":{}}}\n\n", heard.body["id"]);
        stream(tokio_stream::once(progress).chain(tokio_stream::pending().map(move |text: String| {
            let _ = &guard;
            text
        })))
    });
    trio.says(&modern(1, "tools/call")).await;
    trio.hears().await;
    trio.says(&request(2, "tools/call")).await;
    trio.hears().await;
    trio.says(&notification("notifications/cancelled", json!({"requestId": 2}))).await;
    trio.says(&notification("notifications/cancelled", json!({"requestId": 1}))).await;
    went.recv().await.unwrap();
    assert!(went.try_recv().is_err(), "the older request is still waited for");
    assert_eq!(trio.heard("notifications/cancelled").await.body["params"]["requestId"], 2);
    let heard = trio.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3, "the newer request's cancellation is not passed on: {heard:?}");
    let call = heard.iter().find(|one| one.body["id"] == 1).unwrap();
    assert_eq!(
        (call.header("mcp-protocol-version"), call.header("mcp-method"), call.header("mcp-name")),
        ("2026-07-28", "tools/call", "=?base64?Z3LDtsOfZQ==?=")
    );
}

#[tokio::test]
async fn every_request_gets_an_answer_whatever_the_server_does() {
    let mut trio = trio(|heard| match heard.asks() {
        "good" => heard.result(json!({"n": 1})),
        "pretty" => {
            let body = serde_json::to_string_pretty(&json!({"jsonrpc": "2.0", "id": heard.body["id"], "result": {}}));
            ([("content-type", "application/json")], body.unwrap()).into_response()
        }
        "nameless" => (
            StatusCode::BAD_REQUEST,
            reply(&json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32020, "message": "header"}})),
        )
            .into_response(),
        "problem" => {
            (StatusCode::TOO_MANY_REQUESTS, reply(&json!({"detail": "too fast", "next": "Wait."}))).into_response()
        }
        "token" => StatusCode::UNAUTHORIZED.into_response(),
        "accepted" => StatusCode::ACCEPTED.into_response(),
        "breaks" => stream(tokio_stream::once("data: {\"method\":\"x\"}\n\ndata: {\"id\"".to_owned())),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "<html>").into_response(),
    });
    let expected = [
        ("good", json!({"n": 1}), ""),
        ("pretty", json!({}), ""),
        ("nameless", json!(-32020), "header"),
        ("problem", json!(-32603), "too fast. Wait."),
        ("token", json!(-32603), "agent add researcher --bridge"),
        ("accepted", json!(-32603), "202"),
        ("breaks", json!(-32603), "broke before the answer"),
        ("nonsense", json!(-32603), "500"),
    ];
    for (id, (method, what, says)) in (1..).zip(&expected) {
        trio.says(&request(id, method)).await;
        let mut answer = trio.hears().await;
        if *method == "breaks" {
            assert_eq!(answer, json!({"method": "x"}));
            answer = trio.hears().await;
        }
        assert_eq!(answer["id"], id, "{method}: {answer}");
        let (is, message) = match answer.get("error") {
            Some(error) => (&error["code"], error["message"].as_str().unwrap()),
            None => (&answer["result"], ""),
        };
        assert_eq!(is, what, "{method}: {answer}");
        assert!(message.contains(says), "{method}: {message}");
    }
    trio.writes("").await;
    trio.writes("{not json").await;
    let unreadable = trio.hears().await;
    assert_eq!((&unreadable["id"], &unreadable["error"]["code"]), (&Value::Null, &json!(-32700)));
    trio.says(&request(90, "good")).await;
    let (rest, heard) = trio.ends().await;
    assert_eq!(rest.len(), 1, "an answer that was waited for is brought after the client has said everything");
    assert_eq!(heard.len(), expected.len() + 1);
}
