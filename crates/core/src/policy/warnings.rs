//! What a person should know about a policy that is valid all the same.

use super::{Budget, Field, Policy, Scope, Test, Tier, Value, value::quoted};
use crate::approval::Said;

/// Protocols there are names for; a rule about another one never matches.
const RAILS: [&str; 6] = ["x402", "mpp", "alipay", "ap2", "acp", "a2m"];

pub(super) fn of(policy: &Policy) -> Vec<Said> {
    let mut all = Vec::new();
    for budget in policy.budgets().iter().filter(|b| evadable(b)) {
        if !policy.budgets().iter().any(|other| backs(other, budget)) {
            let (by_task, budget) = (budget.scope.contains(&Scope::Task), budget.id.clone());
            all.push(if by_task { Said::OddTask { budget } } else { Said::OddSession { budget } });
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
                all.push(Said::OddRail { rule: rule.id.clone(), rail: quoted(name), rails: RAILS.join(", ") });
            }
        }
        if rule.effect.grants() && !bounded(policy, rule) {
            let (grants, rule, example) = (rule.effect, rule.id.clone(), "exposure = { le = \"…\" }".to_owned());
            all.push(match grants {
                Tier::Allow => Said::OddAllows { rule, example },
                _ => Said::OddExcepts { rule, example },
            });
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
