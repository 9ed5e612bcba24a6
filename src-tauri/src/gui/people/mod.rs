//! The room of the pages Agents and Wallets: who may ask, who pays, and how an agent is stopped.
//!
//! What is done here only tightens. To resume an agent passes the window that asks.

mod clients;
pub mod merchant;
pub mod money;
#[cfg(test)]
mod tests;
pub mod view;

pub use clients::{ClientChange, ClientView};
pub use view::{AgentsView, Today, WalletsView};

use anyhow::Context as _;
use countersign_core::{approval::Said, payment::AgentName, registry::Registry, text::clean};
use countersign_desk::{
    Desk,
    approver::{Approver, Change},
    problem::{Code, Problem},
};
use countersign_vault::{PayerFor, Scope, Vault, Wallet, keys::Merchant};
use std::{sync::Arc, time::Duration};

use super::secret::GuardedBy;
use crate::{app::Place, bridge::token, connect::Roots};
use clients::Shown;
use merchant::MerchantView;
use view::{AgentView, GoneView, KeptIn, NetworkName, WalletName, WalletView};

/// How long the person has in the window that asks.
const PATIENCE: Duration = Duration::from_secs(120);

/// Everything these pages can ask for.
pub struct Room {
    vault: Vault,
    approver: Arc<dyn Approver>,
    place: Place,
    roots: Result<Roots, String>,
    shown: Shown,
    seen: money::Seen,
}

impl Room {
    /// A room over the vault of this place, and the clients below these directories.
    pub fn new(vault: Vault, approver: Arc<dyn Approver>, place: Place, roots: anyhow::Result<Roots>) -> Self {
        let roots = roots.map_err(|error| format!("{error:#}"));
        Self { vault, approver, place, roots, shown: Shown::default(), seen: money::Seen::default() }
    }

    /// The Agents page; `address` is the open port.
    pub async fn agents(&self, today: &Today, address: Option<&str>) -> anyhow::Result<AgentsView> {
        let (mut agents, mut gone) = (Vec::new(), Vec::new());
        for agent in self.vault.list_agents().await? {
            match agent.revoked_at {
                Some(at) => gone.push(GoneView { name: agent.name.to_string(), at: at.rfc3339() }),
                None => agents.push(AgentView::of(agent.clone(), self.own(&agent.name), today)),
            }
        }
        Ok(AgentsView {
            agents,
            gone,
            address: address.map(str::to_owned),
            mcp: address.map(|address| format!("{address}/mcp")),
            behind: view::behind(today),
        })
    }

    fn own(&self, agent: &AgentName) -> Option<WalletName> {
        let address = self.vault.own_wallet(agent)?;
        let wallet = self.vault.wallets().into_iter().find(|wallet| wallet.address == address);
        Some(WalletName { label: wallet.map(|wallet| clean(&wallet.label)).unwrap_or_default(), address })
    }

    /// The Wallets page; `lock_after` minutes without use the wallets lock. The merchant is an error where the key store does not
    /// tell it.
    pub async fn wallets(
        &self,
        registry: &Registry,
        lock_after: u32,
        merchant: &Result<Option<Merchant>, Problem>,
    ) -> anyhow::Result<WalletsView> {
        let agents = self.vault.list_agents().await?;
        let lives = |name: &AgentName| agents.iter().any(|a| a.name == *name && a.revoked_at.is_none());
        let payers = self.vault.payers();
        let wallets = self.vault.wallets().into_iter().map(|wallet| {
            let whom = payers.iter().filter(|(who, address)| {
                address.eq_ignore_ascii_case(&wallet.address) && who.agent.as_ref().is_none_or(lives)
            });
            let whom = whom.map(|(who, _)| who.clone()).collect();
            WalletView::of(wallet, whom, registry)
        });
        let networks = registry
            .chains()
            .filter(|chain| registry.assets().any(|asset| asset.id.network().as_ref() == Some(&chain.network)));
        Ok(WalletsView {
            wallets: wallets.collect(),
            kept: KeptIn::of(self.vault.keys_kept()),
            guarded: GuardedBy::from(self.vault.guarded()),
            lock_after,
            networks: networks.map(NetworkName::of).collect(),
            merchant: merchant.as_ref().ok().and_then(|merchant| merchant.as_ref().map(MerchantView::of)),
            merchant_locked: merchant.as_ref().is_err_and(|why| why.code == Code::Locked),
        })
    }

