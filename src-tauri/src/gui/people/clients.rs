//! The MCP clients of this computer: how each stands, and connecting one by a press, once the person saw what changes.
//!
//! What was shown is what is done: the change is kept here meanwhile, and fails if the file has become another. An agent that has
//! yet to be made is put to the window that asks.

use anyhow::{Context as _, ensure};
use countersign_core::payment::AgentName;
use countersign_desk::approver::Change;
use countersign_vault::{SetBy, Vault};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
#[cfg(test)]
use ts_rs::TS;

use super::{PATIENCE, Room};
use crate::{
    app::Place,
    bridge::token,
    connect::{CLIENTS, Client, Launch, Plan, Roots, State, client},
    control::Op,
};

/// One client that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ClientView {
    /// What the command line calls it; also the name of its agent.
    pub id: String,
    pub name: String,
    pub stands: ClientStands,
    /// Why it is of no use, or cannot be read.
    pub why: Option<String>,
    /// Its configuration files.
    pub files: Vec<String>,
}

/// How a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum ClientStands {
    Connected,
    NotSet,
    Stale,
    Broken,
}

/// What would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ClientChange {
    /// What is put in and taken out of each file.
    pub diffs: Vec<String>,
    /// An agent is made, which the window that asks will confirm.
    pub pairs: bool,
}

/// The change that was shown last.
#[derive(Debug, Default)]
pub struct Shown(Mutex<Option<(&'static str, Vec<Plan>, bool)>>);

impl Room {
    /// Every installed client.
    pub fn clients(&self) -> anyhow::Result<Vec<ClientView>> {
        let roots = self.roots.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
        CLIENTS.iter().filter_map(|client| look(roots, client, &self.place).transpose()).collect()
    }

    /// Works out the change that connects a client or takes our entry out, and keeps it to be done.
    pub async fn client_change(&self, id: &str, undo: bool) -> anyhow::Result<ClientChange> {
        let client = client(id).context("There is no such client.")?;
        let roots = self.roots.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
        let launch = Launch::of(&self.place, &client.id.parse()?)?;
        let mut plans = Vec::new();
        for found in roots.of(client) {
            plans.extend(if undo { found.undo()? } else { found.connect(&launch)? });
        }
        let pairs = !undo && missing(&self.vault, &self.place, &client.id.parse()?).await?;
        let change = ClientChange { diffs: plans.iter().map(Plan::diff).collect(), pairs };
        *self.shown.lock() = Some((client.id, plans, pairs));
        Ok(change)
    }

    /// Does what was shown last of this client.
    pub async fn client_go(&self, id: &str) -> anyhow::Result<()> {
        let kept = self.shown.lock().take_if(|(of, ..)| *of == id);
        let (id, plans, pairs) = kept.context("Look at the change first.")?;
        // The agent first: an entry without one would be of no use.
        if pairs {
            self.pair(&id.parse()?).await?;
        }
        plans.iter().try_for_each(Plan::carry_out)
    }

    async fn pair(&self, agent: &AgentName) -> anyhow::Result<()> {
        let blank = token::Blank::make(&self.place.dir, agent)?;
        let adding = Op::AgentAdd { name: agent.to_string(), ask_everything: false };
        let (title, lines) = adding.loosens(None, "").context("an agent is put to a person")?;
        let change = Change { id: super::super::doubts::id().context("there is no randomness")?, title, lines };
        let asked = tokio::time::timeout(PATIENCE, self.approver.confirm(change)).await;
        ensure!(asked.unwrap_or(false), "It was not confirmed; nothing was changed.");
        let made = self.vault.add_agent(agent, false, SetBy::Person).await?;
        let kept = std::str::from_utf8(made.expose()).context("the token is not text").and_then(|t| blank.keep(t));
        if let Err(lost) = kept {
            // An agent whose token is lost would be of no use, and its name taken.
            self.vault.revoke_agent(agent).await.with_context(|| format!("{lost:#}"))?;
            return Err(lost);
        }
        Ok(())
    }
}

impl Shown {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(&'static str, Vec<Plan>, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client over all of its files: as the worst of them stands.
fn look(roots: &Roots, client: &'static Client, place: &Place) -> anyhow::Result<Option<ClientView>> {
    let mut worst: Option<(ClientStands, Option<String>)> = None;
    let found = roots.of(client);
    for file in &found {
        let stands = match file.stand(place)? {
            State::Connected => (ClientStands::Connected, None),
            State::NotSet => (ClientStands::NotSet, None),
            State::Stale(why) => (ClientStands::Stale, Some(why)),
            State::Broken(why) => (ClientStands::Broken, Some(why)),
        };
        if worst.as_ref().is_none_or(|(so_far, _)| stands.0 > *so_far) {
            worst = Some(stands);
        }
    }
    Ok(worst.map(|(stands, why)| ClientView {
        id: client.id.to_owned(),
        name: client.name.to_owned(),
        stands,
        why,
        files: found.iter().map(|found| found.file.display().to_string()).collect(),
    }))
}

/// Whether the agent has yet to be made. One that is there, with a token that is not here, cannot be used.
async fn missing(vault: &Vault, place: &Place, agent: &AgentName) -> anyhow::Result<bool> {
    if vault.list_agents().await?.iter().any(|one| one.name == *agent && one.revoked_at.is_none()) {
        token::read(&place.dir, agent)?;
        return Ok(false);
    }
    Ok(true)
}
