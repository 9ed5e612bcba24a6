//! Two clients on one machine: found, connected, seen as such, and undone, through the real program.

use serde_json::Value;
#[cfg(unix)]
use serde_json::json;
#[cfg(unix)]
use std::process::Command;
use std::{path::Path, process::Output};

use crate::support::Place;
#[cfg(unix)]
use crate::support::{
    bridge::{Lines, structured},
    hostile_seller::{offer, required},
    mcp::{request, with},
    shop::LIMITS,
};

/// A home directory with the folders of Claude Code and Cursor, as they are found in the wild.
struct Home(tempfile::TempDir);

const CURSOR: &str =
    "{\n  // mine\n  \"mcpServers\": {\n    \"notes\": { \"url\": \"https://notes.example.org\" }\n  }\n}\n";

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".claude")).unwrap();
        std::fs::create_dir(home.path().join(".cursor")).unwrap();
        std::fs::write(home.path().join(".cursor/mcp.json"), CURSOR).unwrap();
        Self(home)
    }

    fn text(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.0.path().join(file)).ok()
    }

    fn run(&self, place: &Place, args: &[&str]) -> Output {
        let mut command = place.command(args);
        for name in ["XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "APPDATA", "LOCALAPPDATA"] {
            command.env_remove(name);
        }
        command.env("HOME", self.0.path()).env("USERPROFILE", self.0.path()).output().unwrap()
    }

    fn ok(&self, place: &Place, args: &[&str]) -> Value {
        let output = self.run(place, args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {output:?}"))
    }

    fn states(&self, place: &Place) -> Vec<(String, String)> {
        let list = self.ok(place, &["connect", "--json"]);
        let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        list["clients"].as_array().unwrap().iter().map(|row| (word(row, "client"), word(row, "state"))).collect()
    }
}

fn pairs(list: [(&str, &str); 2]) -> Vec<(String, String)> {
    list.map(|(client, state)| (client.to_owned(), state.to_owned())).into()
}

#[test]
fn two_clients_are_found_connected_and_undone_and_no_token_is_in_their_files() {
    let (place, home) = (Place::new(""), Home::new());
    assert_eq!(home.states(&place), pairs([("claude-code", "not_set"), ("cursor", "not_set")]));

    let shown = home.run(&place, &["connect", "cursor", "--dry-run"]);
    assert!(
        shown.status.success() && String::from_utf8_lossy(&shown.stdout).contains("+    \"countersign\": {"),
        "{shown:?}"
    );
    let unasked = home.run(&place, &["connect", "cursor"]);
    assert_eq!(unasked.status.code(), Some(1), "{unasked:?}");
    assert_eq!(home.text(".cursor/mcp.json").as_deref(), Some(CURSOR));
    assert_eq!(place.ok(&["agent", "list", "--json"])["agents"].as_array().map(Vec::len), Some(0));

    for (client, file) in [("claude-code", ".claude.json"), ("cursor", ".cursor/mcp.json")] {
        home.ok(&place, &["connect", client, "--yes", "--json"]);
        let (text, token) = (home.text(file).unwrap(), token(place.path(), client));
        assert!(text.contains("\"countersign\"") && !text.contains(&token), "{text}");
        assert!(text.contains(place.path().to_str().unwrap()), "the data directory is not in {text}");
    }
    assert!(home.text(".cursor/mcp.json").unwrap().contains("// mine"));
    assert_eq!(home.states(&place), pairs([("claude-code", "connected"), ("cursor", "connected")]));
    let again = home.ok(&place, &["connect", "cursor", "--yes", "--json"]);
    let nothing = serde_json::json!({"client": "cursor", "written": false, "pairs_agent": false, "changes": []});
    assert_eq!(again, nothing);

    let before = token(place.path(), "cursor");
    place.ok(&["agent", "revoke", "cursor", "--json"]);
    home.ok(&place, &["connect", "cursor", "--yes", "--json"]);
    assert_ne!(token(place.path(), "cursor"), before, "a revoked agent gets a new token");

    home.ok(&place, &["connect", "claude-code", "--undo", "--yes", "--json"]);
    home.ok(&place, &["connect", "cursor", "--undo", "--yes", "--json"]);
    assert_eq!((home.text(".claude.json"), home.text(".cursor/mcp.json").as_deref()), (None, Some(CURSOR)));
    assert_eq!(home.states(&place), pairs([("claude-code", "not_set"), ("cursor", "not_set")]));
}

/// The token in its file, which is private.
fn token(dir: &Path, agent: &str) -> String {
    let path = dir.join("tokens").join(agent);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let token = std::fs::read_to_string(path).unwrap();
    assert!(token.len() > 40, "{} characters", token.len());
    token
}

