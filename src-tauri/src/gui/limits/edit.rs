//! What the page asks for, as text; everything is parsed here, and what does not parse is refused whole.

use countersign_core::{
    Rfc3339,
    money::Micro,
    policy::{Edit, Effect, Known, Limit, RuleForm, Subject, Tier, Window},
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
#[cfg(test)]
use ts_rs::TS;

use super::error::LimitsError;

/// One change a person makes on the page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LimitsEdit {
    Preset {
        name: String,
    },
    /// `max`: none takes the limit away.
    Limit {
        limit: LimitName,
        max: Option<String>,
        over: Option<Over>,
    },
    AskAbove {
        amount: String,
    },
    Budget {
        of: BudgetOf,
        window: WindowName,
        max: Option<String>,
        over: Over,
    },
    BudgetMax {
        budget: String,
        max: Option<String>,
    },
    /// `rule`: none adds one.
    Rule {
        rule: Option<String>,
        form: FormView,
    },
    /// Adds the rule of a yes to a payment, without end or until a moment.
    Remember {
        payment: String,
        /// RFC 3339.
        until: Option<String>,
    },
    Disable {
        rule: String,
    },
    Enable {
        rule: String,
    },
    Remove {
        rule: String,
    },
    Pin {
        origin: String,
        account: String,
        asset: String,
    },
    Unpin {
        origin: String,
        account: String,
        asset: String,
    },
    Block {
        origin: String,
    },
    Unblock {
        origin: String,
    },
    Text {
        toml: String,
    },
    Restore {
        #[cfg_attr(test, ts(type = "number"))]
        version: i64,
    },
}

/// A limit on everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum LimitName {
    Payment,
    Day,
    Week,
    Month,
}

/// What happens above a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Over {
    Ask,
    Deny,
}

/// Over which time a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum WindowName {
    Once,
    Session,
    Minutes10,
    Hours24,
    Days7,
    Day,
    Week,
    Month,
    Lifetime,
}

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "whose", content = "name", rename_all = "snake_case")]
pub enum BudgetOf {
    Agent(String),
    Payee(String),
    Network(String),
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum EffectName {
    Deny,
    Ask,
    Allow,
    Except,
}

/// A rule as a form holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(deny_unknown_fields)]
pub struct FormView {
    pub effect: EffectName,
    pub agent: Option<String>,
    pub payee: Option<String>,
    pub network: Option<String>,
    pub above: Option<String>,
    pub up_to: Option<String>,
    pub note: Option<String>,
    /// RFC 3339.
    pub expires: Option<String>,
}

impl LimitsEdit {
    /// The change itself; none for what has to be looked up: a version to go back to, and a payment.
    pub fn parsed(&self) -> Result<Option<Edit>, LimitsError> {
        Ok(Some(match self.clone() {
            Self::Preset { name } => Edit::Preset(name),
            Self::Limit { limit, max, over } => {
                Edit::Limit { limit: limit.into(), max: most(max)?, on_exceed: over.map(Effect::from) }
            }
            Self::AskAbove { amount: text } => Edit::AskAbove(amount(&text)?),
            Self::Budget { of, window, max, over } => {
                Edit::Budget { of: of.parsed()?, window: window.into(), max: most(max)?, on_exceed: over.into() }
            }
            Self::BudgetMax { budget, max } => Edit::BudgetMax { id: budget, max: most(max)? },
            Self::Rule { rule, form } => Edit::Rule { id: rule, form: form.parsed()? },
            Self::Disable { rule } => Edit::Disable(rule),
            Self::Enable { rule } => Edit::Enable { id: rule, expires: None },
            Self::Remove { rule } => Edit::Remove(rule),
            Self::Pin { origin, account, asset } => Edit::Pin(known(&origin, account, &asset)?),
            Self::Unpin { origin, account, asset } => Edit::Unpin(known(&origin, account, &asset)?),
            Self::Block { origin } => Edit::Block(name(&origin)?),
            Self::Unblock { origin } => Edit::Unblock(name(&origin)?),
            Self::Text { toml } => Edit::Text(toml),
            Self::Restore { .. } | Self::Remember { .. } => return Ok(None),
        }))
    }

