//! What is written, for each client, into files as people have them.

use super::*;

/// A text as other editors leave it.
fn variants(text: &str) -> Vec<(&'static str, String)> {
    let windows = text.replace('\n', "\r\n");
    vec![
        ("as recorded", text.to_owned()),
        ("with Windows line ends", windows.clone()),
        ("with a byte order mark", format!("\u{feff}{windows}")),
        ("without a last line end", text.trim_end().to_owned()),
        ("with blank lines at the end", format!("{text}\n\n\n")),
        ("empty", String::new()),
        ("blank", "\n".to_owned()),
    ]
}

#[test]
fn connecting_only_adds_and_a_second_time_does_nothing_and_undoing_restores_every_byte() {
    for (id, recorded) in RECORDED {
        for (how, text) in variants(recorded) {
            let desk = Desk::with(id, Some(&text));
            assert_eq!(desk.found.state(&desk.launch()), State::NotSet, "{id} {how}");
            let after = desk.connect();
            assert!(kept_in(&text, &after), "{id} {how}:\n{after}");
            assert!(!text.contains("\r\n") || !after.replace("\r\n", "").contains('\n'), "{id} {how}: mixed line ends");
            assert_eq!(desk.found.state(&desk.launch()), State::Connected, "{id} {how}:\n{after}");
            assert!(desk.found.connect(&desk.launch()).unwrap().is_none(), "{id} {how}: not idempotent");
            assert_eq!(desk.names(), ["config", "config.before-countersign"], "{id} {how}");
            desk.undo();
            assert_eq!(desk.text().as_ref(), Some(&text), "{id} {how}");
            assert_eq!(desk.names(), ["config"], "{id} {how}");
            assert!(desk.found.undo().unwrap().is_none(), "{id} {how}");
        }
    }
}

#[test]
fn a_missing_file_is_made_and_undoing_removes_it() {
    for (id, _) in RECORDED {
        let desk = Desk::with(id, None);
        let after = desk.connect();
        assert!(after.ends_with('\n'), "{id}: {after:?}");
        assert_eq!(desk.found.state(&desk.launch()), State::Connected, "{id}");
        desk.undo();
        assert_eq!(desk.names(), [""; 0], "{id}");
    }
}

#[test]
fn after_the_person_edited_the_file_undoing_takes_only_our_entry_out() {
    for (id, recorded) in RECORDED {
        for (how, text) in variants(recorded) {
            let desk = Desk::with(id, Some(&text));
            let after = desk.connect();
            let note = match desk.found.client.format {
                format::Format::Json => " ",
                format::Format::Jsonc => "// mine",
                format::Format::Toml | format::Format::Yaml => "# mine",
            };
            let end = if after.ends_with('\n') { "" } else { "\n" };
            desk.write(&format!("{after}{end}{note}\n"));
            desk.undo();
            let left = desk.text().unwrap();
            assert_eq!(desk.found.state(&desk.launch()), State::NotSet, "{id} {how}");
            assert!(left.ends_with(&format!("{note}\n")), "{id} {how}:\n{left}");
            assert_eq!(squeezed(&left), squeezed(&format!("{text}{note}")), "{id} {how}:\n{left}");
        }
    }
}

/// Without what may be left behind of us: space, an empty section, and a comma or a brace pair around it.
fn squeezed(text: &str) -> String {
    let mut text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    for section in CLIENTS.iter().map(|client| client.section) {
        for empty in [format!("\"{section}\":{{}}"), format!("{section}:{{}}")] {
            text = text.replace(&empty, "");
        }
    }
    text.replace("{}", "").replace(',', "")
}

