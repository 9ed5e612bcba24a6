//! Agents, their tokens, and the wallets that pay for them.

use countersign_core::{Millis, asset::Network, payment::AgentName, rail::Wallets};
use std::{
    str::FromStr,
    sync::{Arc, atomic::Ordering},
};

use super::{Vault, aside};
use crate::{
    config::{Agent, PayerFor, SetBy, Wallet},
    error::VaultError,
    keys::{
        Guarded, KeyStoreError, KeysError, Secret,
        token::{TOKEN_RANDOM, mint_token, parse_token},
    },
    ledger::{Mark, NewToken, View, verb},
};

const DAY_MS: i64 = 86_400_000;
/// A token that was not used for so long is dead.
const IDLE_MS: i64 = 30 * DAY_MS;
/// So is one that is this old.
const HARD_MS: i64 = 180 * DAY_MS;
/// How long a token still works beside the one that took its place.
const OVERLAP_MS: i64 = 600_000;
/// How long before the end of its age a token in a file is replaced.
const RENEW_MS: i64 = 30 * DAY_MS;
/// How long before its last token dies an agent is told of.
const NOTICE_MS: i64 = 7 * DAY_MS;
/// How precisely a token's last use is written down.
const USE_STEP_MS: i64 = 3_600_000;

impl Vault {
    /// Pairs an agent; the token is shown once.
    pub async fn add_agent(&self, name: &AgentName, ask_everything: bool, by: SetBy) -> Result<Secret, VaultError> {
        let (text, token) = fresh()?;
        let name = name.clone();
        self.0.change(move |tx| verb::add_agent(tx, &name, ask_everything, by, &token)).await?;
        Ok(text)
    }

    /// Gives an agent another token, shown once; the one before it works for ten minutes more.
    pub async fn rotate_agent(&self, name: &AgentName, by: SetBy) -> Result<Secret, VaultError> {
        let (text, token) = fresh()?;
        let (name, until) = (name.clone(), Millis(self.0.shared.now().at.0.saturating_add(OVERLAP_MS)));
        self.0.change(move |tx| verb::rotate_agent(tx, &name, by, &token, until)).await?;
        Ok(text)
    }

    /// Another token for an agent whose own is near the end of its age; none while it is not, and none for a dead one. What is
    /// presented lives on to its end, so that nothing is lost if the new one cannot be kept.
    pub async fn renew_token(&self, presented: &str) -> Result<Option<Secret>, VaultError> {
        let Some(presented) = parse_token(presented) else { return Ok(None) };
        let (view, now) = (self.0.shared.view(), self.0.shared.now().at.0);
        let row = view.tokens.get(&presented.id).filter(|row| presented.matches(&row.hash) && row.until.is_none());
        let Some(row) = row else { return Ok(None) };
        let age = now.saturating_sub(row.created.0);
        let idle = now.saturating_sub(row.used.load(Ordering::Relaxed));
        if idle > IDLE_MS || !(HARD_MS - RENEW_MS..=HARD_MS).contains(&age) {
            return Ok(None);
        }
        let ((text, token), name) = (fresh()?, row.agent.clone());
        self.0.change(move |tx| verb::renew_token(tx, &name, &token)).await?;
        Ok(Some(text))
    }

    /// Binds an agent to a program, if it is bound to none; in memory only a look.
    pub async fn bind_agent(&self, name: &AgentName, program: &str) -> Result<(), VaultError> {
        let view = self.0.shared.view();
        if view.agents.get(name).is_none_or(|agent| agent.program.is_some()) {
            return Ok(());
        }
        view.open()?;
        let (name, program) = (name.clone(), program.to_owned());
        self.0.change(move |tx| verb::bind_agent(tx, &name, &program)).await
    }

    /// Lets an agent be bound to the program it is seen in next.
    pub async fn rebind_agent(&self, name: &AgentName, by: SetBy) -> Result<(), VaultError> {
        let name = name.clone();
        self.0.change(move |tx| verb::rebind_agent(tx, &name, by)).await
    }

