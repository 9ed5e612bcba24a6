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
pub struct Stories(Mutex<Running>);

/// A place in the list, to be told to the end.
#[derive(Debug)]
pub struct Telling {
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
        let mut running = self.lock();
        let name = (agent.clone(), key.clone());
        if let Some((known, follow)) = running.by_key.get(&name) {
            if *known != digest {
                return Err(Problem::new(Code::IdempotencyConflict, "this key is in use for a different request"));
            }
            return Ok(Found::Joined(follow.clone()));
        }
        let (progress, follow) = watch::channel(Progress::Working);
        running.by_key.insert(name.clone(), (digest, follow.clone()));
        Ok(Found::Started(Telling { key: name, payment: None, repeat: false, progress }, follow))
    }

    /// The running story of a payment.
    pub fn of(&self, payment: &PaymentId) -> Option<Follow> {
        self.lock().by_payment.get(payment).cloned()
    }

    /// Whether this key is in flight.
    pub fn runs(&self, agent: &AgentName, key: &IdempotencyKey) -> bool {
        self.lock().by_key.contains_key(&(agent.clone(), key.clone()))
    }

    /// The story now has a payment that others may follow.
    pub fn names(&self, telling: &mut Telling, payment: &PaymentId) {
        self.lock().by_payment.insert(payment.clone(), telling.progress.subscribe());
        telling.payment = Some(payment.clone());
    }

    /// Ends a story; later repeats find the ledger.
    pub fn end(&self, telling: Telling, result: Result<Outcome, Problem>) {
        let mut running = self.lock();
        running.by_key.remove(&telling.key);
        if let Some(payment) = &telling.payment {
            running.by_payment.remove(payment);
        }
        drop(running);
        telling.progress.send_replace(Progress::Done(Arc::new(Told { result, repeat: telling.repeat })));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            Progress::Done(told) => return Followed::Done(Box::new((*told).clone())),
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
            let problem =
                Problem::new(Code::StorageUnavailable, "Countersign is shutting down; repeat with the same key later");
            return Followed::Done(Box::new(Told { result: Err(problem), repeat: false }));
        }
    }
}
