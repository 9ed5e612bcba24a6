//! What an agent may still spend, per budget. A budget other agents draw on too gives only what is left.

use serde::Serialize;

use super::{Budget, Effect, Field, Policy, Scope, Test, Usage, Used, Value, When, Window, budget};
use crate::{
    Millis,
    money::Micro,
    payment::{AgentName, SessionId},
};

/// What one budget leaves an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BudgetView {
    /// The budget's id.
    pub id: String,
    /// Its window as written: `calendar:day`.
    pub window: String,
    /// Money left; null for a budget that only counts payments.
    pub left: Option<Micro>,
    /// The cap; only where the counter is this agent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Micro>,
    /// What is used; only where the counter is this agent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Micro>,
    /// Payments left; only where the counter is this agent's own, or nothing else is left to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_left: Option<u64>,
    /// When a calendar window begins again, RFC 3339; only where the counter is this agent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
    /// What happens over the cap.
    pub on_exceed: Effect,
}

/// What `agent` may still spend. Budgets that cannot cover it are left out, and so are those that count per payee or per task,
/// since they have no single answer.
pub fn budgets_of<U: Usage>(
    policy: &Policy,
    agent: &AgentName,
    session: &SessionId,
    now: Millis,
    testnet: bool,
    usage: &mut U,
) -> Result<Vec<BudgetView>, U::Error> {
    let mut all = Vec::new();
    for budget in policy.budgets() {
        let fits = |when: &When| may_fit(when, agent, session, testnet);
        let rule = budget.rule().and_then(|id| policy.rule(id));
        let scattered = budget.scope.iter().any(|s| matches!(s, Scope::Payee | Scope::Task));
        if budget.expired(now) || scattered || !fits(&budget.when) || !rule.is_none_or(|r| fits(&r.when)) {
            continue;
        }
        let used = match budget.window {
            Window::Once => Used::default(),
            window => {
                usage.used(&budget.id, &key(budget, agent, session, testnet), window.since(now, policy.zone()))?
            }
        };
        let one_agent =
            |when: &When| when.on(Field::Agent).iter().any(|t| matches!(t, Test::In(names) if names.len() == 1));
        let own = budget.scope.iter().any(|s| matches!(s, Scope::Agent | Scope::Session))
            || budget.window.is_short_lived()
            || one_agent(&budget.when)
            || rule.is_some_and(|r| one_agent(&r.when));
        let left = budget.max_amount.map(|max| max.saturating_sub(used.amount));
        let count_left = budget.max_count.map(|max| max.saturating_sub(used.count));
        all.push(BudgetView {
            id: budget.id.clone(),
            window: budget.window.as_str().to_owned(),
            left,
            max: budget.max_amount.filter(|_| own),
            used: Some(used.amount).filter(|_| own && budget.max_amount.is_some()),
            count_left: count_left.filter(|_| own || left.is_none()),
            resets_at: budget.window.resets_at(now, policy.zone()).filter(|_| own).map(Millis::rfc3339),
            on_exceed: budget.on_exceed,
        });
    }
    Ok(all)
}

/// The counter of an ordinary payment of this agent, as [`Budget::key`] names it.
fn key(budget: &Budget, agent: &AgentName, session: &SessionId, testnet: bool) -> String {
    let mut parts = budget::Marks { testnet, receive_link: false }.parts();
    if budget.scope.contains(&Scope::Agent) {
        parts.push(format!("agent:{agent}"));
    }
    if budget.scope.contains(&Scope::Session) || budget.window == Window::Session {
        parts.push(format!("session:{session}"));
    }
    budget::joined(&parts)
}

/// Whether what is known of the agent speaks against the conditions.
fn may_fit(when: &When, agent: &AgentName, session: &SessionId, testnet: bool) -> bool {
    let holds = |field: Field, value: Value| when.on(field).iter().all(|t| t.accepts(&value));
    holds(Field::Agent, Value::Text(agent.to_string()))
        && holds(Field::Session, Value::Text(session.to_string()))
        && holds(Field::Testnet, Value::Flag(testnet))
}
