//! The end of a life and the start of the next one.

use countersign_core::payment::Digest;
use countersign_vault::{
    Confirm, Health, Lookup,
    keys::{KeyStore as _, Secret},
};
use std::{fs, path::Path};

use super::{Run, Wrong, same, state_of};
use crate::{
    model::reference::State,
    support::{Home, wait},
};

/// What a process leaves behind that dies at this moment.
struct Image {
    file: Vec<u8>,
    log: Option<Vec<u8>>,
    anchor: Option<Secret>,
}

impl Run {
    /// Ends in order.
    pub(super) fn restart(&mut self) -> Result<(), Wrong> {
        for (key, reservation) in std::mem::take(&mut self.reservations) {
            drop(reservation);
            self.dropped(&key);
        }
        self.shop = None;
        self.start()?;
        // The log is empty after an orderly end: what the disk failed is gone for good.
        let back = self.back()?;
        same("came back", back, Vec::new())?;
        self.lost.clear();
        self.compare_all()?;
        self.happened("restart")
    }

    /// Ends as a crash does: what the files held at that moment is what the next life finds.
    pub(super) fn crash(&mut self) -> Result<(), Wrong> {
        let racing = self.reservations.pop_first().map(|(key, reservation)| {
            // Its release may or may not be written when the crash comes.
            drop(reservation);
            key
        });
        let image = Image::of(&self.home)?;
        // The others are held for ever: the next life cannot know that they were never signed.
        self.reservations.clear();
        self.shop = None;
        self.home.store.set_fault(None);
        let heard = image.restore(&self.home)?;
        self.start()?;
        if let Some(key) = racing
            && state_of(self.record(&key).status) == State::Released
        {
            self.dropped(&key);
        }
        self.take_back()?;
        if heard.is_some_and(|heard| heard != confirmed(&self.home)) {
            // A policy was confirmed, and the key store did not hear of it any more: a person confirms it again.
            same("policy in doubt", self.shop().vault.doubts().policy.is_some(), true)?;
            wait(self.shop().vault.confirm(Confirm::Policy)).map_err(|e| e.to_string())?;
            self.model.confirmed = self.model.policy;
            self.happened("untold")?;
        }
        self.compare_all()?;
        self.happened("crash")
    }

    fn start(&mut self) -> Result<(), Wrong> {
        let shop = self.home.shop(self.open(), &[]);
        self.shop = Some(shop);
        for payment in self.model.payments.values_mut() {
            if payment.state == State::Waiting {
                payment.state = State::Refused;
            }
        }
        Ok(())
    }

    /// A commit that was reported as failed may be whole in the log, and no later one wrote over it: then the payment is there after a
    /// crash. It was never signed, but this life cannot know, so it is held like any other.
    fn take_back(&mut self) -> Result<(), Wrong> {
        let back = self.back()?;
        if back.len() > 1 {
            return Err(format!("one commit may come back, not {back:?}"));
        }
        for (key, payment) in std::mem::take(&mut self.lost) {
            if back.contains(&key) {
                let state = if payment.state == State::Held { State::Held } else { State::Refused };
                self.model.payments.insert(key.clone(), super::Payment { state, ..payment });
                self.keys.push(key);
                self.happened("came back")?;
            }
        }
        Ok(())
    }

    /// Which of the requests that the disk failed are in the ledger after all.
    fn back(&mut self) -> Result<Vec<String>, Wrong> {
        let mut back = Vec::new();
        for (key, payment) in &self.lost {
            let request = self.admit(payment.agent, key, payment.units);
            match wait(self.shop().vault.lookup(&request.caller.agent, &request.key, request.request)) {
                Ok(Lookup::New) => {}
                Ok(Lookup::Same(record)) => {
                    self.names.insert(key.clone(), record.id);
                    back.push(key.clone());
                }
                other => return Err(format!("{key}: {other:?}")),
            }
        }
        Ok(back)
    }

    fn compare_all(&self) -> Result<(), Wrong> {
        let doubts = self.shop().vault.doubts();
        same("health", self.shop().vault.health(), Health::Ok)?;
        same("history in doubt", doubts.history, None)?;
        same("policy in doubt", doubts.policy.is_some(), self.model.policy_doubt())?;
        same("clock in doubt", doubts.clock.is_some(), self.model.clock_doubt)?;
        self.keys.iter().try_for_each(|key| self.compare(key))
    }
}

impl Image {
    /// As they are: the anchor first, which the ledger must not be behind; then log and file, until no checkpoint came in between.
    fn of(home: &Home) -> Result<Self, Wrong> {
        let anchor = anchor_name(home).and_then(|name| home.store.get(&name).ok()?);
        let read = |path: &Path| fs::read(path).map_err(|e| e.to_string());
        loop {
            let file = read(&home.file())?;
            let log = fs::read(log_of(home)).ok();
            if read(&home.file())? == file {
                return Ok(Self { file, log, anchor });
            }
        }
    }

    /// Puts them back; which policy the anchor says was confirmed.
    fn restore(self, home: &Home) -> Result<Option<serde_json::Value>, Wrong> {
        fs::write(home.file(), self.file).map_err(|e| e.to_string())?;
        fs::remove_file(log_of(home).with_extension("sqlite-shm")).unwrap_or_default();
        match self.log {
            Some(log) => fs::write(log_of(home), log).map_err(|e| e.to_string())?,
            None => fs::remove_file(log_of(home)).unwrap_or_default(),
        }
        let (Some(name), Some(anchor)) = (anchor_name(home), self.anchor) else { return Ok(None) };
        home.store.set(&name, &anchor).map_err(|e| e.to_string())?;
        let anchor: serde_json::Value = serde_json::from_slice(anchor.expose()).map_err(|e| e.to_string())?;
        Ok(Some(anchor["confirmed"].clone()))
    }
}

/// The digest of what the ledger says was confirmed, as the anchor has it.
fn confirmed(home: &Home) -> serde_json::Value {
    let conn = home.sql();
    let setting = |name: &str| -> Vec<u8> {
        conn.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0)).unwrap()
    };
    serde_json::json!(Digest::of(&[&setting("confirmed_policy"), &setting("confirmed_config")]))
}

fn anchor_name(home: &Home) -> Option<String> {
    home.store.names().into_iter().find(|name| name.starts_with("anchor:"))
}

fn log_of(home: &Home) -> std::path::PathBuf {
    home.path().join("ledger.sqlite-wal")
}
