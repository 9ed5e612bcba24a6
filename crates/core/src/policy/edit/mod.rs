//! Changes a person makes with a control: each a typed edit of the policy in force, checked like a file.
//!
//! An edit touches what its control stands for and nothing else: whatever a person wrote stays as it was written. A rule that the
//! control does not understand is refused as [`EditError::ByHand`], never overwritten.

mod answer;
mod budgets;
mod limits;
mod payees;
mod preset;
mod rules;

pub use answer::{Only, Remembered, held_to, own_budget};
pub use budgets::Subject;
pub use limits::{Limit, Setting};
pub use preset::Standing;
pub use rules::{OFF, RuleForm};

use super::{Effect, Known, Policy, PolicyError, Window};
use crate::{Millis, money::Micro, origin::Origin, payment::ProcessId};
use std::collections::BTreeSet;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Takes a shipped policy; rules, limits and pins of the person's own stay.
    Preset(String),
    /// Sets one of the limits on everything, or takes it away.
    Limit {
        /// Which.
        limit: Limit,
        /// At most so much; none = no limit.
        max: Option<Micro>,
        /// What happens above it; none = as it is, or a refusal. One payment above its limit is always refused.
        on_exceed: Option<Effect>,
    },
    /// Asks about every payment above so much. Upwards it widens what the shipped policy allows; downwards it touches no allow.
    AskAbove(Micro),
    /// Sets the budget of one agent, payee or network, or takes it away.
    Budget {
        /// Whose.
        of: Subject,
        /// Over which time.
        window: Window,
        /// At most so much; none = no such budget.
        max: Option<Micro>,
        /// What happens above it.
        on_exceed: Effect,
    },
    /// Sets the cap of a budget that is there, or takes the budget away.
    BudgetMax {
        /// Which.
        id: String,
        /// At most so much.
        max: Option<Micro>,
    },
    /// Adds a rule, or changes one that a form can hold.
    Rule {
        /// Which; none = a new one.
        id: Option<String>,
        /// What it says.
        form: RuleForm,
    },
    /// Lets a rule match nothing, and keeps it.
    Disable(String),
    /// Lets a disabled rule match again, until a moment or without end.
    Enable {
        /// Which.
        id: String,
        /// Its end.
        expires: Option<Millis>,
    },
    /// Adds a rule made of an answered question.
    Remember(Box<Remembered>),
    /// Takes away what was remembered for runs of programs that are over, and can fit nothing any more.
    Ended(BTreeSet<ProcessId>),
    /// Takes a rule away.
    Remove(String),
    /// Counts a payee as known.
    Pin(Known),
    /// Does not.
    Unpin(Known),
    /// Refuses every payment to an origin.
    Block(Origin),
    /// Does not.
    Unblock(Origin),
    /// The whole file, as an expert wrote it.
    Text(String),
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is not there, or not any more.
    #[error("there is no {0}")]
    NoSuch(String),
    /// Written by hand in a way the control cannot show.
    #[error("{0} was written by hand in a way this control cannot change; change it in the text")]
    ByHand(String),
    /// Everything asks already, so there is nothing that a threshold could let through.
    #[error(
        "no rule lets anything through, so everything asks; choose a starting point that lets small payments through"
    )]
    NothingAllowed,
    /// A yes has to be held to an amount.
    #[error("the value of this payment is not known, so there is no amount a rule could hold it to")]
    NoValue,
    /// An answer for a run of a program, where none was seen or it is over.
    #[error("the program that asked is not known or has ended, so there is no run of it a rule could hold for")]
    NoProcess,
    /// Its budget counts what it lets through.
    #[error("a budget counts the payments of the rule {0}; switch the rule off instead")]
    Counted(String),
    /// The result is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl Policy {
    /// This policy with one change, checked as a whole.
    pub fn edited(&self, edit: &Edit) -> Result<Self, EditError> {
        let mut draft = self.draft();
        match edit {
            Edit::Preset(name) => preset::apply(&mut draft, name)?,
            Edit::Limit { limit, max, on_exceed } => limits::set(&mut draft, *limit, *max, *on_exceed)?,
            Edit::AskAbove(bound) => limits::ask_above(&mut draft, *bound)?,
            Edit::Budget { of, window, max, on_exceed } => budgets::set(&mut draft, of, *window, *max, *on_exceed),
            Edit::BudgetMax { id, max } => budgets::cap(&mut draft, id, *max)?,
            Edit::Rule { id: None, form } => rules::add(&mut draft, form)?,
            Edit::Rule { id: Some(id), form } => rules::change(&mut draft, id, form)?,
            Edit::Disable(id) => rules::end(&mut draft, id, Some(rules::OFF))?,
            Edit::Enable { id, expires } => rules::end(&mut draft, id, *expires)?,
            Edit::Remember(answer) => answer::remember(&mut draft, answer)?,
            Edit::Ended(runs) => answer::end(&mut draft, runs),
            Edit::Remove(id) => rules::remove(&mut draft, id)?,
            Edit::Pin(known) => payees::pin(&mut draft, known),
            Edit::Unpin(known) => payees::unpin(&mut draft, known)?,
            Edit::Block(origin) => payees::block(&mut draft, origin)?,
            Edit::Unblock(origin) => payees::unblock(&mut draft, origin)?,
            Edit::Text(toml) => return Ok(Self::parse(toml, self.reference())?),
        }
        Ok(draft.check()?)
    }
}

/// An id that is free among those taken, made of what it is about.
fn free_id<'a>(about: &str, taken: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut base: String = about
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    base.truncate(34);
    let free = |id: &String| !taken.clone().any(|other| other == id);
    let numbered = (2..=u16::MAX).map(|n| format!("{base}-{n}"));
    std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base)
}
