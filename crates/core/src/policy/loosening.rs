//! One way in which a change loosens a policy: typed, so that a page can say it in the person's language.

use super::Tier;
use crate::{approval::Said, money::Micro};

/// What is looser than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loosening {
    /// Amounts are in another currency.
    Reference {
        /// Before.
        was: String,
        /// After.
        now: String,
    },
    /// Days begin elsewhere.
    Timezone {
        /// Before.
        was: String,
        /// After.
        now: String,
    },
    /// The policy acts instead of only watching.
    Acts,
    /// A payee counts as known.
    Known {
        /// Where its prices come from.
        origin: String,
        /// Who is paid.
        account: String,
    },
    /// A payee is no longer pinned, so that a change of its account no longer stands out.
    Unpinned {
        /// Where its prices come from.
        origin: String,
        /// Who is paid.
        account: String,
    },
    /// A rule.
    Rule {
        /// Its id.
        id: String,
        /// What became of it.
        says: RuleLooser,
    },
    /// A budget.
    Budget {
        /// Its id.
        id: String,
        /// What became of it.
        says: BudgetLooser,
    },
}

/// How a rule is looser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleLooser {
    /// New, and lets payments through.
    Added,
    /// Lets its seller change the account that is paid.
    PayeeMayChange,
    /// A refusal is gone.
    NoLongerRefuses,
    /// A question is gone.
    NoLongerAsks,
    /// Removed with what its budget counts.
    RemovedWithCount,
    /// Its budget no longer counts everything it did.
    CountsLess,
    /// Another effect.
    Says {
        /// Before.
        was: Tier,
        /// After.
        now: Tier,
    },
    /// Lets more payments through.
    FitsMore,
    /// Lets them through for longer.
    LastsLonger,
    /// Lets more of them through.
    UsedMoreOften,
    /// Refuses or asks about fewer payments.
    FitsFewer,
    /// Refuses or asks for a shorter time.
    EndsSooner,
}

/// How a budget is looser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetLooser {
    /// It is gone.
    Removed,
    /// Takes more money; none = any.
    Amount {
        /// Before.
        was: Option<Micro>,
        /// After.
        now: Option<Micro>,
    },
    /// Takes more payments; none = any.
    Count {
        /// Before.
        was: Option<u64>,
        /// After.
        now: Option<u64>,
    },
    /// Asks instead of refusing.
    Asks,
    /// Counts over another window.
    Window,
    /// Has another scope.
    Scope,
    /// Covers fewer payments.
    CoversFewer,
    /// Ends sooner.
    EndsSooner,
}

impl Loosening {
    /// As a sentence; `reference` is the currency its amounts are in.
    pub fn said(&self, reference: &str) -> Said {
        match self.clone() {
            Self::Reference { was, now } => Said::Reference { was, now },
            Self::Timezone { was, now } => Said::Timezone { was, now },
            Self::Acts => Said::Acts {},
            Self::Known { origin, account } => Said::Known { origin, account },
            Self::Unpinned { origin, account } => Said::Unpinned { origin, account },
            Self::Rule { id: rule, says } => of_rule(rule, says),
            Self::Budget { id: budget, says } => of_budget(budget, says, reference),
        }
    }
}

fn of_rule(rule: String, says: RuleLooser) -> Said {
    match says {
        RuleLooser::Added => Said::RuleAdded { rule },
        RuleLooser::PayeeMayChange => Said::RulePayeeMayChange { rule },
        RuleLooser::NoLongerRefuses => Said::RuleNoLongerRefuses { rule },
        RuleLooser::NoLongerAsks => Said::RuleNoLongerAsks { rule },
        RuleLooser::RemovedWithCount => Said::RuleRemovedWithCount { rule },
        RuleLooser::CountsLess => Said::RuleCountsLess { rule },
        RuleLooser::Says { now: Tier::Deny | Tier::Ask, .. } => Said::RuleAsks { rule },
        RuleLooser::Says { was: Tier::Deny, .. } => Said::RulePaysRefused { rule },
        RuleLooser::Says { was: Tier::Ask, .. } => Said::RulePaysAsked { rule },
        RuleLooser::Says { .. } => Said::RuleExcepts { rule },
        RuleLooser::FitsMore => Said::RuleFitsMore { rule },
        RuleLooser::LastsLonger => Said::RuleLastsLonger { rule },
        RuleLooser::UsedMoreOften => Said::RuleUsedMoreOften { rule },
        RuleLooser::FitsFewer => Said::RuleFitsFewer { rule },
        RuleLooser::EndsSooner => Said::RuleEndsSooner { rule },
    }
}

fn of_budget(budget: String, says: BudgetLooser, reference: &str) -> Said {
    let sum = |most: Option<Micro>| most.map(|most| format!("{most} {reference}"));
    match says {
        BudgetLooser::Removed => Said::BudgetRemoved { budget },
        BudgetLooser::Amount { was, now } => match (sum(was).unwrap_or_default(), sum(now)) {
            (was, Some(now)) => Said::BudgetAmount { budget, was, now },
            (was, None) => Said::BudgetAnyAmount { budget, was },
        },
        BudgetLooser::Count { was, now } => match (was.unwrap_or_default().to_string(), now) {
            (was, Some(now)) => Said::BudgetCount { budget, was, now: now.to_string() },
            (was, None) => Said::BudgetAnyCount { budget, was },
        },
        BudgetLooser::Asks => Said::BudgetAsks { budget },
        BudgetLooser::Window => Said::BudgetWindow { budget },
        BudgetLooser::Scope => Said::BudgetScope { budget },
        BudgetLooser::CoversFewer => Said::BudgetCoversFewer { budget },
        BudgetLooser::EndsSooner => Said::BudgetEndsSooner { budget },
    }
}
