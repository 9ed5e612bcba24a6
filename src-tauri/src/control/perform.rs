//! Carries a verb out on the vault. Nothing here asks; whoever calls has asked already where asking was due.

use anyhow::{Context as _, bail};
use countersign_core::{
    Rfc3339,
    payment::{AgentName, PaymentId},
    policy::Policy,
    registry::Registry,
};
use countersign_desk::view::{payment_view, status_of};
use countersign_vault::{Confirm, Filter, Scope, Set, SetBy, Vault, keys::Secret};
use serde_json::{Value, json};

use super::op::Op;

/// Does it, and says what came of it.
pub async fn perform(vault: &Vault, registry: &Registry, op: Op, by: SetBy) -> anyhow::Result<Value> {
    Ok(match op {
        Op::WalletCreate { label } => json!(vault.create_wallet(&label).await?),
        Op::WalletImport { label, key } => json!(vault.import_wallet(Secret::new(key.into_bytes()), &label).await?),
        Op::WalletList => json!({"wallets": vault.wallets()}),
        Op::AgentAdd { name, ask_everything } => {
            let name: AgentName = name.parse()?;
            let token = vault.add_agent(&name, ask_everything, by).await?;
            let token = std::str::from_utf8(token.expose()).context("the token is not text")?;
            json!({"agent": name, "token": token})
        }
        Op::AgentList => json!({"agents": vault.list_agents().await?}),
        Op::AgentRevoke { name } => {
            let name: AgentName = name.parse()?;
            vault.revoke_agent(&name).await.map_err(|error| anyhow::anyhow!("the agent {name}: {error}"))?;
            json!({"agent": name, "revoked": true})
        }
        Op::PolicyShow => {
            let policy = vault.policy().context("no policy can be read")?;
            json!({"toml": policy.to_toml(), "warnings": policy.warnings(), "doubts": vault.doubts()})
        }
        Op::PolicySet { toml } => {
            let policy = Policy::parse(&toml, registry.reference())?;
            let warnings = policy.warnings();
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
        Op::Pause => {
            vault.pause(Scope::All, None).await?;
            json!({"paused": true})
        }
        Op::Resume => {
            vault.resume(Scope::All).await?;
            json!({"paused": false})
        }
        Op::History { agent, since, limit } => {
            let agent = agent.map(|name| name.parse::<AgentName>()).transpose()?;
            let since = since
                .map(|t| t.parse::<Rfc3339>())
                .transpose()
                .context("--since takes a time such as 2026-11-20T10:00:00Z")?;
            let page = vault.payments(Filter { agent, since: since.map(|t| t.0), limit, ..Filter::default() }).await?;
            let rows: Vec<Value> = page
                .payments
                .iter()
                .map(|record| {
                    let mut view = payment_view(record, registry);
                    view["status"] = json!(status_of(record));
                    view
                })
                .collect();
            json!({"payments": rows, "next_cursor": page.next_cursor})
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
        Op::Fetch { .. } => bail!(
            "`countersign fetch` pays through the running service; start `countersign` or `countersign serve` first"
        ),
    })
}

fn id(text: &str) -> anyhow::Result<PaymentId> {
    text.parse().with_context(|| format!("{text:?} is not a payment id"))
}
