//! The desk: built whole, shared by every way of being called.

use countersign_core::{
    Millis,
    asset::Network,
    payment::{AgentName, Caller, PaymentId},
    rail::Rail,
    registry::Registry,
    status::{Event as Happens, Status},
};
use countersign_vault::{Clock, Filter, Health, Lookup, Record, Vault, VaultError};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, watch},
    time::timeout,
};

use crate::{
    approver::Approver,
    buyer::Buyer,
    event::Event,
    habits::Habits,
    issuer::Issuer,
    outcome::{Outcome, OutcomeStatus, ResponseView},
    problem::{Code, Problem},
    provider::Provider,
    request::Request,
    settle::{Node, Settler, Witnesses},
    shape::{Budget, PaymentList},
    story::{Followed, Stories, follow},
    view::{ListQuery, outcome_of, payment, status_of},
    wire::Wire,
};

/// Longest poll for a payment, seconds.
const MAX_POLL: u64 = 25;
/// Largest answer body that is kept for a repeated key.
pub(crate) const KEPT_BODY: usize = 1024 * 1024;

/// What a desk is made of.
pub struct DeskParts {
    /// Ledger and keys.
    pub vault: Vault,
    /// The protocols.
    pub rails: Vec<Box<dyn Rail>>,
    /// Chains, tokens, rates.
    pub registry: Arc<Registry>,
    /// The way out.
    pub wire: Wire,
    /// The way to the person.
    pub approver: Arc<dyn Approver>,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Nodes to check settlements with.
    pub nodes: BTreeMap<Network, Vec<Node>>,
    /// Whom to ask how a payment ended, by protocol or by one scheme of it, where no chain shows it.
    pub providers: BTreeMap<&'static str, Arc<dyn Provider>>,
    /// Programs that pay in our place, by name.
    pub buyers: BTreeMap<&'static str, Arc<dyn Buyer>>,
    /// Who issues tokens that a seller charges.
    pub issuer: Option<Arc<dyn Issuer>>,
    /// What may change while it runs.
    pub habits: Habits,
    /// How long a question lives.
    pub approval_seconds: u64,
}

/// The story of every payment, top to bottom, is told here.
pub struct Desk {
    pub(crate) vault: Vault,
    pub(crate) rails: Vec<Box<dyn Rail>>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) wire: Wire,
    pub(crate) approver: Arc<dyn Approver>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) buyers: BTreeMap<&'static str, Arc<dyn Buyer>>,
    pub(crate) issuer: Option<Arc<dyn Issuer>>,
    pub(crate) settler: Settler,
    pub(crate) witnesses: Witnesses,
    pub(crate) stories: Stories,
    pub(crate) events: broadcast::Sender<Event>,
    /// Rises when waiting payments should be judged again.
    pub(crate) look_again: watch::Sender<u64>,
    pub(crate) habits: Habits,
    pub(crate) approval_seconds: u64,
}

impl Desk {
    /// Builds a desk. Settlements are checked once [`Desk::settle`] runs.
    pub fn new(parts: DeskParts) -> Arc<Self> {
        Arc::new(Self {
            vault: parts.vault,
            rails: parts.rails,
            registry: parts.registry,
            wire: parts.wire,
            approver: parts.approver,
            clock: parts.clock,
            buyers: parts.buyers,
            issuer: parts.issuer,
            settler: Settler::new(parts.nodes, parts.providers),
            witnesses: Witnesses::default(),
            stories: Stories::default(),
            events: broadcast::channel(1024).0,
            look_again: watch::channel(0).0,
            habits: parts.habits,
            approval_seconds: parts.approval_seconds,
        })
    }

    /// The wall clock.
    pub fn now(&self) -> Millis {
        self.clock.wall()
    }

    /// Whether money can move.
    pub fn health(&self) -> HealthWord {
        HealthWord(self.vault.health())
    }

    /// The ledger and the keys.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Chains, tokens, rates.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What happens, for tray, notifications and pages.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Tells the tray, the notifications and the pages.
    pub fn announce(&self, event: Event) {
        self.tell(event);
    }

