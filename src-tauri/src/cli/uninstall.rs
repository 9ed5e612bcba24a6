//! `countersign uninstall`: takes back what Countersign put elsewhere. The data directory stays, and the keys where they are kept.
//!
//! Entries in clients' configurations, the entry for login and the agents' tokens go. A key goes only on the page Wallets, by its typed
//! address, where it is said that nothing but a recovery phrase, the key or an exported file brings it back.

use clap::Args;
use serde_json::{Value, json};

use super::{Exit, connect::agreed, perform};
use crate::{
    app::Place,
    bridge::token,
    config::{Config, Store},
    connect::{Plan, Roots},
    control::{Op, Reply},
};

#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Only shows what would go.
    #[arg(long)]
    dry_run: bool,
    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
}

/// What is to go.
struct Going {
    plans: Vec<Plan>,
    agents: Vec<String>,
}

pub fn run(place: &Place, args: &UninstallArgs, as_json: bool) -> anyhow::Result<Exit> {
    let going = found(place)?;
    if !as_json {
        for plan in &going.plans {
            print!("{}", plan.diff());
        }
        for agent in &going.agents {
            println!("The tokens of {agent} die.");
        }
        println!("Countersign starts at login no more.");
        let keys = match Config::load(&place.config)?.keys.store {
            Store::Os => "in the keyring of this system",
            Store::File => "in an encrypted file there",
        };
        println!("The ledger and the settings stay in {}; the keys stay {keys}.", place.dir.display());
    }
    if !args.dry_run {
        if !args.yes && !agreed(as_json)? {
            eprintln!("countersign: nothing was changed");
            return Ok(Exit::Denied);
        }
        carry_out(place, &going)?;
    }
    if as_json {
        let files: Vec<&str> = going.plans.iter().map(Plan::file).collect();
        println!("{}", json!({"files": files, "agents": going.agents, "done": !args.dry_run, "kept": place.dir}));
    }
    Ok(Exit::Done)
}

fn found(place: &Place) -> anyhow::Result<Going> {
    let mut plans = Vec::new();
    for client in Roots::of_this_user()?.installed() {
        plans.extend(client.undo()?);
    }
    let list = match perform(place, Op::AgentList)? {
        Reply::Done(list) => list,
        Reply::Failed(why) | Reply::Refused(why) | Reply::Unanswered(why) => anyhow::bail!(why),
    };
    let living = list["agents"].as_array().into_iter().flatten().filter(|agent| agent["revoked_at"].is_null());
    let agents = living.filter_map(|agent| agent["name"].as_str().map(str::to_owned)).collect();
    Ok(Going { plans, agents })
}

/// The tokens first: an entry that is left behind then opens nothing.
fn carry_out(place: &Place, going: &Going) -> anyhow::Result<()> {
    for name in &going.agents {
        match perform(place, Op::AgentRevoke { name: name.clone() })? {
            Reply::Done(Value::Object(_)) => token::forget(&place.dir, &name.parse()?)?,
            Reply::Done(_) => {}
            Reply::Failed(why) | Reply::Refused(why) | Reply::Unanswered(why) => anyhow::bail!(why),
        }
    }
    for plan in &going.plans {
        plan.carry_out()?;
    }
    #[cfg(feature = "gui")]
    crate::gui::start_at_login(false)?;
    Ok(())
}
