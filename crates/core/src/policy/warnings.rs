//! What a person should know about a policy that is valid all the same.

use super::{Budget, Field, Policy, Scope, Test, Tier, Value};

/// Protocols there are names for; a rule about another one never matches.
const RAILS: [&str; 6] = ["x402", "mpp", "alipay", "ap2", "acp", "a2m"];

pub(super) fn of(policy: &Policy) -> Vec<String> {
    let mut all = Vec::new();
    for budget in policy.budgets().iter().filter(|b| evadable(b)) {
        if !policy.budgets().iter().any(|other| backs(other, budget)) {
            let by = if budget.scope.contains(&Scope::Task) { "name another task" } else { "connect again" };
            all.push(format!("the budget {} alone is no limit: an agent can {by}; add one over a longer window that covers the same payments", budget.id));
        }
    }
    for rule in policy.rules() {
        let rails = rule
            .when
            .on(Field::Rail)
            .iter()
            .filter_map(|t| if let Test::In(names) = t { Some(names) } else { None })
            .flatten();
        for rail in rails.filter(|r| !matches!(r, Value::Text(name) if RAILS.contains(&name.as_str()))) {
            if let Value::Text(name) = rail {
                all.push(format!(
                    "the rule {} names the rail {name:?}, which does not exist; the rails are {}",
                    rule.id,
                    RAILS.join(", ")
                ));
            }
        }
        if rule.effect.grants() && !bounded(policy, rule) {
            let what = if rule.effect == Tier::Allow { "allows" } else { "makes an exception for" };
            all.push(format!("the rule {} {what} any amount; add exposure = {{ le = \"…\" }} or a budget", rule.id));
        }
    }
    all
}

/// Counters the caller can start anew at will.
fn evadable(budget: &Budget) -> bool {
    budget.window == super::Window::Session
        || budget.scope.contains(&Scope::Session)
        || budget.scope.contains(&Scope::Task)
}

/// Whether `other` bounds everything `budget` does, over a window the caller cannot restart.
fn backs(other: &Budget, budget: &Budget) -> bool {
    let restarts = evadable(other) || other.window.is_short_lived();
    let caps = if budget.max_amount.is_some() { other.max_amount.is_some() } else { other.max_count.is_some() };
    let lasts = other.expires.is_none() || (budget.expires.is_some() && other.expires >= budget.expires);
    let covers = budget.when.within(&other.when) && (other.rule().is_none() || other.rule() == budget.rule());
    caps && lasts && covers && !restarts
}

fn bounded(policy: &Policy, rule: &super::Rule) -> bool {
    let at_most = rule.when.on(Field::Exposure).iter().any(|t| matches!(t, Test::In(_) | Test::Lt(_) | Test::Le(_)));
    let covering = |b: &Budget| {
        b.max_amount.is_some() && rule.when.within(&b.when) && (b.rule().is_none() || b.rule() == Some(&rule.id))
    };
    let denied = |r: &super::Rule| {
        r.effect == Tier::Deny && r.when.on(Field::Exposure).iter().any(|t| matches!(t, Test::Gt(_) | Test::Ge(_)))
    };
    at_most || policy.budgets().iter().any(covering) || policy.rules().iter().any(denied)
}
