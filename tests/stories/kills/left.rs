//! What left the service, recorded outside of it: nonces, signatures and money, by key.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
};

use super::seller::MPP;

/// Everything that left one data directory.
pub struct Left {
    /// The most that may leave, in atomic units.
    cap: u128,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    /// Every signed authorisation, by key.
    by_key: BTreeMap<String, BTreeSet<String>>,
    /// What each nonce takes.
    money: BTreeMap<String, u128>,
    /// Keys that left since somebody last asked.
    fresh: BTreeSet<String>,
}

impl Left {
    /// Nothing yet.
    pub fn new(cap: u128) -> Self {
        Self { cap, all: Mutex::default() }
    }

    /// A signed authorisation left under this key.
    pub fn record(&self, key: &str, signed: &Value) {
        let of = |name: &str| signed["authorization"][name].as_str().unwrap_or_default();
        let mut all = self.all();
        all.money.insert(of("nonce").to_owned(), of("value").parse().expect("an amount"));
        if all.by_key.entry(key.to_owned()).or_default().insert(signed.to_string()) {
            all.fresh.insert(key.to_owned());
        }
    }

    /// Keys that left since the last call.
    pub fn take_fresh(&self) -> Vec<String> {
        std::mem::take(&mut self.all().fresh).into_iter().collect()
    }

    /// Every key that ever left.
    pub fn keys(&self) -> Vec<String> {
        self.all().by_key.keys().cloned().collect()
    }

    /// All that may be taken with what left.
    pub fn spent(&self) -> u128 {
        self.all().money.values().sum()
    }

    /// Credentials by way: paid, fetched, approved, fetched by MPP.
    pub fn credentials(&self) -> [usize; 4] {
        let all = self.all();
        ["pay", "fetch", "ask", MPP].map(|way| all.by_key.keys().filter(|key| key.starts_with(way)).count())
    }

    /// More than the cap, or more than one signature for a key.
    pub fn violations(&self) -> Vec<String> {
        let spent = self.spent();
        let over = (spent > self.cap).then(|| format!("{spent} left, the cap is {}", self.cap));
        let all = self.all();
        let doubled = all.by_key.iter().filter(|(_, signed)| signed.len() > 1);
        over.into_iter().chain(doubled.map(|(key, signed)| format!("{key} has {} signatures", signed.len()))).collect()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().expect("a lock")
    }
}
