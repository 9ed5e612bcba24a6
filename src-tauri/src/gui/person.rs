//! A scripted person in the window that asks, for the tests of the pages' rooms.

use async_trait::async_trait;
use countersign_core::{
    approval::{Answer, Said},
    payment::PaymentId,
};
use countersign_desk::approver::{Approver, Change, Showing};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

/// Says the same to every change, and remembers what it was asked.
#[derive(Default)]
pub struct Person {
    /// What it says.
    pub says: AtomicBool,
    /// What it was asked.
    pub asked: Mutex<Vec<Change>>,
}

#[async_trait]
impl Approver for Person {
    fn reachable(&self) -> bool {
        true
    }

    async fn ask(&self, _: Showing) -> Answer {
        Answer::No
    }

    async fn confirm(&self, change: Change) -> bool {
        self.asked.lock().unwrap().push(change);
        self.says.load(Ordering::SeqCst)
    }

    fn outcome(&self, _: &PaymentId, _: &str, _: Option<Said>) {}
}
