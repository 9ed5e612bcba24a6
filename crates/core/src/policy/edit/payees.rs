//! Payees: pinned, and blocked by a deny rule on their origin alone.

use super::{EditError, free_id};
use crate::{
    origin::Origin,
    policy::{Draft, Field, Known, Policy, Rule, Test, Tier, Value, When},
};

pub(super) fn pin(draft: &mut Draft, known: &Known) {
    draft.known.push(known.clone());
}

pub(super) fn unpin(draft: &mut Draft, known: &Known) -> Result<(), EditError> {
    let at = draft.known.iter().position(|k| k == known);
    let at = at.ok_or_else(|| EditError::NoSuch(format!("pinned payee {}", known.origin)))?;
    draft.known.remove(at);
    Ok(())
}

pub(super) fn block(draft: &mut Draft, origin: &Origin) -> Result<(), EditError> {
    if draft.rules.iter().any(|r| blocked(r).as_ref() == Some(origin)) {
        return Ok(());
    }
    let value = Value::Text(origin.to_string());
    let at = |says| crate::policy::PolicyError::key("payee", says);
    let when = When::new([(Field::PayeeOrigin, Test::In([value].into()))]).map_err(at)?;
    let id = free_id(&format!("block {}", origin.host()), draft.rules.iter().map(|r| r.id.as_str()));
    draft.rules.push(Rule::new(&id, Tier::Deny, when));
    Ok(())
}

pub(super) fn unblock(draft: &mut Draft, origin: &Origin) -> Result<(), EditError> {
    let before = draft.rules.len();
    draft.rules.retain(|r| blocked(r).as_ref() != Some(origin));
    if draft.rules.len() == before {
        return Err(EditError::NoSuch(format!("blocked payee {origin}")));
    }
    Ok(())
}

/// The origin a rule blocks, if that is all it says.
fn blocked(rule: &Rule) -> Option<Origin> {
    let whole = rule.effect == Tier::Deny && rule.expires.is_none() && rule.when.conditions().count() == 1;
    match rule.when.on(Field::PayeeOrigin) {
        [Test::In(values)] if whole && values.len() == 1 => match values.first() {
            Some(Value::Text(text)) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

impl Policy {
    /// Origins that are refused whatever they ask.
    pub fn blocked(&self) -> impl Iterator<Item = Origin> {
        self.rules().iter().filter_map(blocked)
    }
}
