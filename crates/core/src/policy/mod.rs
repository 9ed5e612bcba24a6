//! Facts → rules → budgets: the one place that decides.
//!
//! Four tiers and no rule order: deny > except > ask > allow; nothing matches → ask. Ceilings and budgets only lower a result.

mod budget;
mod canonical;
mod change;
mod convert;
mod draft;
mod edit;
mod effective;
mod facts;
mod field;
mod file;
mod judge;
mod left;
mod loosening;
mod preset;
mod replay;
mod rule;
mod value;
mod verdict;
mod warnings;
mod when;
mod window;

pub use budget::{Budget, Scope};
pub use canonical::json as canonical_json;
pub use change::{Change, compare};
pub use draft::{Draft, Known, Mode, PolicyError};
pub use edit::{
    Edit, EditError, Limit, OFF, Only, Remembered, RuleForm, Setting, Standing, Subject, held_to, own_budget,
};
pub use effective::Policy;
pub use facts::{Condition, Facts, Risk};
pub use field::Field;
pub use judge::judge;
pub use left::{BudgetView, budgets_of};
pub use loosening::{BudgetLooser, Loosening, RuleLooser};
pub use preset::PRESETS;
pub use replay::{Past, Replayed, Tally, replay, replay_answered, replay_for};
pub use rule::{ASK_ABOVE, LIMIT_PAYMENT, Rule, Source, Tier};
pub use value::Value;
pub use verdict::{Again, Approved, BudgetLine, By, Decision, Declined, Effect, Judged, NeedsHuman, Usage, Used};
pub use when::{Test, When};
pub use window::Window;
