//! Where each client's file is, on each system.

use super::*;

fn roots(os: Os, home: &Path, variables: &[(&'static str, &str)]) -> Roots {
    let variables: BTreeMap<_, _> = variables.iter().map(|(name, below)| (*name, home.join(below))).collect();
    Roots { os, home: home.to_owned(), variables }
}

/// Makes these directories, and a file for a name that ends in one, and gives what is found.
fn found(os: Os, id: &str, there: &[&str], variables: &[(&'static str, &str)]) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    for path in there {
        let path = home.path().join(path);
        match path.extension() {
            Some(end) if end != "claude" && path.file_name().unwrap() != ".claude" => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "").unwrap();
            }
            _ => std::fs::create_dir_all(path).unwrap(),
        }
    }
    let found = roots(os, home.path(), variables).of(client(id).unwrap());
    let below = |file: PathBuf| file.strip_prefix(home.path()).unwrap().to_str().unwrap().replace('\\', "/");
    found.into_iter().map(|found| below(found.file)).collect()
}

#[test]
fn each_client_is_found_by_its_directory_on_each_system() {
    const ALL: [Os; 3] = [Os::Linux, Os::Mac, Os::Windows];
    let same = [
        ("claude-code", ".claude", ".claude.json"),
        ("cursor", ".cursor", ".cursor/mcp.json"),
        ("codex", ".codex", ".codex/config.toml"),
        ("gemini", ".gemini", ".gemini/settings.json"),
        ("windsurf", ".codeium/windsurf", ".codeium/windsurf/mcp_config.json"),
        ("copilot", ".copilot", ".copilot/mcp-config.json"),
    ];
    for (id, folder, file) in same {
        for os in ALL {
            assert_eq!(found(os, id, &[folder], &[]), [file], "{id} {os:?}");
            assert_eq!(found(os, id, &[], &[]), [""; 0], "{id} {os:?}");
        }
    }
    let (mac, roaming) = ("Library/Application Support", "AppData/Roaming");
    let different = [
        ("claude-desktop", ["Claude", "Claude", "Claude"], "Claude/claude_desktop_config.json"),
        ("vscode", ["Code/User", "Code/User", "Code/User"], "Code/User/mcp.json"),
    ];
    for (id, folders, file) in different {
        for ((os, base), folder) in ALL.into_iter().zip([".config", mac, roaming]).zip(folders) {
            let there = format!("{base}/{folder}");
            assert_eq!(found(os, id, &[&there], &[]), [format!("{base}/{file}")], "{id} {os:?}");
        }
    }
    assert_eq!(found(Os::Linux, "zed", &[".config/zed"], &[]), [".config/zed/settings.json"]);
    assert_eq!(found(Os::Windows, "zed", &["AppData/Roaming/Zed"], &[]), ["AppData/Roaming/Zed/settings.json"]);
    assert_eq!(found(Os::Mac, "goose", &[".config/goose"], &[]), [".config/goose/config.yaml"]);
    let goose = "AppData/Roaming/Block/goose";
    assert_eq!(found(Os::Windows, "goose", &[goose], &[]), [""; 0]);
    assert_eq!(
        found(Os::Windows, "goose", &[&format!("{goose}/config")], &[]),
        [format!("{goose}/config/config.yaml")]
    );
}

#[test]
fn claude_desktop_on_windows_is_written_in_every_place() {
    let package = "AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude";
    let there = ["AppData/Roaming/Claude", package, "AppData/Local/Packages/Other_1/LocalCache/Roaming/Claude"];
    let files = ["AppData/Roaming/Claude", package].map(|folder| format!("{folder}/claude_desktop_config.json"));
    assert_eq!(found(Os::Windows, "claude-desktop", &there, &[]), files);
}

#[test]
fn zed_on_a_mac_is_looked_for_in_both_places_and_the_file_that_is_there_counts() {
    let (config, support) = (".config/zed", "Library/Application Support/Zed");
    let file = |folder: &str| format!("{folder}/settings.json");
    assert_eq!(found(Os::Mac, "zed", &[config, support], &[]), [file(config)]);
    assert_eq!(found(Os::Mac, "zed", &[config, &file(support)], &[]), [file(support)]);
    assert_eq!(found(Os::Mac, "zed", &[support], &[]), [file(support)]);
}

#[test]
fn variables_move_the_directories() {
    let there = ["conf/Code/User", "codex", ".codex", "claude"];
    let config = [("XDG_CONFIG_HOME", "conf")];
    assert_eq!(found(Os::Linux, "vscode", &there, &config), ["conf/Code/User/mcp.json"]);
    assert_eq!(found(Os::Linux, "codex", &there, &[("CODEX_HOME", "codex")]), ["codex/config.toml"]);
    assert_eq!(found(Os::Linux, "codex", &there, &[("CODEX_HOME", "gone")]), [""; 0]);
    assert_eq!(found(Os::Linux, "claude-code", &there, &[("CLAUDE_CONFIG_DIR", "claude")]), ["claude/.claude.json"]);
    assert_eq!(found(Os::Windows, "zed", &["r/Zed"], &[("APPDATA", "r")]), ["r/Zed/settings.json"]);
    assert_eq!(found(Os::Mac, "zed", &["conf/zed", ".config/zed"], &config), [".config/zed/settings.json"]);
    assert_eq!(found(Os::Mac, "zed", &["conf/zed"], &config), [""; 0]);
    assert_eq!(found(Os::Linux, "copilot", &["conf"], &config), [""; 0]);
    assert_eq!(found(Os::Linux, "copilot", &[".config/mcp-config.json"], &[]), [""; 0]);
    assert_eq!(found(Os::Linux, "copilot", &[".config/mcp-config.json"], &config), [""; 0]);
    assert_eq!(found(Os::Linux, "copilot", &["conf/mcp-config.json"], &config), ["conf/mcp-config.json"]);
}

#[test]
fn every_client_has_its_own_id_that_is_an_agents_name_and_a_spot_on_every_system() {
    let ids: std::collections::BTreeSet<&str> = CLIENTS.iter().map(|client| client.id).collect();
    assert_eq!(ids.len(), CLIENTS.len());
    assert_eq!(ids, RECORDED.iter().map(|(id, _)| *id).collect());
    for client in CLIENTS {
        assert!(client.id.parse::<countersign_core::payment::AgentName>().is_ok(), "{}", client.id);
        for os in [Os::Linux, Os::Mac, Os::Windows] {
            assert!(client.spots.iter().any(|spot| spot.on.contains(&os)), "{} {os:?}", client.id);
        }
    }
}

#[test]
fn where_a_client_is_found_the_directory_of_its_file_is_there() {
    for client in CLIENTS {
        for spot in client.spots {
            let folder = Path::new(spot.file).parent().unwrap();
            assert!(Path::new(spot.sign).starts_with(folder), "{} {spot:?}", client.id);
        }
    }
}

#[test]
fn a_launch_says_every_place_that_is_not_the_platforms_own() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: PathBuf| path.into_os_string().into_string().unwrap();
    let args = |config: Option<PathBuf>| {
        let place = crate::app::Place::find(Some(dir.path().to_owned()), config).unwrap();
        Launch::of(&place, &"cursor".parse().unwrap()).unwrap().args
    };
    let usual = ["mcp", "--agent", "cursor", "--data-dir", &at(dir.path().to_owned())].map(str::to_owned).to_vec();
    assert_eq!(args(None), usual);
    assert_eq!(args(Some(dir.path().join("config.toml"))), usual);
    let elsewhere = std::path::absolute("elsewhere.toml").unwrap();
    assert_eq!(args(Some("elsewhere.toml".into())), [usual, vec!["--config".to_owned(), at(elsewhere)]].concat());
}
