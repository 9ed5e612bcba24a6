//! Carries a verb out on the vault. Nothing here asks; whoever calls has asked already where asking was due.

use anyhow::{Context as _, anyhow, bail};
use countersign_core::{
    Rfc3339,
    payment::{AgentName, PaymentId},
    policy::Policy,
    registry::Registry,
};
use countersign_desk::view::{payment_view, status_of};
use countersign_vault::{Confirm, Filter, PayerFor, Scope, Set, SetBy, Vault, Wallet, keys::Guarded};
use serde_json::{Value, json};

use super::op::Op;
use crate::{
    alipay::{check, setup},
    stripe::setup as stripe,
};

/// Most payments the ledger reads at once.
const PAGE: u32 = 500;

/// Does it, and says what came of it.
pub async fn perform(vault: &Vault, registry: &Registry, op: Op, by: SetBy) -> anyhow::Result<Value> {
    Ok(match op {
        Op::WalletCreate { label } => json!(vault.create_wallet(&label).await?),
        Op::WalletImport { label, key } => json!(vault.import_wallet(key, &label).await?),
        Op::WalletList => json!({"wallets": vault.wallets()}),
        Op::WalletAssign { wallet, agent } => {
            let (wallet, agent) = (wallet_named(vault, &wallet)?, paired(vault, &agent).await?);
            vault.set_payer(PayerFor { agent: Some(agent.clone()), network: None }, &wallet.address).await?;
            json!({"agent": agent, "address": wallet.address, "label": wallet.label})
        }
        Op::WalletUnlock { passphrase } => {
            vault.unlock_wallets(passphrase).await?;
            json!({"locked": false})
        }
        Op::WalletLock => {
            vault.lock_wallets();
            json!({"locked": vault.guarded() == Guarded::Locked})
        }
        Op::AgentAdd { name, ask_everything } => {
            let name: AgentName = name.parse()?;
            let token = vault.add_agent(&name, ask_everything, by).await?;
            let token = std::str::from_utf8(token.expose()).context("the token is not text")?;
            json!({"agent": name, "token": token})
        }
        Op::AgentRotate { name } => {
            let name = paired(vault, &name).await?;
            let token = vault.rotate_agent(&name, by).await?;
            let token = std::str::from_utf8(token.expose()).context("the token is not text")?;
            json!({"agent": name, "token": token})
        }
        Op::AgentRebind { name } => {
            let name = paired(vault, &name).await?;
            vault.rebind_agent(&name, by).await?;
            json!({"agent": name, "program": null})
        }
        Op::Raise { .. } => bail!("nothing runs"),
        Op::AgentList => {
            let agents = vault.list_agents().await?;
            let rows = agents.iter().map(|agent| {
                let mut row = json!(agent);
                row["wallet"] = json!(vault.own_wallet(&agent.name));
                row
            });
            json!({"agents": rows.collect::<Vec<Value>>()})
        }
        Op::AgentRevoke { name } => {
            let name: AgentName = name.parse()?;
            vault.revoke_agent(&name).await.map_err(|error| anyhow::anyhow!("the agent {name}: {error}"))?;
            json!({"agent": name, "revoked": true})
        }
        Op::PolicyShow => {
            let policy = vault.policy().context("no policy can be read")?;
            json!({"toml": policy.to_toml(), "warnings": policy.told(), "doubts": vault.doubts()})
        }
        Op::PolicySet { toml } => {
            let policy = Policy::parse(&toml, registry.reference())?;
            let warnings = policy.told();
            let (state, reasons) = match vault.set_policy(policy, by).await? {
                Set::Same => ("same", Vec::new()),
                Set::InForce => ("in_force", Vec::new()),
                Set::Unconfirmed(why) => ("unconfirmed", why),
            };
            json!({"policy": state, "reasons": reasons, "warnings": warnings})
        }
        Op::PolicyExplain { payment } => {
            json!(vault.explain(&id(&payment)?).await?.context("there is no such payment")?)
        }
        Op::Pause { agent } => {
            vault.pause(scope(vault, agent.as_deref()).await?, None).await?;
            json!({"paused": true, "agent": agent})
        }
        Op::Resume { agent } => {
            vault.resume(scope(vault, agent.as_deref()).await?).await?;
            json!({"paused": false, "agent": agent})
        }
        Op::History { agent, since, limit, mut cursor } => {
            let agent = agent.map(|name| name.parse::<AgentName>()).transpose()?;
            let since = since
                .map(|t| t.parse::<Rfc3339>())
                .transpose()
                .context("--since takes a time such as 2026-11-20T10:00:00Z")?;
            let filter = Filter { agent, since: since.map(|t| t.0), ..Filter::default() };
            let mut rows: Vec<Value> = Vec::new();
            loop {
                let wanted = limit.saturating_sub(u32::try_from(rows.len())?).min(PAGE);
                let page = vault.payments(Filter { limit: wanted, cursor, ..filter.clone() }).await?;
                rows.extend(page.payments.iter().map(|record| {
                    let mut view = payment_view(record, registry);
                    view["status"] = json!(status_of(record));
                    view
                }));
                cursor = page.next_cursor;
                if cursor.is_none() || rows.len() >= usize::try_from(limit)? {
                    break;
                }
            }
            json!({"payments": rows, "next_cursor": cursor})
        }
        Op::Payment { id: text } => {
            let record = vault.payment(&id(&text)?).await?.context("there is no such payment")?;
            let mut view = payment_view(&record, registry);
            view["status"] = json!(status_of(&record));
            view["approved_by"] = json!(record.by);
            view["resource"] = json!(record.quote.resource);
            view
        }
        Op::Verify => json!(vault.verify().await?),
        Op::Confirm { what } => {
            let confirm = match what.as_str() {
                "policy" => Confirm::Policy,
                "clock" => Confirm::Clock,
                "history" => Confirm::History,
                _ => bail!("confirm takes policy, clock or history"),
            };
            vault.confirm(confirm).await?;
            json!({"confirmed": what})
        }
        Op::GatewayAdd { .. }
        | Op::GatewayList
        | Op::GatewayRemove { .. }
        | Op::GatewayLogin { .. }
        | Op::GatewayLogout { .. } => {
            bail!("MCP servers are put behind a running Countersign; start `countersign` or `countersign serve` first")
        }
        Op::AlipaySetup { said, key } => setup::keep(vault, &said, key).await?,
        Op::AlipayCheck => setup::shown(&check::keys(vault).await?),
        Op::AlipayShow => json!(vault.merchant().await?.as_ref().map(setup::shown)),
        Op::AlipayNotice { form, out_trade_no, amount, seller_id } => {
            setup::notice(vault, &form, (&out_trade_no, &amount, seller_id.as_deref())).await?
        }
        Op::AlipayRemove => {
            vault.remove_merchant().await?;
            json!({"removed": true})
        }
        Op::AlipayWatch { payment, watched } => {
            let record = vault.watch(&id(&payment)?, watched).await?;
            json!({"payment": record.id, "watched": record.watched})
        }
        Op::StripeSetup { said, key } => stripe::keep(vault, &said, key).await?,
        Op::StripeCheck => stripe::shown(&vault.stripe_key().await?.0),
        Op::StripeShow => json!(vault.stripe().await?.as_ref().map(stripe::shown)),
        Op::StripeRemove => {
            vault.remove_stripe().await?;
            json!({"removed": true})
        }
        Op::Fetch { .. } => bail!(
            "`countersign fetch` pays through the running service; start `countersign` or `countersign serve` first"
        ),
    })
}