#[test]
fn the_entry_of_vs_code_has_its_type_and_the_files_tabs() {
    let (_, recorded) = RECORDED[3];
    let desk = Desk::with("vscode", Some(recorded));
    let after = desk.connect();
    let entry = "\t\t\"countersign\": {\n\t\t\t\"type\": \"stdio\",\n\t\t\t\"command\": \"/opt/counter sign/\\\"bin\\\"\\\\countersign\",\n\t\t\t\"args\": [\"mcp\", \"--agent\", \"vscode\", \"--data-dir\", \"/home/ada/Zürich\"]";
    assert!(after.contains(entry), "{after}");
    assert!(after.contains("// \"disabled\""), "{after}");
}

#[test]
fn the_entry_of_codex_stands_among_its_servers() {
    let (_, recorded) = RECORDED[4];
    let after = Desk::with("codex", Some(recorded)).connect();
    let entry = "\"X-Team\" = \"engines\"\n\n[mcp_servers.countersign]\ncommand = '/opt/counter sign/\"bin\"\\countersign'\nargs = [\"mcp\", \"--agent\", \"codex\", \"--data-dir\", \"/home/ada/Zürich\"]\n\n[tui]\n";
    assert!(after.contains(entry), "{after}");
}

#[test]
fn the_entry_of_goose_stands_first_and_no_comment_changes_its_place() {
    let (_, recorded) = RECORDED[8];
    let after = Desk::with("goose", Some(recorded)).connect();
    let entry = "extensions:\n  countersign:\n    type: \"stdio\"\n    cmd: \"/opt/counter sign/\\\"bin\\\"\\\\countersign\"\n    args: [\"mcp\",\"--agent\",\"goose\",\"--data-dir\",\"/home/ada/Zürich\"]\n    name: \"countersign\"\n    description: \"Pays for you, within your limits\"\n    enabled: true\n    timeout: 300\n  # builtin\n  developer:\n";
    assert!(after.contains(entry), "{after}");
}

#[test]
fn empty_sections_in_every_spelling_are_filled() {
    let cases = [
        ("cursor", "{}"),
        ("cursor", "{\"mcpServers\":{}}"),
        ("cursor", "{\n  \"mcpServers\": {\n  }\n}\n"),
        ("cursor", "{\"mcpServers\": {\"a\": {\"url\": \"https://a.example\"}}, \"z\": 1}"),
        ("cursor", "{\"theme\": \"dark\" /* mine */}"),
        ("zed", "// only a comment\n"),
        ("zed", "{ // nothing\n}\n"),
        ("codex", "# only a comment"),
        ("codex", "[mcp_servers]\n"),
        ("codex", "mcp_servers = {}\nmodel = \"o\"\n"),
        ("codex", "mcp_servers = { a = { command = \"x\" } } # short\n"),
        ("codex", "mcp_servers.a.command = \"x\"\n[tui]\n"),
        ("goose", "extensions:\n"),
        ("goose", "extensions:"),
        ("goose", "extensions: {} # none\nGOOSE_MODE: auto\n"),
        ("goose", "GOOSE_MODE: auto\nextensions: null\n"),
        ("goose", "extensions: ~\n"),
        ("goose", "extensions: {}\nsions:\n  one: 1\n"),
        ("goose", "{}\n"),
        ("goose", "---\nGOOSE_MODE: auto\n"),
        ("goose", "extensions: # all\n    one:\n        type: builtin\n"),
        ("goose", "'extensions':\n  \"one\": {type: builtin}"),
    ];
    for (id, text) in cases {
        let desk = Desk::with(id, Some(text));
        let after = desk.connect();
        assert_eq!(desk.found.state(&desk.launch()), State::Connected, "{text:?} became\n{after}");
        desk.undo();
        assert_eq!(desk.text().as_deref(), Some(text));
        desk.connect();
        desk.write(&format!("{}\n", desk.text().unwrap()));
        desk.undo();
        assert_eq!(desk.found.state(&desk.launch()), State::NotSet, "{text:?} became\n{}", desk.text().unwrap());
    }
}

