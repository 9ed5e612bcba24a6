//! A bare MCP client that shows every byte of the protocol, for what the official client hides.

use serde_json::{Value, json};
use std::time::Duration;

/// A bare MCP client: one POST a message, JSON or SSE read to its end.
#[derive(Clone)]
pub struct Mcp {
    http: reqwest::Client,
    url: String,
    token: String,
    /// A session id to send, as clients of older servers do.
    pub session: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON-RPC messages, in order.
    pub messages: Vec<Value>,
    /// The session that was begun.
    pub session: Option<String>,
}

/// A session's stream.
pub struct Heard(reqwest::Response);

impl Heard {
    /// Reads until this word was said on it.
    pub async fn until(mut self, word: &str) {
        let mut said = String::new();
        while !said.contains(word) {
            let chunk = self.0.chunk().await.expect("a whole stream").expect("more to come");
            said.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}

impl Answer {
    /// The last message: the result, or the error.
    pub fn last(&self) -> &Value {
        self.messages.last().unwrap_or(&Value::Null)
    }
}

impl Mcp {
    /// A client of this service.
    pub fn new(url: &str, token: &str) -> Self {
        Self::at(&format!("{url}/mcp"), token)
    }

    /// A client of any MCP endpoint.
    pub fn at(endpoint: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().expect("a client");
        Self { http, url: endpoint.to_owned(), token: token.to_owned(), session: None }
    }

    /// The same client at an upstream that stands behind the service.
    pub fn behind(&self, name: &str) -> Self {
        Self { url: format!("{}/{name}", self.url), ..self.clone() }
    }

    /// Sends one message of the older era.
    pub async fn send(&self, message: &Value) -> Answer {
        self.post(message, &[]).await
    }

    /// Begins a session of the older era, as this client from here on.
    pub async fn begin(&mut self, capabilities: Value) {
        let hello = json!({
            "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "bare", "version": "1"},
        });
        let answer = self.send(&request("initialize", &hello)).await;
        assert_eq!(answer.last()["result"]["protocolVersion"], "2025-11-25", "{answer:?}");
        self.session = answer.session;
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.send(&initialized).await.status, 202);
    }

    /// Opens the session's stream for what the server says of its own accord.
    pub async fn listen(&self) -> Heard {
        let session = self.session.as_deref().expect("a session");
        let request = self.http.get(&self.url).bearer_auth(&self.token).header("mcp-session-id", session);
        Heard(request.header("accept", "text/event-stream").send().await.expect("a stream"))
    }

    /// Ends the session, as far as the server does; gives the HTTP status.
    pub async fn end(&self) -> u16 {
        let session = self.session.as_deref().expect("a session");
        let request = self.http.delete(&self.url).bearer_auth(&self.token).header("mcp-session-id", session);
        request.send().await.expect("an answer").status().as_u16()
    }

    /// Sends a request of the newer era, with its headers and `_meta`.
    pub async fn modern(&self, method: &str, params: &Value) -> Answer {
        self.modern_as(json!({}), method, params).await
    }

    /// The same by a client with these capabilities.
    pub async fn modern_as(&self, capabilities: Value, method: &str, params: &Value) -> Answer {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/clientInfo": {"name": "bare", "version": "1"},
        });
        let name = ["name", "uri", "taskId"].iter().find_map(|key| params[key].as_str());
        let name = name.unwrap_or_default().to_owned();
        let mut headers = vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)];
        if !name.is_empty() {
            headers.push(("Mcp-Name", &name));
        }
        self.post(&request(method, &with(params, "_meta", meta)), &headers).await
    }

    async fn post(&self, message: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.http.post(&self.url).bearer_auth(&self.token);
        request =
            request.header("content-type", "application/json").header("accept", "application/json, text/event-stream");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(message.to_string()).send().await.expect("an answer");
        let status = response.status().as_u16();
        let session = response.headers().get("mcp-session-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let text = response.text().await.expect("a whole answer");
        let lines = text.lines().map(|line| line.strip_prefix("data:").unwrap_or(line).trim());
        let messages = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        Answer { status, messages, session }
    }

    /// The result of a request that must have one.
    pub async fn result(&self, method: &str, params: &Value) -> Value {
        let answer = self.send(&request(method, params)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let result = answer.last()["result"].clone();
        assert!(result.is_object(), "{method}: {answer:?}");
        result
    }

    /// The result of a tool call.
    pub async fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.result("tools/call", &json!({"name": tool, "arguments": arguments})).await
    }

    /// The structured result of a call that is no error; its text says the same.
    pub async fn structured(&self, tool: &str, arguments: &Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_ne!(result["isError"], true, "{tool}: {result}");
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().expect("text")).expect("JSON");
        assert_eq!(text, result["structuredContent"]);
        text
    }

    /// The problem of a call that is an error.
    pub async fn problem(&self, tool: &str, arguments: &Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!((&result["isError"], result.get("structuredContent")), (&json!(true), None), "{tool}: {result}");
        serde_json::from_str(result["content"][0]["text"].as_str().expect("text")).expect("JSON")
    }
}

/// A request message.
pub fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// The same object with one member set.
pub fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}
