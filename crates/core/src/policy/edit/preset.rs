//! Taking a shipped policy, and telling which one is in force. What a person wrote stays.

use super::{EditError, free_id};
use crate::policy::{
    ASK_ABOVE, Budget, Draft, Field, LIMIT_PAYMENT, PRESETS, Policy, PolicyError, Rule, Scope, Source, Tier, When,
    draft::choice,
};

/// The one that keeps limits and lets nothing through.
const CAREFUL: &str = "careful";

/// Which shipped policy is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its name; none if limits or rules of it were changed.
    pub preset: Option<&'static str>,
    /// Rules and budgets beside it.
    pub own: usize,
}

impl Policy {
    /// Which shipped policy is in force, and how much the person has beside it.
    pub fn standing(&self) -> Standing {
        let same = |name: &&&str| {
            let mut draft = self.draft();
            apply(&mut draft, name).is_ok()
                && draft.check().is_ok_and(|p| p.rules() == self.rules() && p.budgets() == self.budgets())
        };
        let shipped = all(self.reference());
        let own: Vec<Rule> = self.rules().iter().filter(|r| !is_shipped_rule(r, &shipped)).cloned().collect();
        let budgets = self.budgets().iter().filter(|b| !is_shipped_budget(b, &shipped, &[], &own));
        Standing { preset: PRESETS.iter().find(same).copied(), own: own.len().saturating_add(budgets.count()) }
    }
}

/// Puts a shipped policy in the place of another: shipped rules and budgets go, the person's stay under their ids.
pub(super) fn apply(draft: &mut Draft, name: &str) -> Result<(), EditError> {
    let unknown = || PolicyError::key("preset", choice("preset", name, PRESETS.iter().copied()));
    let new = Policy::preset(name, &draft.reference).ok_or_else(unknown)?.draft();
    let shipped = all(&draft.reference);
    if name == CAREFUL {
        careful(draft, &shipped, new);
        return Ok(());
    }
    draft.rules.retain(|rule| !is_shipped_rule(rule, &shipped));
    draft.budgets.retain(|budget| !is_shipped_budget(budget, &shipped, &new.budgets, &draft.rules));
    for mut rule in new.rules {
        let was = rule.id.clone();
        if draft.rules.iter().any(|r| r.id == was) {
            rule.id = free_id(&was, draft.rules.iter().map(|r| r.id.as_str()));
        }
        let budgets = new.budgets.iter().filter(|b| b.rule() == Some(&was));
        let scoped: Vec<Budget> = budgets.map(|b| renamed(b, &was, &rule.id)).collect();
        draft.rules.push(rule);
        scoped.into_iter().for_each(|budget| put(draft, budget));
    }
    for budget in new.budgets.into_iter().filter(|b| b.rule().is_none()) {
        put(draft, budget);
    }
    draft.name = new.name;
    Ok(())
}

/// What is shipped.
fn all(reference: &str) -> Vec<Draft> {
    PRESETS.iter().filter_map(|name| Policy::preset(name, reference)).map(|policy| policy.draft()).collect()
}

/// Everything asks: shipped allows ask instead, so that what they counted goes on counting, and limits, questions and budgets stay.
/// Only shipped refusals of whole kinds of payments go, since those would not ask.
fn careful(draft: &mut Draft, shipped: &[Draft], new: Draft) {
    let kept = |rule: &Rule| rule.id == LIMIT_PAYMENT || new.rules.iter().any(|r| r.id == rule.id);
    draft.rules.retain(|rule| rule.effect != Tier::Deny || kept(rule) || !is_shipped_rule(rule, shipped));
    for rule in draft.rules.iter_mut().filter(|r| r.effect == Tier::Allow) {
        if is_shipped_rule(rule, shipped) {
            rule.effect = Tier::Ask;
        }
    }
    let missing: Vec<Rule> = new.rules.into_iter().filter(|r| !draft.rules.iter().any(|d| d.id == r.id)).collect();
    draft.rules.extend(missing);
    draft.name = new.name;
}

/// A shipped rule, or one that a control made of it: the amount may differ, the rest may not.
fn is_shipped_rule(rule: &Rule, shipped: &[Draft]) -> bool {
    let apart = |when: &When| {
        let rest = when.conditions().filter(|(field, _)| *field != Field::Exposure);
        rest.map(|(field, tests)| (field, tests.to_vec())).collect::<Vec<_>>()
    };
    let control = matches!(rule.id.as_str(), ASK_ABOVE | LIMIT_PAYMENT);
    let alike = |other: &Rule| {
        other.id == rule.id
            && (other.effect == rule.effect || (other.effect == Tier::Allow && rule.effect == Tier::Ask))
            && apart(&other.when) == apart(&rule.when)
            && other.when.on(Field::Exposure).len() == rule.when.on(Field::Exposure).len()
    };
    let untouched = rule.note.is_none() && rule.expires.is_none() && rule.uses_left.is_none();
    (rule.origin == Source::Preset || control) && untouched && shipped.iter().flat_map(|d| &d.rules).any(alike)
}

/// A shipped budget, or a limit that the new policy sets itself. A budget of a rule that stays, stays with it.
fn is_shipped_budget(budget: &Budget, shipped: &[Draft], new: &[Budget], staying: &[Rule]) -> bool {
    if budget.rule().is_some_and(|id| staying.iter().any(|r| r.id == id)) {
        return false;
    }
    let exact = shipped.iter().flat_map(|d| &d.budgets).any(|other| other == budget);
    let limit = |other: &Budget| {
        other.id == budget.id && other.scope == budget.scope && other.when == budget.when && budget.expires.is_none()
    };
    exact || budget.rule().is_some() || new.iter().any(limit)
}

fn renamed(budget: &Budget, was: &str, now: &str) -> Budget {
    let mut budget = budget.clone();
    if was != now {
        budget.scope.remove(&Scope::Rule(was.to_owned()));
        budget.scope.insert(Scope::Rule(now.to_owned()));
    }
    budget
}

fn put(draft: &mut Draft, mut budget: Budget) {
    if draft.budgets.iter().any(|b| b.id == budget.id) {
        budget.id = free_id(&budget.id, draft.budgets.iter().map(|b| b.id.as_str()));
    }
    draft.budgets.push(budget);
}
