//! A policy as somebody wrote it, and the check that makes it effective: all of it or none of it.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::BTreeSet;

use super::{Budget, Effect, Policy, Rule, value::quoted};
use crate::{approval::Said, asset::AssetId, origin::Origin};

/// Why a policy is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No policy file of this configuration: not TOML, too large, or in another currency.
    #[error("{0}")]
    File(Said),
    /// One item is wrong.
    #[error("{at}: {says}")]
    Item {
        /// Which: `rule "tiles"`, `budget "week"`, `known 3`.
        at: Box<Said>,
        /// What is wrong and what to write instead.
        says: Box<Said>,
    },
}

impl PolicyError {
    pub(super) fn item(at: Said, says: Said) -> Self {
        Self::Item { at: Box::new(at), says: Box::new(says) }
    }

    pub(super) fn rule(id: &str, says: Said) -> Self {
        Self::item(Said::AtRule { rule: quoted(id) }, says)
    }

    pub(super) fn key(key: &str, says: Said) -> Self {
        Self::item(Said::AtKey { key: key.to_owned() }, says)
    }

    fn budget(id: &str, says: Said) -> Self {
        Self::item(Said::AtBudget { budget: quoted(id) }, says)
    }

    /// Where, if it is about one item, and what.
    pub fn told(self) -> Vec<Said> {
        match self {
            Self::File(says) => vec![says],
            Self::Item { at, says } => vec![*at, *says],
        }
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
            return Err(PolicyError::key("name", Said::FileLength {}));
        }
        if self.rules.len().max(self.budgets.len()).max(self.known.len()) > MOST {
            return Err(PolicyError::item(Said::AtFile {}, Said::FileMany { most: MOST.to_string() }));
        }
        let zone = zone(&self.timezone)?;
        for known in &mut self.known {
            known.account = super::value::account(&known.account);
        }
        self.known.sort();
        self.known.dedup();
        self.rules.sort_by(|a, b| a.id.cmp(&b.id));
        self.budgets.sort_by(|a, b| a.id.cmp(&b.id));
        unique(self.rules.iter().map(|r| r.id.as_str())).map_err(|(id, says)| PolicyError::rule(id, says))?;
        unique(self.budgets.iter().map(|b| b.id.as_str())).map_err(|(id, says)| PolicyError::budget(id, says))?;
        for rule in &self.rules {
            self.check_rule(rule).map_err(|says| PolicyError::rule(&rule.id, says))?;
        }
        let rules: BTreeSet<&str> = self.rules.iter().map(|r| r.id.as_str()).collect();
        for budget in &self.budgets {
            check_budget(budget, &rules).map_err(|says| PolicyError::budget(&budget.id, says))?;
        }
        Ok(Policy::sealed(self, zone, String::new()))
    }

    fn check_rule(&self, rule: &Rule) -> Result<(), Said> {
        let effect = || rule.effect.as_str().to_owned();
        rule.expires.map_or(Ok(()), |end| super::value::moment("expires", end))?;
        at_most("uses_left", rule.uses_left)?;
        if rule.effect.grants() && rule.when.is_empty() {
            return Err(Said::FileGrantsAll { effect: effect() });
        }
        if rule.effect.grants() && !rule.when.on(super::Field::Task).is_empty() {
            return Err(Said::FileGrantsTask { effect: effect() });
        }
        let bounded = rule.expires.is_some() || rule.uses_left.is_some() || self.budgets.iter().any(|b| b.bounds(rule));
        if rule.effect == super::Tier::Except && !bounded {
            return Err(Said::FileUnbounded { rule: rule.id.clone() });
        }
        Ok(())
    }
}

fn check_budget(budget: &Budget, rules: &BTreeSet<&str>) -> Result<(), Said> {
    budget.expires.map_or(Ok(()), |end| super::value::moment("expires", end))?;
    if budget.max_amount.is_none() && budget.max_count.is_none() {
        return Err(Said::FileNoCap {});
    }
    at_most("max_count", budget.max_count)?;
    if budget.on_exceed == Effect::Allow {
        return Err(choice("on_exceed", "allow", ["ask", "deny"]));
    }
    if budget.scope.iter().filter(|s| matches!(s, super::Scope::Rule(_))).count() > 1 {
        return Err(Said::FileOneRule {});
    }
    match budget.rule() {
        Some(id) if !rules.contains(id) => Err(Said::FileNoRule { rule: quoted(id) }),
        _ => Ok(()),
    }
}

fn at_most(key: &str, count: Option<u64>) -> Result<(), Said> {
    match count {
        Some(n) if n > LARGEST => Err(Said::FileAtMost { key: key.to_owned(), most: LARGEST.to_string() }),
        _ => Ok(()),
    }
}

/// A key that takes one of a few names holds another one.
pub(super) fn choice(key: &str, is: &str, names: impl IntoIterator<Item = &'static str>) -> Said {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    Said::FileChoice { key: key.to_owned(), text: quoted(is), names: names.join(", ") }
}

/// The first id that is no id, or not its own.
fn unique<'a>(sorted: impl Iterator<Item = &'a str>) -> Result<(), (&'a str, Said)> {
    let mut last = None;
    for id in sorted {
        let plain = (1..=40).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain {
            return Err((id, Said::FileId {}));
        }
        if last == Some(id) {
            return Err((id, Said::FileIdTwice {}));
        }
        last = Some(id);
    }
    Ok(())
}

fn zone(name: &str) -> Result<TimeZone, PolicyError> {
    let unknown = |_| PolicyError::key("timezone", Said::FileZone { text: quoted(name) });
    TimeZoneDatabase::bundled().get(name).map_err(unknown)
}
