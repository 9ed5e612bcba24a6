//! A policy as somebody wrote it, and the check that makes it effective: all of it or none of it.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::BTreeSet;

use super::{Budget, Effect, Policy, Rule};
use crate::{asset::AssetId, origin::Origin};

/// Why a policy is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML.
    #[error("the policy file is not valid TOML: {0}")]
    Syntax(String),
    /// Written in another currency than the configuration's.
    #[error(
        "the policy is written in {file:?}, but `reference` in config.toml is {config:?}; convert the amounts and write reference = {config:?}"
    )]
    Reference {
        /// What the file says.
        file: String,
        /// What the configuration says.
        config: String,
    },
    /// One item is wrong.
    #[error("{at}: {says}")]
    Item {
        /// Which: `rule "tiles"`, `budget "week"`, `known 3`.
        at: String,
        /// What is wrong and what to write instead.
        says: String,
    },
}

impl PolicyError {
    pub(super) fn item(at: impl Into<String>, says: impl Into<String>) -> Self {
        Self::Item { at: at.into(), says: says.into() }
    }
}

/// Whether verdicts count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They are stored, and what would be allowed asks.
    Observe,
}

impl Mode {
    /// The text in policy files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
        }
    }
}

/// A payee a person pinned before the first payment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
    /// Where its prices come from.
    pub origin: Origin,
    /// Who is paid.
    pub account: String,
    /// In what; names the network too.
    pub asset: AssetId,
}

/// The parts of a policy, unchecked and free to edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What the person calls it.
    pub name: String,
    /// The currency of every amount.
    pub reference: String,
    /// IANA name; where calendar windows begin.
    pub timezone: String,
    /// Whether verdicts count.
    pub mode: Mode,
    /// Pinned payees.
    pub known: Vec<Known>,
    /// Rules in any order.
    pub rules: Vec<Rule>,
    /// Budgets in any order.
    pub budgets: Vec<Budget>,
}

/// More rules, budgets or pinned payees than this are refused.
const MOST: usize = 5000;
/// Counts above this cannot be written exactly in canonical JSON.
const LARGEST: u64 = (1 << 53) - 1;

impl Draft {
    /// Checks everything and makes it effective.
    pub fn check(mut self) -> Result<Policy, PolicyError> {
        if self.name.is_empty() || self.name.chars().count() > 80 {
            return Err(PolicyError::item("name", "1 to 80 characters"));
        }
        if self.rules.len().max(self.budgets.len()).max(self.known.len()) > MOST {
            return Err(PolicyError::item("policy", format!("more than {MOST} rules, budgets or known payees")));
        }
        let zone = zone(&self.timezone)?;
        for known in &mut self.known {
            known.account = super::value::account(&known.account);
        }
        self.known.sort();
        self.known.dedup();
        self.rules.sort_by(|a, b| a.id.cmp(&b.id));
        self.budgets.sort_by(|a, b| a.id.cmp(&b.id));
        unique("rule", self.rules.iter().map(|r| r.id.as_str()))?;
        unique("budget", self.budgets.iter().map(|b| b.id.as_str()))?;
        for rule in &self.rules {
            self.check_rule(rule).map_err(|says| PolicyError::item(format!("rule {:?}", rule.id), says))?;
        }
        let rules: BTreeSet<&str> = self.rules.iter().map(|r| r.id.as_str()).collect();
        for budget in &self.budgets {
            check_budget(budget, &rules).map_err(|says| PolicyError::item(format!("budget {:?}", budget.id), says))?;
        }
        Ok(Policy::sealed(self, zone, String::new()))
    }

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        let effect = rule.effect.as_str();
        rule.expires.map_or(Ok(()), super::value::moment).map_err(|says| format!("`expires` {says}"))?;
        if rule.uses_left.is_some_and(|n| n > LARGEST) {
            return Err(format!("`uses_left` is at most {LARGEST}"));
        }
        if rule.effect.grants() && rule.when.is_empty() {
            return Err(format!(
                "an {effect} needs at least one condition in `when`; only deny and ask may match everything"
            ));
        }
        if rule.effect.grants() && !rule.when.on(super::Field::Task).is_empty() {
            return Err(format!(
                "`task` is the agent's own word and cannot be part of an {effect}; use it in deny, ask or a budget"
            ));
        }
        let bounded = rule.expires.is_some() || rule.uses_left.is_some() || self.budgets.iter().any(|b| b.bounds(rule));
        if rule.effect == super::Tier::Except && !bounded {
            return Err(format!(
                "an except needs `expires`, `uses_left` or a budget of its own: scope = [\"rule:{}\"] without `when` and `expires`",
                rule.id
            ));
        }
        Ok(())
    }
}

fn check_budget(budget: &Budget, rules: &BTreeSet<&str>) -> Result<(), String> {
    budget.expires.map_or(Ok(()), super::value::moment).map_err(|says| format!("`expires` {says}"))?;
    if budget.max_amount.is_none() && budget.max_count.is_none() {
        return Err("needs `max_amount`, `max_count` or both".to_owned());
    }
    if budget.max_count.is_some_and(|n| n > LARGEST) {
        return Err(format!("`max_count` is at most {LARGEST}"));
    }
    if budget.on_exceed == Effect::Allow {
        return Err("`on_exceed` is \"ask\" or \"deny\"".to_owned());
    }
    if budget.scope.iter().filter(|s| matches!(s, super::Scope::Rule(_))).count() > 1 {
        return Err("`scope` can name one rule; write one budget per rule".to_owned());
    }
    match budget.rule() {
        Some(id) if !rules.contains(id) => Err(format!("`scope` names the rule {id:?}, which does not exist")),
        _ => Ok(()),
    }
}

fn unique<'a>(what: &str, sorted: impl Iterator<Item = &'a str>) -> Result<(), PolicyError> {
    let mut last = None;
    for id in sorted {
        let plain = (1..=40).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain {
            return Err(PolicyError::item(format!("{what} {id:?}"), "an id is 1 to 40 of a-z, 0-9 and '-'"));
        }
        if last == Some(id) {
            return Err(PolicyError::item(format!("{what} {id:?}"), "this id is used twice; give each its own"));
        }
        last = Some(id);
    }
    Ok(())
}

fn zone(name: &str) -> Result<TimeZone, PolicyError> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| {
        PolicyError::item(
            "timezone",
            format!("{name:?} is not a time zone; write one such as \"Europe/Berlin\" or \"UTC\""),
        )
    })
}
