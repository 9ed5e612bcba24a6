//! The clients Countersign knows, as data: where each keeps its configuration and how an entry looks there.
//!
//! A new client is one more row. Only files of the person are named, never those of a project, which get committed.

use super::format::Format;

/// A program that speaks MCP.
#[derive(Debug)]
pub struct Client {
    /// What the command line calls it, and the name of its agent.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// How its file is written.
    pub format: Format,
    /// The key that holds its MCP servers.
    pub section: &'static str,
    /// Fields that make the entry ours; another value in one of them is a stale entry.
    pub fixed: &'static [(&'static str, Field)],
    /// Fields written once and then left to the person.
    pub first: &'static [(&'static str, Field)],
    /// Where its file may be, in order.
    pub spots: &'static [Spot],
    /// Whether every spot that is there is written, or the first only.
    pub every_spot: bool,
    /// What the person does next.
    pub next: &'static str,
}

/// What a field of an entry says.
#[derive(Debug, Clone, Copy)]
pub enum Field {
    /// The absolute path of this program.
    Program,
    /// Its arguments.
    Args,
    /// A fixed text.
    Text(&'static str),
    /// `true`
    Yes,
    /// A fixed number.
    Number(u32),
    /// `["*"]`
    All,
}

/// A place where a client's file may be.
#[derive(Debug)]
pub struct Spot {
    /// On which systems.
    pub on: &'static [Os],
    /// Below which directory.
    pub base: Base,
    /// What is there when the client is installed: a directory, seldom a file. With it the directory of the file is there.
    pub sign: &'static str,
    /// The configuration file.
    pub file: &'static str,
}

/// An operating system, as far as paths differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// Linux and the BSDs.
    Linux,
    /// macOS
    Mac,
    /// Windows
    Windows,
}

