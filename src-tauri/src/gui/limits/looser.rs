//! What a change loosens, as typed messages.

use countersign_core::policy::{BudgetLooser, Loosening, RuleLooser};
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// One loosening. Amounts and counts: none = any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "id", rename_all = "snake_case")]
pub enum Looser {
    Reference {
        was: String,
        now: String,
    },
    Timezone {
        was: String,
        now: String,
    },
    Acts,
    Known {
        origin: String,
        account: String,
    },
    Unpinned {
        origin: String,
        account: String,
    },
    RuleAdded {
        rule: String,
    },
    RulePayeeMayChange {
        rule: String,
    },
    RuleNoLongerRefuses {
        rule: String,
    },
    RuleNoLongerAsks {
        rule: String,
    },
    RuleRemovedWithCount {
        rule: String,
    },
    RuleCountsLess {
        rule: String,
    },
    RuleSays {
        rule: String,
        was: String,
        now: String,
    },
    RuleFitsMore {
        rule: String,
    },
    RuleLastsLonger {
        rule: String,
    },
    RuleUsedMoreOften {
        rule: String,
    },
    RuleFitsFewer {
        rule: String,
    },
    RuleEndsSooner {
        rule: String,
    },
    BudgetRemoved {
        budget: String,
    },
    BudgetAmount {
        budget: String,
        was: Option<String>,
        now: Option<String>,
    },
    BudgetCount {
        budget: String,
        was: Option<String>,
        now: Option<String>,
    },
    BudgetAsks {
        budget: String,
    },
    BudgetWindow {
        budget: String,
    },
    BudgetScope {
        budget: String,
    },
    BudgetCoversFewer {
        budget: String,
    },
    BudgetEndsSooner {
        budget: String,
    },
    /// Not of the policy: a payee a person said yes to is forgotten.
    Forgotten {
        origin: String,
        account: String,
    },
}

impl From<&Loosening> for Looser {
    fn from(what: &Loosening) -> Self {
        match what.clone() {
            Loosening::Reference { was, now } => Self::Reference { was, now },
            Loosening::Timezone { was, now } => Self::Timezone { was, now },
            Loosening::Acts => Self::Acts,
            Loosening::Known { origin, account } => Self::Known { origin, account },
            Loosening::Unpinned { origin, account } => Self::Unpinned { origin, account },
            Loosening::Rule { id: rule, says } => of_rule(rule, says),
            Loosening::Budget { id: budget, says } => of_budget(budget, says),
        }
    }
}

fn of_rule(rule: String, says: RuleLooser) -> Looser {
    match says {
        RuleLooser::Added => Looser::RuleAdded { rule },
        RuleLooser::PayeeMayChange => Looser::RulePayeeMayChange { rule },
        RuleLooser::NoLongerRefuses => Looser::RuleNoLongerRefuses { rule },
        RuleLooser::NoLongerAsks => Looser::RuleNoLongerAsks { rule },
        RuleLooser::RemovedWithCount => Looser::RuleRemovedWithCount { rule },
        RuleLooser::CountsLess => Looser::RuleCountsLess { rule },
        RuleLooser::Says { was, now } => {
            Looser::RuleSays { rule, was: was.as_str().to_owned(), now: now.as_str().to_owned() }
        }
        RuleLooser::FitsMore => Looser::RuleFitsMore { rule },
        RuleLooser::LastsLonger => Looser::RuleLastsLonger { rule },
        RuleLooser::UsedMoreOften => Looser::RuleUsedMoreOften { rule },
        RuleLooser::FitsFewer => Looser::RuleFitsFewer { rule },
        RuleLooser::EndsSooner => Looser::RuleEndsSooner { rule },
    }
}

fn of_budget(budget: String, says: BudgetLooser) -> Looser {
    let text = |n: Option<u64>| n.map(|n| n.to_string());
    match says {
        BudgetLooser::Removed => Looser::BudgetRemoved { budget },
        BudgetLooser::Amount { was, now } => {
            Looser::BudgetAmount { budget, was: was.map(|m| m.to_string()), now: now.map(|m| m.to_string()) }
        }
        BudgetLooser::Count { was, now } => Looser::BudgetCount { budget, was: text(was), now: text(now) },
        BudgetLooser::Asks => Looser::BudgetAsks { budget },
        BudgetLooser::Window => Looser::BudgetWindow { budget },
        BudgetLooser::Scope => Looser::BudgetScope { budget },
        BudgetLooser::CoversFewer => Looser::BudgetCoversFewer { budget },
        BudgetLooser::EndsSooner => Looser::BudgetEndsSooner { budget },
    }
}
