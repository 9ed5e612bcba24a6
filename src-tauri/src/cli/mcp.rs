//! `countersign mcp`: what an MCP client is told to start; and making an agent that comes this way.

use anyhow::Context as _;
use clap::Args;
use countersign_core::payment::AgentName;
use serde_json::json;
use std::path::PathBuf;
use tokio::io::{BufReader, stdin, stdout};

use super::{Exit, alipay, not_done, perform};
use crate::{
    app::Place,
    bridge::{Bridge, token},
    connect::Launch,
    control::{Op, Reply},
    gateway::Name,
    log,
};

#[derive(Debug, Args)]
pub struct McpArgs {
    /// Whose token is used; the only one's if not given.
    #[arg(long, value_name = "NAME")]
    agent: Option<AgentName>,
    /// One MCP server behind Countersign, with its own tools.
    #[arg(long, value_name = "NAME")]
    gateway: Option<Name>,
}

/// Runs until the client closes its end. Without a token it says so to the client, which shows it where a person looks.
pub fn run(place: Place, args: McpArgs) -> anyhow::Result<Exit> {
    log::start(&place, None::<std::io::Empty>)?;
    let agent = args.agent.map_or_else(|| only(token::agents(&place.dir)), Ok);
    if let Err(why) = &agent {
        eprintln!("countersign: {why}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let beside = place.clone();
        let taking_over = async {
            alipay::take_over(&beside).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = Bridge::run(place, agent, args.gateway, BufReader::new(stdin()), stdout()) => ended,
            () = taking_over => Ok(()),
        }
    });
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
    let Launch { program, args } = Launch::of(place, agent)?;
    let file = match pair(place, agent, ask_everything)? {
        Ok(file) => file,
        Err(reply) => return Ok(not_done(&reply, as_json)),
    };
    if as_json {
        println!("{}", json!({"agent": agent, "token_file": file, "command": program, "args": args}));
        return Ok(Exit::Done);
    }
    println!("{program} {}", args.join(" "));
    eprintln!(
        "Let the MCP client start this command. It may ask for payments, nothing else; its token is in {} and in no configuration.",
        file.display()
    );
    Ok(Exit::Done)
}

/// Whether the agent has yet to be made; the reply if that cannot be told.
///
/// # Errors
/// Where the agent exists and its token cannot be read here: a token is shown once.
pub fn missing(place: &Place, agent: &AgentName) -> anyhow::Result<Result<bool, Reply>> {
    // To ask the ledger would make one.
    if !place.dir.exists() {
        return Ok(Ok(true));
    }
    let list = match perform(place, Op::AgentList)? {
        Reply::Done(list) => list,
        other => return Ok(Err(other)),
    };
    let mut agents = list["agents"].as_array().into_iter().flatten();
    if agents.any(|one| one["name"] == agent.as_str() && one["revoked_at"].is_null()) {
        token::read(&place.dir, agent)?;
        return Ok(Ok(false));
    }
    Ok(Ok(true))
}

/// Makes the agent, and gives the file of its token, or the reply by which it was not made.
pub fn pair(place: &Place, agent: &AgentName, ask_everything: bool) -> anyhow::Result<Result<PathBuf, Reply>> {
    let blank = token::Blank::make(&place.dir, agent)?;
    let made = match perform(place, Op::AgentAdd { name: agent.to_string(), ask_everything })? {
        Reply::Done(made) => made,
        other => return Ok(Err(other)),
    };
    match blank.keep(made["token"].as_str().unwrap_or_default()) {
        Ok(file) => Ok(Ok(file)),
        // An agent whose token is lost would be of no use, and its name taken.
        Err(lost) => Err(also(lost, agent, perform(place, Op::AgentRevoke { name: agent.to_string() }))),
    }
}

/// Why the token was lost; and that the agent lives on, if it could not be revoked.
fn also(lost: anyhow::Error, agent: &AgentName, revoked: anyhow::Result<Reply>) -> anyhow::Error {
    let why = match revoked {
        Ok(Reply::Done(_)) => return lost,
        Ok(Reply::Failed(why) | Reply::Refused(why) | Reply::Unanswered(why)) => why,
        Err(error) => format!("{error:#}"),
    };
    lost.context(format!(
        "the agent {agent} is there without a token and could not be revoked ({why}); run `countersign agent revoke {agent}`"
    ))
}

/// Gives an agent a new token, in the place of the old one.
pub fn rotate(place: &Place, agent: &AgentName, as_json: bool) -> anyhow::Result<Exit> {
    let blank = token::Blank::make(&place.dir, agent)?;
    let made = match perform(place, Op::AgentRotate { name: agent.to_string() })? {
        Reply::Done(made) => made,
        other => return Ok(not_done(&other, as_json)),
    };
    let file = blank
        .keep(made["token"].as_str().unwrap_or_default())
        .with_context(|| format!("the new token of {agent} is lost; run `countersign agent rotate {agent}` again"))?;
    if as_json {
        println!("{}", json!({"agent": agent, "token_file": file}));
    } else {
        println!("The new token is in {}. The old one works for ten minutes more.", file.display());
    }
    Ok(Exit::Done)
}

/// Forgets the token of a revoked agent, if it came this way.
pub fn forget(place: &Place, agent: &AgentName) -> anyhow::Result<()> {
    token::forget(&place.dir, agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_token_is_told_and_so_is_an_agent_that_could_not_be_revoked() {
        let agent = "cursor".parse().unwrap();
        let said = |revoked| format!("{:#}", also(anyhow::anyhow!("the disk is full"), &agent, revoked));
        assert_eq!(said(Ok(Reply::Done(json!({})))), "the disk is full");
        let failures = [
            Ok(Reply::Failed("no ledger".to_owned())),
            Ok(Reply::Refused("no ledger".to_owned())),
            Ok(Reply::Unanswered("no ledger".to_owned())),
            Err(anyhow::anyhow!("no ledger")),
        ];
        for revoked in failures {
            let said = said(revoked);
            assert!(said.ends_with("the disk is full") && said.contains("(no ledger)"), "{said}");
            assert!(said.contains("`countersign agent revoke cursor`"), "{said}");
        }
    }
}
