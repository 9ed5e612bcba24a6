//! Every client's file on recorded configurations, whole and broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

mod broken;
mod files;
mod paths;
mod random;
mod shapes;

use super::{client::Os, *};
use std::{collections::BTreeMap, path::PathBuf};

/// A configuration as each client keeps it, recorded and made harmless.
const RECORDED: &[(&str, &str)] = &[
    ("claude-code", include_str!("../fixtures/claude-code.json")),
    ("claude-desktop", include_str!("../fixtures/claude-desktop.json")),
    ("cursor", include_str!("../fixtures/cursor.json")),
    ("vscode", include_str!("../fixtures/vscode.json")),
    ("codex", include_str!("../fixtures/codex.toml")),
    ("gemini", include_str!("../fixtures/gemini.json")),
    ("windsurf", include_str!("../fixtures/windsurf.json")),
    ("zed", include_str!("../fixtures/zed.json")),
    ("goose", include_str!("../fixtures/goose.yaml")),
    ("copilot", include_str!("../fixtures/copilot.json")),
];

fn launch(client: &str) -> Launch {
    launch_at("/opt/counter sign/\"bin\"\\countersign", client)
}

fn launch_at(program: &str, client: &str) -> Launch {
    let args = ["mcp", "--agent", client, "--data-dir", "/home/ada/Zürich"].map(str::to_owned);
    Launch { program: program.to_owned(), args: args.into() }
}

/// A directory with one client's file in it.
struct Desk {
    folder: tempfile::TempDir,
    found: Found,
}

impl Desk {
    fn with(id: &str, text: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let found = Found { client: client(id).unwrap(), file: folder.path().join("config") };
        let desk = Self { folder, found };
        if let Some(text) = text {
            desk.write(text);
        }
        desk
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.found.file, text).unwrap();
    }

    fn text(&self) -> Option<String> {
        std::fs::read_to_string(&self.found.file).ok()
    }

    fn connect(&self) -> String {
        let plan = self.found.connect(&self.launch()).unwrap().unwrap();
        plan.carry_out().unwrap();
        self.text().unwrap()
    }

    fn undo(&self) {
        self.found.undo().unwrap().unwrap().carry_out().unwrap();
    }

    fn launch(&self) -> Launch {
        launch(self.found.client.id)
    }

    /// What lies in the directory.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Whether every character of `part` is in `whole`, in the same order: nothing was taken away or moved.
fn kept_in(part: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    part.chars().all(|wanted| rest.any(|c| c == wanted))
}
