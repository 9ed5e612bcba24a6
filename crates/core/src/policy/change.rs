//! Whether a change of policy tightens or loosens, read off its syntax. What is not plainly tighter is looser.

use super::{
    Budget, Effect, Policy, Rule, Tier,
    loosening::{BudgetLooser, Loosening, RuleLooser},
};
use crate::Millis;

/// What a change of policy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing at all.
    Same,
    /// Nobody has to confirm it.
    Tighter,
    /// A person confirms it; everything that is looser.
    Looser(Vec<Loosening>),
}

/// Compares two policies. The configuration each is bound to is not looked at.
pub fn compare(old: &Policy, new: &Policy) -> Change {
    if old.draft() == new.draft() {
        return Change::Same;
    }
    let mut looser = Vec::new();
    whole(old, new, &mut looser);
    for rule in old.rules() {
        let says = |says| Loosening::Rule { id: rule.id.clone(), says };
        looser.extend(removed_or_changed(old, rule, new.rule(&rule.id)).into_iter().map(says));
    }
    for rule in new.rules().iter().filter(|r| r.effect.grants() && old.rule(&r.id).is_none()) {
        looser.push(Loosening::Rule { id: rule.id.clone(), says: RuleLooser::Added });
    }
    for budget in old.budgets() {
        let says = |says| Loosening::Budget { id: budget.id.clone(), says };
        match new.budget(&budget.id) {
            None => looser.push(says(BudgetLooser::Removed)),
            Some(now) => looser.extend(budget_looser(budget, now).map(says)),
        }
    }
    if looser.is_empty() { Change::Tighter } else { Change::Looser(looser) }
}

fn whole(old: &Policy, new: &Policy, looser: &mut Vec<Loosening>) {
    let pair = |was: &str, now: &str| (was.to_owned(), now.to_owned());
    if old.reference() != new.reference() {
        let (was, now) = pair(old.reference(), new.reference());
        looser.push(Loosening::Reference { was, now });
    }
    if old.timezone() != new.timezone() {
        let (was, now) = pair(old.timezone(), new.timezone());
        looser.push(Loosening::Timezone { was, now });
    }
    if old.mode() == super::Mode::Observe && new.mode() == super::Mode::Enforce {
        looser.push(Loosening::Acts);
    }
    for known in new.known().iter().filter(|k| !old.known().contains(k)) {
        looser.push(Loosening::Known { origin: known.origin.to_string(), account: known.account.clone() });
    }
    // A forgotten payee can also lift `payee-changed`, so this is no tightening either.
    for known in old.known().iter().filter(|k| !new.known().contains(k)) {
        looser.push(Loosening::Unpinned { origin: known.origin.to_string(), account: known.account.clone() });
    }
    for rule in new.rules().iter().filter(|r| new.lets_payee_change(r)) {
        if !old.rule(&rule.id).is_some_and(|r| old.lets_payee_change(r)) {
            looser.push(Loosening::Rule { id: rule.id.clone(), says: RuleLooser::PayeeMayChange });
        }
    }
}

fn removed_or_changed(old: &Policy, was: &Rule, now: Option<&Rule>) -> Vec<RuleLooser> {
    let scoped = old.budgets().iter().any(|b| b.rule() == Some(&was.id));
    let Some(now) = now else {
        return match was.effect {
            Tier::Deny => vec![RuleLooser::NoLongerRefuses],
            Tier::Ask => vec![RuleLooser::NoLongerAsks],
            Tier::Allow | Tier::Except if scoped => vec![RuleLooser::RemovedWithCount],
            Tier::Allow | Tier::Except => Vec::new(),
        };
    };
    let mut looser = Vec::new();
    let mut note = |holds: bool, says: RuleLooser| {
        if holds {
            looser.push(says);
        }
    };
    note(scoped && !was.when.within(&now.when), RuleLooser::CountsLess);
    if was.effect < now.effect {
        note(true, RuleLooser::Says { was: was.effect, now: now.effect });
        return looser;
    }
    if now.effect.grants() {
        let widens = !now.when.within(&was.when);
        note(widens || (was.when.names_origin_alone() && !now.when.names_origin_alone()), RuleLooser::FitsMore);
        note(ends_later(was.expires, now.expires), RuleLooser::LastsLonger);
        note(now.uses_left.unwrap_or(u64::MAX) > was.uses_left.unwrap_or(u64::MAX), RuleLooser::UsedMoreOften);
    }
    if !was.effect.grants() {
        note(!was.when.within(&now.when), RuleLooser::FitsFewer);
        note(ends_later(now.expires, was.expires), RuleLooser::EndsSooner);
    }
    looser
}

/// Whether `b` ends after `a`; never comes last.
fn ends_later(a: Option<Millis>, b: Option<Millis>) -> bool {
    let end = |e: Option<Millis>| e.unwrap_or(Millis(i64::MAX));
    end(b) > end(a)
}

fn budget_looser(was: &Budget, now: &Budget) -> impl Iterator<Item = BudgetLooser> {
    let raised = |was: Option<u128>, now: Option<u128>| now.unwrap_or(u128::MAX) > was.unwrap_or(u128::MAX);
    let amount = |b: &Budget| b.max_amount.map(|m| m.0);
    let count = |b: &Budget| b.max_count.map(u128::from);
    [
        (raised(amount(was), amount(now)), BudgetLooser::Amount { was: was.max_amount, now: now.max_amount }),
        (raised(count(was), count(now)), BudgetLooser::Count { was: was.max_count, now: now.max_count }),
        (was.on_exceed == Effect::Deny && now.on_exceed == Effect::Ask, BudgetLooser::Asks),
        (was.window != now.window, BudgetLooser::Window),
        (was.scope != now.scope, BudgetLooser::Scope),
        (!was.when.within(&now.when), BudgetLooser::CoversFewer),
        (ends_later(now.expires, was.expires), BudgetLooser::EndsSooner),
    ]
    .into_iter()
    .filter(|(looser, _)| *looser)
    .map(|(_, says)| says)
}