#[test]
fn no_agent_is_made_unasked_for_an_entry_whose_agent_was_revoked() {
    let (place, home) = (Place::new(""), Home::new());
    home.ok(&place, &["connect", "cursor", "--yes", "--json"]);
    place.ok(&["agent", "revoke", "cursor", "--json"]);

    let shown = home.ok(&place, &["connect", "cursor", "--dry-run", "--json"]);
    let would = serde_json::json!({"client": "cursor", "written": false, "pairs_agent": true, "changes": []});
    assert_eq!(shown, would);
    let shown = home.run(&place, &["connect", "cursor", "--dry-run"]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(text, "An agent, cursor, is to be paired; it may ask for payments.\nNothing was done.\n");
    let unasked = home.run(&place, &["connect", "cursor"]);
    assert_eq!(unasked.status.code(), Some(1), "{unasked:?}");
    assert!(String::from_utf8_lossy(&unasked.stderr).contains("--yes"), "{unasked:?}");
    let list = place.ok(&["agent", "list", "--json"]);
    assert!(list["agents"].as_array().unwrap().iter().all(|agent| !agent["revoked_at"].is_null()), "{list}");

    home.ok(&place, &["connect", "cursor", "--yes", "--json"]);
    let shown = home.run(&place, &["connect", "cursor", "--dry-run"]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "Cursor is connected.\n");
}

#[test]
fn to_look_at_a_change_makes_no_data_directory() {
    let (place, home) = (Place::new(""), Home::new());
    let gone = home.0.path().join("gone");
    let output = home.run(&place, &["connect", "cursor", "--dry-run", "--data-dir", gone.to_str().unwrap()]);
    assert!(output.status.success() && !gone.exists(), "{output:?}");
}

#[test]
fn a_person_who_says_no_to_the_agent_leaves_the_client_as_it_was() {
    let (place, home) = (Place::new("[server]\nport = 0\n"), Home::new());
    let service = place.serve("deny");
    let output = home.run(&place, &["connect", "cursor", "--yes"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(home.text(".cursor/mcp.json").as_deref(), Some(CURSOR));
    assert!(!place.path().join("tokens").join("cursor").exists());
    service.stop();
}

#[test]
fn an_agent_whose_token_cannot_be_kept_does_not_live() {
    let (place, home) = (Place::new(""), Home::new());
    let blocked = place.path().join("tokens/cursor");
    let mut folder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(&blocked).unwrap();
    let output = home.run(&place, &["connect", "cursor", "--yes"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("keeping the token"), "{output:?}");
    assert_eq!(home.text(".cursor/mcp.json").as_deref(), Some(CURSOR));
    let list = place.ok(&["agent", "list", "--json"]);
    assert!(list["agents"].as_array().unwrap().iter().all(|agent| !agent["revoked_at"].is_null()), "{list}");
    std::fs::remove_dir(blocked).unwrap();
    home.ok(&place, &["connect", "cursor", "--yes", "--json"]);
    assert_eq!(home.states(&place), pairs([("claude-code", "not_set"), ("cursor", "connected")]));
}

#[test]
fn a_client_that_is_not_installed_and_a_broken_file_are_told_apart() {
    let (place, home) = (Place::new(""), Home::new());
    let output = home.run(&place, &["connect", "codex", "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Codex is not installed"), "{output:?}");
    std::fs::write(home.0.path().join(".cursor/mcp.json"), "{\n  \"mcpServers\": \n").unwrap();
    let output = home.run(&place, &["connect", "cursor", "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line "), "{output:?}");
    assert!(!place.path().join("tokens").exists(), "a broken file makes no agent");
}

#[test]
fn the_instructions_are_the_page_for_models() {
    let output = Place::new("").run(&["connect", "--instructions"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("../../docs/agents/SKILL.md"));
}

#[cfg(unix)]
#[test]
fn what_each_clients_file_says_to_start_pays_until_its_agent_is_revoked() {
    let ((place, _), home) = (Place::with_wallet(""), Home::new());
    place.policy(LIMITS);
    let entries = [("claude-code", ".claude.json"), ("cursor", ".cursor/mcp.json")].map(|(client, file)| {
        home.ok(&place, &["connect", client, "--yes", "--json"]);
        entry(&home.text(file).unwrap())
    });
    let service = place.serve("deny");
    let mut clients = entries.map(|entry| {
        let args = entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        Lines::start(Command::new(entry["command"].as_str().unwrap()).args(args).env_remove("COUNTERSIGN_DATA_DIR"))
    });
    let [claude, cursor] = &mut clients;
    as_claude_code(claude);
    as_cursor(cursor);

    place.ok(&["agent", "revoke", "cursor", "--json"]);
    assert_eq!(home.states(&place), pairs([("claude-code", "connected"), ("cursor", "stale")]));
    let [mut claude, mut cursor] = clients;
    let refused = cursor.asks(&request("tools/list", &json!({})));
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("agent add cursor")), "{refused}");
    let mine =
        structured(&claude.asks(&newer(json!(9), "tools/call", json!({"name": "list_payments", "arguments": {}}))));
    assert_eq!(mine["payments"].as_array().map(Vec::len), Some(1), "{mine}");
    claude.ends();
    cursor.ends();
    service.stop();
}

/// What Claude Code 2.1 says: a look whether the server speaks the newer era, then everything in it; a sign of life with each call.
#[cfg(unix)]
fn as_claude_code(client: &mut Lines) {
    let found = client.asks(&newer(json!("server-discover-probe-1"), "server/discover", json!({})));
    assert_eq!(found["id"], "server-discover-probe-1");
    assert!(
        found["result"]["supportedVersions"].as_array().is_some_and(|all| all.contains(&json!("2026-07-28"))),
        "{found}"
    );
    for (id, list) in ["tools", "prompts", "resources"].into_iter().enumerate() {
        let listed = client.asks(&newer(json!(id), &format!("{list}/list"), json!({})));
        assert!(listed["result"][list].is_array(), "{listed}");
    }
    let call =
        json!({"name": "pay", "arguments": one(), "_meta": {"progressToken": 4, "claudecode/toolUseId": "toolu_1"}});
    assert_eq!(structured(&client.asks(&newer(json!(4), "tools/call", call)))["status"], "authorized");
}

/// What Cursor says: the older era, and capabilities that no revision of the protocol knows.
#[cfg(unix)]
fn as_cursor(client: &mut Lines) {
    let capabilities = json!({
        "tools": true, "prompts": true, "resources": true, "logging": false, "elicitation": {}, "roots": {"listChanged": false},
    });
    let ourselves = json!({"name": "cursor-vscode", "version": "1.0.0"});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": capabilities, "clientInfo": ourselves});
    let begun = client.asks(&with(&request("initialize", &hello), "id", json!(0)));
    assert_eq!((&begun["id"], &begun["result"]["serverInfo"]["name"]), (&json!(0), &json!("countersign")), "{begun}");
    client.says(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let listed = client.asks(&with(&request("tools/list", &json!({})), "id", json!(1)));
    assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), Some(6), "{listed}");
    let call = json!({"name": "pay", "arguments": one(), "_meta": {"progressToken": 2}});
    let paid = client.asks(&with(&request("tools/call", &call), "id", json!(2)));
    assert_eq!(structured(&paid)["status"], "authorized");
}

#[cfg(unix)]
fn newer(id: Value, method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "claude-code", "version": "2.1.283"});
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"roots": {}, "elicitation": {"form": {}, "url": {}}});
    with(&request(method, &params), "id", id)
}

