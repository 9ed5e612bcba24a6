//! Budgets: caps on what fits, counted per window and scope. Exactly at the cap is fine.

use std::collections::BTreeSet;

use super::{Effect, Facts, Policy, Rule, When, Window};
use crate::{Millis, money::Micro, payment::PaymentId};

/// What a budget's counters are for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `rule:ID`: every payment that fits that rule's `when`, whichever rule decides.
    Rule(String),
    /// One counter per agent.
    Agent,
    /// One counter per payee: origin, asset (with its network) and account.
    Payee,
    /// One counter per session.
    Session,
    /// One counter per task tag; payments without a tag share one.
    Task,
}

impl Scope {
    /// The text in policy files.
    pub fn text(&self) -> String {
        match self {
            Self::Rule(id) => format!("rule:{id}"),
            Self::Agent => "agent".to_owned(),
            Self::Payee => "payee".to_owned(),
            Self::Session => "session".to_owned(),
            Self::Task => "task".to_owned(),
        }
    }

    pub(super) fn named(text: &str) -> Option<Self> {
        match text {
            "agent" => Some(Self::Agent),
            "payee" => Some(Self::Payee),
            "session" => Some(Self::Session),
            "task" => Some(Self::Task),
            _ => text.strip_prefix("rule:").map(|id| Self::Rule(id.to_owned())),
        }
    }
}

/// One budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// `[a-z0-9-]{1,40}`, unique among budgets.
    pub id: String,
    /// What it covers and counts; empty = every payment.
    pub when: When,
    /// Which payments share a counter; empty = all.
    pub scope: BTreeSet<Scope>,
    /// Over which time.
    pub window: Window,
    /// The cap on money.
    pub max_amount: Option<Micro>,
    /// The cap on payments.
    pub max_count: Option<u64>,
    /// What happens over the cap: [`Effect::Ask`] or [`Effect::Deny`].
    pub on_exceed: Effect,
    /// From this moment on it covers nothing.
    pub expires: Option<Millis>,
}

impl Budget {
    /// The rule this budget is scoped to.
    pub fn rule(&self) -> Option<&str> {
        self.scope.iter().find_map(|s| if let Scope::Rule(id) = s { Some(id.as_str()) } else { None })
    }

    /// Whether it bounds this rule for ever and whole, as an except must be bounded.
    pub(super) fn bounds(&self, rule: &Rule) -> bool {
        self.rule() == Some(&rule.id) && self.when.is_empty() && self.expires.is_none()
    }

    pub(super) fn expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|end| now >= end)
    }

    pub(super) fn covers(&self, policy: &Policy, facts: &Facts) -> bool {
        let rule_fits = |id| policy.rule(id).is_some_and(|rule| rule.when.matches(facts));
        !self.expired(facts.now) && self.when.matches(facts) && self.rule().is_none_or(rule_fits)
    }

    /// The counter a payment falls into: empty for the one counter of a budget without scope, else a JSON list of its parts.
    pub(super) fn key(&self, payment: &PaymentId, facts: &Facts) -> String {
        let mut parts =
            Marks { testnet: facts.testnet, receive_link: facts.op == crate::payment::Op::ReceiveLink }.parts();
        for scope in &self.scope {
            match scope {
                Scope::Rule(_) => {}
                Scope::Agent => parts.push(format!("agent:{}", facts.agent)),
                Scope::Payee => {
                    parts.push(format!("payee:{} {} {}", facts.payee_origin, facts.asset, facts.payee_account))
                }
                Scope::Session => parts.push(format!("session:{}", facts.session)),
                Scope::Task => {
                    parts.push(facts.task.as_ref().map_or_else(|| "no task".to_owned(), |task| format!("task:{task}")))
                }
            }
        }
        match self.window {
            Window::Session if !self.scope.contains(&Scope::Session) => {
                parts.push(format!("session:{}", facts.session))
            }
            Window::Once => parts.push(format!("payment:{payment}")),
            _ => {}
        }
        joined(&parts)
    }
}

/// Payments that never share a counter with others.
pub(super) struct Marks {
    pub testnet: bool,
    pub receive_link: bool,
}

impl Marks {
    pub fn parts(&self) -> Vec<String> {
        [(self.testnet, "testnet"), (self.receive_link, "receive_link")]
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, mark)| mark.to_owned())
            .collect()
    }
}

pub(super) fn joined(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { serde_json::json!(parts).to_string() }
}