/// A directory that paths are relative to.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    /// The person's home.
    Home,
    /// `$XDG_CONFIG_HOME`, or `~/.config`.
    Config,
    /// `~/Library/Application Support`
    Support,
    /// `%APPDATA%`
    Roaming,
    /// The roaming directory inside each Windows package whose name begins so.
    Package(&'static str),
    /// What this variable names. Where it is set, the spots after it do not count.
    Variable(&'static str),
}

const EVERYWHERE: &[Os] = &[Os::Linux, Os::Mac, Os::Windows];
const UNIX: &[Os] = &[Os::Linux, Os::Mac];
const COMMAND: &[(&str, Field)] = &[("command", Field::Program), ("args", Field::Args)];
const TYPED_COMMAND: &[(&str, Field)] =
    &[("type", Field::Text("stdio")), ("command", Field::Program), ("args", Field::Args)];

const fn spot(on: &'static [Os], base: Base, sign: &'static str, file: &'static str) -> Spot {
    Spot { on, base, sign, file }
}

/// Every client, in the order it is listed.
pub const CLIENTS: &[Client] = &[
    Client {
        id: "claude-code",
        name: "Claude Code",
        format: Format::Json,
        section: "mcpServers",
        fixed: COMMAND,
        first: &[],
        spots: &[
            spot(EVERYWHERE, Base::Variable("CLAUDE_CONFIG_DIR"), "", ".claude.json"),
            spot(EVERYWHERE, Base::Home, ".claude", ".claude.json"),
            spot(EVERYWHERE, Base::Home, ".claude.json", ".claude.json"),
        ],
        every_spot: false,
        next: "Start a new session of Claude Code.",
    },
    Client {
        id: "claude-desktop",
        name: "Claude Desktop",
        format: Format::Json,
        section: "mcpServers",
        fixed: COMMAND,
        first: &[],
        spots: &[
            spot(&[Os::Mac], Base::Support, "Claude", "Claude/claude_desktop_config.json"),
            spot(&[Os::Linux], Base::Config, "Claude", "Claude/claude_desktop_config.json"),
            spot(&[Os::Windows], Base::Roaming, "Claude", "Claude/claude_desktop_config.json"),
            spot(&[Os::Windows], Base::Package("Claude_"), "Claude", "Claude/claude_desktop_config.json"),
        ],
        every_spot: true,
        next: "Quit Claude Desktop and start it again.",
    },
    Client {
        id: "cursor",
        name: "Cursor",
        format: Format::Jsonc,
        section: "mcpServers",
        fixed: COMMAND,
        first: &[],
        spots: &[spot(EVERYWHERE, Base::Home, ".cursor", ".cursor/mcp.json")],
        every_spot: false,
        next: "Enable it in Cursor's settings, under MCP.",
    },
    Client {
        id: "vscode",
        name: "VS Code",
        format: Format::Jsonc,
        section: "servers",
        fixed: TYPED_COMMAND,
        first: &[],
        spots: &[
            spot(&[Os::Mac], Base::Support, "Code/User", "Code/User/mcp.json"),
            spot(&[Os::Linux], Base::Config, "Code/User", "Code/User/mcp.json"),
            spot(&[Os::Windows], Base::Roaming, "Code/User", "Code/User/mcp.json"),
        ],
        every_spot: false,
        next: "Start the server with `MCP: List Servers` in VS Code.",
    },
    Client {
        id: "codex",
        name: "Codex",
        format: Format::Toml,
        section: "mcp_servers",
        fixed: COMMAND,
        first: &[],
        spots: &[
            spot(EVERYWHERE, Base::Variable("CODEX_HOME"), "", "config.toml"),
            spot(EVERYWHERE, Base::Home, ".codex", ".codex/config.toml"),
        ],
        every_spot: false,
        next: "Start a new session of Codex.",
    },
    Client {
        id: "gemini",
        name: "Gemini CLI",
        format: Format::Jsonc,
        section: "mcpServers",
        fixed: COMMAND,
        first: &[],
        spots: &[spot(EVERYWHERE, Base::Home, ".gemini", ".gemini/settings.json")],
        every_spot: false,
        next: "Start a new session of Gemini CLI.",
    },
    Client {
        id: "windsurf",
        name: "Windsurf",
        format: Format::Jsonc,
        section: "mcpServers",
        fixed: COMMAND,
        first: &[],
        spots: &[spot(EVERYWHERE, Base::Home, ".codeium/windsurf", ".codeium/windsurf/mcp_config.json")],
        every_spot: false,
        next: "Refresh the MCP servers in Windsurf.",
    },
    Client {
        id: "zed",
        name: "Zed",
        format: Format::Jsonc,
        section: "context_servers",
        fixed: &[("source", Field::Text("custom")), ("command", Field::Program), ("args", Field::Args)],
        first: &[],
        spots: &[
            spot(&[Os::Linux], Base::Config, "zed", "zed/settings.json"),
            spot(&[Os::Mac], Base::Home, ".config/zed", ".config/zed/settings.json"),
            spot(&[Os::Mac], Base::Support, "Zed", "Zed/settings.json"),
            spot(&[Os::Windows], Base::Roaming, "Zed", "Zed/settings.json"),
        ],
        every_spot: false,
        next: "Zed reads it at once.",
    },
    Client {
        id: "goose",
        name: "goose",
        format: Format::Yaml,
        section: "extensions",
        fixed: &[("type", Field::Text("stdio")), ("cmd", Field::Program), ("args", Field::Args)],
        first: &[
            ("name", Field::Text("countersign")),
            ("description", Field::Text("Pays for you, within your limits")),
            ("enabled", Field::Yes),
            ("timeout", Field::Number(300)),
        ],
        spots: &[
            spot(UNIX, Base::Config, "goose", "goose/config.yaml"),
            spot(&[Os::Windows], Base::Roaming, "Block/goose/config", "Block/goose/config/config.yaml"),
        ],
        every_spot: false,
        next: "Start a new session of goose.",
    },
    Client {
        id: "copilot",
        name: "Copilot CLI",
        format: Format::Jsonc,
        section: "mcpServers",
        fixed: TYPED_COMMAND,
        first: &[("tools", Field::All)],
        spots: &[
            spot(EVERYWHERE, Base::Home, ".copilot", ".copilot/mcp-config.json"),
            spot(EVERYWHERE, Base::Variable("XDG_CONFIG_HOME"), "mcp-config.json", "mcp-config.json"),
        ],
        every_spot: false,
        next: "Start a new session of Copilot CLI.",
    },
];

/// The client with this id.
pub fn client(id: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.id == id)
}
