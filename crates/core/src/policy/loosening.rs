//! One way in which a change loosens a policy: typed, so that a page can say it in the person's language.

use std::fmt;

use super::Tier;
use crate::money::Micro;

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

impl fmt::Display for Loosening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference { was, now } => write!(f, "amounts are in {now} instead of {was}"),
            Self::Timezone { was, now } => write!(f, "days begin in {now} instead of {was}"),
            Self::Acts => f.write_str("the policy acts instead of only watching"),
            Self::Known { origin, account } => write!(f, "{origin} with account {account} counts as known"),
            Self::Unpinned { origin, account } => write!(f, "{origin} with account {account} is no longer pinned"),
            Self::Rule { id, says } => write!(f, "the rule {id} {says}"),
            Self::Budget { id, says } => write!(f, "the budget {id} {says}"),
        }
    }
}

impl fmt::Display for RuleLooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "lets payments through that were not allowed before",
            Self::PayeeMayChange => "lets its seller change the account that is paid",
            Self::NoLongerRefuses => "no longer refuses",
            Self::NoLongerAsks => "no longer asks",
            Self::RemovedWithCount => "is removed together with what its budget counts; let it ask instead",
            Self::CountsLess => "has a budget that no longer counts everything it did; let the rule ask instead",
            Self::Says { was, now } => return write!(f, "says {} instead of {}", now.as_str(), was.as_str()),
            Self::FitsMore => "fits more payments",
            Self::LastsLonger => "lasts longer",
            Self::UsedMoreOften => "can be used more often",
            Self::FitsFewer => "fits fewer payments",
            Self::EndsSooner => "ends sooner",
        })
    }
}

impl fmt::Display for BudgetLooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |most: Option<String>| most.unwrap_or_else(|| "any".to_owned());
        match self {
            Self::Removed => f.write_str("is removed"),
            Self::Amount { was, now } => {
                let sum = |most: &Option<Micro>| said(most.map(|m| m.to_string()));
                write!(f, "takes up to {} instead of {}", sum(now), sum(was))
            }
            Self::Count { was, now } => {
                let times = |most: &Option<u64>| said(most.map(|n| n.to_string()));
                write!(f, "takes {} payments instead of {}", times(now), times(was))
            }
            Self::Asks => f.write_str("asks instead of refusing"),
            Self::Window => f.write_str("counts over another window"),
            Self::Scope => f.write_str("has another scope"),
            Self::CoversFewer => f.write_str("covers fewer payments"),
            Self::EndsSooner => f.write_str("ends sooner"),
        }
    }
}
