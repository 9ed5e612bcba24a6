//! Files that cannot be read are left as they are, and the person is told where to look.

use super::*;

/// Tries both changes; gives what was said, and asserts that nothing was written.
fn refused(id: &str, text: &str) -> String {
    let desk = Desk::with(id, Some(text));
    let said = desk.found.connect(&desk.launch()).map(|_| "connected").unwrap_err();
    assert!(desk.found.undo().is_err(), "{id} {text:?}");
    assert!(matches!(desk.found.state(&desk.launch()), State::Broken(_)), "{id} {text:?}");
    assert_eq!((desk.text().as_deref(), desk.names().len()), (Some(text), 1), "{id}");
    format!("{said:#}")
}

#[test]
fn a_broken_file_is_left_alone_and_the_place_is_named() {
    let cases = [
        ("claude-code", "{\n  \"a\": 1,\n  \"b\": \n}\n", "line 4, column 1: Unexpected close brace"),
        ("claude-code", "{\n  \"a\": 1 // one\n}\n", "line 2, column 10: Comments are not allowed"),
        ("claude-desktop", "{\n  \"a\": 1,\n}\n", "line 2, column 9: Trailing commas are not allowed"),
        ("cursor", "{\"mcpServers\": {\"a\": {}", "line 1"),
        ("cursor", "{'mcpServers': {}}", "line 1, column 2: Single-quoted"),
        ("cursor", "{\"a\": 1}\n{\"b\": 2}\n", "line 2, column 1"),
        ("cursor", "[]\n", "line 1, column 1: the file should hold a JSON object"),
        ("cursor", "{\n  \"mcpServers\": [\n]}\n", "line 2, column 17: `mcpServers` should be an object"),
        ("cursor", "{\"mcpServers\": {},\n \"mcpServers\": {}}", "line 2, column 2: `mcpServers` is there twice"),
        (
            "vscode",
            "{\"servers\": {\"countersign\": {},\n\"countersign\": {}}}",
            "line 2, column 1: `countersign` is there twice",
        ),
        ("zed", "{ \"a\": \"open\n}", "line 1, column 8"),
        ("codex", "model = \"o\"\nmodel = \"p\"\n", "line 2, column 1"),
        ("codex", "ok = 1\n[mcp_servers\n", "line 2"),
        ("codex", "ok = 1\nmcp_servers = 3\n", "line 2, column 15: `mcp_servers` should be a table"),
        ("codex", "[mcp_servers]\ncountersign = \"x\"\n", "line 2, column 15"),
        ("codex", "[[mcp_servers]]\na = 1\n", "line 1"),
        ("goose", "a: 1\n\tb: 2\n", "line 1, column 4"),
        ("goose", "extensions:\n  a: [1\nb: 2\n", "line 3"),
        ("goose", "a: 1\na: 2\n", "line 2, column 1: duplicated key"),
        ("goose", "- a\n- b\n", "line 1, column 1: the file should hold a YAML mapping"),
        ("goose", "a: 1\nextensions: 5\n", "line 2, column 1: `extensions` should be a mapping"),
        ("goose", "extensions: {a: {type: builtin}}\n", "line 1, column 1: `extensions` is written in braces"),
        ("goose", "a: 1\n---\nb: 2\n", "the file holds a second YAML document"),
    ];
    for (id, text, wanted) in cases {
        let said = refused(id, text);
        assert!(said.contains(wanted), "{id} {text:?}: {said}");
        assert!(said.contains("was not changed"), "{said}");
    }
}

#[test]
fn every_recorded_file_cut_off_anywhere_is_edited_cleanly_or_left_alone() {
    for (id, recorded) in RECORDED {
        let ends: Vec<usize> = recorded.char_indices().map(|(at, _)| at).step_by(7).collect();
        for end in ends {
            let text = &recorded[..end];
            let found = client(id).unwrap();
            let at = format::At { section: found.section, name: NAME };
            match found.format.put(text, at, &fields(found.fixed, &launch(id)), true) {
                Ok(after) => assert!(kept_in(text, &after), "{id}: {text:?} became {after:?}"),
                Err(broken) => assert!(broken.line <= text.lines().count() + 1, "{id}: {broken} in {text:?}"),
            }
        }
    }
}

#[test]
fn what_is_no_utf8_or_no_file_is_left_alone() {
    let desk = Desk::with("cursor", None);
    std::fs::write(&desk.found.file, b"{\"a\": \"\xff\"}").unwrap();
    let said = desk.found.connect(&desk.launch()).unwrap_err().to_string();
    assert!(said.contains("no UTF-8 text (byte 7)"), "{said}");
    std::fs::remove_file(&desk.found.file).unwrap();
    std::fs::create_dir(&desk.found.file).unwrap();
    let said = desk.found.connect(&desk.launch()).unwrap_err().to_string();
    assert!(said.contains("no ordinary file"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_file_of_another_user_is_left_alone() {
    let desk = Desk::with("cursor", None);
    if rustix::process::geteuid().is_root() {
        desk.write("{}");
        std::os::unix::fs::chown(&desk.found.file, Some(1), None).unwrap();
    } else {
        std::os::unix::fs::symlink("/etc/passwd", &desk.found.file).unwrap();
    }
    let said = desk.found.connect(&desk.launch()).unwrap_err().to_string();
    assert!(said.contains("belongs to another user"), "{said}");
}

#[test]
fn a_value_that_toml_does_not_have_is_an_error_and_not_another_value() {
    let codex = client("codex").unwrap();
    let at = format::At { section: codex.section, name: NAME };
    for value in [json!(null), json!(0.5), json!(u64::MAX), json!({"a": 1}), json!([["ok", {}]])] {
        for text in ["", "[mcp_servers.countersign]\ncommand = \"/old\"\n"] {
            let fields = Map::from_iter([("command".to_owned(), value.clone())]);
            let said = codex.format.put(text, at, &fields, false).unwrap_err().to_string();
            assert!(said.contains("`command`"), "{value}: {said}");
        }
    }
}