    /// Every agent, revoked ones too.
    pub async fn list_agents(&self) -> Result<Vec<Agent>, VaultError> {
        let view = self.0.shared.view();
        let now = self.0.shared.now().at;
        let agents = view.agents.iter().map(|(name, row)| {
            let tokens: Vec<_> = view.tokens.values().filter(|t| t.agent == *name).collect();
            let used_at = tokens.iter().map(|t| t.used.load(Ordering::Relaxed)).max();
            let expires = tokens.iter().map(|t| {
                let idle = t.used.load(Ordering::Relaxed).saturating_add(IDLE_MS);
                idle.min(t.created.0.saturating_add(HARD_MS)).min(t.until.map_or(i64::MAX, |until| until.0))
            });
            let expires_at = expires.max().map(Millis);
            Agent {
                name: name.clone(),
                ask_everything: row.careful,
                confirmed: row.confirmed,
                created_at: row.created,
                used_at: used_at.map(Millis),
                expires_at,
                expires_soon: expires_at.is_some_and(|end| end.0.saturating_sub(now.0) <= NOTICE_MS),
                program: row.program.clone(),
                revoked_at: row.revoked,
                paused_until: view.pauses.get(name.as_str()).map(|until| until.unwrap_or(Millis(i64::MAX))),
            }
        });
        Ok(agents.collect())
    }

    /// Ends every token of an agent.
    pub async fn revoke_agent(&self, name: &AgentName) -> Result<(), VaultError> {
        let name = name.clone();
        self.0.change(move |tx| verb::revoke_agent(tx, &name)).await
    }

    /// Whose token this is. Dead, revoked and malformed ones are nobody's.
    pub fn authenticate(&self, token: &str) -> Option<AgentName> {
        let presented = parse_token(token)?;
        let shared = &self.0.shared;
        let view = shared.view();
        let row = view.tokens.get(&presented.id)?;
        if !presented.matches(&row.hash) {
            return None;
        }
        let now = shared.now().at;
        let used = row.used.load(Ordering::Relaxed);
        if row.until.is_some_and(|until| now >= until) {
            return None;
        }
        if now.0.saturating_sub(used) > IDLE_MS || now.0.saturating_sub(row.created.0) > HARD_MS {
            return None;
        }
        if now.0.saturating_sub(used) >= USE_STEP_MS {
            row.used.fetch_max(now.0, Ordering::Relaxed);
            shared.marks.leave(Mark::Used(presented.id, now));
        }
        Some(row.agent.clone())
    }

    /// Makes a wallet; the first one pays everywhere.
    pub async fn create_wallet(&self, label: &str) -> Result<Wallet, VaultError> {
        let keys = self.0.shared.keys.clone();
        let address = aside(move || keys.create()).await?.map_err(told)?;
        self.keep_wallet(address, label).await
    }

    /// Takes a key over: 64 hex digits, with or without `0x`.
    pub async fn import_wallet(&self, key: Secret, label: &str) -> Result<Wallet, KeysError> {
        let address = self.keys(move |keys, _| keys.import(&key)).await?;
        self.keep_imported(address, label).await
    }

    /// Takes over the key that a recovery phrase stands for.
    pub async fn import_phrase(&self, phrase: Secret, label: &str) -> Result<Wallet, KeysError> {
        let address = self.keys(move |keys, _| keys.import_phrase(&phrase)).await?;
        self.keep_imported(address, label).await
    }

    /// Takes over the key of a keystore file.
    pub async fn import_keystore(&self, file: Secret, passphrase: Secret, label: &str) -> Result<Wallet, KeysError> {
        let address = self.keys(move |keys, _| keys.import_keystore(file.expose(), &passphrase)).await?;
        self.keep_imported(address, label).await
    }

    async fn keep_imported(&self, address: String, label: &str) -> Result<Wallet, KeysError> {
        if self.wallets().iter().any(|wallet| wallet.address == address) {
            return Err(KeysError::Exists(address));
        }
        self.keep_wallet(address, label).await.map_err(|error| KeyStoreError::Failed(error.to_string()).into())
    }

    /// Forgets a wallet and its key: the key first, so that what a fault leaves behind can be removed again. An agent whose own
    /// it was pays with nothing until somebody says otherwise.
    pub async fn remove_wallet(&self, address: &str) -> Result<(), VaultError> {
        if self.guarded() == Guarded::Locked {
            return Err(VaultError::Locked);
        }
        self.0.shared.view().open()?;
        if self.wallets().iter().all(|wallet| wallet.address != address) {
            return Err(VaultError::NotFound);
        }
        let (keys, name) = (self.0.shared.keys.clone(), format!("wallet:{address}"));
        aside(move || keys.delete(&name)).await?.map_err(told)?;
        let gone = address.to_owned();
        self.0.change(move |tx| verb::remove_wallet(tx, &gone)).await
    }

