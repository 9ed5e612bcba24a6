//! The recorded files after random edits: whatever they became, only our entry changes, or nothing does.

use super::*;
use proptest::prelude::*;

/// One random edit: what is written over how many characters, where.
type Edit = (prop::sample::Index, usize, &'static str);

const PIECES: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "{",
    "}",
    "{}",
    "[",
    "]",
    ",",
    ":",
    ": ",
    "\"",
    "'",
    "\\",
    "#",
    "# a note\n",
    "// a note\n",
    "/* a note */",
    "null",
    "~",
    "1",
    "é",
    "\u{2028}",
    "\"x\": 1,\n",
    "x: 1\n",
    "  x:\n    y: 2\n",
    "x = 1\n",
    "[x]\n",
    "- ",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    "\"mcpServers\": {},\n",
    "[mcp_servers]\n",
    "mcp_servers.x.y = 1\n",
    "extensions: {}\n",
    "  countersign:\n    cmd: /old\n",
    "\"countersign\": {\"command\": \"/old\"},\n",
    "[mcp_servers.countersign]\ncommand = \"/old\"\n",
    "---\n",
    "...\n",
    "\u{feff}",
];

fn edits() -> impl Strategy<Value = (usize, Vec<Edit>)> {
    let edit = (any::<prop::sample::Index>(), 0..6_usize, prop::sample::select(PIECES));
    (0..RECORDED.len(), prop::collection::vec(edit, 0..4))
}

fn edited(recorded: &str, edits: &[Edit]) -> String {
    let mut text: Vec<char> = recorded.chars().collect();
    for (at, over, piece) in edits {
        let start = at.index(text.len() + 1);
        let end = (start + over).min(text.len());
        text.splice(start..end, piece.chars());
    }
    text.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_file_holds_only_our_entry_changes((which, edits) in edits()) {
        let (id, recorded) = RECORDED[which];
        let text = edited(recorded, &edits);
        let client = client(id).unwrap();
        let at = format::At { section: client.section, name: NAME };
        let fields = fields(client.fixed, &launch(id));
        let Ok(seen) = client.format.read(&text, at) else {
            prop_assert!(client.format.put(&text, at, &fields, true).is_err());
            prop_assert!(client.format.take(&text, at).is_err());
            return Ok(());
        };
        for anew in [true, false] {
            let Ok(after) = client.format.put(&text, at, &fields, anew) else { continue };
            if seen.entry.is_none() && !may_be_filled(client, &seen) {
                prop_assert!(kept_in(&text, &after), "{id}:\n{text}\nbecame\n{after}");
                let diff = shown::change(&text, &after);
                let ours = format!("{} {NAME} {}", client.section, Value::from(fields.clone()));
                let (ours, mut shown) = (shown::words(&ours), shown::words(&diff).into_iter());
                let strange = shown.find(|word| word.starts_with(char::is_alphanumeric) && !ours.contains(word));
                prop_assert_eq!(strange, None, "{}:\n{}\nis shown as\n{}", id, text, diff);
            }
            let again = client.format.read(&after, at).unwrap();
            prop_assert_eq!(&again.rest, &seen.rest);
            prop_assert_eq!(notes(&again.rest), notes(&seen.rest));
            let Ok(back) = client.format.take(&after, at) else { continue };
            let back_seen = client.format.read(&back, at).unwrap();
            prop_assert_eq!((back_seen.entry, &back_seen.rest), (None, &seen.rest));
            if seen.entry.is_none() {
                prop_assert_eq!(notes(&back), notes(&text), "{}:\n{}\nbecame\n{}", id, text, back);
            }
        }
    }
}

/// Whether the section may be an explicit empty value, whose place the entry takes.
fn may_be_filled(client: &Client, seen: &format::Seen) -> bool {
    let rest: Value = serde_json::from_str(&seen.rest).unwrap_or_default();
    client.format == format::Format::Yaml && rest.get(client.section).is_none()
}

/// How many notes there are: a comment must not go with our entry.
fn notes(text: &str) -> usize {
    ["//", "/*", "#", "a note"].iter().map(|mark| text.matches(mark).count()).sum()
}