    pub(crate) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Waiting payments are judged again: the policy changed, a pause began or ended, a question was answered.
    pub fn look_again(&self) {
        self.look_again.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Which agent holds this token.
    pub fn authenticate(&self, token: &str) -> Option<AgentName> {
        self.vault.authenticate(token)
    }

    /// Whether this request's key names a payment, running or recorded.
    pub async fn knows(&self, agent: &AgentName, request: &Request) -> Result<bool, Problem> {
        let found = self.vault.lookup(agent, &request.key, request.digest).await.map_err(vault_problem)?;
        Ok(self.stories.runs(agent, &request.key) || !matches!(found, Lookup::New))
    }

    /// One payment of this agent, waiting up to `wait` seconds for it to end.
    pub async fn payment(&self, caller: &Caller, id: &PaymentId, wait: u64) -> Result<Outcome, Problem> {
        let record = self.own(caller, id).await?;
        let wait = wait.min(MAX_POLL);
        if let Some(story) = self.stories.of(&record.id)
            && let Ok(Followed::Done(told)) = timeout(Duration::from_secs(wait), follow(story, wait)).await
        {
            match told.result {
                Ok(outcome) => return Ok(outcome),
                Err(Problem { outcome: Some(outcome), .. }) => return Ok(*outcome),
                Err(_) => {}
            }
        }
        let record = self.own(caller, id).await?;
        self.full_outcome(&record, false).await
    }

    /// One payment of this agent as whoever follows it from afar needs it; never waits.
    pub async fn standing(&self, caller: &Caller, id: &PaymentId) -> Result<Standing, Problem> {
        // In this order: a story that is over has left its end in the record.
        let underway = self.stories.of(id).is_some();
        let record = self.own(caller, id).await?;
        Ok(Standing { outcome: self.full_outcome(&record, !underway).await?, underway, changed_at: record.changed_at })
    }

    /// Withdraws a waiting payment. A caller that hangs up meanwhile has withdrawn it all the same, and the question goes with it.
    pub async fn cancel(self: &Arc<Self>, caller: &Caller, id: &PaymentId) -> Result<Outcome, Problem> {
        let (desk, caller, id) = (self.clone(), caller.clone(), id.clone());
        let withdrawn = tokio::spawn(async move { desk.withdraw(&caller, &id).await }).await;
        withdrawn.unwrap_or_else(|error| Err(Problem::new(Code::StorageUnavailable, error.to_string())))
    }

    async fn withdraw(&self, caller: &Caller, id: &PaymentId) -> Result<Outcome, Problem> {
        let record = self.own(caller, id).await?;
        let record = match record.status {
            Status::Waiting => self.vault.end_waiting(id, Happens::Cancelled, "agent").await.map_err(vault_problem)?,
            _ => record,
        };
        self.look_again();
        let outcome = outcome_of(&record, &self.registry);
        if outcome.status == OutcomeStatus::Cancelled {
            return Ok(outcome);
        }
        Err(Problem::about(Code::NotCancellable, format!("the payment is {}", record.status.api()), outcome))
    }

    /// This agent's payments, newest first.
    pub async fn payments(&self, caller: &Caller, query: ListQuery) -> Result<Value, Problem> {
        let bad = |what: &str| Problem::new(Code::BadRequest, what.to_owned());
        let since = match query.since.as_deref().map(|t| t.parse::<countersign_core::Rfc3339>()) {
            None => None,
            Some(Ok(time)) => Some(time.0),
            Some(Err(_)) => return Err(bad("`since` must be a time such as 2026-11-20T10:00:00Z")),
        };
        let status = match query.status.as_deref() {
            None => Vec::new(),
            Some("signed") => vec![Status::Signed, Status::Delivered],
            Some("pending_approval") => vec![Status::Waiting],
            Some(word) => vec![Status::from_word(word).ok_or_else(|| bad("`status` is not a state of a payment"))?],
        };
        let limit = query.limit.unwrap_or(50);
        if !(1..=500).contains(&limit) {
            return Err(bad("`limit` must be between 1 and 500"));
        }
        let filter = Filter { agent: Some(caller.agent.clone()), status, since, limit, cursor: query.cursor };
        let page = self.vault.payments(filter).await.map_err(vault_problem)?;
        let payments = page.payments.iter().map(|record| payment(record, &self.registry)).collect();
        Ok(json!(PaymentList { payments, next_cursor: page.next_cursor }))
    }

    /// What this agent may still spend without asking.
    pub async fn budget(&self, caller: &Caller) -> Result<Value, Problem> {
        let budgets = self.vault.budgets(&caller.agent, &caller.session, false).await.map_err(vault_problem)?;
        let ask_above = self.vault.policy().and_then(|p| p.ask_above()).map(|m| m.to_string());
        let currency = self.registry.reference().to_owned();
        Ok(json!(Budget { currency, ask_above, budgets: budgets.into_iter().map(Into::into).collect() }))
    }

    /// A payment of this agent; another's looks like none.
    pub(crate) async fn own(&self, caller: &Caller, id: &PaymentId) -> Result<Record, Problem> {
        match self.vault.payment(id).await.map_err(vault_problem)? {
            Some(record) if record.agent == caller.agent => Ok(record),
            _ => Err(Problem::new(Code::NotFound, "there is no such payment of this agent")),
        }
    }

    /// A recorded payment's outcome with the stored answer, and with its credential where it is still the caller's to send.
    pub(crate) async fn full_outcome(&self, record: &Record, repeat: bool) -> Result<Outcome, Problem> {
        let mut outcome = outcome_of(record, &self.registry);
        if repeat && status_of(record) == OutcomeStatus::Authorized {
            outcome.credential = self.credential_again(record).await?;
        }
        if let Some(head) = self.vault.detail(&record.id, "answer").await.map_err(vault_problem)?
            && let Ok(mut response) = serde_json::from_slice::<ResponseView>(&head)
        {
            let body = self.vault.detail(&record.id, "body").await.map_err(vault_problem)?;
            match body {
                Some(body) => response.put_body(Some(&body)),
                None if response.body_omitted.is_none() => response.body_omitted = Some("expired".to_owned()),
                None => {}
            }
            outcome.response = Some(response);
        }
        Ok(outcome)
    }
}

/// How a payment stands, and whether that is its end.
#[derive(Debug, Clone)]
pub struct Standing {
    /// As a repeat of its request would find it, with a credential that is still the caller's to send.
    pub outcome: Outcome,
    /// A person is deciding, or what they allowed is being done.
    pub underway: bool,
    /// When it last changed.
    pub changed_at: Millis,
}

/// The word of `healthz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthWord(pub Health);

impl HealthWord {
    /// `ok`, `paused`, `locked`, `view_only`.
    pub const fn word(&self) -> &'static str {
        match self.0 {
            Health::Ok => "ok",
            Health::Paused => "paused",
            Health::Locked => "locked",
            Health::ViewOnly(_) | Health::Storage(_) => "view_only",
        }
    }

