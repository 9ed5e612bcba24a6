//! The localhost service: a guard in front, routes behind it, and nothing that could approve, loosen or touch a key.

mod body;
mod guard;
mod problem;
mod rate;
mod routes;
mod serve;
mod session;

pub use problem::problem_body;
pub use serve::{Listening, serve};

use countersign_desk::Desk;
use std::sync::Arc;

/// What the routes share.
pub struct App {
    /// The story of every payment.
    pub desk: Arc<Desk>,
    /// Our port, part of the only acceptable Host.
    pub port: u16,
    /// Requests per token.
    pub rates: rate::Rates,
    /// Wrong tokens lately.
    pub failures: rate::Failures,
    /// Who is calling.
    pub sessions: session::Sessions,
}
