//! Facts → rules → budgets: the one place that decides.
//!
//! Four tiers and no rule order: deny > except > ask > allow; nothing matches → ask. Ceilings and budgets only lower a result.

mod facts;
mod file;
mod judge;
mod verdict;

pub use facts::{Condition, Facts, Risk};
pub use file::{Policy, PolicyError};
pub use judge::{BudgetView, Change, Replayed, budgets_of, compare, judge, replay};
pub use verdict::{Again, Approved, BudgetLine, By, Decision, Declined, Effect, Judged, NeedsHuman, Used, Usage};
