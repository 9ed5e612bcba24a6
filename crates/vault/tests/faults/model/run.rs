//! One life: each step is done to the ledger and to the model, and both must say the same.

use countersign_core::{
    payment::{Digest, PaymentId},
    status::{Event, Settlement, Status},
};
use countersign_vault::{
    Admit, Admitted, Clock as _, Confirm, Fail, Faults, Health, Limits, Lookup, Open, Reservation, Reserved, Set,
    SetBy, Vault, VaultError, Waiting,
    keys::{KeyStore as _, Secret},
};
use std::{collections::BTreeMap, fs, sync::Arc};

use super::{
    Step, Tally,
    reference::{Model, PRICES, Payment, State, Verdict, numbers, window_open},
};
use crate::support::{Home, POLICY, Shop, policy, wait, yes};

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
    requests: usize,
}

const AGENTS: [&str; 2] = ["a", "b"];

/// Bytes by path; none where there is no file.
type Files = Vec<(std::path::PathBuf, Option<Vec<u8>>)>;

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
        self.restart(false)?;
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
                self.model.policy_doubt = false;
                self.happened("policy confirmed")
            }
            Step::Restart => self.restart(false),
            Step::Crash => self.restart(true),
        }
    }

    fn request(&mut self, agent: usize, units: u128, fault: Option<(Fail, u64)>) -> Result<(), Wrong> {
        self.requests += 1;
        let key = format!("k{}", self.requests);
        let now = self.now();
        let wall = self.home.clock.wall();
        let request = self.admit(agent, &key, units);
        let lookup = (request.caller.agent.clone(), request.key.clone(), request.request);
        let verdict = self.model.judge(agent, units, now);
        let payment = Payment {
            agent,
            units,
            state: State::Refused,
            at: now,
            freed: 0,
            shown: Default::default(),
            expires: now + 120_000,
            valid_before: wall.seconds() + 60,
            by_person: false,
            signature: None,
        };
        if let Some((fail, nth)) = fault {
            self.faults.fail(fail, nth, false);
        }
        let id = request.payment.clone();
        let admitted = wait(self.shop().vault.admit(request));
        self.faults.heal();
        if let Err(VaultError::Storage(_)) = admitted {
            // Nothing was handed out. What the ledger kept of it, if anything, must hold nothing.
            wait(self.shop().vault.flush());
            self.happened("disk fault")?;
            same("health after a fault", self.shop().vault.health(), Health::Ok)?;
            return match wait(self.shop().vault.lookup(&lookup.0, &lookup.1, lookup.2)) {
                Ok(Lookup::New) => Ok(()),
                Ok(Lookup::Same(record)) => {
                    let state = state_of(record.status);
                    self.learn(key, record.id, Payment { state, ..payment });
                    if matches!(state, State::Refused | State::Released) {
                        Ok(())
                    } else {
                        Err(format!("kept {state:?}"))
                    }
                }
                other => Err(format!("{other:?}")),
            };
        }
        let admitted = admitted.map_err(|e| e.to_string())?;
        match (verdict, admitted) {
            (Verdict::Allow, Admitted::Reserved(reservation)) => {
                self.learn(key.clone(), id, Payment { state: State::Held, ..payment });
                self.reservations.insert(key, *reservation);
                self.happened("allowed")
            }
            (Verdict::Ask(shown), Admitted::Waiting(waiting)) => {
                let said: std::collections::BTreeSet<&str> = waiting.needs.decision().reasons().collect();
                same("reasons", said, shown.clone())?;
                self.learn(key.clone(), id, Payment { state: State::Waiting, shown, ..payment });
                self.questions.insert(key, *waiting);
                self.happened("asked")
            }
            (Verdict::Deny, Admitted::Refused(_)) => {
                self.learn(key, id, payment);
                self.happened("refused")
            }
            (verdict, admitted) => Err(format!("the model says {verdict:?}, the ledger {admitted:?}")),
        }
    }

    fn repeat(&mut self, key: &str, changed: bool) -> Result<(), Wrong> {
        let (agent, units) = (self.model.payments[key].agent, self.model.payments[key].units);
        let request = self.admit(agent, key, if changed { units + 1 } else { units });
        match (changed, wait(self.shop().vault.admit(request)).map_err(|e| e.to_string())?) {
            (true, Admitted::Conflict) => return self.happened("conflict"),
            (false, Admitted::Same(record)) => {
                same("id", &record.id, &self.names[key])?;
                self.compare(key)?;
            }
            (_, other) => return Err(format!("{other:?}")),
        }
        self.happened("same")?;
        let again = wait(self.shop().vault.sign_again(&self.names[key])).map_err(|e| e.to_string())?;
        let wall = self.home.clock.wall().0;
        let payment = &self.model.payments[key];
        same("signed again", again.is_some(), self.model.signs_again(payment, wall))?;
        match again {
            Some(signed) => {
                self.handed(key, &signed.forms()[0].1)?;
                self.happened("signed again")
            }
            None => self.happened("not signed again"),
        }
    }

    fn sign(&mut self, key: &str) -> Result<(), Wrong> {
        let Some(reservation) = self.reservations.remove(key) else { return Ok(()) };
        let open = window_open(&self.model.payments[key], self.home.clock.wall().0);
        match self.shop().vault.sign(reservation) {
            Ok(signed) if open => {
                self.handed(key, &signed.forms()[0].1)?;
                self.shop().vault.mark_delivered(&self.names[key]);
                self.happened("signed")
            }
            Err(_) if !open => {
                self.dropped(key);
                self.happened("too late to sign")
            }
            other => Err(format!("window open: {open}, {other:?}")),
        }
    }

    fn release(&mut self, key: &str) -> Result<(), Wrong> {
        self.reservations.remove(key);
        self.dropped(key);
        wait(self.shop().vault.flush());
        self.happened("released")?;
        self.compare(key)
    }

    /// What becomes of a payment whose reservation is dropped: freed, unless a repeat was signed.
    fn dropped(&mut self, key: &str) {
        if let Some(payment) = self.model.payments.get_mut(key)
            && payment.signature.is_none()
        {
            payment.state = State::Released;
        }
    }

    fn yes(&mut self, key: &str) -> Result<(), Wrong> {
        let Some(waiting) = self.questions.remove(key) else { return Ok(()) };
        let now = self.now();
        let forms = self.shop().forms(&waiting.record.quote);
        let valid_before = forms[0].valid_before();
        let reserved = wait(self.shop().vault.reserve(yes(waiting), forms)).map_err(|e| e.to_string())?;
        let payment = self.model.payments[key].clone();
        let expected = if payment.state != State::Waiting {
            "moved"
        } else if now >= payment.expires {
            "expired"
        } else {
            match self.model.judge(payment.agent, payment.units, now) {
                Verdict::Deny => "denied after all",
                Verdict::Ask(reasons) if !reasons.is_subset(&payment.shown) => "again",
                _ => "yes",
            }
        };
        let payment = self.model.payments.get_mut(key).ok_or("a payment")?;
        match (expected, reserved) {
            ("moved", Reserved::Moved(_)) => {}
            ("expired" | "denied after all", Reserved::Refused(_)) => payment.state = State::Refused,
            ("again", Reserved::Again(waiting)) => {
                let (agent, units) = (payment.agent, payment.units);
                let Verdict::Ask(reasons) = self.model.judge(agent, units, now) else {
                    return Err("no question".into());
                };
                self.model.payments.get_mut(key).ok_or("a payment")?.shown = reasons;
                self.questions.insert(key.to_owned(), *waiting);
            }
            ("yes", Reserved::Reservation(reservation)) => {
                (payment.state, payment.at, payment.by_person) = (State::Held, now, true);
                payment.valid_before = valid_before;
                self.reservations.insert(key.to_owned(), *reservation);
            }
            (_, other) => return Err(format!("the model says {expected}, the ledger {other:?}")),
        }
        self.happened(expected)?;
        self.compare(key)
    }

    fn end(&mut self, key: &str, how: Event, through: &str) -> Result<(), Wrong> {
        self.questions.remove(key);
        let now = self.now();
        wait(self.shop().vault.end_waiting(&self.names[key], how, through)).map_err(|e| e.to_string())?;
        let payment = self.model.payments.get_mut(key).ok_or("a payment")?;
        if payment.state == State::Waiting {
            payment.state = State::Refused;
            if through == "window" {
                self.model.denials[payment.agent].push(now);
            }
            self.happened(if how == Event::Declined { "no" } else { "expired" })?;
        }
        self.compare(key)
    }

    fn settle(&mut self, key: &str, half: bool) -> Result<(), Wrong> {
        if self.reservations.contains_key(key) {
            return Ok(());
        }
        let units = self.model.payments[key].units;
        let evidence = if half {
            serde_json::json!({"transaction": "0x1", "actual": (units / 2).to_string()})
        } else {
            serde_json::json!({"transaction": "0x1"})
        };
        let legal = matches!(self.model.payments[key].state, State::Held | State::Unknown);
        let moved = self.evidence(key, Event::Settled, evidence, legal)?;
        if let Some(payment) = self.model.payments.get_mut(key).filter(|_| moved) {
            payment.state = State::Settled;
            payment.freed = if half { units - units / 2 } else { 0 };
            self.happened(if half { "settled for half" } else { "settled" })?;
        }
        self.compare(key)
    }

    fn advance(&mut self, key: &str, event: Event) -> Result<(), Wrong> {
        if self.reservations.contains_key(key) {
            return Ok(());
        }
        let payment = &self.model.payments[key];
        let over = !window_open(payment, self.home.clock.wall().0);
        let legal = match payment.state {
            State::Held => event == Event::Dead || over,
            State::Unknown => event == Event::Dead,
            _ => false,
        };
        let moved = self.evidence(key, event, serde_json::Value::Null, legal)?;
        if let Some(payment) = self.model.payments.get_mut(key).filter(|_| moved) {
            payment.state = if event == Event::Dead { State::Released } else { State::Unknown };
            self.happened(if event == Event::Dead { "dead" } else { "window over" })?;
        }
        self.compare(key)
    }

    fn evidence(&mut self, key: &str, event: Event, evidence: serde_json::Value, legal: bool) -> Result<bool, Wrong> {
        match wait(self.shop().vault.advance(&self.names[key], event, Settlement::None, evidence)) {
            Ok(_) if legal => Ok(true),
            Err(VaultError::Illegal { .. }) if !legal => self.happened("illegal").map(|()| false),
            other => Err(format!("legal: {legal}, {other:?}")),
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
        let (old, new) = (numbers(self.model.policy), numbers(which));
        let looser = new.micro > old.micro || new.day > old.day || new.burst > old.burst;
        let set = wait(self.shop().vault.set_policy(policy(&text(which)), by)).map_err(|e| e.to_string())?;
        let doubt = match set {
            Set::Same => self.model.policy_doubt,
            Set::InForce => false,
            Set::Unconfirmed(_) => true,
        };
        let expected = old != new && !person && (looser || self.model.policy_doubt);
        if old != new {
            same("unconfirmed", doubt, expected)?;
        }
        self.model.policy = which;
        self.model.policy_doubt = doubt;
        self.happened(if doubt { "policy in doubt" } else { "policy" })
    }

    /// Ends in order, or as a crash does: what the files held at that moment is what the next life finds.
    fn restart(&mut self, crash: bool) -> Result<(), Wrong> {
        let mut racing = None;
        if crash && let Some((key, reservation)) = self.reservations.pop_first() {
            // Its release may or may not be written when the crash comes.
            drop(reservation);
            racing = Some(key);
        }
        let before = crash.then(|| self.snapshot());
        for (key, reservation) in std::mem::take(&mut self.reservations) {
            drop(reservation);
            if !crash {
                self.dropped(&key);
            }
        }
        self.shop = None;
        if let Some((files, anchor)) = before {
            for (path, bytes) in files {
                match bytes {
                    Some(bytes) => fs::write(&path, bytes).map_err(|e| e.to_string())?,
                    None => fs::remove_file(&path).unwrap_or_default(),
                }
            }
            let store = &self.home.store;
            for name in store.names().iter().filter(|name| name.starts_with("anchor:")) {
                match &anchor {
                    Some(anchor) => store.set(name, anchor),
                    None => store.delete(name),
                }
                .map_err(|e| e.to_string())?;
            }
        }
        let shop = self.home.shop(self.open(), &[]);
        self.shop = Some(shop);
        if let Some(key) = racing
            && state_of(self.record(&key).status) == State::Released
        {
            self.dropped(&key);
        }
        for payment in self.model.payments.values_mut() {
            if payment.state == State::Waiting {
                payment.state = State::Refused;
            }
        }
        let doubts = self.shop().vault.doubts();
        same("health", self.shop().vault.health(), Health::Ok)?;
        same("history in doubt", doubts.history, None)?;
        same("policy in doubt", doubts.policy.is_some(), self.model.policy_doubt)?;
        same("clock in doubt", doubts.clock.is_some(), self.model.clock_doubt)?;
        for key in self.keys.clone() {
            self.compare(&key)?;
        }
        self.happened(if crash { "crash" } else { "restart" })
    }

    /// The files and the anchor as they are. The log first: a checkpoint in between only copies what the log holds.
    fn snapshot(&self) -> (Files, Option<Secret>) {
        let name = self.home.store.names().into_iter().find(|name| name.starts_with("anchor:"));
        let anchor = name.and_then(|name| self.home.store.get(&name).ok()?);
        let files = ["ledger.sqlite-wal", "ledger.sqlite", "ledger.sqlite-shm"].map(|name| {
            let path = self.home.path().join(name);
            let bytes = if name.ends_with("shm") { None } else { fs::read(&path).ok() };
            (path, bytes)
        });
        (files.into(), anchor)
    }

    fn open(&self) -> Vault {
        let limits =
            Limits { per_agent_waiting: 1000, all_waiting: 1000, prompts_per_minute: 1000, ..Limits::default() };
        Vault::open(Open { faults: Some(self.faults.clone()), limits, ..self.home.settings() }).unwrap()
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
