//! Requests written byte by byte, as no decent client would send them.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::service::PATIENCE;

/// What came back; everything empty if the connection was closed without an answer.
#[derive(Debug, Default)]
pub struct RawAnswer {
    /// HTTP status, 0 if there was none.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The rest.
    pub body: String,
}

impl RawAnswer {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<String> {
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    }
}

/// Sends these bytes to `http://…:PORT` and reads until the other side closes.
pub fn exchange(url: &str, bytes: &[u8]) -> RawAnswer {
    let address = url.strip_prefix("http://").expect("an http address");
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    over(stream, bytes)
}

/// The same to a Unix socket.
#[cfg(unix)]
pub fn exchange_at(socket: &std::path::Path, bytes: &[u8]) -> RawAnswer {
    let stream = std::os::unix::net::UnixStream::connect(socket).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    over(stream, bytes)
}

fn over(mut stream: impl Read + Write, bytes: &[u8]) -> RawAnswer {
    // A server that has refused already may close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    let mut block = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut block) {
        all.extend_from_slice(&block[..n]);
    }
    let text = String::from_utf8_lossy(&all).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or_default();
    RawAnswer { status, head: head.to_owned(), body: body.to_owned() }
}
