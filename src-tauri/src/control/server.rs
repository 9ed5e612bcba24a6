//! The running Countersign's end of the control socket.

use anyhow::Context as _;
use countersign_core::payment::{AgentName, Caller, Program};
use countersign_desk::{
    Desk,
    approver::{Approver, Change},
    event::Event,
    request::{FetchBody, Request},
};
use countersign_vault::SetBy;
use serde_json::json;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::{Op, Reply, perform};
use crate::door::{self, Door, Line};

/// Largest verb: a policy file or a fetch body.
const MAX_LINE: u64 = 2 * 1024 * 1024;
/// How long a person has for a change.
const PATIENCE: Duration = Duration::from_secs(120);

/// Answers verbs until dropped.
pub async fn serve(dir: &Path, desk: Arc<Desk>, approver: Arc<dyn Approver>) -> anyhow::Result<()> {
    let opened = Door::open(dir, door::CONTROL).await;
    let mut door = opened.with_context(|| format!("opening the control socket in {}", dir.display()))?;
    tokio::spawn(async move {
        loop {
            match door.next().await {
                Ok((line, program)) => {
                    drop(tokio::spawn(converse(line, program, desk.clone(), approver.clone())));
                }
                Err(error) => {
                    tracing::error!(%error, "the control socket failed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    });
    Ok(())
}

async fn converse(line: Line, program: Option<Program>, desk: Arc<Desk>, approver: Arc<dyn Approver>) {
    let (read, mut write) = tokio::io::split(line);
    let mut text = String::new();
    let mut reader = BufReader::new(read.take(MAX_LINE));
    if reader.read_line(&mut text).await.is_err() {
        return;
    }
    let reply = match serde_json::from_str::<Op>(&text) {
        Ok(Op::Fetch { agent, body }) => {
            let told = fetch(&desk, program, agent, body).await;
            told.unwrap_or_else(|error| Reply::Failed(format!("{error:#}")))
        }
        Ok(op) => answer(op, &desk, approver.as_ref()).await,
        Err(error) => Reply::Failed(format!("not a verb of this version: {error}")),
    };
    let mut out = serde_json::to_vec(&reply).unwrap_or_default();
    out.push(b'\n');
    let _ = write.write_all(&out).await;
}

async fn answer(op: Op, desk: &Arc<Desk>, approver: &dyn Approver) -> Reply {
    if let Op::Confirm { .. } = op {
        return Reply::Failed(
            "stop Countersign first: what start-up found odd is confirmed while nothing runs".to_owned(),
        );
    }
    let vault = desk.vault();
    let policy = vault.policy();
    let loosening = op.loosens(policy.as_deref(), desk.registry().reference());
    let by = if loosening.is_some() { SetBy::Person } else { SetBy::Command };
    if let Some((title, lines)) = loosening {
        if !approver.reachable() {
            return Reply::Refused(format!(
                "`{}` loosens something and needs a person, but nobody can be asked; stop Countersign and run it again",
                op.name()
            ));
        }
        let id = match change_id() {
            Ok(id) => id,
            Err(error) => return Reply::Failed(error.to_string()),
        };
        match tokio::time::timeout(PATIENCE, approver.confirm(Change { id, title, lines })).await {
            Ok(true) => {}
            Ok(false) => return Reply::Refused("the person said no".to_owned()),
            Err(_) => return Reply::Unanswered("nobody answered within two minutes; nothing was changed".to_owned()),
        }
    }
    let paused = match op {
        Op::Pause => Some(true),
        Op::Resume => Some(false),
        _ => None,
    };
    match perform(vault, desk.registry(), op, by).await {
        Ok(value) => {
            if let Some(paused) = paused {
                desk.announce(Event::Paused(paused));
            }
            desk.look_again();
            Reply::Done(value)
        }
        Err(error) => Reply::Failed(format!("{error:#}")),
    }
}

fn change_id() -> anyhow::Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(format!("chg_{:016x}", u64::from_be_bytes(bytes)))
}

/// The person at the command line pays as one of the agents.
async fn fetch(
    desk: &Arc<Desk>,
    program: Option<Program>,
    agent: Option<String>,
    body: serde_json::Value,
) -> anyhow::Result<Reply> {
    let agents: Vec<AgentName> =
        desk.vault().list_agents().await?.into_iter().filter(|a| a.revoked_at.is_none()).map(|a| a.name).collect();
    let agent = match (agent, agents.as_slice()) {
        (Some(name), all) => {
            all.iter().find(|a| a.as_str() == name).cloned().with_context(|| format!("there is no agent {name}"))?
        }
        (None, [only]) => only.clone(),
        (None, []) => anyhow::bail!("there is no agent yet: `countersign agent add NAME`"),
        (None, _) => anyhow::bail!("say which agent pays: `--agent NAME`"),
    };
    let body: FetchBody = serde_json::from_value(body)?;
    let session = format!("cli-{agent}").parse()?;
    let caller = Caller { agent, session, verified: true, program };
    let told = match Request::fetch(body) {
        Ok(request) => desk.pay(caller, request).await.result,
        Err(problem) => Err(problem),
    };
    Ok(Reply::Done(match told {
        Ok(outcome) => json!({"outcome": outcome}),
        Err(problem) => json!({"problem": crate::http::problem_body(&problem)}),
    }))
}
