//! Writing JSON as the official client does: JavaScript's `JSON.stringify` of what `JSON.parse` read.

use super::{Json, Node, number};

impl Json<'_> {
    /// The value without white space, with JavaScript's escapes, numbers and key order. Means the same as [`Json::raw`].
    pub(crate) fn stringify(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match &self.node {
            Node::Null | Node::Bool(_) => out.push_str(self.raw),
            Node::Number => out.push_str(&number::spell(self.raw)),
            Node::Text(text) => out.push_str(&quote(text)),
            Node::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Node::Object(members) => {
                // JavaScript keeps keys that look like list positions first, in number order.
                let mut ordered: Vec<_> = members.iter().collect();
                ordered.sort_by_key(|(key, _)| position(key).map_or((1, 0), |n| (0, n)));
                out.push('{');
                for (i, (key, value)) in ordered.into_iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    out.push_str(&quote(key));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// A JSON string with no escape but those that must be.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// ECMA-262's array index: a plain number below 2^32 - 1.
fn position(key: &str) -> Option<u32> {
    let plain = key == "0" || (!key.starts_with('0') && key.bytes().all(|b| b.is_ascii_digit()));
    if plain { key.parse().ok().filter(|n| *n < u32::MAX) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_as_json_stringify_writes_it() {
        let text = r#" { "b" : "\u00e9\/\ud83d\ude00\u2028\u007f\u0001\n\"\\" , "404" : [ ] , "__proto__":{}, "a" : [1.0 , true,null ], "200":{} , "007":0, "4294967295":0, "-1":0 } "#;
        let expected = "{\"200\":{},\"404\":[],\"b\":\"é/😀\u{2028}\u{7f}\\u0001\\n\\\"\\\\\",\"__proto__\":{},\"a\":[1,true,null],\"007\":0,\"4294967295\":0,\"-1\":0}";
        assert_eq!(Json::parse(text).map(|json| json.stringify()).as_deref(), Ok(expected));
    }
}