    /// Where an account gets its money, and what it holds.
    pub async fn money(&self, desk: &Desk, address: &str, afresh: bool) -> anyhow::Result<money::MoneyView> {
        let wallet = self.wallet(address)?;
        money::view(desk, &self.seen, &wallet.address, afresh).await.context("The address fits no QR code")
    }

    /// Lets a wallet pay on a network, or on all, for every agent without one of its own, once the person said yes in the window
    /// that asks.
    pub async fn pays(&self, registry: &Registry, address: &str, network: Option<&str>) -> anyhow::Result<()> {
        let wallet = self.wallet(address)?;
        let chain = network
            .map(|id| id.parse().ok().and_then(|id| registry.chain(&id)).context("There is no such network."))
            .transpose()?;
        let (label, address) = (clean(&wallet.label), wallet.address.clone());
        let change = Change {
            id: super::doubts::id().context("there is no randomness")?,
            title: match chain {
                Some(chain) => Said::AskPays { wallet: label, network: clean(&chain.name) },
                None => Said::AskPaysAll { wallet: label },
            },
            lines: vec![Said::OthersPayFrom { address }],
        };
        let asked = tokio::time::timeout(PATIENCE, self.approver.confirm(change)).await;
        anyhow::ensure!(asked.unwrap_or(false), "It was not confirmed; the wallet that pays stays the same.");
        let who = PayerFor { agent: None, network: chain.map(|chain| chain.network.clone()) };
        Ok(self.vault.set_payer(who, &wallet.address).await?)
    }

    fn wallet(&self, address: &str) -> anyhow::Result<Wallet> {
        let found = self.vault.wallets().into_iter().find(|wallet| wallet.address == address);
        found.context("There is no such wallet.")
    }

    /// Stops one agent's payments until they are resumed.
    pub async fn pause(&self, name: &str) -> anyhow::Result<()> {
        Ok(self.vault.pause(Scope::Agent(self.living(name).await?), None).await?)
    }

    /// Lets them go on, once the person said yes in the window that asks.
    pub async fn resume(&self, name: &str) -> anyhow::Result<()> {
        let agent = self.living(name).await?;
        let change = Change {
            id: super::doubts::id().context("there is no randomness")?,
            title: Said::AskResumeAgent { agent: agent.to_string() },
            lines: vec![Said::ResumesAgent {}],
        };
        let asked = tokio::time::timeout(PATIENCE, self.approver.confirm(change)).await;
        anyhow::ensure!(asked.unwrap_or(false), "It was not confirmed; {agent} stays paused.");
        Ok(self.vault.resume(Scope::Agent(agent)).await?)
    }

    /// Ends an agent's tokens, and removes the file of one that was kept for it.
    pub async fn revoke(&self, name: &str) -> anyhow::Result<()> {
        let agent = self.living(name).await?;
        self.vault.revoke_agent(&agent).await?;
        token::forget(&self.place.dir, &agent)
            .context("It is revoked, but the file of its token is still there; the token in it is dead")
    }

    async fn living(&self, name: &str) -> anyhow::Result<AgentName> {
        let agents = self.vault.list_agents().await?;
        let found = agents.into_iter().find(|agent| agent.name.as_str() == name && agent.revoked_at.is_none());
        Ok(found.with_context(|| format!("There is no agent {}.", clean(name)))?.name)
    }
}
