//! Walks a text that is known to be JSON, once, from its beginning to its end.

use super::{Json, JsonError, Node};

/// The text and how far it was read.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next value; objects and lists may nest `depth` deep.
    pub(super) fn value(&mut self, depth: u8) -> Result<Json<'a>, JsonError> {
        self.blanks();
        let start = self.at;
        let node = match self.next() {
            Some(b'n') => self.word("null", Node::Null),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'"') => Node::Text(self.string()?),
            Some(b'[') => self.list(depth.checked_sub(1).ok_or(JsonError::TooDeep)?)?,
            Some(b'{') => self.object(depth.checked_sub(1).ok_or(JsonError::TooDeep)?)?,
            Some(_) => {
                self.pass(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
                Node::Number
            }
            None => return Err(JsonError::Syntax),
        };
        let raw = self.text.get(start..self.at).filter(|raw| !raw.is_empty()).ok_or(JsonError::Syntax)?;
        Ok(Json { raw, node })
    }

    fn list(&mut self, depth: u8) -> Result<Node<'a>, JsonError> {
        let mut items = Vec::new();
        self.expect(b'[')?;
        while !self.ends(b']')? {
            items.push(self.value(depth)?);
        }
        Ok(Node::List(items))
    }

    fn object(&mut self, depth: u8) -> Result<Node<'a>, JsonError> {
        let mut members = Vec::new();
        self.expect(b'{')?;
        while !self.ends(b'}')? {
            let key = self.string()?;
            self.blanks();
            self.expect(b':')?;
            members.push((key, self.value(depth)?));
        }
        refuse_duplicates(&members)?;
        Ok(Node::Object(members))
    }

    /// Whether a list or object ends here; passes the comma before another item.
    fn ends(&mut self, close: u8) -> Result<bool, JsonError> {
        self.blanks();
        if self.next() == Some(b',') {
            self.expect(b',')?;
            self.blanks();
        }
        let ends = self.next() == Some(close);
        if ends {
            self.expect(close)?;
        }
        Ok(ends)
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            self.pass(|byte| byte != b'"' && byte != b'\\');
            if self.next() == Some(b'"') {
                break;
            }
            escaped = true;
            self.expect(b'\\')?;
            self.at = self.at.saturating_add(1);
        }
        let inside = self.text.get(start.saturating_add(1)..self.at).ok_or(JsonError::Syntax)?;
        self.expect(b'"')?;
        if !escaped {
            return Ok(inside.to_owned());
        }
        let whole = self.text.get(start..self.at).ok_or(JsonError::Syntax)?;
        serde_json::from_str(whole).map_err(|_| JsonError::Syntax)
    }

    fn word(&mut self, word: &str, node: Node<'a>) -> Node<'a> {
        self.at = self.at.saturating_add(word.len());
        node
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.next() != Some(byte) {
            return Err(JsonError::Syntax);
        }
        self.at = self.at.saturating_add(1);
        Ok(())
    }

    fn blanks(&mut self) {
        self.pass(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn pass(&mut self, passes: impl Fn(u8) -> bool) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let many = rest.iter().position(|byte| !passes(*byte)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(many);
    }
}

fn refuse_duplicates(members: &[(String, Json<'_>)]) -> Result<(), JsonError> {
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let twice = keys.iter().zip(keys.iter().skip(1)).any(|(one, next)| one == next);
    if twice { Err(JsonError::DuplicateKey) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn same(ours: &Json<'_>, theirs: &Value) -> bool {
        match (&ours.node, theirs) {
            (Node::Null, Value::Null) => true,
            (Node::Bool(one), Value::Bool(other)) => one == other,
            (Node::Number, Value::Number(number)) => ours.raw == number.to_string(),
            (Node::Text(one), Value::String(other)) => one == other,
            (Node::List(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
            }
            (Node::Object(one), Value::Object(other)) => {
                one.len() == other.len() && one.iter().all(|(key, a)| other.get(key).is_some_and(|b| same(a, b)))
            }
            _ => false,
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\"\\\\,:{}\\[\\] ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5).prop_map(|all| all.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_is_read_as_serde_json_reads_it(value in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let read = Json::parse(&text).unwrap();
            prop_assert!(same(&read, &value), "{text}");
            prop_assert_eq!(serde_json::from_str::<Value>(read.raw()).unwrap(), value);
        }

        #[test]
        fn a_text_is_refused_exactly_if_serde_json_refuses_it(text in "[\\[\\]{},:\"\\\\a1.eE+\\-nutrlfs \n]{0,24}") {
            let theirs = serde_json::from_str::<Value>(&text);
            let ours = Json::parse(&text);
            prop_assert!(ours.is_ok() == theirs.is_ok() || ours == Err(JsonError::DuplicateKey), "{text}: {ours:?} {theirs:?}");
        }
    }
}
