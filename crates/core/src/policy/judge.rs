//! Judging one payment: built-in denials, the tier, ceilings, budgets. Every step after the tier can only lower the result.

use super::{BudgetLine, Condition, Decision, Effect, Facts, Judged, Mode, Policy, Rule, Tier, Usage, Used, Window};
use crate::{money::Micro, payment::PaymentId};

/// Judges one payment. The holds to be written with it are exactly the budgets of its decision.
///
/// Reasons are ordered: built-ins, rules by id (those of the Limits page last) or `default`, budgets by id. The first is the
/// decision's rule; only reasons that alone give the final verdict are named.
pub fn judge<U: Usage>(policy: &Policy, payment: &PaymentId, facts: &Facts, usage: &mut U) -> Result<Judged, U::Error> {
    Ok(Judged::new(payment.clone(), decide(policy, payment, facts, usage)?))
}

pub(super) fn decide<U: Usage>(
    policy: &Policy,
    payment: &PaymentId,
    facts: &Facts,
    usage: &mut U,
) -> Result<Decision, U::Error> {
    let denials: Vec<String> = facts.conditions.iter().filter(|c| c.denies()).map(|c| c.rule().to_owned()).collect();
    if !denials.is_empty() {
        return Ok(decision(policy, Effect::Deny, denials, Vec::new(), None));
    }
    let matching = matching(policy, facts, usage)?;
    let tier = [Tier::Deny, Tier::Except, Tier::Ask, Tier::Allow]
        .into_iter()
        .find(|t| matching.iter().any(|r| r.effect == *t));
    let mut deciding: Vec<&Rule> = matching.iter().copied().filter(|r| Some(r.effect) == tier).collect();
    deciding.sort_by(|a, b| a.order().cmp(&b.order()));

    let ceilings = ceilings(policy, facts, &matching);
    let budgets = lines(policy, payment, facts, usage)?;
    let exceeded = |with: Effect| {
        budgets.iter().filter(move |l| l.exceeded && l.on_exceed == with).map(|l| format!("budget:{}", l.id))
    };
    let deciding_ids = || deciding.iter().map(|r| r.id.clone());

    let denied: Vec<String> =
        deciding_ids().filter(|_| tier == Some(Tier::Deny)).chain(exceeded(Effect::Deny)).collect();
    if !denied.is_empty() {
        return Ok(decision(policy, Effect::Deny, denied, budgets, None));
    }
    let consumes = deciding.first().filter(|r| r.effect.grants() && r.uses_left.is_some()).map(|r| r.id.clone());
    let mut asks: Vec<String> = ceilings.iter().map(|c| c.rule().to_owned()).collect();
    match tier {
        Some(Tier::Ask) => asks.extend(deciding_ids()),
        None => asks.push("default".to_owned()),
        _ => {}
    }
    asks.extend(exceeded(Effect::Ask));
    if !asks.is_empty() {
        return Ok(decision(policy, Effect::Ask, asks, budgets, consumes));
    }
    let allowed = deciding_ids().collect();
    Ok(decision(policy, Effect::Allow, allowed, budgets, consumes))
}

fn decision(
    policy: &Policy,
    effect: Effect,
    reasons: Vec<String>,
    budgets: Vec<BudgetLine>,
    consumes: Option<String>,
) -> Decision {
    let mut reasons = reasons.into_iter();
    let rule = reasons.next().unwrap_or_default();
    Decision { effect, rule, because: reasons.collect(), policy_hash: policy.policy_hash(), budgets, consumes }
}

/// Rules that match: not expired, not used up, and trusting an origin alone only where we saw it ourselves.
fn matching<'a, U: Usage>(policy: &'a Policy, facts: &Facts, usage: &mut U) -> Result<Vec<&'a Rule>, U::Error> {
    let mut all = Vec::new();
    for rule in policy.rules() {
        let claimed = facts.payee_claimed && rule.trusts_origin_alone();
        if rule.expired(facts.now) || claimed || !rule.when.matches(facts) {
            continue;
        }
        let used_up = match rule.uses_left.filter(|_| rule.effect.grants()) {
            Some(uses) => usage.consumed(&rule.id)? >= uses,
            None => false,
        };
        if !used_up {
            all.push(rule);
        }
    }
    Ok(all)
}

/// What holds the result down to ask, whatever the rules say. An unconfirmed policy comes first: it is the reason for all.
fn ceilings(policy: &Policy, facts: &Facts, matching: &[&Rule]) -> Vec<Condition> {
    let mut all = facts.conditions.clone();
    if facts.exposure.is_none() {
        all.insert(Condition::UnknownValue);
    }
    if policy.mode() == Mode::Observe {
        all.insert(Condition::Observe);
    }
    if !facts.payee_claimed && matching.iter().any(|rule| policy.lets_payee_change(rule)) {
        all.remove(&Condition::PayeeChanged);
    }
    let mut all: Vec<Condition> = all.into_iter().collect();
    all.sort_by_key(|c| *c != Condition::PolicyUnconfirmed);
    all
}

/// Every covering budget with its counter before and after.
fn lines<U: Usage>(
    policy: &Policy,
    payment: &PaymentId,
    facts: &Facts,
    usage: &mut U,
) -> Result<Vec<BudgetLine>, U::Error> {
    let mut all = Vec::new();
    for budget in policy.budgets().iter().filter(|b| b.covers(policy, facts)) {
        let key = budget.key(payment, facts);
        let since = budget.window.since(facts.now, policy.zone());
        let used = match budget.window {
            Window::Once => Used::default(),
            _ => usage.used(&budget.id, &key, since)?,
        };
        let amount = facts.exposure.unwrap_or(Micro::ZERO);
        let after = used.amount.checked_add(amount);
        let count_after = used.count.checked_add(1);
        let too_much =
            facts.exposure.is_some() && budget.max_amount.is_some_and(|max| after.is_none_or(|after| after > max));
        let too_many = budget.max_count.is_some_and(|max| count_after.is_none_or(|count| count > max));
        all.push(BudgetLine {
            id: budget.id.clone(),
            key,
            amount,
            before: used.amount,
            after: after.unwrap_or(Micro(u128::MAX)),
            max: budget.max_amount,
            count_before: used.count,
            count_after: count_after.unwrap_or(u64::MAX),
            max_count: budget.max_count,
            since,
            on_exceed: budget.on_exceed,
            exceeded: too_much || too_many,
        });
    }
    Ok(all)
}
