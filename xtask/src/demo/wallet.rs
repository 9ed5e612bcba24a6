//! Countersign's side: a data directory with a wallet, a policy and an agent, and the one-shot commands on it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::keys;
use super::stage::Stage;
use super::world::World;
use crate::place::Place;
use crate::run;

/// The everyday policy with one payee known from the start.
const POLICY: &str = r#"format = 1
name = "demo"
reference = "USD"
timezone = "UTC"
mode = "enforce"
known = [{ origin = "ORIGIN", account = "ACCOUNT", asset = "ASSET" }]
rule = [
  { id = "no-raw-sign",   effect = "deny",  when = { op = "sign" } },
  { id = "limit-payment", effect = "deny",  when = { exposure = { gt = "50.00" } } },
  { id = "first-payee",   effect = "ask",   when = { payee_known = false } },
  { id = "ask-above",     effect = "ask",   when = { exposure = { gt = "0.10" } } },
  { id = "micro",         effect = "allow", when = { rail = ["x402"], op = ["pay"], exposure = { le = "0.10" } } },
]
budget = [
  { id = "micro-day",  scope = ["rule:micro", "agent"], window = "calendar:day", max_amount = "5.00",  on_exceed = "ask" },
  { id = "limit-week", scope = [],                      window = "rolling:7d",   max_amount = "60.00", on_exceed = "deny" },
]
"#;

/// A data directory and the program that works on it.
pub struct Wallet {
    program: PathBuf,
    home: PathBuf,
    data: PathBuf,
}

impl Wallet {
    /// Writes `config.toml` for the local chain; the sentence says where the key will be.
    pub fn new(place: &Place, stage: &Stage, world: &World) -> Result<(Self, String)> {
        let data = stage.folder().join("data");
        let home = stage.folder().join("home");
        private_folder(&data)?;
        private_folder(&home)?;
        let (keys, sentence) = keys::table(stage, &data)?;
        let config = format!(
            "[server]\nport = 0\n\n[keys]\n{keys}\n\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n\n[chains.\"{}\"]\nrpc = [\"{}\"]\n",
            world.network, world.rpc
        );
        std::fs::write(data.join("config.toml"), config)?;
        let program = place.target.join("debug").join(format!("countersign{}", std::env::consts::EXE_SUFFIX));
        Ok((Self { program, home, data }, sentence))
    }

    /// Makes a key; returns its address.
    pub fn create(&self) -> Result<String> {
        field(&self.json(&["wallet", "create", "--label", "main"])?, "address")
    }

    /// Sets the policy with the seller pinned as known.
    pub fn pin(&self, stage: &Stage, world: &World) -> Result<()> {
        let text =
            POLICY.replace("ORIGIN", &world.seller).replace("ACCOUNT", &world.pay_to).replace("ASSET", &world.asset);
        let file = stage.folder().join("policy.toml");
        std::fs::write(&file, text)?;
        run::output(self.command().args(["policy", "set"]).arg(file)).map(|_| ())
    }

    /// Adds an agent; returns its token.
    pub fn agent(&self, name: &str) -> Result<String> {
        field(&self.json(&["agent", "add", name])?, "token")
    }

    /// The program on this data directory. It gets a home of its own, so that nothing is left in the user's.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let (None, Some(home)) = (std::env::var_os("XAUTHORITY"), std::env::home_dir()) {
            command.env("XAUTHORITY", home.join(".Xauthority"));
        }
        for (name, folder) in [("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")] {
            command.env(name, self.home.join(folder));
        }
        command.env("HOME", &self.home).arg("--data-dir").arg(&self.data);
        command
    }

    fn json(&self, words: &[&str]) -> Result<Value> {
        let text = run::output(self.command().arg("--json").args(words))?;
        serde_json::from_str(&text).with_context(|| format!("countersign {} printed {text:?}", words.join(" ")))
    }
}

fn field(value: &Value, name: &str) -> Result<String> {
    let text = value[name].as_str().map(str::to_owned);
    text.with_context(|| format!("the answer has no {name}"))
}

fn private_folder(path: &Path) -> Result<()> {
    std::fs::create_dir(path)?;
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}
