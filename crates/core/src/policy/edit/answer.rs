//! A rule made of an answered question: about this agent and this very payee, up to this amount, with a budget of its own.

use super::{EditError, free_id};
use crate::{
    Millis,
    money::Micro,
    payment::ProcessId,
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
    /// Where alone it holds; none = wherever this agent asks.
    pub only: Option<Only>,
    /// Its end.
    pub expires: Option<Millis>,
    /// When it was said. Remembered answers that were over by then go.
    pub at: Millis,
}

/// Where alone an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// In the session it was asked in.
    Session,
    /// For the run of the program that asked.
    Process,
}

/// What payments like this one may cost in any 24 hours once a yes is remembered: ten times as much, or 5.00.
pub const fn own_budget(exposure: Micro) -> Micro {
    let ten = exposure.0.saturating_mul(10);
    Micro(if ten > 5_000_000 { ten } else { 5_000_000 })
}

/// Adds the rule, and after a yes its budget, in the place of what it makes superfluous. A payment without a known value has nothing a
/// rule could hold it to.
pub(super) fn remember(draft: &mut Draft, answer: &Remembered) -> Result<(), EditError> {
    let facts = &answer.facts;
    let one = |text: &str| Test::In([Value::Text(text.to_owned())].into());
    let mut conditions =
        vec![(Field::Agent, one(facts.agent.as_str())), (Field::PayeeOrigin, one(&facts.payee_origin.to_string()))];
    match answer.only {
        Some(Only::Session) => conditions.push((Field::Session, one(facts.session.as_str()))),
        Some(Only::Process) => {
            let process = facts.process().ok_or(EditError::NoProcess)?;
            conditions.push((Field::Process, one(process.as_str())));
        }
        None => {}
    }
    let word = if answer.yes { "pay" } else { "never" };
    let about = format!("{word} {} {}", facts.agent, facts.payee_origin.host());
    let mut effect = Tier::Deny;
    if answer.yes {
        let exposure = facts.exposure.ok_or(EditError::NoValue)?;
        effect = Tier::Except;
        conditions.extend([
            (Field::PayeeAccount, one(&facts.payee_account)),
            (Field::Asset, one(facts.asset.as_str())),
            (Field::Rail, one(&facts.rail)),
            (Field::Exposure, Test::Le(Value::Money(exposure))),
        ]);
    }
    let when = When::new(conditions).map_err(|says| PolicyError::rule(&about, says))?;
    let mut rule = Rule { expires: answer.expires, origin: Source::Prompt, ..Rule::new("", effect, when) };
    if draft.rules.iter().any(|there| covers(there, &rule)) {
        return Ok(());
    }
    // What is over lets nothing through any more: that it goes neither tightens nor loosens, and the list stays short.
    let over = |there: &Rule| answer.yes && there.effect == effect && there.expires.is_some_and(|end| end <= answer.at);
    let gone = |there: &Rule| remembered(there) && (covers(&rule, there) || over(there));
    let ids: BTreeSet<String> = draft.rules.iter().filter(|there| gone(there)).map(|there| there.id.clone()).collect();
    // What the former rule of the same payments has used up stays used up.
    let heir = draft.rules.iter().find(|there| covers(&rule, there)).map(|there| there.id.clone());
    draft.rules.retain(|there| !ids.contains(&there.id));
    draft.budgets.retain(|budget| !budget.rule().is_some_and(|id| ids.contains(id)));
    let taken = draft.rules.iter().map(|r| r.id.as_str()).chain(draft.budgets.iter().map(|b| b.id.as_str()));
    rule.id = heir.unwrap_or_else(|| free_id(&about, taken));
    if let (true, Some(exposure)) = (answer.yes, facts.exposure) {
        draft.budgets.push(Budget {
            id: rule.id.clone(),
            when: When::default(),
            scope: BTreeSet::from([Scope::Rule(rule.id.clone())]),
            window: Window::Rolling24h,
            max_amount: Some(own_budget(exposure)),
            max_count: None,
            on_exceed: Effect::Ask,
            expires: answer.expires,
        });
    }
    draft.rules.push(rule);
    Ok(())
}

/// Takes away every remembered answer for one of these runs, with its budget.
pub(super) fn end(draft: &mut Draft, runs: &BTreeSet<ProcessId>) {
    let over = |rule: &Rule| held_to(rule).is_some_and(|run| runs.contains(&run));
    let ids: BTreeSet<String> = draft.rules.iter().filter(|rule| over(rule)).map(|rule| rule.id.clone()).collect();
    draft.rules.retain(|rule| !ids.contains(&rule.id));
    draft.budgets.retain(|budget| !budget.rule().is_some_and(|id| ids.contains(id)));
}

/// The run of a program that a remembered answer holds for.
pub fn held_to(rule: &Rule) -> Option<ProcessId> {
    let [Test::In(values)] = rule.when.on(Field::Process) else { return None };
    let mut values = values.iter();
    match (values.next(), values.next()) {
        (Some(Value::Text(run)), None) if remembered(rule) => run.parse().ok(),
        _ => None,
    }
}

/// An answer that was remembered, as it was made.
fn remembered(rule: &Rule) -> bool {
    rule.origin == Source::Prompt && rule.note.is_none() && rule.uses_left.is_none()
}

/// Whether a remembered answer says the same as another about all its payments, for at least as long.
fn covers(one: &Rule, other: &Rule) -> bool {
    let apart = |rule: &Rule| {
        let rest = rule.when.conditions().filter(|(field, _)| *field != Field::Exposure);
        rest.map(|(field, tests)| (field, tests.to_vec())).collect::<Vec<_>>()
    };
    let amount = match (one.when.on(Field::Exposure), other.when.on(Field::Exposure)) {
        ([Test::Le(Value::Money(one))], [Test::Le(Value::Money(other))]) => one >= other,
        (one, other) => one == other,
    };
    let end = |rule: &Rule| rule.expires.map_or(i64::MAX, |at| at.0);
    let both = remembered(one) && remembered(other) && one.effect == other.effect;
    both && apart(one) == apart(other) && amount && end(one) >= end(other)
}
