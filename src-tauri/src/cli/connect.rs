//! `countersign connect`: puts Countersign into a client's configuration, after showing the change.

use anyhow::{Context as _, bail};
use clap::{Args, builder::PossibleValuesParser};
use serde_json::{Value, json};
use std::io::IsTerminal as _;

use super::{Exit, mcp, not_done};
use crate::{
    app::Place,
    connect::{CLIENTS, Client, Found, Launch, Plan, Roots, State, client},
};

/// The page that models read.
const INSTRUCTIONS: &str = include_str!("../../../docs/agents/SKILL.md");

#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// Which client; without one, how every installed client stands.
    #[arg(value_parser = PossibleValuesParser::new(CLIENTS.iter().map(|client| client.id)))]
    client: Option<String>,
    /// Only shows what would change.
    #[arg(long, requires = "client")]
    dry_run: bool,
    /// Takes our entry out again.
    #[arg(long, requires = "client")]
    undo: bool,
    /// Does not ask.
    #[arg(long, short, requires = "client")]
    yes: bool,
    /// Prints the page that models read on how to pay.
    #[arg(long, conflicts_with = "client")]
    instructions: bool,
}

pub fn run(place: &Place, args: &ConnectArgs, as_json: bool) -> anyhow::Result<Exit> {
    if args.instructions {
        print!("{INSTRUCTIONS}");
        return Ok(Exit::Done);
    }
    let roots = Roots::of_this_user()?;
    match args.client.as_deref().and_then(client) {
        None => list(place, &roots, as_json),
        Some(client) => change(place, &roots, client, args, as_json),
    }
}

/// Shows how every installed client stands.
fn list(place: &Place, roots: &Roots, as_json: bool) -> anyhow::Result<Exit> {
    let mut rows: Vec<(Found, State)> = Vec::new();
    for found in roots.installed() {
        let state = found.stand(place)?;
        rows.push((found, state));
    }
    if as_json {
        let rows: Vec<Value> = rows.iter().map(|(found, state)| row(found, &json!(state))).collect();
        println!("{}", json!({"clients": rows}));
        return Ok(Exit::Done);
    }
    for (found, state) in &rows {
        let (word, why) = match state {
            State::Connected => ("connected", String::new()),
            State::Stale(why) => ("stale", format!("  {why}")),
            State::NotSet => ("not set", String::new()),
            State::Broken(why) => ("unreadable", format!("  {why}")),
        };
        println!("{:<15} {word:<10} {}{why}", found.client.id, found.file.display());
    }
    if rows.is_empty() {
        let known: Vec<&str> = CLIENTS.iter().map(|client| client.name).collect();
        println!("No client is installed for this user. Known are: {}.", known.join(", "));
    }
    Ok(Exit::Done)
}

fn row(found: &Found, more: &Value) -> Value {
    let mut row =
        json!({"client": found.client.id, "name": found.client.name, "file": found.file.display().to_string()});
    if let (Some(row), Some(more)) = (row.as_object_mut(), more.as_object()) {
        row.extend(more.clone());
    }
    row
}

/// Connects or disconnects one client.
fn change(
    place: &Place,
    roots: &Roots,
    client: &'static Client,
    args: &ConnectArgs,
    as_json: bool,
) -> anyhow::Result<Exit> {
    let agent = client.id.parse()?;
    let launch = Launch::of(place, &agent)?;
    let files = roots.of(client);
    if files.is_empty() {
        let signs: Vec<String> = roots.signs(client).iter().map(|sign| sign.display().to_string()).collect();
        bail!("{} is not installed for this user; there is no {}", client.name, signs.join(" and no "));
    }
    let mut plans = Vec::new();
    for found in &files {
        plans.extend(if args.undo { found.undo()? } else { found.connect(&launch)? });
    }
    let pairs = if args.undo { Ok(false) } else { mcp::missing(place, &agent)? };
    let pairs = match pairs {
        Ok(pairs) => pairs,
        Err(reply) => return Ok(not_done(&reply, as_json)),
    };
    if !as_json {
        for plan in &plans {
            print!("{}", plan.diff());
        }
        if pairs {
            println!("An agent, {agent}, is to be paired; it may ask for payments.");
        }
    }
    let change = Change { client, plans, pairs };
    if args.dry_run {
        return Ok(done(&change, args, as_json));
    }
    if !change.is_none() && !args.yes && !agreed(as_json)? {
        eprintln!("countersign: nothing was changed");
        return Ok(Exit::Denied);
    }
    // The agent first: an entry without one would be of no use.
    if pairs && let Err(reply) = mcp::pair(place, &agent, false)? {
        return Ok(not_done(&reply, as_json));
    }
    for plan in &change.plans {
        plan.carry_out()?;
    }
    Ok(done(&change, args, as_json))
}

/// All that is done for one client.
struct Change {
    client: &'static Client,
    plans: Vec<Plan>,
    /// Whether its agent is made.
    pairs: bool,
}

impl Change {
    fn is_none(&self) -> bool {
        self.plans.is_empty() && !self.pairs
    }
}

/// Asks on the terminal.
pub(super) fn agreed(as_json: bool) -> anyhow::Result<bool> {
    if as_json || !std::io::stdin().is_terminal() {
        bail!("there is no terminal to ask on; look at the change with --dry-run, then say --yes");
    }
    eprint!("Do this? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("reading the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn done(change: &Change, args: &ConnectArgs, as_json: bool) -> Exit {
    let Change { client, plans, pairs } = change;
    if as_json {
        let files: Vec<Value> = plans.iter().map(|plan| json!({"file": plan.file(), "diff": plan.diff()})).collect();
        let written = !args.dry_run && !plans.is_empty();
        println!("{}", json!({"client": client.id, "written": written, "pairs_agent": pairs, "changes": files}));
        return Exit::Done;
    }
    let name = client.name;
    match (change.is_none(), args.dry_run, args.undo) {
        (true, _, true) => println!("{name} has no entry of Countersign."),
        (true, _, false) => println!("{name} is connected."),
        (false, true, _) => println!("Nothing was done."),
        (false, false, true) => println!(
            "The entry is out. The agent {0} is still there; `countersign agent revoke {0}` ends it.",
            client.id
        ),
        (false, false, false) => println!("{name} is connected. {}", client.next),
    }
    Exit::Done
}
