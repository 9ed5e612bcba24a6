//! What the Limits page is drawn from. Amounts are plain decimals of the reference currency, ready to be shown and to be sent back.

use countersign_core::approval::Said;
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

use super::{
    condition::Condition,
    edit::{BudgetOf, EffectName, FormView, LimitName, Over, WindowName},
};

/// The whole page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct LimitsView {
    /// Names the policy this was drawn from; a change goes back with it.
    pub base: String,
    /// Of every amount.
    pub currency: String,
    /// Where days begin.
    pub timezone: String,
    /// The policy only watches: whatever it would allow asks.
    pub watching: bool,
    /// Nobody has confirmed the policy, so everything asks.
    pub unconfirmed: bool,
    /// Which shipped policy is in force; none if it was changed.
    pub preset: Option<String>,
    /// Rules and budgets of the person's own beside it.
    pub own: u32,
    pub presets: Vec<PresetView>,
    pub ask: AskView,
    pub limits: Vec<LimitView>,
    pub budgets: Vec<BudgetView>,
    pub rules: Vec<RuleView>,
    pub pinned: Vec<PinnedView>,
    pub known: Vec<KnownView>,
    pub blocked: Vec<BlockedView>,
    /// Agents that can have a budget or a rule.
    pub agents: Vec<String>,
    /// Networks, with what people call them.
    pub networks: Vec<(String, String)>,
    /// What a person should know about this policy.
    #[cfg_attr(test, ts(type = "Array<Said>"))]
    pub warnings: Vec<Said>,
}

/// A shipped policy as a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct PresetView {
    pub name: String,
    /// One of the three starting points; the others are for experts.
    pub starter: bool,
    pub in_force: bool,
    pub lines: Vec<CardLine>,
}

/// What a policy comes to, in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "id", rename_all = "snake_case")]
pub enum CardLine {
    EverythingAsks,
    /// Goes through without a question.
    Through {
        up_to: String,
        known_only: bool,
    },
    /// Only play money, without a question.
    PlayMoney {
        up_to: String,
    },
    NewPayeeAsks,
    NewPayeeRefused,
    Budget {
        amount: String,
        window: WindowName,
        each_agent: bool,
        over: Over,
    },
    RefusedAbove {
        amount: String,
    },
}

/// The ask threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct AskView {
    /// Nothing is let through, so a threshold would mean nothing.
    pub everything: bool,
    pub setting: SettingView,
    pub stops: Vec<String>,
}

/// A limit on everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct LimitView {
    pub limit: LimitName,
    pub window: WindowName,
    pub setting: SettingView,
    /// Amounts a slider can stop at, smallest first; the one in force is among them.
    pub stops: Vec<String>,
    pub spent: Option<UsedView>,
}

/// Where a control stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum SettingView {
    Off,
    At {
        amount: String,
        over: Over,
        /// Place of the amount among the stops.
        stop: u32,
    },
    ByHand,
}

/// How much of a budget is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct UsedView {
    pub spent: String,
    pub left: String,
    pub permille: u16,
}

/// A budget that is no limit on everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct BudgetView {
    pub id: String,
    /// Exactly one agent's, payee's or network's.
    pub of: Option<BudgetOf>,
    /// What people call that network.
    pub network: Option<String>,
    pub conditions: Vec<Condition>,
    /// Only what this rule fits.
    pub rule: Option<String>,
    /// One counter for each of these: `agent`, `payee`, `session`, `task`.
    pub each: Vec<String>,
    pub window: WindowName,
    pub max: Option<String>,
    pub count: Option<String>,
    pub over: Over,
    /// RFC 3339.
    pub expires: Option<String>,
    pub spent: Option<UsedView>,
}

/// A rule as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct RuleView {
    pub id: String,
    pub effect: EffectName,
    pub conditions: Vec<Condition>,
    pub state: RuleState,
    /// RFC 3339.
    pub expires: Option<String>,
    pub uses_left: Option<String>,
    /// The person's words.
    pub note: Option<String>,
    /// `user`, `prompt` or `preset`.
    pub source: String,
    /// None if it says more than a form can hold.
    pub form: Option<FormView>,
    /// Budgets that count what it fits.
    pub counted: bool,
}

/// Whether a rule matches anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    On,
    Off,
    Expired,
}

/// A payee pinned by the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct PinnedView {
    pub origin: String,
    pub label: Option<String>,
    pub account: String,
    pub asset: String,
    pub asset_name: String,
}

/// A payee a person said yes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct KnownView {
    /// Only this agent's, since the origin was only its claim.
    pub agent: Option<String>,
    pub origin: String,
    pub label: Option<String>,
    pub account: String,
    pub asset: String,
    pub asset_name: String,
    /// RFC 3339.
    pub since: String,
    pub pinned: bool,
    pub blocked: bool,
}

/// An origin that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct BlockedView {
    pub origin: String,
    pub label: Option<String>,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct PreviewView {
    /// Nothing changes.
    pub same: bool,
    /// Empty = it tightens, and is saved at once.
    #[cfg_attr(test, ts(type = "Array<Said>"))]
    pub looser: Vec<Said>,
    /// The rule that a yes to a payment becomes, and its budget.
    pub made: Option<MadeView>,
    pub days: u32,
    pub payments: u32,
    /// Whether those are all payments of these days.
    pub whole: bool,
    pub before: TallyView,
    pub after: TallyView,
}

/// A rule made of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct MadeView {
    pub rule: RuleView,
    pub budget: Option<BudgetView>,
}

/// What would have been decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct TallyView {
    pub allowed: u32,
    pub asked: u32,
    pub refused: u32,
    /// Paid without a question.
    pub silent: String,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum SavedView {
    /// Nothing changed.
    Same,
    /// In force.
    Saved,
    /// It loosens: the owner types this after a wait, and confirms it in the window that asks.
    Owner {
        id: String,
        #[cfg_attr(test, ts(type = "Array<Said>"))]
        looser: Vec<Said>,
        words: String,
        wait_seconds: u32,
    },
}

/// One version of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct VersionView {
    #[cfg_attr(test, ts(type = "number"))]
    pub version: i64,
    /// RFC 3339.
    pub at: String,
    /// `first`, `person`, `command`, `reference`.
    pub by: String,
    /// What the policy is called in it.
    pub name: String,
    pub toml: String,
    pub in_force: bool,
}
