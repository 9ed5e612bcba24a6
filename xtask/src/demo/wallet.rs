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

/// A data directory and the program that works on it.
pub struct Wallet {
    program: PathBuf,
    home: PathBuf,
    data: PathBuf,
}

impl Wallet {
    /// Writes `config.toml` for the local chain; the sentence says where the key will be.
    pub fn new(place: &Place, stage: &Stage, world: &World) -> Result<(Self, String)> {
        let chain = format!("[chains.\"{}\"]\nrpc = [\"{}\"]\n", world.network, world.rpc);
        Self::with(place, stage, &chain)
    }

    /// Writes `config.toml` with this in it besides what every demo needs.
    pub fn with(place: &Place, stage: &Stage, more: &str) -> Result<(Self, String)> {
        let data = stage.folder().join("data");
        let home = stage.folder().join("home");
        private_folder(&data)?;
        private_folder(&home)?;
        let (keys, sentence) = keys::table(stage, &data)?;
        let config =
            format!("[server]\nport = 0\n\n[keys]\n{keys}\n\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n\n{more}");
        std::fs::write(data.join("config.toml"), config)?;
        let program = place.target.join("debug").join(format!("countersign{}", std::env::consts::EXE_SUFFIX));
        Ok((Self { program, home, data }, sentence))
    }

    /// Makes a key; returns its address.
    pub fn create(&self) -> Result<String> {
        field(&self.json(&["wallet", "create", "--label", "main"])?, "address")
    }

    /// Adds the seller to the known payees of the policy that a fresh data directory has.
    pub fn pin(&self, stage: &Stage, world: &World) -> Result<()> {
        let shown = run::output(self.command().args(["policy", "show"]))?;
        let file = stage.folder().join("policy.toml");
        std::fs::write(&file, with_known(&shown, &world.seller, &world.pay_to, &world.asset)?)?;
        run::output(self.command().args(["policy", "set"]).arg(file)).map(|_| ())
    }

    /// Adds an agent; returns its token.
    pub fn agent(&self, name: &str) -> Result<String> {
        field(&self.json(&["agent", "add", name])?, "token")
    }

    /// Confirms, as a person at a terminal may while nothing runs, what was set up here; the tray app would ask about it first.
    pub fn confirm(&self) -> Result<()> {
        run::output(self.command().args(["confirm", "policy"])).map(|_| ())
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

fn with_known(policy: &str, origin: &str, account: &str, asset: &str) -> Result<String> {
    let mut table: toml::Table = policy.parse().context("the policy that countersign shows")?;
    let payee = [("origin", origin), ("account", account), ("asset", asset)];
    let payee: toml::Table = payee.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let known = table.entry("known").or_insert_with(|| toml::Value::Array(Vec::new()));
    known.as_array_mut().context("known is no list")?.push(payee.into());
    Ok(table.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seller_is_added_and_the_rest_of_the_policy_stays() -> Result<()> {
        let before = "format = 1\nknown = []\nrule = [{ id = \"micro\", when = { exposure = { le = \"0.10\" } } }]\n";
        let after: toml::Table = with_known(before, "http://s", "0xA", "eip155:1/erc20:0xB")?.parse()?;
        let expected = "format = 1\nknown = [{ origin = \"http://s\", account = \"0xA\", asset = \"eip155:1/erc20:0xB\" }]\n\
                        rule = [{ id = \"micro\", when = { exposure = { le = \"0.10\" } } }]\n";
        assert_eq!(after, expected.parse()?);
        Ok(())
    }
}