async fn scope(vault: &Vault, agent: Option<&str>) -> anyhow::Result<Scope> {
    Ok(match agent {
        None => Scope::All,
        Some(name) => Scope::Agent(paired(vault, name).await?),
    })
}

/// An agent that may ask for payments.
async fn paired(vault: &Vault, name: &str) -> anyhow::Result<AgentName> {
    let agents = vault.list_agents().await?;
    let known = agents.into_iter().find(|agent| agent.name.as_str() == name && agent.revoked_at.is_none());
    known.map(|agent| agent.name).with_context(|| format!("there is no agent {name}"))
}

/// The same verb about accounts and agents that exist, before a person is asked about it: about an account, not about a name
/// that may be another's tomorrow.
pub async fn checked(vault: &Vault, op: Op) -> anyhow::Result<Op> {
    Ok(match op {
        Op::WalletAssign { wallet, agent } => {
            paired(vault, &agent).await?;
            Op::WalletAssign { wallet: wallet_named(vault, &wallet)?.address, agent }
        }
        Op::AgentRotate { ref name } | Op::AgentRebind { ref name } => {
            paired(vault, name).await?;
            op
        }
        Op::AlipaySetup { ref said, .. } => {
            said.merchant()?;
            op
        }
        Op::StripeSetup { ref said, ref key } => {
            said.profile(key)?;
            op
        }
        Op::Resume { agent: Some(name) } => {
            paired(vault, &name).await?;
            Op::Resume { agent: Some(name) }
        }
        other => other,
    })
}

/// The wallet with this address or this name; a name that two of them have means neither.
fn wallet_named(vault: &Vault, text: &str) -> anyhow::Result<Wallet> {
    let all = vault.wallets();
    let by_address = all.iter().find(|wallet| wallet.address.eq_ignore_ascii_case(text));
    let mut by_label = all.iter().filter(|wallet| wallet.label == text);
    match (by_address, by_label.next(), by_label.next()) {
        (Some(wallet), ..) | (None, Some(wallet), None) => Ok(wallet.clone()),
        (None, None, _) => bail!("there is no wallet {text}; `countersign wallet list` shows them"),
        (None, Some(_), Some(_)) => bail!("several wallets are called {text}; say its address"),
    }
}

/// A payment's id, as a person typed it.
pub(super) fn id(text: &str) -> anyhow::Result<PaymentId> {
    text.parse().map_err(|_| anyhow!("{text:?} is not a payment id; `countersign history` shows them"))
}
