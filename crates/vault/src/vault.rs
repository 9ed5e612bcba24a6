//! The vault as the desk sees it: one method a verb. Everything durable happens in the ledger's writer.

use countersign_core::{
    Millis,
    approval::History,
    asset::Network,
    payment::{AgentName, Digest, IdempotencyKey, PaymentId, Quote, SessionId},
    policy::{Approved, BudgetView, Policy},
    rail::Wallets,
    signable::Signable,
    status::{Event, Settlement},
};
use std::sync::Arc;

use crate::{
    config::{Agent, Confirm, Doubts, PayerFor, PolicyVersion, Scope, Set, SetBy, VerifyReport, Wallet},
    error::{Health, OpenError, SignError, VaultError},
    keys::Secret,
    open::Open,
    record::{Explained, Filter, Note, Page, Record},
    verbs::{Admit, Admitted, Lookup, Rejudged, Reservation, Reserved, Signed},
};

/// Ledger and keys of one data directory. Clones are handles to the same one.
#[derive(Clone)]
pub struct Vault(Arc<()>);

fn not_yet<T>() -> Result<T, VaultError> {
    Err(VaultError::Storage("not built yet".into()))
}

#[expect(clippy::unused_async, reason = "skeleton")]
impl Vault {
    /// Takes the data directory. A fault that only forbids writing gives a vault that may be looked at.
    pub fn open(open: Open) -> Result<Self, OpenError> {
        drop(open);
        Ok(Self(Arc::new(())))
    }
    /// Whether money can move.
    pub fn health(&self) -> Health { Health::Storage("not built yet".into()) }
    /// What a person has to confirm.
    pub fn doubts(&self) -> Doubts { Doubts::default() }
    /// Whether a loosening made while nothing ran was accepted at this start.
    pub fn policy_changed(&self) -> bool { false }
    /// What is known of a key, before any request leaves.
    pub async fn lookup(&self, agent: &AgentName, key: &IdempotencyKey, request: Digest) -> Result<Lookup, VaultError> { let _ = (agent, key, request); not_yet() }
    /// Judges and writes down, in one durable transaction.
    pub async fn admit(&self, admit: Admit) -> Result<Admitted, VaultError> { let _ = admit; not_yet() }
    /// Judges again after a yes, and holds.
    pub async fn reserve(&self, yes: Approved, signables: Vec<Signable>) -> Result<Reserved, VaultError> { let _ = (yes, signables); not_yet() }
    /// Ends a waiting question: declined, expired or cancelled. One that is over is answered as it stands.
    pub async fn end_waiting(&self, payment: &PaymentId, how: Event, through: &str) -> Result<Record, VaultError> { let _ = (payment, how, through); not_yet() }
    /// Looks at a waiting payment again.
    pub async fn rejudge_waiting(&self, payment: &PaymentId, signables: Vec<Signable>) -> Result<Rejudged, VaultError> { let _ = (payment, signables); not_yet() }
    /// Computes every signature, or none. Blocks while the key store does.
    pub fn sign(&self, reservation: Reservation) -> Result<Signed, SignError> { drop(reservation); Err(SignError::Locked) }
    /// The same signatures again for a repeat inside the window; none outside it.
    pub async fn sign_again(&self, payment: &PaymentId) -> Result<Option<Signed>, VaultError> { let _ = payment; not_yet() }
    /// Notes that the credential left; written with the next commit.
    pub fn mark_delivered(&self, payment: &PaymentId) { let _ = payment; }
    /// Writes something down beside a payment.
    pub async fn note(&self, payment: &PaymentId, note: Note) -> Result<Record, VaultError> { let _ = (payment, note); not_yet() }
    /// Moves a payment on evidence: settled, window over, dead.
    pub async fn advance(&self, payment: &PaymentId, event: Event, settlement: Settlement, evidence: serde_json::Value) -> Result<Record, VaultError> { let _ = (payment, event, settlement, evidence); not_yet() }
    /// One payment.
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Record>, VaultError> { let _ = id; not_yet() }
    /// Payments, newest first.
    pub async fn payments(&self, filter: Filter) -> Result<Page, VaultError> { let _ = filter; not_yet() }
    /// A kept body.
    pub async fn detail(&self, id: &PaymentId, kind: &str) -> Result<Option<Vec<u8>>, VaultError> { let _ = (id, kind); not_yet() }
    /// Payments that may still move, with what was signed.
    pub async fn open_payments(&self) -> Result<Vec<(Record, Vec<Signable>)>, VaultError> { not_yet() }
    /// Facts, judgements and steps of one payment.
    pub async fn explain(&self, id: &PaymentId) -> Result<Option<Explained>, VaultError> { let _ = id; not_yet() }
    /// What an agent may still spend.
    pub async fn budgets(&self, agent: &AgentName, session: &SessionId, testnet: bool) -> Result<Vec<BudgetView>, VaultError> { let _ = (agent, session, testnet); not_yet() }
    /// What is known of an agent's payee.
    pub async fn history(&self, agent: &AgentName, quote: &Quote) -> Result<History, VaultError> { let _ = (agent, quote); not_yet() }
    /// The policy in force.
    pub fn policy(&self) -> Option<Arc<Policy>> { None }
    /// Replaces the policy.
    pub async fn set_policy(&self, policy: Policy, by: SetBy) -> Result<Set, VaultError> { let _ = (policy, by); not_yet() }
    /// Every policy there was, newest first.
    pub async fn policy_versions(&self) -> Result<Vec<PolicyVersion>, VaultError> { not_yet() }
    /// Accepts what start-up or the clock found odd.
    pub async fn confirm(&self, what: Confirm) -> Result<(), VaultError> { let _ = what; not_yet() }
    /// Says that the clock disagrees with the world.
    pub async fn doubt_clock(&self, why: &str) -> Result<(), VaultError> { let _ = why; not_yet() }
    /// Pairs an agent; the token is shown once.
    pub async fn add_agent(&self, name: &AgentName, ask_everything: bool, by: SetBy) -> Result<Secret, VaultError> { let _ = (name, ask_everything, by); not_yet() }
    /// Every agent, revoked ones too.
    pub async fn list_agents(&self) -> Result<Vec<Agent>, VaultError> { not_yet() }
    /// Ends every token of an agent.
    pub async fn revoke_agent(&self, name: &AgentName) -> Result<(), VaultError> { let _ = name; not_yet() }
    /// Whose token this is.
    pub fn authenticate(&self, token: &str) -> Option<AgentName> { let _ = token; None }
    /// Stops payments, until a moment or until resumed.
    pub async fn pause(&self, scope: Scope, until: Option<Millis>) -> Result<(), VaultError> { let _ = (scope, until); not_yet() }
    /// Lets payments go on.
    pub async fn resume(&self, scope: Scope) -> Result<(), VaultError> { let _ = scope; not_yet() }
    /// Makes a wallet; the first one pays everywhere.
    pub async fn create_wallet(&self, label: &str) -> Result<Wallet, VaultError> { let _ = label; not_yet() }
    /// Takes a key over.
    pub async fn import_wallet(&self, key: Secret, label: &str) -> Result<Wallet, VaultError> { let _ = (key, label); not_yet() }
    /// Every wallet.
    pub fn wallets(&self) -> Vec<Wallet> { Vec::new() }
    /// Says who pays.
    pub async fn set_payer(&self, who: PayerFor, address: &str) -> Result<(), VaultError> { let _ = (who, address); not_yet() }
    /// Which accounts pay for this agent, for a rail to read.
    pub fn wallets_of(&self, agent: &AgentName) -> Box<dyn Wallets + Send + Sync> { let _ = agent; Box::new(std::collections::BTreeMap::<String, String>::new()) }
    /// Which account pays for this agent on this network.
    pub fn payer(&self, agent: &AgentName, network: &Network) -> Option<String> { let _ = (agent, network); None }
    /// Wipes the loaded keys; nothing is signed until unlocked.
    pub fn lock(&self) {}
    /// Tries the key store again.
    pub async fn unlock(&self) -> Result<(), VaultError> { not_yet() }
    /// Checks the whole ledger.
    pub async fn verify(&self) -> Result<VerifyReport, VaultError> { not_yet() }
    /// Flushes marks, checkpoints, writes the anchor. Later calls answer `Storage`.
    pub async fn shutdown(self) {}
}