#[test]
fn an_entry_of_a_program_that_moved_is_stale_and_only_that_is_brought_up_to_date() {
    for (id, recorded) in RECORDED {
        let desk = Desk::with(id, Some(recorded));
        desk.found.connect(&launch_at("/old/place/countersign", id)).unwrap().unwrap().carry_out().unwrap();
        let State::Stale(why) = desk.found.state(&desk.launch()) else { panic!("{id} is not stale") };
        assert!(why.contains("is not that of this program") && !why.contains("/old/place"), "{id}: {why}");
        let changed = desk.connect();
        assert_eq!(desk.found.state(&desk.launch()), State::Connected, "{id}");
        assert!(!changed.contains("/old/place"), "{id}: {changed}");
        desk.undo();
        assert_eq!(desk.text().as_deref(), Some(*recorded), "{id}");
    }
}

#[test]
fn what_a_person_added_to_our_entry_stays_when_it_is_brought_up_to_date() {
    let cases = [
        (
            "cursor",
            "{\"mcpServers\": {\"countersign\": {\"command\": \"/old\", \"args\": [], \"disabled\": true}}}",
            "\"disabled\": true",
        ),
        (
            "codex",
            "[mcp_servers.countersign]\ncommand = \"/old\" # here\ntool_timeout_sec = 90\n",
            "tool_timeout_sec = 90",
        ),
        (
            "goose",
            "extensions:\n  countersign:\n    enabled: false # for today\n    type: stdio\n    cmd: /old\n    args:\n    - mcp\n    envs: {}\n  two:\n    type: builtin\n",
            "    enabled: false # for today\n",
        ),
    ];
    for (id, text, stays) in cases {
        let desk = Desk::with(id, Some(text));
        let after = desk.connect();
        assert!(after.contains(stays), "{after}");
        assert_eq!(desk.found.state(&desk.launch()), State::Connected, "{after}");
    }
}

#[test]
fn an_entry_with_an_address_is_written_anew() {
    for (id, text) in [
        ("cursor", "{\"mcpServers\": {\"countersign\": {\"url\": \"http://127.0.0.1:7402/mcp\"}, \"b\": {}}}"),
        ("codex", "[mcp_servers.countersign]\nurl = \"http://127.0.0.1:7402/mcp\"\n\n[mcp_servers.b]\nurl = \"x\"\n"),
        (
            "goose",
            "extensions:\n  countersign:\n    type: sse\n    uri: http://127.0.0.1:7402/mcp\n  b:\n    type: builtin\n",
        ),
    ] {
        let desk = Desk::with(id, Some(text));
        assert!(matches!(desk.found.state(&desk.launch()), State::Stale(_)), "{id}");
        let after = desk.connect();
        assert!(!after.contains("7402"), "{after}");
        assert_eq!(desk.found.state(&desk.launch()), State::Connected, "{after}");
    }
}

#[test]
fn taking_our_table_out_leaves_the_comments_around_it() {
    let text = "[mcp_servers.a]\ncommand = \"x\"\n# end of a\n\n[mcp_servers.countersign]\ncommand = \"/old\" # here\nargs = []\n[mcp_servers.countersign.env]\nA = \"1\"\n\n# about b\n[mcp_servers.b]\ncommand = \"y\"\n";
    let desk = Desk::with("codex", Some(text));
    desk.undo();
    let wanted = "[mcp_servers.a]\ncommand = \"x\"\n# end of a\n\n# about b\n[mcp_servers.b]\ncommand = \"y\"\n";
    assert_eq!(desk.text().as_deref(), Some(wanted));
}

