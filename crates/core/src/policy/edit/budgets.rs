//! Budgets of one agent, one payee or one network.

use std::collections::BTreeSet;

use super::{EditError, free_id};
use crate::{
    asset::Network,
    money::Micro,
    origin::Origin,
    payment::AgentName,
    policy::{Budget, Draft, Effect, Field, Test, Value, When, Window},
};

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One agent's.
    Agent(AgentName),
    /// Everything paid to one origin, whatever its account.
    Payee(Origin),
    /// Everything on one network.
    Network(Network),
}

impl Subject {
    fn condition(&self) -> (Field, String) {
        match self {
            Self::Agent(name) => (Field::Agent, name.to_string()),
            Self::Payee(origin) => (Field::PayeeOrigin, origin.to_string()),
            Self::Network(network) => (Field::Network, network.to_string()),
        }
    }

    /// Whose budget this is, if it is exactly one agent's, one payee's or one network's.
    pub fn of(budget: &Budget) -> Option<Self> {
        if !budget.scope.is_empty() || budget.when.conditions().count() != 1 {
            return None;
        }
        let one = |field| match budget.when.on(field) {
            [Test::In(values)] if values.len() == 1 => match values.first() {
                Some(Value::Text(text)) => Some(text.as_str()),
                _ => None,
            },
            _ => None,
        };
        let agent = one(Field::Agent).and_then(|t| t.parse().ok()).map(Self::Agent);
        let payee = || one(Field::PayeeOrigin).and_then(|t| t.parse().ok()).map(Self::Payee);
        let network = || one(Field::Network).and_then(|t| t.parse().ok()).map(Self::Network);
        agent.or_else(payee).or_else(network)
    }

    fn about(&self) -> String {
        match self {
            Self::Agent(name) => name.to_string(),
            Self::Payee(origin) => origin.host().to_owned(),
            Self::Network(network) => network.to_string(),
        }
    }
}

pub(super) fn set(draft: &mut Draft, of: &Subject, window: Window, max: Option<Micro>, on_exceed: Effect) {
    let own = |b: &Budget| {
        b.window == window && b.expires.is_none() && b.max_count.is_none() && Subject::of(b).as_ref() == Some(of)
    };
    let there = draft.budgets.iter().position(own);
    match (there, max) {
        (Some(at), None) => drop(draft.budgets.remove(at)),
        (None, None) => {}
        (Some(at), Some(_)) => {
            if let Some(budget) = draft.budgets.get_mut(at) {
                (budget.max_amount, budget.on_exceed) = (max, on_exceed);
            }
        }
        (None, Some(_)) => {
            let per = window.as_str().rsplit(':').next().unwrap_or_default();
            let id = free_id(&format!("{} {per}", of.about()), draft.budgets.iter().map(|b| b.id.as_str()));
            let (field, value) = of.condition();
            let when = When::new([(field, Test::In([Value::Text(value)].into()))]).unwrap_or_default();
            let scope = BTreeSet::new();
            draft.budgets.push(Budget {
                id,
                when,
                scope,
                window,
                max_amount: max,
                max_count: None,
                on_exceed,
                expires: None,
            });
        }
    }
}

pub(super) fn cap(draft: &mut Draft, id: &str, max: Option<Micro>) -> Result<(), EditError> {
    let missing = || EditError::NoSuch(format!("budget {id}"));
    let at = draft.budgets.iter().position(|b| b.id == id).ok_or_else(missing)?;
    match max {
        None => drop(draft.budgets.remove(at)),
        Some(_) => draft.budgets.get_mut(at).ok_or_else(missing)?.max_amount = max,
    }
    Ok(())
}
