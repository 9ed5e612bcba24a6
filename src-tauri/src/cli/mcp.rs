//! `countersign mcp`: what an MCP client is told to start; and making an agent that comes this way.

use clap::Args;
use countersign_core::payment::AgentName;
use serde_json::json;
use tokio::io::{BufReader, stdin, stdout};

use super::{Exit, not_done, perform, serve::start_log};
use crate::{
    app::Place,
    bridge::{Bridge, token},
    control::{Op, Reply},
};

#[derive(Debug, Args)]
pub struct McpArgs {
    /// Whose token is used; the only one's if not given.
    #[arg(long, value_name = "NAME")]
    agent: Option<AgentName>,
}

/// Runs until the client closes its end. Without a token it says so to the client, which shows it where a person looks.
pub fn run(place: Place, args: McpArgs) -> anyhow::Result<Exit> {
    start_log(&place)?;
    let agent = args.agent.map_or_else(|| only(token::agents(&place.dir)), Ok);
    if let Err(why) = &agent {
        eprintln!("countersign: {why}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(Bridge::run(place, agent, BufReader::new(stdin()), stdout()));
    // A thread may still wait for a line that will not come.
    runtime.shutdown_background();
    ended?;
    Ok(Exit::Done)
}

fn only(agents: Vec<AgentName>) -> Result<AgentName, String> {
    match <[AgentName; 1]>::try_from(agents) {
        Ok([agent]) => Ok(agent),
        Err(none) if none.is_empty() => {
            Err("no agent comes through the bridge yet; run `countersign agent add NAME --bridge`".to_owned())
        }
        Err(several) => {
            let names: Vec<&str> = several.iter().map(AgentName::as_str).collect();
            Err(format!("say whose token is used: `countersign mcp --agent NAME`, one of {}", names.join(", ")))
        }
    }
}

/// Pairs an agent whose token goes into its file and nowhere else.
pub fn add(place: &Place, agent: &AgentName, ask_everything: bool, as_json: bool) -> anyhow::Result<Exit> {
    let blank = token::Blank::make(&place.dir, agent)?;
    let reply = perform(place, Op::AgentAdd { name: agent.to_string(), ask_everything })?;
    let Reply::Done(made) = &reply else { return Ok(not_done(&reply, as_json)) };
    let file = blank.keep(made["token"].as_str().unwrap_or_default())?;
    let command = std::env::current_exe()?;
    let arguments = arguments(place, agent);
    if as_json {
        println!("{}", json!({"agent": agent, "token_file": file, "command": command, "args": arguments}));
        return Ok(Exit::Done);
    }
    println!("{} {}", command.display(), arguments.join(" "));
    eprintln!(
        "Let the MCP client start this command. It may ask for payments, nothing else; its token is in {} and in no configuration.",
        file.display()
    );
    Ok(Exit::Done)
}

/// A client starts the bridge with an environment of its own, so whatever is not the platform's default is said.
fn arguments(place: &Place, agent: &AgentName) -> Vec<String> {
    let mut arguments = vec!["mcp".to_owned(), "--agent".to_owned(), agent.to_string()];
    if Place::find(None, None).ok().is_none_or(|usual| usual.dir != place.dir) {
        arguments.extend(["--data-dir".to_owned(), place.dir.display().to_string()]);
    }
    arguments
}

/// Forgets the token of a revoked agent, if it came this way.
pub fn forget(place: &Place, agent: &AgentName) -> anyhow::Result<()> {
    token::forget(&place.dir, agent)
}