#[test]
fn an_update_keeps_the_comment_behind_a_line_of_yaml_and_refuses_where_one_would_be_lost() {
    let around = |args: &str| {
        format!(
            "extensions:\n  countersign: # ours\n    type: stdio\n    cmd: '/old # x'  # here\n{args}    name: us\n"
        )
    };
    let desk = Desk::with("goose", Some(&around("    args: # all\n    - mcp\n    - \"# no comment\"\n")));
    let after = desk.connect();
    for line in ["  countersign: # ours\n", "countersign\"  # here\n", "\"/home/ada/Zürich\"] # all\n"] {
        assert!(after.contains(line), "{after}");
    }
    for args in ["    args:\n    - mcp # first\n", "    args:\n      # first\n      - mcp\n"] {
        let desk = Desk::with("goose", Some(&around(args)));
        let said = format!("{:#}", desk.found.connect(&desk.launch()).unwrap_err());
        assert!(said.contains("line 6, column ") && said.contains("a comment stands in a value"), "{said}");
        assert_eq!(desk.text(), Some(around(args)));
    }
    let desk = Desk::with("goose", Some("extensions:\n  countersign: {type: sse, uri: http://a} # ours\n"));
    assert!(desk.connect().contains("  countersign: # ours\n    type: \"stdio\"\n"), "{:?}", desk.text());
}

#[test]
fn the_diff_shows_what_is_put_in_and_no_secret_of_a_neighbour() {
    let (_, recorded) = RECORDED[1];
    let desk = Desk::with("claude-desktop", Some(recorded));
    let diff = desk.found.connect(&desk.launch()).unwrap().unwrap().diff();
    assert!(diff.contains("+    \"countersign\": {"), "{diff}");
    assert!(!diff.contains("not-a-real-key"), "{diff}");
    assert_eq!(desk.text().as_deref(), Some(recorded), "a plan writes nothing");
}

#[test]
fn a_neighbour_on_the_same_line_is_not_shown_whatever_is_done() {
    const SECRET: &str = "sk-s3cret_0f";
    let cases = [
        ("cursor", "{\n  \"mcpServers\": {\n    \"a\": {\"headers\": {\"Authorization\": \"Bearer KEY\"}}\n  }\n}\n"),
        ("cursor", "{\n  \"mcpServers\": {\n    \"a\": {\"b\": 1} // KEY\n  }\n}\n"),
        ("cursor", "{\"mcpServers\": {\"a\": {\"headers\": {\"Authorization\": \"Bearer KEY\"}}}, \"key\": \"KEY\"}"),
        ("claude-code", "{\"key\": \"KEY\"}"),
        ("codex", "mcp_servers = { a = { env = { KEY = \"KEY\" } } } # KEY\n"),
        ("codex", "key = \"KEY\""),
        ("goose", "extensions: # KEY\n  a:\n    envs: {KEY: KEY}"),
        ("goose", "key: KEY\nextensions: {} # KEY"),
    ];
    for (id, text) in cases {
        let desk = Desk::with(id, Some(&text.replace("KEY", SECRET)));
        let mut seen = String::new();
        let mut act = |plan: anyhow::Result<Option<Plan>>| {
            let plan = plan.unwrap().unwrap();
            seen.push_str(&plan.diff());
            plan.carry_out().unwrap();
        };
        act(desk.found.connect(&launch_at("/old", id)));
        act(desk.found.connect(&desk.launch()));
        std::fs::remove_file(desk.folder.path().join("config.before-countersign")).unwrap();
        act(desk.found.undo());
        assert!(!seen.contains("s3cret") && seen.contains("countersign"), "{id} {text:?}:\n{seen}");
    }
}

#[test]
fn of_a_line_only_the_pieces_that_change_are_shown() {
    let before = "{\n  \"a\": {\"key\": \"one\"}, \"b\": 7\n}\n";
    let after = "{\n  \"a\": {\"key\": \"one\"}, \"b\": 8,\n  \"c\": 1\n}\n";
    assert_eq!(shown::change(before, after), "-  …7\n+  …8,\n+  \"c\": 1\n");
    let (before, after) = ("    cmd: /old # here\n", "    cmd: \"/opt/us\" # here\n");
    assert_eq!(shown::change(before, after), "-    …old…\n+    …\"/opt/us\"…\n");
    assert_eq!(shown::change("", "a\r\n\r\nb"), "+a\n+\n+b\n");
    assert_eq!((shown::change("a", "a"), shown::change("é x", "")), (String::new(), "-é x\n".to_owned()));
}