    /// What the person types to loosen by this: the new amount where there is one, else what it is about; plain characters only.
    pub fn words(&self) -> String {
        match self {
            Self::Limit { max: Some(amount), .. }
            | Self::Budget { max: Some(amount), .. }
            | Self::BudgetMax { max: Some(amount), .. }
            | Self::AskAbove { amount } => {
                Micro::parse(amount).map_or_else(|_| amount.clone(), |parsed| parsed.to_string())
            }
            Self::Limit { limit, max: None, .. } => Limit::from(*limit).id().to_owned(),
            Self::Preset { name } => name.clone(),
            Self::Budget { of: BudgetOf::Agent(name) | BudgetOf::Payee(name) | BudgetOf::Network(name), .. } => {
                name.clone()
            }
            Self::BudgetMax { budget, .. } => budget.clone(),
            Self::Remember { payment, .. } => payment.clone(),
            Self::Rule { rule: Some(rule), .. }
            | Self::Disable { rule }
            | Self::Enable { rule }
            | Self::Remove { rule } => rule.clone(),
            Self::Rule { form, .. } => {
                form.up_to.clone().unwrap_or_else(|| Tier::from(form.effect).as_str().to_owned())
            }
            Self::Pin { origin, .. }
            | Self::Unpin { origin, .. }
            | Self::Block { origin }
            | Self::Unblock { origin } => origin.clone(),
            Self::Text { .. } => "policy".to_owned(),
            Self::Restore { version } => version.to_string(),
        }
    }
}

fn amount(text: &str) -> Result<Micro, LimitsError> {
    Micro::parse(text.trim()).map_err(|_| LimitsError::Amount { text: shown(text) })
}

fn most(text: Option<String>) -> Result<Option<Micro>, LimitsError> {
    text.as_deref().map(amount).transpose()
}

fn name<T: FromStr>(text: &str) -> Result<T, LimitsError> {
    text.trim().parse().map_err(|_| LimitsError::Name { text: shown(text) })
}

fn shown(text: &str) -> String {
    countersign_core::text::clean(text)
}

fn known(origin: &str, account: String, asset: &str) -> Result<Known, LimitsError> {
    Ok(Known { origin: name(origin)?, account, asset: name(asset)? })
}

impl BudgetOf {
    fn parsed(&self) -> Result<Subject, LimitsError> {
        Ok(match self {
            Self::Agent(text) => Subject::Agent(name(text)?),
            Self::Payee(text) => Subject::Payee(name(text)?),
            Self::Network(text) => Subject::Network(name(text)?),
        })
    }
}

impl From<Subject> for BudgetOf {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Agent(name) => Self::Agent(name.to_string()),
            Subject::Payee(origin) => Self::Payee(origin.to_string()),
            Subject::Network(network) => Self::Network(network.to_string()),
        }
    }
}

impl FormView {
    fn parsed(self) -> Result<RuleForm, LimitsError> {
        let filled = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
        let at =
            |text: String| text.parse::<Rfc3339>().map(|t| t.0).map_err(|_| LimitsError::Name { text: shown(&text) });
        Ok(RuleForm {
            effect: self.effect.into(),
            agent: filled(self.agent).as_deref().map(name).transpose()?,
            payee: filled(self.payee).as_deref().map(name).transpose()?,
            network: filled(self.network).as_deref().map(name).transpose()?,
            above: most(filled(self.above))?,
            up_to: most(filled(self.up_to))?,
            note: filled(self.note).map(|n| shown(&n)),
            expires: filled(self.expires).map(at).transpose()?,
        })
    }
}

impl From<RuleForm> for FormView {
    fn from(form: RuleForm) -> Self {
        Self {
            effect: form.effect.into(),
            agent: form.agent.map(|a| a.to_string()),
            payee: form.payee.map(|p| p.to_string()),
            network: form.network.map(|n| n.to_string()),
            above: form.above.map(|m| m.to_string()),
            up_to: form.up_to.map(|m| m.to_string()),
            note: form.note,
            expires: form.expires.map(|at| at.rfc3339()),
        }
    }
}

impl From<LimitName> for Limit {
    fn from(name: LimitName) -> Self {
        match name {
            LimitName::Payment => Self::Payment,
            LimitName::Day => Self::Day,
            LimitName::Week => Self::Week,
            LimitName::Month => Self::Month,
        }
    }
}

impl From<Over> for Effect {
    fn from(over: Over) -> Self {
        match over {
            Over::Ask => Self::Ask,
            Over::Deny => Self::Deny,
        }
    }
}

impl From<EffectName> for Tier {
    fn from(name: EffectName) -> Self {
        match name {
            EffectName::Deny => Self::Deny,
            EffectName::Ask => Self::Ask,
            EffectName::Allow => Self::Allow,
            EffectName::Except => Self::Except,
        }
    }
}

impl From<Tier> for EffectName {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Deny => Self::Deny,
            Tier::Ask => Self::Ask,
            Tier::Allow => Self::Allow,
            Tier::Except => Self::Except,
        }
    }
}

impl From<WindowName> for Window {
    fn from(name: WindowName) -> Self {
        match name {
            WindowName::Once => Self::Once,
            WindowName::Session => Self::Session,
            WindowName::Minutes10 => Self::Rolling10m,
            WindowName::Hours24 => Self::Rolling24h,
            WindowName::Days7 => Self::Rolling7d,
            WindowName::Day => Self::CalendarDay,
            WindowName::Week => Self::CalendarWeek,
            WindowName::Month => Self::CalendarMonth,
            WindowName::Lifetime => Self::Lifetime,
        }
    }
}

impl From<Window> for WindowName {
    fn from(window: Window) -> Self {
        match window {
            Window::Once => Self::Once,
            Window::Session => Self::Session,
            Window::Rolling10m => Self::Minutes10,
            Window::Rolling24h => Self::Hours24,
            Window::Rolling7d => Self::Days7,
            Window::CalendarDay => Self::Day,
            Window::CalendarWeek => Self::Week,
            Window::CalendarMonth => Self::Month,
            Window::Lifetime => Self::Lifetime,
        }
    }
}
