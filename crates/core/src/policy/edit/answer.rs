//! A rule made of an answered question: about this agent and this very payee, up to this amount, with a budget of its own.

use super::{EditError, free_id};
use crate::{
    Millis,
    money::Micro,
    policy::{Budget, Draft, Effect, Facts, Field, PolicyError, Rule, Scope, Source, Test, Tier, Value, When, Window},
};
use std::collections::BTreeSet;

/// What an answer is remembered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The payment that was asked about, as it was judged.
    pub facts: Facts,
    /// A yes, or a no.
    pub yes: bool,
    /// Only in the session it was asked in.
    pub session: bool,
    /// Its end.
    pub expires: Option<Millis>,
}

/// What payments like this one may cost in any 24 hours once a yes is remembered: ten times as much, or 5.00.
pub const fn own_budget(exposure: Micro) -> Micro {
    let ten = exposure.0.saturating_mul(10);
    Micro(if ten > 5_000_000 { ten } else { 5_000_000 })
}

/// Adds the rule, and after a yes its budget. A payment without a known value has nothing a rule could hold it to.
pub(super) fn remember(draft: &mut Draft, answer: &Remembered) -> Result<(), EditError> {
    let facts = &answer.facts;
    let one = |text: &str| Test::In([Value::Text(text.to_owned())].into());
    let mut conditions =
        vec![(Field::Agent, one(facts.agent.as_str())), (Field::PayeeOrigin, one(&facts.payee_origin.to_string()))];
    if answer.session {
        conditions.push((Field::Session, one(&facts.session.to_string())));
    }
    let word = if answer.yes { "pay" } else { "never" };
    let about = format!("{word} {} {}", facts.agent, facts.payee_origin.host());
    let id =
        free_id(&about, draft.rules.iter().map(|r| r.id.as_str()).chain(draft.budgets.iter().map(|b| b.id.as_str())));
    let mut effect = Tier::Deny;
    if answer.yes {
        let exposure = facts.exposure.ok_or_else(|| EditError::ByHand("a payment without a known value".to_owned()))?;
        effect = Tier::Except;
        conditions.extend([
            (Field::PayeeAccount, one(&facts.payee_account)),
            (Field::Asset, one(facts.asset.as_str())),
            (Field::Rail, one(&facts.rail)),
            (Field::Exposure, Test::Le(Value::Money(exposure))),
        ]);
        draft.budgets.push(Budget {
            id: id.clone(),
            when: When::default(),
            scope: BTreeSet::from([Scope::Rule(id.clone())]),
            window: Window::Rolling24h,
            max_amount: Some(own_budget(exposure)),
            max_count: None,
            on_exceed: Effect::Ask,
            expires: answer.expires,
        });
    }
    let when = When::new(conditions).map_err(|says| PolicyError::item(format!("rule {id:?}"), says))?;
    let rule = Rule { expires: answer.expires, origin: Source::Prompt, ..Rule::new(&id, effect, when) };
    draft.rules.push(rule);
    Ok(())
}
