//! Purchases whose answer nobody has got yet: the same call again gets it, instead of paying once more.

use countersign_core::payment::{AgentName, Digest, IdempotencyKey};
use countersign_desk::{
    outcome::{Outcome, OutcomeStatus},
    problem::Problem,
};
use rmcp::{RoleServer, service::RequestContext};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::mpsc::{Receiver, WeakSender};

use super::{
    Gateway,
    mail::{Letterbox, Mail},
};
use crate::mcp::Delivery;

/// The name of a purchase by an agent.
type Purchased = (AgentName, Digest);

/// Most of one agent; each is one call that it did not wait for. Of more, one that no payment is known of is forgotten, or the oldest.
const MOST: usize = 1000;

/// The open ones, by agent and call.
#[derive(Default)]
pub struct Left(Mutex<HashMap<Purchased, Open>>);

/// The letters of a purchase, and who writes them.
pub type Post = (Letterbox, Receiver<Mail>);

struct Open {
    key: IdempotencyKey,
    payment: Option<String>,
    by_http: bool,
    post: Option<Unread>,
    since: Instant,
}

/// Letters without a reader. They are worth keeping as long as somebody may write more.
type Unread = (WeakSender<Mail>, Receiver<Mail>);

/// A purchase that is taken up again.
pub struct Again {
    /// Its key.
    pub key: IdempotencyKey,
    /// Whether its price came as HTTP status 402.
    pub by_http: bool,
    /// Its letters, unless somebody else reads them.
    pub post: Option<Post>,
}

impl Left {
    fn lock(&self) -> MutexGuard<'_, HashMap<Purchased, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An earlier call like this one, if it was left without its answer; only the one of this key, where it is known.
    pub(super) fn over(&self, agent: &AgentName, call: Digest, key: Option<&IdempotencyKey>) -> Option<Again> {
        let mut left = self.lock();
        let open = left.get_mut(&(agent.clone(), call)).filter(|open| key.is_none_or(|key| *key == open.key))?;
        let post = open.post.take().and_then(|(to, mail)| Some((to.upgrade()?, mail)));
        Some(Again { key: open.key.clone(), by_http: open.by_http, post })
    }

    /// The key of this call: that of the same call while it is open, else a new one.
    pub(super) fn key(&self, agent: &AgentName, call: Digest, by_http: bool) -> anyhow::Result<IdempotencyKey> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        let key: IdempotencyKey = format!("gateway-{:032x}", u128::from_be_bytes(bytes)).parse()?;
        let mut left = self.lock();
        sweep(&mut left);
        let place = (agent.clone(), call);
        if !left.contains_key(&place) && left.keys().filter(|(of, _)| of == agent).count() >= MOST {
            let all = left.iter().filter(|((of, _), _)| of == agent);
            let oldest =
                all.min_by_key(|(_, open)| (open.payment.is_some(), open.since)).map(|(place, _)| place.clone());
            oldest.map(|place| left.remove(&place));
        }
        let open =
            left.entry(place).or_insert(Open { key, payment: None, by_http: false, post: None, since: Instant::now() });
        if open.payment.is_none() {
            open.by_http = by_http;
        }
        Ok(open.key.clone())
    }

    /// What an agent is about to be told of a call: it stays open while a person decides or nobody knows, and where an error says
    /// nothing of a payment, since there may be one. Whether it is over once the answer has left.
    pub(super) fn told(
        &self,
        agent: &AgentName,
        call: Digest,
        key: &IdempotencyKey,
        told: &Result<Outcome, Problem>,
        post: Option<Post>,
    ) -> bool {
        let mut left = self.lock();
        sweep(&mut left);
        let Some(open) = left.get_mut(&(agent.clone(), call)).filter(|open| open.key == *key) else { return false };
        open.payment = outcome(told).and_then(id).or(open.payment.take());
        let over = outcome(told).is_some_and(ended);
        if !over {
            open.post = post.map(|(to, mail)| (to.downgrade(), mail));
        }
        over
    }

    /// Which payment a call became.
    pub(super) fn note(&self, agent: &AgentName, call: Digest, key: &IdempotencyKey, told: &Result<Outcome, Problem>) {
        let mut left = self.lock();
        if let Some(open) = left.get_mut(&(agent.clone(), call)).filter(|open| open.key == *key) {
            open.payment = outcome(told).and_then(id).or(open.payment.take());
        }
    }

    /// The answer of a call has left.
    pub(super) fn forget(&self, agent: AgentName, call: Digest, key: &IdempotencyKey) {
        let mut left = self.lock();
        let place = (agent, call);
        if left.get(&place).is_some_and(|open| open.key == *key) {
            left.remove(&place);
        }
    }

    /// One that has its end is open no more.
    fn handed_out(&self, agent: &AgentName, outcome: &Outcome) {
        if ended(outcome)
            && let Some(payment) = id(outcome)
        {
            self.lock().retain(|(of, _), open| of != agent || open.payment.as_ref() != Some(&payment));
        }
    }
}

