//! The story: set up, run the agent, answer, then show what the ledger and the chain say about it.
//!
//! Fails when the money that moved is not what was agreed to.

use std::io::Write;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::ask::{self, Desk};
use super::stage::{Said, Stage};
use super::wallet::Wallet;
use super::world::{World, dollars};
use super::{Answers, Rail};
use crate::place::Place;
use crate::run;

const FUNDS: &str = "100.00";
const CHEAP: u128 = 30_000;
const REPORT: u128 = 4_200_000;
const READY_WITHIN: Duration = Duration::from_secs(60);

enum Event {
    App(Said),
    Agent(Said),
    Person(String),
}

/// Plays it from the first to the last act.
pub fn play(place: &Place, answers: Answers, rail: Rail) -> Result<()> {
    let stage = Stage::new()?;
    let result = acts(place, &stage, answers, rail);
    if result.is_err() {
        for name in ["world", "seller", "countersign", "agent"] {
            let words = stage.last_words(name);
            if !words.is_empty() {
                eprintln!("\n── the last lines of {name}\n{words}");
            }
        }
    }
    result
}

fn acts(place: &Place, stage: &Stage, answers: Answers, rail: Rail) -> Result<()> {
    heading("A local chain and the official seller");
    let mut world = World::open(place, stage)?;
    if rail == Rail::Mpp {
        world.sell_by_mpp(place, stage)?;
    }
    let by = if rail == Rail::Mpp { "MPP" } else { "x402" };
    println!("The seller is at {} and takes test dollars on {} by {by}.", world.seller, world.network);

    heading("A wallet, a policy and an agent");
    let (wallet, sentence) = Wallet::new(place, stage, &world)?;
    let address = wallet.create()?;
    println!("The wallet is {address}. Its key is {sentence}.");
    world.mint(&address, FUNDS)?;
    println!("It was given {FUNDS} test USDC on the local chain.");
    wallet.pin(stage, &world)?;
    println!("The policy is the one every new data directory has: up to $0.10 is silent, more asks, more than $50 is");
    println!(
        "refused. A seller never paid before asks too; this demo pinned its seller as known to show a silent payment."
    );
    let token = wallet.agent("researcher")?;
    println!("The agent \"researcher\" has a token. It sees neither the key nor the policy.");
    if answers == Answers::Window {
        wallet.confirm()?;
        println!(
            "Both were confirmed with `countersign confirm policy`; otherwise the window would ask about them first."
        );
    }

    let before = (world.balance(&address)?, world.balance(&world.pay_to.clone())?);
    heading("The agent goes shopping");
    let (yes, _) = visit(place, stage, &wallet, answers, |agent, mcp| {
        agent.arg(place.root.join("tests/stack/agent.mjs"));
        agent.args(["--mcp", mcp, "--token", &token, "--seller", &world.seller]);
    })?;

    heading("The ledger");
    let history = run::output(wallet.command().arg("history"))?;
    println!("{}", history.trim_end());
    let verified = run::output(wallet.command().arg("verify"))?;
    println!("{}", verified.trim_end());

    heading("The chain");
    let after = (world.balance(&address)?, world.balance(&world.pay_to.clone())?);
    println!("wallet  {:>10} → {:>10} USDC", dollars(before.0), dollars(after.0));
    println!("seller  {:>10} → {:>10} USDC", dollars(before.1), dollars(after.1));
    let spent = before.0.checked_sub(after.0).context("the wallet has more than before")?;
    let earned = after.1.checked_sub(before.1).context("the seller has less than before")?;
    if spent != earned || !as_agreed(spent, yes) {
        bail!("{} left the wallet and {} reached the seller: that was not agreed to", dollars(spent), dollars(earned));
    }
    println!("{} moved: exactly what was agreed to, and nothing for what was refused.", dollars(spent));
    Ok(())
}

