//! The outside: the Node world of `tests/stack` with a chain, the official facilitator and the official seller.

use std::io::Write;
use std::process::ChildStdin;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::stage::{Said, Stage};
use crate::place::Place;

const PATIENCE: Duration = Duration::from_secs(120);

/// A running world.
pub struct World {
    /// The chain's RPC address.
    pub rpc: String,
    /// The seller's origin.
    pub seller: String,
    /// The account the seller takes money with.
    pub pay_to: String,
    /// The token's CAIP-19 id.
    pub asset: String,
    /// The network's CAIP-2 id.
    pub network: String,
    commands: ChildStdin,
    answers: Receiver<Said>,
}

impl World {
    /// Starts it and waits until it is ready.
    pub fn open(place: &Place, stage: &Stage) -> Result<Self> {
        let (hear, answers) = mpsc::channel();
        let mut command = place.command("node");
        let commands = stage.start("world", command.arg(place.root.join("tests/stack/world.mjs")), move |said| {
            hear.send(said).is_ok()
        })?;
        let ready = next(&answers).with_context(|| stage.last_words("world"))?;
        let text = |name: &str| {
            let value = ready[name].as_str().map(str::to_owned);
            value.with_context(|| format!("the world's ready line has no {name}: {ready}"))
        };
        let network = text("network")?;
        Ok(Self {
            rpc: text("rpc")?,
            seller: text("seller")?,
            pay_to: text("pay_to")?,
            asset: format!("{network}/erc20:{}", text("token")?),
            network,
            commands,
            answers,
        })
    }

    /// Puts the official MPP server in the seller's place. It sells the same things and is paid on the same account.
    pub fn sell_by_mpp(&mut self, place: &Place, stage: &Stage) -> Result<()> {
        let (hear, said) = mpsc::channel();
        let mut command = place.command("node");
        command.arg(place.root.join("tests/stack/mpp-seller.mjs"));
        command.args(["--rpc", &self.rpc, "--pay-to", &self.pay_to]);
        drop(stage.start("seller", &mut command, move |line| hear.send(line).is_ok())?);
        let ready = next(&said).with_context(|| stage.last_words("seller"))?;
        self.seller = ready["url"].as_str().context("the seller names no address")?.to_owned();
        Ok(())
    }

    /// Gives an account test money.
    pub fn mint(&mut self, address: &str, amount: &str) -> Result<()> {
        self.ask(&json!({"cmd": "mint", "address": address, "amount": amount})).map(|_| ())
    }

    /// An account's balance on the chain, in the token's smallest unit (six decimals).
    pub fn balance(&mut self, address: &str) -> Result<u128> {
        let answer = self.ask(&json!({"cmd": "balance", "address": address}))?;
        let balance = answer["balance"].as_str().and_then(micro);
        balance.with_context(|| format!("the world gave no balance: {answer}"))
    }

    fn ask(&mut self, command: &Value) -> Result<Value> {
        writeln!(self.commands, "{command}")?;
        let answer = next(&self.answers)?;
        if answer["ok"] != true {
            bail!("the world answered {answer} to {command}");
        }
        Ok(answer)
    }
}

fn next(answers: &Receiver<Said>) -> Result<Value> {
    match answers.recv_timeout(PATIENCE) {
        Ok(Said::Line(line)) => serde_json::from_str(&line).with_context(|| format!("the world said {line:?}")),
        Ok(Said::End) => bail!("the world ended too early"),
        Err(_) => bail!("the world did not answer within {} s", PATIENCE.as_secs()),
    }
}

/// Reads a decimal amount with at most six decimals.
pub fn micro(text: &str) -> Option<u128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 6 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u128 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<u128>().ok()?.checked_mul(1_000_000)?.checked_add(part)
}

/// Writes an amount with at least two decimals.
pub fn dollars(micro: u128) -> String {
    let (whole, part) = (micro / 1_000_000, micro % 1_000_000);
    let part = format!("{part:06}");
    let (cents, rest) = part.split_at(2);
    format!("{whole}.{cents}{}", rest.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, value, written) in
            [("100", 100_000_000, "100.00"), ("95.77", 95_770_000, "95.77"), ("0.000001", 1, "0.000001")]
        {
            assert_eq!(micro(text), Some(value));
            assert_eq!(dollars(value), written);
        }
        for text in ["", "1.0000001", "-1", "1.-5", "1e3"] {
            assert_eq!(micro(text), None, "{text:?}");
        }
    }
}
