//! What is done to a payment, and what the model says must come of it.

use countersign_core::status::{Event, Settlement};
use countersign_vault::{Admitted, Clock as _, Fail, Health, Lookup, Reserved, VaultError};
use std::collections::BTreeSet;

use super::{Payment, Run, State, Wrong, same, state_of};
use crate::{
    model::reference::{Verdict, window_open},
    support::{wait, yes},
};

impl Run {
    pub(super) fn request(&mut self, agent: usize, units: u128, fault: Option<(Fail, u64)>) -> Result<(), Wrong> {
        self.requests += 1;
        let key = format!("k{}", self.requests);
        let now = self.now();
        let request = self.admit(agent, &key, units);
        let verdict = self.model.judge(agent, units, now);
        let (state, shown) = match &verdict {
            Verdict::Allow => (State::Held, BTreeSet::new()),
            Verdict::Ask(reasons) => (State::Waiting, reasons.clone()),
            Verdict::Deny => (State::Refused, BTreeSet::new()),
        };
        let payment = Payment {
            agent,
            units,
            state,
            at: now,
            freed: 0,
            shown,
            expires: now + 120_000,
            valid_before: self.home.clock.wall().seconds() + 60,
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
            return self.failed(key, payment);
        }
        self.model.expire(now);
        let what = match (verdict, admitted.map_err(|e| e.to_string())?) {
            (Verdict::Allow, Admitted::Reserved(reservation)) => {
                self.reservations.insert(key.clone(), *reservation);
                "allowed"
            }
            (Verdict::Ask(shown), Admitted::Waiting(waiting)) => {
                let said: BTreeSet<&str> = waiting.needs.decision().reasons().collect();
                same("reasons", said, shown)?;
                self.questions.insert(key.clone(), *waiting);
                "asked"
            }
            (Verdict::Deny, Admitted::Refused(_)) => "refused",
            (verdict, admitted) => return Err(format!("the model says {verdict:?}, the ledger {admitted:?}")),
        };
        self.learn(key, id, payment);
        self.happened(what)
    }

    /// The disk failed under a request. Nothing was handed out; what the ledger kept of it, if anything, must hold nothing.
    fn failed(&mut self, key: String, payment: Payment) -> Result<(), Wrong> {
        wait(self.shop().vault.flush());
        self.happened("disk fault")?;
        same("health after a fault", self.shop().vault.health(), Health::Ok)?;
        let request = self.admit(payment.agent, &key, payment.units);
        match wait(self.shop().vault.lookup(&request.caller.agent, &request.key, request.request)) {
            Ok(Lookup::New) => {
                self.lost.push((key, payment));
                Ok(())
            }
            Ok(Lookup::Same(record)) => {
                self.model.expire(payment.at);
                let state = state_of(record.status);
                self.learn(key, record.id, Payment { state, ..payment });
                if matches!(state, State::Refused | State::Released) { Ok(()) } else { Err(format!("kept {state:?}")) }
            }
            other => Err(format!("{other:?}")),
        }
    }

    pub(super) fn repeat(&mut self, key: &str, changed: bool) -> Result<(), Wrong> {
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

    pub(super) fn sign(&mut self, key: &str) -> Result<(), Wrong> {
        let Some(reservation) = self.reservations.remove(key) else { return Ok(()) };
        let (payment, wall) = (&self.model.payments[key], self.home.clock.wall().0);
        let (open, may) = (window_open(payment, wall), self.model.signs(payment, wall));
        match self.shop().vault.sign(reservation) {
            Ok(signed) if may => {
                self.handed(key, &signed.forms()[0].1)?;
                self.shop().vault.mark_delivered(&self.names[key]);
                self.happened("signed")
            }
            Err(_) if !may => {
                self.dropped(key);
                self.happened(if open { "not signed in doubt" } else { "too late to sign" })
            }
            other => Err(format!("window open: {open}, may be signed: {may}, {other:?}")),
        }
    }

    pub(super) fn release(&mut self, key: &str) -> Result<(), Wrong> {
        self.reservations.remove(key);
        self.dropped(key);
        wait(self.shop().vault.flush());
        self.happened("released")?;
        self.compare(key)
    }

    /// What becomes of a payment whose reservation is dropped: freed, unless a repeat was signed.
    pub(super) fn dropped(&mut self, key: &str) {
        if let Some(payment) = self.model.payments.get_mut(key)
            && payment.signature.is_none()
        {
            payment.state = State::Released;
        }
    }

    pub(super) fn yes(&mut self, key: &str) -> Result<(), Wrong> {
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

    pub(super) fn end(&mut self, key: &str, how: Event, through: &str) -> Result<(), Wrong> {
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

    pub(super) fn settle(&mut self, key: &str, half: bool) -> Result<(), Wrong> {
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

    pub(super) fn advance(&mut self, key: &str, event: Event) -> Result<(), Wrong> {
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
}