impl Gateway {
    /// An agent is about to be told how a payment of its own stands.
    pub(super) fn hands_out(
        self: &Arc<Self>,
        agent: &AgentName,
        outcome: Outcome,
        context: &RequestContext<RoleServer>,
    ) {
        let (gateway, agent) = (self.clone(), agent.clone());
        Delivery::of(context).then(move || gateway.left.handed_out(&agent, &outcome));
    }
}

/// Drops the letters of purchases that nobody writes about any more.
fn sweep(left: &mut HashMap<Purchased, Open>) {
    for open in left.values_mut() {
        open.post.take_if(|(to, _)| to.strong_count() == 0);
    }
}

fn outcome(told: &Result<Outcome, Problem>) -> Option<&Outcome> {
    told.as_ref().map_or_else(|problem| problem.outcome.as_deref(), Some)
}

/// Whether nobody decides about it any more, and what became of it is known.
fn ended(outcome: &Outcome) -> bool {
    !matches!(outcome.status, OutcomeStatus::PendingApproval | OutcomeStatus::Unknown)
}

fn id(outcome: &Outcome) -> Option<String> {
    Some(outcome.payment.as_ref()?["id"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_desk::{outcome::ResponseView, problem::Code};
    use serde_json::json;

    fn agent() -> AgentName {
        "helper".parse().unwrap()
    }

    fn stands(status: OutcomeStatus) -> Outcome {
        let free = Outcome::not_required(ResponseView::new(200, &[], None));
        Outcome { status, payment: Some(json!({"id": "p"})), ..free }
    }

    #[test]
    fn a_purchase_is_over_when_its_end_is_known_and_after_no_error_that_knows_no_payment() {
        let call = Digest::of(&[b"call"]);
        let problem = || Problem::new(Code::StorageUnavailable, "later");
        let about = |status| Err(Problem { outcome: Some(Box::new(stands(status))), ..problem() });
        for (told, over) in [
            (Ok(stands(OutcomeStatus::Completed)), true),
            (Ok(stands(OutcomeStatus::Unknown)), false),
            (Ok(stands(OutcomeStatus::PendingApproval)), false),
            (about(OutcomeStatus::Denied), true),
            (about(OutcomeStatus::Unknown), false),
            (Err(problem()), false),
        ] {
            let left = Left::default();
            let key = left.key(&agent(), call, false).unwrap();
            assert_eq!(left.told(&agent(), call, &key, &told, None), over, "{told:?}");
            assert_eq!(left.key(&agent(), call, false).unwrap(), key, "the same call is the same purchase");
        }
    }

    #[test]
    fn a_purchase_that_is_named_is_taken_for_no_other() {
        let (left, call) = (Left::default(), Digest::of(&[b"call"]));
        let key = left.key(&agent(), call, false).unwrap();
        let found = |named| left.over(&agent(), call, named).map(|again| again.key);
        assert_eq!((found(None), found(Some(&key))), (Some(key.clone()), Some(key.clone())));
        assert_eq!(found(Some(&"gateway-0".parse().unwrap())), None);
    }

    #[test]
    fn letters_go_with_the_last_who_writes_them() {
        let (left, call) = (Left::default(), Digest::of(&[b"call"]));
        let key = left.key(&agent(), call, false).unwrap();
        for writes in [true, false] {
            let (to, mail) = tokio::sync::mpsc::channel(1);
            let writer = writes.then(|| to.clone());
            left.told(&agent(), call, &key, &Ok(stands(OutcomeStatus::PendingApproval)), Some((to, mail)));
            left.key(&agent(), Digest::of(&[b"other"]), false).unwrap();
            assert_eq!(left.lock()[&(agent(), call)].post.is_some(), writes);
            drop(writer);
        }
    }

    #[test]
    fn an_agent_with_many_open_purchases_costs_no_other_agent_one() {
        let (left, call) = (Left::default(), |n: usize| Digest::of(&[&n.to_be_bytes()]));
        let other: AgentName = "other".parse().unwrap();
        let (paid, theirs) = (left.key(&agent(), call(0), false).unwrap(), left.key(&other, call(0), false).unwrap());
        left.note(&agent(), call(0), &paid, &Ok(stands(OutcomeStatus::Unknown)));
        for n in 1..MOST.saturating_mul(2) {
            left.key(&agent(), call(n), false).unwrap();
        }
        assert_eq!(left.lock().len(), MOST.saturating_add(1));
        assert_eq!(
            (left.key(&agent(), call(0), false).unwrap(), left.key(&other, call(0), false).unwrap()),
            (paid, theirs)
        );
    }

    #[test]
    fn an_end_that_was_told_elsewhere_is_not_told_again() {
        let (left, call) = (Left::default(), Digest::of(&[b"call"]));
        let key = left.key(&agent(), call, false).unwrap();
        left.note(&agent(), call, &key, &Ok(stands(OutcomeStatus::PendingApproval)));
        left.handed_out(&agent(), &stands(OutcomeStatus::PendingApproval));
        assert_eq!(left.key(&agent(), call, false).unwrap(), key);
        left.handed_out(&agent(), &stands(OutcomeStatus::Completed));
        assert_ne!(left.key(&agent(), call, false).unwrap(), key);
    }
}
