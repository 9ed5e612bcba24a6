//! Rules by form: whom they are about and above or up to which amount. Conditions a form has no place for stay as they are.

use super::{EditError, free_id};
use crate::{
    Millis,
    asset::Network,
    money::Micro,
    origin::Origin,
    payment::AgentName,
    policy::{Draft, Field, PolicyError, Rule, Test, Tier, Value, When},
};

/// The end of a rule that is switched off: the beginning of time.
pub const OFF: Millis = Millis(0);

/// What a form says about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleForm {
    /// What it does.
    pub effect: Tier,
    /// Only this agent.
    pub agent: Option<AgentName>,
    /// Only this origin.
    pub payee: Option<Origin>,
    /// Only this network.
    pub network: Option<Network>,
    /// Only payments above this.
    pub above: Option<Micro>,
    /// Only payments up to this.
    pub up_to: Option<Micro>,
    /// The person's words.
    pub note: Option<String>,
    /// Its end.
    pub expires: Option<Millis>,
}

/// The fields a form has.
const FORM: [Field; 4] = [Field::Agent, Field::PayeeOrigin, Field::Network, Field::Exposure];

impl RuleForm {
    /// The form of a rule; none if one of its fields says something a form has no place for.
    pub fn of(rule: &Rule) -> Option<Self> {
        let one = |field| match rule.when.on(field) {
            [] => Some(None),
            [Test::In(values)] if values.len() == 1 => match values.first() {
                Some(Value::Text(text)) => Some(Some(text.as_str())),
                _ => None,
            },
            _ => None,
        };
        let (mut above, mut up_to) = (None, None);
        for test in rule.when.on(Field::Exposure) {
            match test {
                Test::Gt(Value::Money(amount)) => above = Some(*amount),
                Test::Le(Value::Money(amount)) => up_to = Some(*amount),
                _ => return None,
            }
        }
        Some(Self {
            effect: rule.effect,
            agent: one(Field::Agent)?.map(str::parse).transpose().ok()?,
            payee: one(Field::PayeeOrigin)?.map(str::parse).transpose().ok()?,
            network: one(Field::Network)?.map(str::parse).transpose().ok()?,
            above,
            up_to,
            note: rule.note.clone(),
            expires: rule.expires,
        })
    }

    fn conditions(&self) -> Vec<(Field, Test)> {
        let one = |text: String| Test::In([Value::Text(text)].into());
        let mut all = Vec::new();
        all.extend(self.agent.as_ref().map(|a| (Field::Agent, one(a.to_string()))));
        all.extend(self.payee.as_ref().map(|p| (Field::PayeeOrigin, one(p.to_string()))));
        all.extend(self.network.as_ref().map(|n| (Field::Network, one(n.to_string()))));
        all.extend(self.above.map(|m| (Field::Exposure, Test::Gt(Value::Money(m)))));
        all.extend(self.up_to.map(|m| (Field::Exposure, Test::Le(Value::Money(m)))));
        all
    }

    fn about(&self) -> String {
        let who = self.agent.as_ref().map(ToString::to_string);
        let whom = self.payee.as_ref().map(|p| p.host().to_owned());
        let parts = [Some(self.effect.as_str().to_owned()), who, whom, self.network.as_ref().map(ToString::to_string)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A new rule is the person's; one that lets payments through carries its end or its amount, or the check refuses it.
pub(super) fn add(draft: &mut Draft, form: &RuleForm) -> Result<(), EditError> {
    let id = free_id(&form.about(), draft.rules.iter().map(|r| r.id.as_str()));
    let when = when(&id, form.conditions())?;
    let (note, expires) = (form.note.clone(), form.expires);
    draft.rules.push(Rule { note, expires, ..Rule::new(&id, form.effect, when) });
    Ok(())
}

pub(super) fn change(draft: &mut Draft, id: &str, form: &RuleForm) -> Result<(), EditError> {
    let rule = found(draft, id)?;
    if RuleForm::of(rule).is_none() {
        return Err(EditError::ByHand(id.to_owned()));
    }
    let others = rule.when.conditions().filter(|(field, _)| !FORM.contains(field));
    let kept: Vec<_> = others.flat_map(|(field, tests)| tests.iter().map(move |t| (field, t.clone()))).collect();
    rule.when = when(id, kept.into_iter().chain(form.conditions()))?;
    (rule.effect, rule.note, rule.expires) = (form.effect, form.note.clone(), form.expires);
    Ok(())
}

fn when(id: &str, conditions: impl IntoIterator<Item = (Field, Test)>) -> Result<When, EditError> {
    Ok(When::new(conditions).map_err(|says| PolicyError::rule(id, says))?)
}

pub(super) fn end(draft: &mut Draft, id: &str, expires: Option<Millis>) -> Result<(), EditError> {
    found(draft, id)?.expires = expires;
    Ok(())
}

pub(super) fn remove(draft: &mut Draft, id: &str) -> Result<(), EditError> {
    found(draft, id)?;
    if draft.budgets.iter().any(|b| b.rule() == Some(id)) {
        return Err(EditError::Counted(id.to_owned()));
    }
    draft.rules.retain(|r| r.id != id);
    Ok(())
}

fn found<'a>(draft: &'a mut Draft, id: &str) -> Result<&'a mut Rule, EditError> {
    draft.rules.iter_mut().find(|r| r.id == id).ok_or_else(|| EditError::NoSuch(format!("rule {id}")))
}
