//! The limits on everything, each under a fixed id, and the amount above which everything asks.

use std::collections::BTreeSet;

use super::EditError;
use crate::{
    money::Micro,
    policy::{
        ASK_ABOVE, Budget, Draft, Effect, Field, LIMIT_PAYMENT, Policy, Rule, Source, Test, Tier, Value, When, Window,
    },
};

/// A limit on everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// On one payment.
    Payment,
    /// On a day.
    Day,
    /// On a week.
    Week,
    /// On a month.
    Month,
}

impl Limit {
    /// Every limit, the shortest first.
    pub const ALL: [Self; 4] = [Self::Payment, Self::Day, Self::Week, Self::Month];

    /// The id of the rule or budget it stands for.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Payment => LIMIT_PAYMENT,
            Self::Day => "limit-day",
            Self::Week => "limit-week",
            Self::Month => "limit-month",
        }
    }

    /// The window of a new one; a week counts back, as the shipped policies do.
    const fn window(self) -> Window {
        match self {
            Self::Payment => Window::Once,
            Self::Day => Window::CalendarDay,
            Self::Week => Window::Rolling7d,
            Self::Month => Window::CalendarMonth,
        }
    }
}

/// Where a control stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Nothing is set.
    Off,
    /// At most so much, and what happens above.
    At(Micro, Effect),
    /// Written by hand in a way the control cannot show.
    ByHand,
}

impl Policy {
    /// Where the control of a limit stands.
    pub fn limit(&self, limit: Limit) -> Setting {
        if limit == Limit::Payment {
            return self.rule(LIMIT_PAYMENT).map_or(Setting::Off, |rule| match bound(rule, Tier::Deny) {
                Some(max) => Setting::At(max, Effect::Deny),
                None => Setting::ByHand,
            });
        }
        match self.budget(limit.id()) {
            None => Setting::Off,
            Some(budget) if plain(budget) => {
                budget.max_amount.map_or(Setting::ByHand, |max| Setting::At(max, budget.on_exceed))
            }
            Some(_) => Setting::ByHand,
        }
    }

    /// The most that the budgets over everything leave for a month of 31 days; none where there is none of them.
    pub fn most_in_a_month(&self) -> Option<Micro> {
        let whole = self.budgets().iter().filter(|budget| plain(budget));
        whole.filter_map(|budget| Some(Micro(budget.max_amount?.0.checked_mul(in_a_month(budget.window)?)?))).min()
    }

    /// Where the control of the ask threshold stands; off where nothing is let through anyway.
    pub fn asking(&self) -> Setting {
        match self.rule(ASK_ABOVE) {
            None => Setting::Off,
            Some(rule) => bound(rule, Tier::Ask).map_or(Setting::ByHand, |bound| Setting::At(bound, Effect::Ask)),
        }
    }

    /// Whether any rule lets anything through, so that a threshold means something.
    pub fn lets_something_through(&self) -> bool {
        self.rules().iter().any(|rule| rule.effect.grants())
    }
}

/// The amount of a rule that says no more than "above so much".
fn bound(rule: &Rule, effect: Tier) -> Option<Micro> {
    if rule.effect != effect || rule.expires.is_some() || rule.when.conditions().count() != 1 {
        return None;
    }
    match rule.when.on(Field::Exposure) {
        [Test::Gt(Value::Money(bound))] => Some(*bound),
        _ => None,
    }
}

/// How many of these windows cover a month, at the worst.
const fn in_a_month(window: Window) -> Option<u128> {
    match window {
        Window::CalendarDay | Window::Rolling24h => Some(31),
        Window::CalendarWeek => Some(6),
        Window::Rolling7d => Some(5),
        Window::CalendarMonth | Window::Lifetime => Some(1),
        Window::Once | Window::Session | Window::Rolling10m => None,
    }
}

/// A budget on everything that only caps money.
fn plain(budget: &Budget) -> bool {
    budget.when.is_empty() && budget.scope.is_empty() && budget.expires.is_none() && budget.max_count.is_none()
}

pub(super) fn above(amount: Micro) -> When {
    When::new([(Field::Exposure, Test::Gt(Value::Money(amount)))]).unwrap_or_default()
}

pub(super) fn set(
    draft: &mut Draft,
    limit: Limit,
    max: Option<Micro>,
    on_exceed: Option<Effect>,
) -> Result<(), EditError> {
    if limit == Limit::Payment {
        return threshold(draft, LIMIT_PAYMENT, Tier::Deny, max);
    }
    let id = limit.id();
    let at = draft.budgets.iter().position(|b| b.id == id);
    if at.and_then(|at| draft.budgets.get(at)).is_some_and(|there| !plain(there)) {
        return Err(EditError::ByHand(id.to_owned()));
    }
    match (at, max) {
        (Some(at), None) => drop(draft.budgets.remove(at)),
        (None, None) => {}
        (Some(at), Some(_)) => {
            if let Some(budget) = draft.budgets.get_mut(at) {
                budget.max_amount = max;
                budget.on_exceed = on_exceed.unwrap_or(budget.on_exceed);
            }
        }
        (None, Some(_)) => draft.budgets.push(Budget {
            id: id.to_owned(),
            when: When::default(),
            scope: BTreeSet::new(),
            window: limit.window(),
            max_amount: max,
            max_count: None,
            on_exceed: on_exceed.unwrap_or(Effect::Deny),
            expires: None,
        }),
    }
    Ok(())
}

/// Sets a rule that says no more than "above so much".
fn threshold(draft: &mut Draft, id: &str, effect: Tier, bound_at: Option<Micro>) -> Result<(), EditError> {
    let at = draft.rules.iter().position(|r| r.id == id);
    let there = at.and_then(|at| draft.rules.get_mut(at));
    if there.as_ref().is_some_and(|rule| bound(rule, effect).is_none()) {
        return Err(EditError::ByHand(id.to_owned()));
    }
    match (there, at, bound_at) {
        (Some(rule), _, Some(amount)) => rule.when = above(amount),
        (Some(_), Some(at), None) => drop(draft.rules.remove(at)),
        (None, _, Some(amount)) => draft.rules.push(Rule::new(id, effect, above(amount))),
        _ => {}
    }
    Ok(())
}

/// Upwards, every shipped allow whose only cap lies lower is widened with it.
pub(super) fn ask_above(draft: &mut Draft, amount: Micro) -> Result<(), EditError> {
    if !draft.rules.iter().any(|r| r.effect.grants()) {
        return Err(EditError::NothingAllowed);
    }
    let was = draft.rules.iter().find(|r| r.id == ASK_ABOVE).and_then(|r| bound(r, Tier::Ask));
    threshold(draft, ASK_ABOVE, Tier::Ask, Some(amount))?;
    if was.is_none_or(|was| was >= amount) {
        return Ok(());
    }
    for rule in draft.rules.iter_mut().filter(|r| r.effect == Tier::Allow && r.origin == Source::Preset) {
        if matches!(rule.when.on(Field::Exposure), [Test::Le(Value::Money(cap))] if *cap < amount) {
            rule.when = with_cap(&rule.when, amount);
        }
    }
    Ok(())
}

/// The same conditions with another cap on the amount.
fn with_cap(when: &When, cap: Micro) -> When {
    let others = when.conditions().filter(|(field, _)| *field != Field::Exposure);
    let kept = others.flat_map(|(field, tests)| tests.iter().map(move |t| (field, t.clone())));
    let capped = kept.chain([(Field::Exposure, Test::Le(Value::Money(cap)))]);
    When::new(capped).unwrap_or_else(|_| when.clone())
}