    /// Refuses new work while money cannot move. A ledger that failed is tried again by the work itself.
    pub(crate) fn check(self) -> Result<(), Problem> {
        match self.0 {
            Health::Ok | Health::Storage(_) => Ok(()),
            Health::Paused => Err(Problem::new(Code::Paused, "the person paused all payments")),
            Health::Locked => Err(Problem::new(Code::Locked, "the keyring is locked")),
            Health::ViewOnly(why) => Err(Problem::new(Code::ViewOnly, why)),
        }
    }
}

/// The ledger's errors as problems.
pub(crate) fn vault_problem(error: VaultError) -> Problem {
    let code = match &error {
        VaultError::Busy => Code::RateLimited,
        VaultError::Paused => Code::Paused,
        VaultError::Locked => Code::Locked,
        VaultError::ViewOnly(_) => Code::ViewOnly,
        VaultError::NotFound => Code::NotFound,
        VaultError::Storage(_) => Code::StorageUnavailable,
        VaultError::Illegal { .. } => Code::NotCancellable,
        VaultError::Mismatch(_) => Code::MalformedOffer,
        VaultError::Used => Code::OfferUsed,
        VaultError::Refused(_) => Code::BadRequest,
    };
    let mut problem = Problem::new(code, error.to_string());
    problem.retry_after = matches!(error, VaultError::Busy).then_some(1);
    problem
}