#[cfg(unix)]
fn one() -> Value {
    let url = "https://api.example/x";
    json!({"rail": "x402", "url": url, "challenge": required(url, vec![offer()]), "idempotency_key": "one"})
}

/// Our entry in a client's file, read as the client does.
#[cfg(unix)]
fn entry(text: &str) -> Value {
    let bare: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let whole: Value = serde_json::from_str(&bare).unwrap();
    whole["mcpServers"]["countersign"].clone()
}

#[test]
fn uninstalling_takes_back_entries_tokens_and_the_start_at_login_and_leaves_ledger_and_keys() {
    let ((place, address), home) = (Place::with_wallet(""), Home::new());
    home.ok(&place, &["connect", "cursor", "--yes", "--json"]);
    let token = place.agent("researcher");
    let login = home.0.path().join(".config/autostart/Countersign.desktop");
    std::fs::create_dir_all(login.parent().unwrap()).unwrap();
    std::fs::write(&login, "[Desktop Entry]\n").unwrap();

    let shown = home.ok(&place, &["uninstall", "--dry-run", "--json"]);
    assert_eq!((shown["done"].as_bool(), shown["agents"].as_array().unwrap().len()), (Some(false), 2), "{shown}");
    assert_eq!(home.run(&place, &["uninstall"]).status.code(), Some(1), "there is nobody to ask");
    assert_ne!(home.text(".cursor/mcp.json").as_deref(), Some(CURSOR));

    let done = home.ok(&place, &["uninstall", "--yes", "--json"]);
    assert_eq!(done["done"], true, "{done}");
    assert_eq!(home.text(".cursor/mcp.json").as_deref(), Some(CURSOR));
    assert_eq!(login.exists(), cfg!(not(all(feature = "gui", target_os = "linux"))));
    assert!(std::fs::read_dir(place.path().join("tokens")).is_ok_and(|mut files| files.next().is_none()));
    let agents = place.ok(&["agent", "list", "--json"]);
    assert!(agents["agents"].as_array().unwrap().iter().all(|agent| !agent["revoked_at"].is_null()), "{agents}");
    assert!(!token.is_empty());
    let kept = place.ok(&["wallet", "list", "--json"]);
    assert_eq!(kept["wallets"][0]["address"].as_str(), Some(address.as_str()));
}
