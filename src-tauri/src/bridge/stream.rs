//! The messages in an answer: one of JSON, or the events of a stream.

/// Reads `text/event-stream` piece by piece.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Option<String>,
    /// The id of the last event that had one, for taking the stream up again.
    pub last: Option<String>,
}

impl Events {
    /// Takes the next piece and gives the messages that are whole by it.
    pub fn take(&mut self, piece: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        for byte in piece {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
            if let Some(data) = self.end_of(&line) {
                whole.push(data);
            }
        }
        whole
    }

    fn end_of(&mut self, line: &str) -> Option<String> {
        if line.is_empty() {
            return self.data.take().filter(|data| !data.trim().is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("data", Some(data)) => {
                data.push(' ');
                data.push_str(value);
            }
            ("data", data) => *data = Some(value.to_owned()),
            ("id", _) => self.last = Some(value.to_owned()),
            _ => {}
        }
        None
    }
}

/// A message on one line. Between its tokens JSON takes a space for a break, and inside of them there can be none.
pub fn one_line(text: &str) -> String {
    text.trim().replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let stream = "id: 1\nretry: 3000\ndata:\n\n: alive\n\nevent: message\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid: 2\ndata:{}\n\ndata: half";
        for size in [1, 2, 7, stream.len()] {
            let mut events = Events::default();
            let whole: Vec<String> = stream.as_bytes().chunks(size).flat_map(|piece| events.take(piece)).collect();
            assert_eq!(whole, ["{\"a\": 1}", "{}"], "{size}");
            assert_eq!(events.last.as_deref(), Some("2"));
        }
    }

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        assert_eq!(one_line("{\n  \"a\": \"b\\n\"\r\n}\n"), "{   \"a\": \"b\\n\"  }");
    }
}
