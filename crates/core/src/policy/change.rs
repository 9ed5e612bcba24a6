//! Whether a change of policy tightens or loosens, read off its syntax. What is not plainly tighter is looser.

use super::{Budget, Effect, Policy, Rule, Tier};
use crate::Millis;

/// What a change of policy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing at all.
    Same,
    /// Nobody has to confirm it.
    Tighter,
    /// A person confirms it; one sentence per loosening.
    Looser(Vec<String>),
}

/// Compares two policies. The configuration each is bound to is not looked at.
pub fn compare(old: &Policy, new: &Policy) -> Change {
    if old.draft() == new.draft() {
        return Change::Same;
    }
    let mut looser = Vec::new();
    whole(old, new, &mut looser);
    for rule in old.rules() {
        removed_or_changed(old, rule, new.rule(&rule.id), &mut looser);
    }
    for rule in new.rules().iter().filter(|r| r.effect.grants() && old.rule(&r.id).is_none()) {
        looser.push(format!("the rule {} lets payments through that were not allowed before", rule.id));
    }
    for budget in old.budgets() {
        match new.budget(&budget.id) {
            None => looser.push(format!("the budget {} is removed", budget.id)),
            Some(now) => {
                looser.extend(budget_looser(budget, now).map(|says| format!("the budget {} {says}", budget.id)))
            }
        }
    }
    if looser.is_empty() { Change::Tighter } else { Change::Looser(looser) }
}

fn whole(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    if old.reference() != new.reference() {
        looser.push(format!("amounts are in {} instead of {}", new.reference(), old.reference()));
    }
    if old.timezone() != new.timezone() {
        looser.push(format!("days begin in {} instead of {}", new.timezone(), old.timezone()));
    }
    if old.mode() == super::Mode::Observe && new.mode() == super::Mode::Enforce {
        looser.push("the policy acts instead of only watching".to_owned());
    }
    for known in new.known().iter().filter(|k| !old.known().contains(k)) {
        looser.push(format!("{} with account {} counts as known", known.origin, known.account));
    }
    // A forgotten payee can also lift `payee-changed`, so this is no tightening either.
    for known in old.known().iter().filter(|k| !new.known().contains(k)) {
        looser.push(format!("{} with account {} is no longer pinned", known.origin, known.account));
    }
    for rule in new.rules().iter().filter(|r| new.lets_payee_change(r)) {
        if !old.rule(&rule.id).is_some_and(|r| old.lets_payee_change(r)) {
            looser.push(format!("the rule {} lets its seller change the account that is paid", rule.id));
        }
    }
}

fn removed_or_changed(old: &Policy, was: &Rule, now: Option<&Rule>, looser: &mut Vec<String>) {
    let id = &was.id;
    let scoped = old.budgets().iter().any(|b| b.rule() == Some(id));
    let Some(now) = now else {
        if !was.effect.grants() {
            looser
                .push(format!("the rule {id} no longer {}", if was.effect == Tier::Deny { "refuses" } else { "asks" }));
        } else if scoped {
            looser.push(format!("the rule {id} is removed together with what its budget counts; let it ask instead"));
        }
        return;
    };
    if scoped && !was.when.within(&now.when) {
        looser
            .push(format!("the budget of the rule {id} no longer counts everything it did; let the rule ask instead"));
    }
    if was.effect < now.effect {
        looser.push(format!("the rule {id} says {} instead of {}", now.effect.as_str(), was.effect.as_str()));
        return;
    }
    if now.effect.grants() {
        if !now.when.within(&was.when) || (was.when.names_origin_alone() && !now.when.names_origin_alone()) {
            looser.push(format!("the rule {id} fits more payments"));
        }
        if ends_later(was.expires, now.expires) {
            looser.push(format!("the rule {id} lasts longer"));
        }
        if now.uses_left.unwrap_or(u64::MAX) > was.uses_left.unwrap_or(u64::MAX) {
            looser.push(format!("the rule {id} can be used more often"));
        }
    }
    if !was.effect.grants() {
        if !was.when.within(&now.when) {
            looser.push(format!("the rule {id} fits fewer payments"));
        }
        if ends_later(now.expires, was.expires) {
            looser.push(format!("the rule {id} ends sooner"));
        }
    }
}

/// Whether `b` ends after `a`; never comes last.
fn ends_later(a: Option<Millis>, b: Option<Millis>) -> bool {
    let end = |e: Option<Millis>| e.unwrap_or(Millis(i64::MAX));
    end(b) > end(a)
}

fn budget_looser(was: &Budget, now: &Budget) -> impl Iterator<Item = String> {
    let raised = |was: Option<u128>, now: Option<u128>| now.unwrap_or(u128::MAX) > was.unwrap_or(u128::MAX);
    let amount = |b: &Budget| b.max_amount.map(|m| m.0);
    let count = |b: &Budget| b.max_count.map(u128::from);
    let said = |most: Option<String>| most.unwrap_or_else(|| "any".to_owned());
    let sum = |b: &Budget| said(b.max_amount.map(|m| m.to_string()));
    let times = |b: &Budget| said(b.max_count.map(|n| n.to_string()));
    [
        (raised(amount(was), amount(now)), format!("takes up to {} instead of {}", sum(now), sum(was))),
        (raised(count(was), count(now)), format!("takes {} payments instead of {}", times(now), times(was))),
        (was.on_exceed == Effect::Deny && now.on_exceed == Effect::Ask, "asks instead of refusing".to_owned()),
        (was.window != now.window, "counts over another window".to_owned()),
        (was.scope != now.scope, "has another scope".to_owned()),
        (!was.when.within(&now.when), "covers fewer payments".to_owned()),
        (ends_later(now.expires, was.expires), "ends sooner".to_owned()),
    ]
    .into_iter()
    .filter(|(looser, _)| *looser)
    .map(|(_, says)| says)
}
