//! Rules: one effect for every payment that fits `when`. Their order means nothing.

use super::When;
use crate::Millis;

/// What a rule does, and how it ranks: deny > except > ask > allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Refused; nothing overrides it.
    Deny,
    /// A person decides.
    Ask,
    /// Goes through, unless a rule asks.
    Allow,
    /// Goes through even where a rule asks; made by a person.
    Except,
}

impl Tier {
    /// The name in policy files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Allow => "allow",
            Self::Except => "except",
        }
    }

    /// Whether it lets payments through.
    pub const fn grants(self) -> bool {
        matches!(self, Self::Allow | Self::Except)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Deny, Self::Ask, Self::Allow, Self::Except].into_iter().find(|t| t.as_str() == name)
    }
}

/// Where a rule came from; says nothing about what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Source {
    /// Written by the person.
    #[default]
    User,
    /// Made from an answered question.
    Prompt,
    /// Shipped.
    Preset,
}

impl Source {
    /// The name in policy files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Prompt => "prompt",
            Self::Preset => "preset",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::User, Self::Prompt, Self::Preset].into_iter().find(|t| t.as_str() == name)
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `[a-z0-9-]{1,40}`, unique among rules.
    pub id: String,
    /// What it does.
    pub effect: Tier,
    /// What it fits; empty only in deny and ask.
    pub when: When,
    /// From this moment on it matches nothing.
    pub expires: Option<Millis>,
    /// How many payments an allow or except may let through in all; has no meaning in deny and ask.
    pub uses_left: Option<u64>,
    /// The person's words.
    pub note: Option<String>,
    /// Where it came from.
    pub origin: Source,
}

impl Rule {
    /// A rule of the user's without end.
    pub fn new(id: &str, effect: Tier, when: When) -> Self {
        Self { id: id.to_owned(), effect, when, expires: None, uses_left: None, note: None, origin: Source::User }
    }

    pub(super) fn expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|end| now >= end)
    }

    /// Trusts an origin whoever is paid there; never matches an origin the caller merely claims.
    ///
    /// Said of allow as well as except: else moving an except down to allow could let a claimed origin through.
    pub(super) fn trusts_origin_alone(&self) -> bool {
        self.effect.grants() && self.when.names_origin_alone()
    }

    /// Rules of the Limits page come last among reasons.
    pub(super) fn order(&self) -> (bool, &str) {
        (matches!(self.id.as_str(), ASK_ABOVE | LIMIT_PAYMENT), &self.id)
    }
}

/// The ask rule the Limits page edits.
pub const ASK_ABOVE: &str = "ask-above";
/// The deny rule the Limits page edits.
pub const LIMIT_PAYMENT: &str = "limit-payment";