    async fn keep_wallet(&self, address: String, label: &str) -> Result<Wallet, VaultError> {
        let (new, label) = (address.clone(), label.to_owned());
        self.0.change(move |tx| verb::add_wallet(tx, &new, &label)).await?;
        self.wallets().into_iter().find(|w| w.address == address).ok_or(VaultError::NotFound)
    }

    /// Every wallet, oldest first.
    pub fn wallets(&self) -> Vec<Wallet> {
        self.0.shared.view().wallets.clone()
    }

    /// Says who pays.
    pub async fn set_payer(&self, who: PayerFor, address: &str) -> Result<(), VaultError> {
        let address = address.to_owned();
        self.0.change(move |tx| verb::set_payer(tx, &who, &address)).await
    }

    /// The wallet that was assigned to this agent, for every network; none while everybody's pays for it, and an empty text
    /// once its own was removed: then nothing does.
    pub fn own_wallet(&self, agent: &AgentName) -> Option<String> {
        self.0.shared.view().payers.get(&(agent.as_str().to_owned(), String::new())).cloned()
    }

    /// Everything that was said about who pays, with the address that does.
    pub fn payers(&self) -> Vec<(PayerFor, String)> {
        let view = self.0.shared.view();
        let said = |(agent, network): &(String, String)| {
            Some(PayerFor { agent: part(agent).ok()?, network: part(network).ok()? })
        };
        let paid = view.payers.iter().filter(|(_, address)| !address.is_empty());
        paid.filter_map(|(who, address)| Some((said(who)?, address.clone()))).collect()
    }

    /// What kind of store keeps the keys: `os-keyring`, `encrypted-file` or `memory`.
    pub fn keys_kept(&self) -> &'static str {
        self.0.shared.keys.kind()
    }

    /// Which accounts pay for this agent, for a rail to read.
    pub fn wallets_of(&self, agent: &AgentName) -> Box<dyn Wallets + Send + Sync> {
        Box::new(Payers { agent: agent.as_str().to_owned(), view: self.0.shared.view() })
    }

    /// Which account pays for this agent on this network: its own before everybody's, one network's before all.
    pub fn payer(&self, agent: &AgentName, network: &Network) -> Option<String> {
        self.wallets_of(agent).payer(network)
    }
}

/// A token nobody has yet: what is shown of it, and what is stored.
fn fresh() -> Result<(Secret, NewToken), VaultError> {
    let random = Secret::random(TOKEN_RANDOM).map_err(|e| VaultError::Storage(e.to_string()))?;
    let random: &[u8; TOKEN_RANDOM] =
        random.expose().try_into().map_err(|_| VaultError::Storage("no random bytes".into()))?;
    let minted = mint_token(random);
    Ok((minted.text, NewToken { id: minted.id, hash: minted.hash }))
}

/// One half of who pays; an empty text is everybody, or everywhere.
fn part<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    (!text.is_empty()).then(|| text.parse()).transpose()
}

pub(super) fn told(error: KeysError) -> VaultError {
    match error {
        KeysError::Slow(_) | KeysError::Locked | KeysError::Store(KeyStoreError::Locked) => VaultError::Locked,
        other => VaultError::Refused(other.to_string()),
    }
}

struct Payers {
    agent: String,
    view: Arc<View>,
}

impl std::fmt::Debug for Payers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(&self.view.payers).finish()
    }
}

impl Wallets for Payers {
    fn payer(&self, network: &Network) -> Option<String> {
        let (agent, network) = (self.agent.as_str(), network.as_str());
        [(agent, network), (agent, ""), ("", network), ("", "")]
            .iter()
            .find_map(|(a, n)| self.view.payers.get(&((*a).to_owned(), (*n).to_owned())))
            .filter(|address| !address.is_empty())
            .cloned()
    }

    fn is_ours(&self, account: &str) -> bool {
        self.view.wallets.iter().any(|w| w.address.eq_ignore_ascii_case(account))
    }
}
