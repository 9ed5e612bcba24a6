//! The story of a merchant: a page is made and paid, one refund is agreed to, another is not.
//!
//! The gateway is a double of Alipay's. Fails when the money that went back is not what was agreed to.

use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Answers;
use super::stage::{Said, Stage};
use super::story::{heading, visit};
use super::wallet::Wallet;
use crate::place::Place;
use crate::run;

const PATIENCE: Duration = Duration::from_secs(60);
const POLICY: &str = r#"format = 1
name = "shop"
reference = "USD"
timezone = "Asia/Shanghai"
mode = "enforce"
known = []
rule = [
  { id = "pages", effect = "allow", when = { op = "receive_link" } },
  { id = "money-back", effect = "ask", when = { op = "refund" } },
]
budget = [{ id = "pages-day", scope = ["rule:pages"], window = "calendar:day", max_count = 50, on_exceed = "ask" }]
"#;

/// Plays it.
pub fn play(place: &Place, answers: Answers) -> Result<()> {
    let stage = Stage::new()?;
    let result = acts(place, &stage, answers);
    if result.is_err() {
        for name in ["gateway", "countersign", "agent"] {
            let words = stage.last_words(name);
            if !words.is_empty() {
                eprintln!("\n── the last lines of {name}\n{words}");
            }
        }
    }
    result
}

fn acts(place: &Place, stage: &Stage, answers: Answers) -> Result<()> {
    heading("A double of Alipay's gateway");
    let (hear, said) = mpsc::channel();
    let mut command = place.command("node");
    command.arg(place.root.join("tests/stack/alipay-gateway.mjs"));
    command.args(["--keys", &stage.folder().to_string_lossy()]);
    drop(stage.start("gateway", &mut command, move |line| hear.send(line).is_ok())?);
    let url = match said.recv_timeout(PATIENCE) {
        Ok(Said::Line(line)) => serde_json::from_str::<Value>(&line)?["url"].as_str().map(str::to_owned),
        _ => None,
    };
    let url = url.context("the gateway names no address")?;
    println!("It listens at {url} and checks every signature; the official SDK agrees with it. It has no real money.");

    heading("A merchant, a policy and an agent");
    let (wallet, sentence) = Wallet::with(place, stage, "[currency]\nrates = { CNY = \"0.14\" }\n")?;
    let (key, alipay) = (stage.folder().join("app"), stage.folder().join("alipay"));
    let gateway = format!("{url}/gateway.do");
    let mut setup = wallet.command();
    setup.args(["alipay", "setup", "--app-id", "2021000000000001", "--gateway", &gateway]);
    setup.arg("--key-file").arg(key).arg("--alipay-key-file").arg(alipay);
    run::output(&mut setup)?;
    println!("The app's private key is {sentence}.");
    let file = stage.folder().join("policy.toml");
    std::fs::write(&file, POLICY)?;
    run::output(wallet.command().args(["policy", "set"]).arg(file))?;
    println!("Pages on which buyers pay are silent, fifty a day; every refund asks.");
    let token = wallet.agent("clerk")?;
    if answers == Answers::Window {
        wallet.confirm()?;
    }

    heading("The clerk at work");
    let (yes, book) = visit(place, stage, &wallet, answers, |agent, mcp| {
        agent.arg(place.root.join("tests/stack/clerk.mjs"));
        agent.args(["--mcp", mcp, "--token", &token, "--gateway", &url]);
    })?;

    heading("The ledger");
    println!("{}", run::output(wallet.command().arg("history"))?.trim_end());
    println!("{}", run::output(wallet.command().arg("verify"))?.trim_end());

    heading("The gateway's book");
    let refunds: Vec<Value> = serde_json::from_str(&book).context("the clerk showed no book")?;
    let sums: Vec<&str> = refunds.iter().filter_map(|refund| refund["refund_amount"].as_str()).collect();
    // The script says yes to the first question only; a person may have said anything.
    let agreed =
        yes.is_none() || answers == Answers::Person || sums == if yes == Some(true) { vec!["12.50"] } else { vec![] };
    if !agreed {
        bail!("refunds of {sums:?} happened: that was not agreed to");
    }
    println!(
        "Refunds: {}. What was refused never reached it.",
        if sums.is_empty() { "none".to_owned() } else { sums.join(", ") }
    );
    Ok(())
}