/// Whether this sum is the silent purchase, with the report if and only if somebody said yes.
fn as_agreed(spent: u128, yes: Option<bool>) -> bool {
    let with_report = spent == CHEAP.saturating_add(REPORT);
    let without = spent == CHEAP;
    yes.map_or(with_report || without, |yes| if yes { with_report } else { without })
}

/// Runs an agent beside Countersign; returns what was answered, if it was answered here, and the agent's last words.
pub fn visit(
    place: &Place,
    stage: &Stage,
    wallet: &Wallet,
    answers: Answers,
    words: impl FnOnce(&mut Command, &str),
) -> Result<(Option<bool>, String)> {
    let (hear, events) = mpsc::channel();
    let mut app = wallet.command();
    match answers {
        Answers::Window => app.args(["--json", "--show", "activity"]),
        Answers::Person | Answers::Script => app.args(["--json", "serve", "--approver", "terminal", "--port", "0"]),
    };
    let from_app = hear.clone();
    let to_app = stage.start("countersign", &mut app, move |said| from_app.send(Event::App(said)).is_ok())?;
    let mut desk = Desk::new(answers, to_app);
    let mcp = ready(&events, &mut desk)?;

    let mut agent = place.command("node");
    words(&mut agent, &mcp);
    let from_agent = hear.clone();
    drop(stage.start("agent", &mut agent, move |said| from_agent.send(Event::Agent(said)).is_ok())?);
    if answers == Answers::Person {
        ask::listen(move |line| hear.send(Event::Person(line)).is_ok());
    }
    let mut last = String::new();
    loop {
        match events.recv()? {
            Event::App(Said::Line(line)) => desk.hear(&line)?,
            Event::App(Said::End) => bail!("Countersign ended too early"),
            Event::Agent(Said::Line(line)) => {
                println!("{line}");
                last = line;
            }
            Event::Agent(Said::End) => break,
            Event::Person(line) => desk.person(&line)?,
        }
        std::io::stdout().flush()?;
    }
    if !stage.finished("agent") {
        bail!("the agent could not finish its purchases");
    }
    if !stage.stop("countersign") {
        bail!("Countersign did not end well");
    }
    Ok((desk.said_yes(), last))
}

/// Waits for the ready line; returns the MCP address.
fn ready(events: &Receiver<Event>, desk: &mut Desk) -> Result<String> {
    let limit = Instant::now() + READY_WITHIN;
    loop {
        match events.recv_timeout(limit.saturating_duration_since(Instant::now())) {
            Ok(Event::App(Said::Line(line))) => match mcp(&line) {
                Some(address) => return Ok(address),
                None => desk.hear(&line)?,
            },
            Ok(Event::App(Said::End)) => bail!("Countersign ended before it was ready"),
            Ok(Event::Agent(_) | Event::Person(_)) => {}
            Err(_) => bail!("Countersign was not ready within {} s", READY_WITHIN.as_secs()),
        }
    }
}

fn mcp(line: &str) -> Option<String> {
    let said: Value = serde_json::from_str(line).ok()?;
    (said["event"] == "ready").then(|| said["mcp"].as_str().map(str::to_owned))?
}

pub fn heading(text: &str) {
    println!("\n── {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_money_that_moved_must_be_what_was_agreed_to() {
        assert!(as_agreed(CHEAP + REPORT, Some(true)));
        assert!(as_agreed(CHEAP, Some(false)));
        assert!(!as_agreed(CHEAP, Some(true)));
        assert!(!as_agreed(CHEAP + REPORT, Some(false)));
        assert!(as_agreed(CHEAP, None) && as_agreed(CHEAP + REPORT, None));
        assert!(!as_agreed(0, None) && !as_agreed(75_000_000, None));
    }

    #[test]
    fn only_the_ready_line_gives_the_address() {
        assert_eq!(mcp(r#"{"event":"ready","http":"http://h","mcp":"http://h/mcp"}"#).as_deref(), Some("http://h/mcp"));
        assert_eq!(mcp(r#"{"event":"question","mcp":"http://h/mcp"}"#), None);
        assert_eq!(mcp("starting"), None);
    }
}
