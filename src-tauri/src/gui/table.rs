//! Which window has which command: the one table that the build step, the capability files and the handler are held against.

use std::collections::BTreeSet;

/// Every command with the only window that has it.
const TABLE: [(&str, &str); 52] = [
    ("next", "approval"),
    ("decide", "approval"),
    ("raw", "approval"),
    ("open_rule", "approval"),
    ("status", "main"),
    ("pause", "main"),
    ("resume", "main"),
    ("activity_overview", "main"),
    ("activity_list", "main"),
    ("activity_payment", "main"),
    ("activity_export", "main"),
    ("page_code", "main"),
    ("page_watch", "main"),
    ("preferences", "main"),
    ("set_preferences", "main"),
    ("limits", "main"),
    ("limits_preview", "main"),
    ("limits_save", "main"),
    ("limits_confirm", "main"),
    ("limits_cancel", "main"),
    ("limits_versions", "main"),
    ("payee_forget", "main"),
    ("payee_label", "main"),
    ("agents", "main"),
    ("agent_pause", "main"),
    ("agent_resume", "main"),
    ("agent_revoke", "main"),
    ("clients", "main"),
    ("client_change", "main"),
    ("client_go", "main"),
    ("wallets", "main"),
    ("wallet_money", "main"),
    ("wallet_pays", "main"),
    ("wallet_lock", "main"),
    ("merchant_check", "main"),
    ("merchant_remove", "main"),
    ("secret_open", "main"),
    ("settings", "main"),
    ("settings_save", "main"),
    ("settings_confirm", "main"),
    ("settings_cancel", "main"),
    ("settings_autostart", "main"),
    ("settings_findings", "main"),
    ("settings_report", "main"),
    ("settings_backup", "main"),
    ("settings_backups", "main"),
    ("settings_restore", "main"),
    ("settings_restore_seen", "main"),
    ("settings_logs", "main"),
    ("secret_view", "secret"),
    ("secret_step", "secret"),
    ("secret_end", "secret"),
];

fn of(window: &str) -> BTreeSet<String> {
    TABLE.iter().filter(|(_, has)| *has == window).map(|(command, _)| (*command).to_owned()).collect()
}

/// The words between two marks of a source text that `take` makes commands of.
fn between(text: &str, begin: &str, end: &str, take: impl Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let inner = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(inner, _)| inner);
    inner.split(',').filter_map(|part| take(part.trim())).collect()
}

#[test]
fn each_capability_file_gives_its_window_its_commands_and_nothing_else() {
    for (window, file) in [
        ("main", include_str!("../../capabilities/main.json")),
        ("approval", include_str!("../../capabilities/approval.json")),
        ("secret", include_str!("../../capabilities/secret.json")),
    ] {
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        assert_eq!(file["windows"], serde_json::json!([window]));
        assert_eq!((&file["local"], &file["remote"]), (&serde_json::json!(true), &serde_json::Value::Null));
        let given = file["permissions"].as_array().unwrap().iter().map(|p| {
            let name = p.as_str().and_then(|p| p.strip_prefix("allow-")).expect("a permission of ours");
            name.replace('-', "_")
        });
        assert_eq!(given.collect::<BTreeSet<_>>(), of(window), "{window}");
    }
}

#[test]
fn the_build_step_and_the_handler_know_the_same_commands() {
    let all: BTreeSet<String> = TABLE.iter().map(|(command, _)| (*command).to_owned()).collect();
    let quoted = |part: &str| part.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    assert_eq!(between(include_str!("../../build.rs"), "COMMANDS: &[&str] = &[", "]", quoted), all);
    let handled = |part: &str| part.rsplit_once("::").map(|(_, command)| command.to_owned());
    assert_eq!(between(include_str!("mod.rs"), "generate_handler![", "]", handled), all);
}

#[test]
fn each_command_checks_its_window_again() {
    let sources = [
        include_str!("commands.rs"),
        include_str!("limits_commands.rs"),
        include_str!("people_commands.rs"),
        include_str!("secret_commands.rs"),
        include_str!("settings_commands.rs"),
        include_str!("activity/mod.rs"),
    ]
    .concat();
    for (command, window) in TABLE {
        let body = sources.split_once(&format!("fn {command}(")).map(|(_, rest)| rest).expect(command);
        let body = body.split("#[tauri::command").next().unwrap_or_default();
        let check = match window {
            "main" => ["from(&window, MAIN)?", "from(&window)?"],
            "secret" => ["from(&window, SECRET)?"; 2],
            _ => ["from(&window, APPROVAL)?"; 2],
        };
        assert!(check.iter().any(|check| body.contains(check)), "{command}");
    }
}
