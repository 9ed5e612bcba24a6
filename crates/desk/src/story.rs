//! Requests in flight: a repeat joins the one that runs, and a caller that hangs up changes nothing.

use countersign_core::payment::{AgentName, Digest, IdempotencyKey, PaymentId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

use crate::{
    outcome::Outcome,
    problem::{Code, Problem},
};

/// How a story ended.
#[derive(Debug, Clone)]
pub struct Told {
    /// What the agent gets.
    pub result: Result<Outcome, Problem>,
    /// It was a repeat of a known key, which costs nothing.
    pub repeat: bool,
}

/// How far a story has come.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Not a person's turn.
    Working,
    /// A person is being asked about this payment.
    Asking(PaymentId),
    /// Over.
    Done(Arc<Told>),
}

type Follow = watch::Receiver<Progress>;

#[derive(Debug, Default)]
struct Running {
    by_key: HashMap<(AgentName, IdempotencyKey), (Digest, Follow)>,
    by_payment: HashMap<PaymentId, Follow>,
}

/// Every story that runs.
#[derive(Debug, Default)]
pub struct Stories(Arc<Mutex<Running>>);

/// A place in the list, to be told to the end. One that is dropped before, by a panic, leaves the list all the same.
#[derive(Debug)]
pub struct Telling {
    running: Arc<Mutex<Running>>,
    key: (AgentName, IdempotencyKey),
    payment: Option<PaymentId>,
    repeat: bool,
    progress: watch::Sender<Progress>,
}

/// What a request finds.
#[derive(Debug)]
pub enum Found {
    /// It runs already.
    Joined(Follow),
    /// It is the caller's to tell.
    Started(Telling, Follow),
}

impl Stories {
    /// Joins the running story of this key, or starts one.
    pub fn enter(&self, agent: &AgentName, key: &IdempotencyKey, digest: Digest) -> Result<Found, Problem> {
        let mut running = lock(&self.0);
        let name = (agent.clone(), key.clone());
        if let Some((known, follow)) = running.by_key.get(&name) {
            if *known != digest {
                return Err(Problem::new(Code::IdempotencyConflict, "this key is in use for a different request"));
            }
            return Ok(Found::Joined(follow.clone()));
        }
        let (progress, follow) = watch::channel(Progress::Working);
        running.by_key.insert(name.clone(), (digest, follow.clone()));
        let telling = Telling { running: self.0.clone(), key: name, payment: None, repeat: false, progress };
        Ok(Found::Started(telling, follow))
    }

    /// The running story of a payment.
    pub fn of(&self, payment: &PaymentId) -> Option<Follow> {
        lock(&self.0).by_payment.get(payment).cloned()
    }

    /// Whether this key is in flight.
    pub fn runs(&self, agent: &AgentName, key: &IdempotencyKey) -> bool {
        lock(&self.0).by_key.contains_key(&(agent.clone(), key.clone()))
    }

    /// The story now has a payment that others may follow.
    pub fn names(&self, telling: &mut Telling, payment: &PaymentId) {
        lock(&self.0).by_payment.insert(payment.clone(), telling.progress.subscribe());
        telling.payment = Some(payment.clone());
    }
}

fn lock(running: &Mutex<Running>) -> std::sync::MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Telling {
    /// The key was known already.
    pub fn is_repeat(&mut self) {
        self.repeat = true;
    }

    /// Says whose turn it is.
    pub fn says(&self, progress: Progress) {
        self.progress.send_replace(progress);
    }

    /// Ends the story; later repeats find the ledger.
    pub fn ends(self, result: Result<Outcome, Problem>) {
        self.leave();
        self.progress.send_replace(Progress::Done(Arc::new(Told { result, repeat: self.repeat })));
    }

    fn leave(&self) {
        let mut running = lock(&self.running);
        running.by_key.remove(&self.key);
        if let Some(payment) = &self.payment {
            running.by_payment.remove(payment);
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        // After `ends` another story may have the key already.
        if !matches!(*self.progress.borrow(), Progress::Done(_)) {
            self.leave();
        }
    }
}

/// How following ended.
#[derive(Debug)]
pub enum Followed {
    /// The story is over.
    Done(Box<Told>),
    /// A person is still being asked.
    StillAsking(PaymentId),
}

/// Follows a story: to its end, or until `wait` is over while a person is being asked.
pub async fn follow(mut story: Follow, wait: u64) -> Followed {
    let deadline = tokio::time::Instant::now().checked_add(Duration::from_secs(wait));
    loop {
        let progress = story.borrow_and_update().clone();
        let changed = match progress {
            Progress::Done(told) => {
                // Mostly nobody else follows any more, and the outcome need not be copied.
                drop(story);
                return Followed::Done(Box::new(Arc::unwrap_or_clone(told)));
            }
            Progress::Working => story.changed().await,
            Progress::Asking(payment) => match deadline {
                Some(deadline) => match tokio::time::timeout_at(deadline, story.changed()).await {
                    Ok(changed) => changed,
                    Err(_) => return Followed::StillAsking(payment),
                },
                None => story.changed().await,
            },
        };
        if changed.is_err() {
            let problem = Problem::new(
                Code::StorageUnavailable,
                "Countersign stopped in the middle of this; repeat with the same key to learn how it ended",
            );
            return Followed::Done(Box::new(Told { result: Err(problem), repeat: false }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(stories: &Stories) -> Found {
        let (agent, key) = ("a".parse().unwrap(), "k".parse().unwrap());
        stories.enter(&agent, &key, Digest::of(&[b"request"])).unwrap()
    }

    #[tokio::test]
    async fn a_story_that_ends_in_a_panic_leaves_its_key_free_and_says_so_to_who_follows() {
        let stories = Stories::default();
        let Found::Started(mut telling, follower) = enter(&stories) else { panic!() };
        let payment = PaymentId::from_random([7; 16]);
        stories.names(&mut telling, &payment);
        let told = tokio::spawn(async move {
            telling.says(Progress::Working);
            panic!("a fault of ours");
        });
        assert!(told.await.is_err());
        let Followed::Done(told) = follow(follower, 1).await else { panic!() };
        assert_eq!(told.result.unwrap_err().code, Code::StorageUnavailable);
        assert!(stories.of(&payment).is_none());
        assert!(matches!(enter(&stories), Found::Started(..)), "the next repeat asks the ledger");
    }

    #[tokio::test]
    async fn an_ended_story_does_not_remove_the_one_after_it() {
        let stories = Stories::default();
        let Found::Started(first, follower) = enter(&stories) else { panic!() };
        first.ends(Err(Problem::new(Code::Paused, "p")));
        assert!(matches!(follow(follower, 1).await, Followed::Done(_)));
        let Found::Started(second, _follower) = enter(&stories) else { panic!() };
        assert!(matches!(enter(&stories), Found::Joined(_)));
        drop(second);
    }
}
