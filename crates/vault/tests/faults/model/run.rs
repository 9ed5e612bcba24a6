//! One life: each step is done to the ledger and to the model, and both must say the same.

mod crash;
mod pay;

use countersign_core::{
    payment::{Digest, PaymentId},
    status::{Event, Status},
};
use countersign_vault::{
    Admit, Clock as _, Confirm, Faults, Limits, Open, Reservation, Set, SetBy, Vault, Waiting, keys::memory::Fault,
};
use std::{collections::BTreeMap, sync::Arc};

use super::{
    Step, Tally,
    reference::{Model, PRICES, Payment, State},
};
use crate::support::{Home, POLICY, Shop, open_when_free, policy, wait};

/// A disagreement.
type Wrong = String;

/// A ledger, its model, and what the agents hold in their hands.
pub struct Run {
    model: Model,
    pub tally: Tally,
    home: Home,
    faults: Arc<Faults>,
    shop: Option<Shop>,
    names: BTreeMap<String, PaymentId>,
    keys: Vec<String>,
    questions: BTreeMap<String, Waiting>,
    reservations: BTreeMap<String, Reservation>,
    /// Requests that the disk failed, as they would stand if they came back.
    lost: Vec<(String, Payment)>,
    requests: usize,
}

const AGENTS: [&str; 2] = ["a", "b"];

impl Run {
    pub fn new(model: Model) -> Self {
        let mut run = Self {
            model,
            tally: Tally::new(),
            home: Home::new(),
            faults: Arc::default(),
            shop: None,
            names: BTreeMap::new(),
            keys: Vec::new(),
            questions: BTreeMap::new(),
            reservations: BTreeMap::new(),
            lost: Vec::new(),
            requests: 0,
        };
        let shop = run.home.shop(run.open(), &AGENTS);
        run.shop = Some(shop);
        run
    }

    /// All steps, then the full check.
    pub fn live(&mut self, steps: &[Step]) -> Result<(), Wrong> {
        for (n, step) in steps.iter().enumerate() {
            self.step(step)
                .and_then(|()| self.compare_budgets())
                .map_err(|why| format!("step {n}, {step:?}: {why}"))?;
        }
        self.restart()?;
        same("faults", self.shop().faults(), Vec::<String>::new())
    }

    fn step(&mut self, step: &Step) -> Result<(), Wrong> {
        match step {
            Step::Request { agent, price, fault } => self.request(*agent, PRICES[*price], *fault),
            Step::Repeat { which, changed } => self.with(*which, |run, key| run.repeat(key, *changed)),
            Step::Sign { which } => pick(&self.reservations, *which).map_or(Ok(()), |key| self.sign(&key)),
            Step::Release { which } => pick(&self.reservations, *which).map_or(Ok(()), |key| self.release(&key)),
            Step::Yes { which } => pick(&self.questions, *which).map_or(Ok(()), |key| self.yes(&key)),
            Step::No { which, person } => pick(&self.questions, *which)
                .map_or(Ok(()), |key| self.end(&key, Event::Declined, if *person { "window" } else { "quit" })),
            Step::Expire { which } => {
                pick(&self.questions, *which).map_or(Ok(()), |key| self.end(&key, Event::Expired, "deadline"))
            }
            Step::Settle { which, half } => self.with(*which, |run, key| run.settle(key, *half)),
            Step::WindowOver { which } => self.with(*which, |run, key| run.advance(key, Event::WindowOver)),
            Step::Dead { which } => self.with(*which, |run, key| run.advance(key, Event::Dead)),
            Step::Clock { seconds } => {
                wait(self.shop().vault.flush());
                self.home.clock.advance_ms(seconds * 1000);
                Ok(())
            }
            Step::ClockBack => self.clock_back(),
            Step::TrustClock => {
                wait(self.shop().vault.confirm(Confirm::Clock)).map_err(|e| e.to_string())?;
                self.model.clock_doubt = false;
                self.happened("clock trusted")
            }
            Step::Policy { which, person } => self.policy(*which, *person),
            Step::ConfirmPolicy => {
                wait(self.shop().vault.confirm(Confirm::Policy)).map_err(|e| e.to_string())?;
                self.model.confirmed = self.model.policy;
                self.happened("policy confirmed")
            }
            Step::Restart => self.restart(),
            Step::Crash => self.crash(),
            Step::Untold { which } => {
                self.home.store.set_fault(Some(Fault::LoseWrites));
                self.policy(*which, true)?;
                self.crash()
            }
        }
    }

