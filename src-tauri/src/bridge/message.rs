//! One line of the client's, read only as far as the way needs it. It travels as it was written.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The first revision whose requests stand alone and are described in headers. Revisions are dates and compare as text.
const MODERN: &str = "2026-07-28";
const WRAP: (&str, &str) = ("=?base64?", "?=");

/// A JSON-RPC message.
#[derive(Debug, Clone)]
pub struct Message {
    /// As it was written.
    pub text: String,
    /// The id of a request; notifications and answers have none.
    pub id: Option<Value>,
    /// What is asked for or told; answers have none.
    pub method: Option<String>,
    /// The revision that the message itself declares.
    pub version: Option<String>,
    /// The tool, prompt, address or task it is about.
    pub name: Option<String>,
    /// The request that a cancellation is about.
    pub cancels: Option<Value>,
}

impl Message {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn read(line: &[u8]) -> Result<Self, serde_json::Error> {
        let value: Value = serde_json::from_slice(line)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (params, method) = (&value["params"], text(&value["method"]));
        Ok(Self {
            id: value.get("id").filter(|_| method.is_some()).cloned(),
            version: text(&params["_meta"]["io.modelcontextprotocol/protocolVersion"]),
            name: ["name", "uri", "taskId"].iter().find_map(|key| text(&params[*key])),
            cancels: params.get("requestId").filter(|_| method.as_deref() == Some("notifications/cancelled")).cloned(),
            method,
            text: String::from_utf8_lossy(line).into_owned(),
        })
    }

    /// Whether it opens a session of the older era.
    pub fn opens(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }

    /// Whether it ends that opening.
    pub fn opened(&self) -> bool {
        self.method.as_deref() == Some("notifications/initialized")
    }

    /// Whether it belongs to the newer era, where a request that nobody waits for is a request withdrawn.
    pub fn is_modern(&self) -> bool {
        self.version.as_deref().is_some_and(|version| version >= MODERN)
    }

    /// What the newer era wants said in headers too: method and name.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        if !self.is_modern() {
            return Vec::new();
        }
        let method = self.method.as_deref().map(|method| ("mcp-method", header(method)));
        let name = self.name.as_deref().map(|name| ("mcp-name", header(name)));
        method.into_iter().chain(name).collect()
    }
}

/// The error answer of one request.
pub fn failure(id: &Value, code: i32, sentence: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": sentence}}).to_string()
}

/// A text as a header can carry it: plain where every byte is visible ASCII or an inner space, else wrapped.
fn header(text: &str) -> String {
    let plain = text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.starts_with(' ') && !text.ends_with(' ');
    let wrapped = text.starts_with(WRAP.0) && text.ends_with(WRAP.1);
    if plain && !wrapped { text.to_owned() } else { format!("{}{}{}", WRAP.0, STANDARD.encode(text), WRAP.1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Message {
        Message::read(text.as_bytes()).unwrap()
    }

    fn modern(method: &str, params: &str) -> Message {
        let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
        read(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{meta}}}}}"#))
    }

    #[test]
    fn requests_notifications_and_answers_are_told_apart() {
        assert_eq!(read(r#"{"id":"a","method":"ping"}"#).id, Some(json!("a")));
        assert_eq!(read(r#"{"method":"notifications/initialized"}"#).id, None);
        assert_eq!(read(r#"{"id":7,"result":{}}"#).id, None);
        assert!(Message::read(b"{").is_err() && Message::read(b"\xff").is_err());
        let number = r#"{"id":1.0,"method":"x","params":{"n":1e3}}"#;
        assert_eq!(read(number).text, number);
    }

    #[test]
    fn only_the_newer_era_is_described_in_headers() {
        assert_eq!(read(r#"{"id":1,"method":"tools/call","params":{"name":"pay"}}"#).headers(), []);
        let call = modern("tools/call", r#""name":"pay","#).headers();
        assert_eq!(call, [("mcp-method", "tools/call".to_owned()), ("mcp-name", "pay".to_owned())]);
        assert_eq!(modern("resources/read", r#""uri":"receipt://x","#).headers()[1].1, "receipt://x");
        assert_eq!(modern("tasks/get", r#""taskId":"t","#).headers()[1].1, "t");
        assert_eq!(modern("tools/list", "").headers().len(), 1);
    }

    #[test]
    fn names_that_no_header_can_carry_are_wrapped() {
        for (name, carried) in [
            ("a b", "a b"),
            ("été", "=?base64?w6l0w6k=?="),
            (" a", "=?base64?IGE=?="),
            ("a\u{7f}", "=?base64?YX8=?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ] {
            assert_eq!(header(name), carried, "{name:?}");
        }
    }

    #[test]
    fn a_cancellation_names_its_request_and_nothing_else_does() {
        let cancelled = read(r#"{"method":"notifications/cancelled","params":{"requestId":4}}"#);
        assert_eq!(cancelled.cancels, Some(json!(4)));
        assert_eq!(read(r#"{"method":"other","params":{"requestId":4}}"#).cancels, None);
    }
}
