//! The localhost service, on a port and at a door: a guard in front, routes behind it, and nothing that could approve, loosen
//! or touch a key.

mod alipay;
pub mod body;
pub mod contract;
mod guard;
mod problem;
mod rate;
mod routes;
mod serve;
mod session;

pub use guard::{AT_THE_DOOR, own};
pub use problem::{ProblemResponse, problem_body};
pub use rate::Pace;
pub use serve::{Entrances, Listening, serve};
pub use session::Sessions;

use crate::alipay::{Alipay, Tool, shape::of_order};
use countersign_core::payment::Caller;
use countersign_desk::{Desk, outcome::Outcome, problem::Problem, request::Request};
use std::sync::Arc;
use tokio::sync::watch;

/// What the routes share.
pub struct App {
    /// The story of every payment.
    pub desk: Arc<Desk>,
    /// Our port, part of the only acceptable Host there; none while it is closed.
    pub port: Option<u16>,
    /// Requests per token.
    pub rates: rate::Rates,
    /// Wrong tokens lately.
    pub failures: rate::Failures,
    /// Who is calling.
    pub sessions: Arc<Sessions>,
    /// The merchant at Alipay, if there is one.
    pub alipay: Arc<Alipay>,
    /// True once the service is to end.
    pub stopping: watch::Receiver<bool>,
}

impl App {
    /// The page that says where to decide, for a client to show; none while the port is closed.
    pub fn open(&self) -> Option<String> {
        self.port.map(|port| format!("http://127.0.0.1:{port}{}", guard::OPEN))
    }

    /// Carries out one of Alipay's tools that orders something, within the rate of the caller.
    pub async fn alipay(
        &self,
        caller: Caller,
        pace: Pace,
        (tool, arguments): (Tool, &str),
        wait: u64,
    ) -> Result<Outcome, Problem> {
        let request = self.alipay.request(&self.desk, &caller, tool, arguments, (pace, wait)).await?;
        self.money(caller, pace, request).await.map_err(|problem| of_order(tool, problem))
    }

    /// Carries out a request for money within its rate; a repeat of a known key is free.
    pub async fn money(&self, caller: Caller, pace: Pace, request: Request) -> Result<Outcome, Problem> {
        if let Err(limited) = pace.check()
            && !self.desk.knows(&caller.agent, &request).await?
        {
            return Err(limited);
        }
        let agent = caller.agent.clone();
        let told = self.desk.pay(caller, request).await;
        if told.repeat {
            self.rates.give_back(&agent);
        }
        told.result
    }
}