    /// The clock goes back further than is believed. An entry at the latest time comes first, so that a restart knows that time.
    fn clock_back(&mut self) -> Result<(), Wrong> {
        self.request(0, 60_000_000, None)?;
        self.home.clock.set_wall(countersign_core::Millis(self.home.clock.wall().0 - 150_000));
        wait(self.shop().vault.flush());
        self.model.clock_doubt = true;
        same("clock in doubt", self.shop().vault.doubts().clock.is_some(), true)?;
        self.happened("clock in doubt")
    }

    fn policy(&mut self, which: usize, person: bool) -> Result<(), Wrong> {
        let by = if person { SetBy::Person } else { SetBy::Command };
        let set = wait(self.shop().vault.set_policy(policy(&text(which)), by)).map_err(|e| e.to_string())?;
        let another = which != self.model.policy;
        if another {
            self.model.set_policy(which, person);
        }
        let doubt = self.model.policy_doubt();
        let answer = (set != Set::Same, matches!(set, Set::Unconfirmed(_)));
        same("another policy, unconfirmed", answer, (another, another && doubt))?;
        same("policy in doubt", self.shop().vault.doubts().policy.is_some(), doubt)?;
        self.happened(if doubt { "policy in doubt" } else { "policy" })
    }

    fn open(&self) -> Vault {
        let limits =
            Limits { per_agent_waiting: 1000, all_waiting: 1000, prompts_per_minute: 1000, ..Limits::default() };
        open_when_free(|| Open { faults: Some(self.faults.clone()), limits, ..self.home.settings() }).unwrap()
    }

    fn shop(&self) -> &Shop {
        self.shop.as_ref().unwrap()
    }

    /// Each key buys its own thing, so that none is a duplicate of another.
    fn admit(&self, agent: usize, key: &str, units: u128) -> Admit {
        self.shop().purchase(AGENTS[agent], key, &units.to_string())
    }

    fn learn(&mut self, key: String, id: PaymentId, payment: Payment) {
        self.names.insert(key.clone(), id);
        self.keys.push(key.clone());
        self.model.payments.insert(key, payment);
    }

    /// A signature was handed out: the first for this key, or the same as before.
    fn handed(&mut self, key: &str, bytes: &[u8]) -> Result<(), Wrong> {
        let payment = self.model.payments.get_mut(key).ok_or("a payment")?;
        let first = payment.signature.get_or_insert_with(|| bytes.to_vec());
        same("signature", Digest::of(&[first]), Digest::of(&[bytes]))
    }

    fn compare(&self, key: &str) -> Result<(), Wrong> {
        same(&format!("state of {key}"), state_of(self.record(key).status), self.model.payments[key].state)
    }

    fn compare_budgets(&mut self) -> Result<(), Wrong> {
        let now = self.now();
        for (agent, name) in AGENTS.iter().enumerate() {
            let shop = self.shop();
            let session = "s".parse().map_err(|_| "a session")?;
            let views = wait(shop.vault.budgets(&shop.name(name), &session, false)).map_err(|e| e.to_string())?;
            let left = |id: &str| views.iter().find(|v| v.id == id).and_then(|v| v.left).map(|left| left.0);
            let (day, burst) = self.model.left(agent, now);
            same(&format!("left for {name}"), (left("day"), left("burst")), (Some(day), Some(burst)))?;
        }
        Ok(())
    }

    fn record(&self, key: &str) -> countersign_vault::Record {
        self.shop().record(&self.names[key])
    }

    fn now(&mut self) -> i64 {
        self.model.now(self.home.clock.wall().0)
    }

    fn with(&mut self, which: usize, act: impl FnOnce(&mut Self, &str) -> Result<(), Wrong>) -> Result<(), Wrong> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let key = self.keys[which % self.keys.len()].clone();
        act(self, &key)
    }

    fn happened(&mut self, what: &'static str) -> Result<(), Wrong> {
        *self.tally.entry(what).or_default() += 1;
        Ok(())
    }
}

fn pick<T>(all: &BTreeMap<String, T>, which: usize) -> Option<String> {
    all.keys().nth(which.checked_rem(all.len())?).cloned()
}

fn text(which: usize) -> String {
    let change =
        [("", ""), ("le = \"0.10\"", "le = \"0.05\""), ("\"1.00\"", "\"0.20\""), ("\"0.50\"", "\"0.30\"")][which];
    if change.0.is_empty() { POLICY.to_owned() } else { POLICY.replace(change.0, change.1) }
}

fn state_of(status: Status) -> State {
    match status {
        Status::Waiting => State::Waiting,
        Status::Reserved | Status::Signed | Status::Delivered => State::Held,
        Status::Settled => State::Settled,
        Status::Unknown => State::Unknown,
        Status::Refused => State::Refused,
        Status::Released => State::Released,
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ledger: T, model: T) -> Result<(), Wrong> {
    if ledger == model { Ok(()) } else { Err(format!("{what}: the ledger says {ledger:?}, the model {model:?}")) }
}
