//! The resolver: looks for evidence about every payment whose end is open.

use countersign_core::{
    rail::Evidence,
    status::{Event as Happens, Settlement, Status},
};
use countersign_vault::{Note, Record, VaultError};
use serde_json::json;
use std::{collections::HashMap, sync::Arc, time::Duration};

use super::rpc::{Node, RpcError, Shown};
use crate::{desk::Desk, event::Event};

/// Pause between two rounds while something is open.
const ROUND: Duration = Duration::from_secs(2);
/// Seconds after a window's end before silence counts as its end.
const GRACE: u64 = 10;
/// Longest pause before one payment is looked at again, in rounds.
const SLOWEST: u32 = 64;

/// What can go wrong while looking.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Node(#[from] RpcError),
    #[error(transparent)]
    Ledger(#[from] VaultError),
}

type Look<T> = Result<T, LookError>;

impl Desk {
    /// Looks for evidence until the task is dropped. Each payment is looked at less and less often while nothing changes.
    pub async fn settle(self: Arc<Self>) {
        let mut patience: HashMap<countersign_core::payment::PaymentId, (u32, u32)> = HashMap::new();
        loop {
            match self.vault.open_payments().await {
                Ok(open) => {
                    patience.retain(|id, _| open.iter().any(|(record, _)| record.id == *id));
                    for (record, forms) in open {
                        let (wait, step) = patience.entry(record.id.clone()).or_insert((0, 1));
                        if *wait > 0 {
                            *wait = wait.saturating_sub(1);
                            continue;
                        }
                        match self.look(&record, &forms).await {
                            Ok(true) => *step = 1,
                            Ok(false) => *step = step.saturating_mul(2).min(SLOWEST),
                            Err(error) => {
                                tracing::warn!(%error, payment.id = %record.id, "a settlement could not be checked");
                                *step = step.saturating_mul(2).min(SLOWEST);
                            }
                        }
                        *wait = step.saturating_sub(1);
                    }
                }
                Err(error) => tracing::warn!(%error, "open payments could not be read"),
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = self.settler.soon.notified() => patience.clear(),
            }
        }
    }

    /// One look at one payment; true if something was learnt.
    async fn look(&self, record: &Record, forms: &[countersign_core::signable::Signable]) -> Look<bool> {
        let Ok(rail) = self.rail(&record.quote.rail) else { return Ok(false) };
        let over = self.now().seconds() > record.valid_before.unwrap_or(0).saturating_add(GRACE);
        let nodes = record.quote.network.as_ref().map_or(&[][..], |n| self.settler.of(n));
        let all: Vec<Evidence> = forms.iter().filter_map(|form| rail.evidence(form)).collect();
        for evidence in &all {
            for node in nodes {
                if let Some(transaction) = proof(node, record, evidence).await? {
                    return self.settled(record, &transaction).await;
                }
            }
        }
        if !nodes.is_empty() && self.contradicted(record, &all, nodes).await? {
            let note = Note { settlement: Some(Settlement::Failed), why: Some("chain_contradicts_receipt".to_owned()), ..Note::default() };
            self.vault.note(&record.id, note).await?;
            return Ok(true);
        }
        if !over {
            return Ok(false);
        }
        if unused(record, &all, nodes).await? {
            let seen = json!({"proof": "authorizationState is false in a final block past validBefore"});
            return self.moved(record, Happens::Dead, Settlement::Failed, seen).await;
        }
        if record.status == Status::Unknown {
            return Ok(false);
        }
        if nodes.is_empty() && record.settlement == Settlement::Claimed {
            return self.moved(record, Happens::Settled, Settlement::Claimed, json!({"proof": "the seller's receipt; no node is configured"})).await;
        }
        self.moved(record, Happens::WindowOver, record.settlement, json!({})).await
    }

    async fn settled(&self, record: &Record, transaction: &str) -> Look<bool> {
        let seen = json!({"transaction": transaction, "proof": "Transfer and AuthorizationUsed in one transaction"});
        self.moved(record, Happens::Settled, Settlement::Verified, seen).await
    }

    async fn moved(&self, record: &Record, event: Happens, settlement: Settlement, seen: serde_json::Value) -> Look<bool> {
        let record = self.vault.advance(&record.id, event, settlement, seen).await?;
        tracing::info!(payment.id = %record.id, state = record.status.api(), settlement = record.settlement.as_str(), "a payment moved on");
        self.tell(Event::Moved { payment: record.id.clone(), state: record.status.api() });
        if record.status == Status::Settled {
            self.approver.outcome(&record.id, "settled", "the money moved, seen on chain");
        }
        self.look_again();
        Ok(true)
    }

    /// The seller named a transaction, and the chain shows it does not pay.
    async fn contradicted(&self, record: &Record, all: &[Evidence], nodes: &[Node]) -> Result<bool, RpcError> {
        let (Some(transaction), Settlement::Claimed) = (&record.transaction, record.settlement) else { return Ok(false) };
        for evidence in all {
            for node in nodes {
                if node.transaction(transaction, evidence).await? == Shown::Contradicts {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// The transaction in which the money moved, if this node shows one.
async fn proof(node: &Node, record: &Record, evidence: &Evidence) -> Result<Option<String>, RpcError> {
    if let Some(claimed) = &record.transaction {
        if node.transaction(claimed, evidence).await? == Shown::Paid {
            return Ok(Some(claimed.clone()));
        }
    }
    if !node.is_used(evidence, "latest").await? {
        return Ok(None);
    }
    let Some(found) = node.find_use(evidence).await? else { return Ok(None) };
    let paid = node.transaction(&found, evidence).await? == Shown::Paid;
    Ok(paid.then_some(found))
}

/// Whether every form is proved unusable: by the user's own node, or by two nodes of different hosts that agree.
async fn unused(record: &Record, all: &[Evidence], nodes: &[Node]) -> Result<bool, RpcError> {
    if all.is_empty() || record.quote.network.is_none() {
        return Ok(false);
    }
    let mut agreeing: Vec<&str> = Vec::new();
    for node in nodes {
        let mut dead = true;
        for evidence in all {
            dead = dead && node.final_time().await? >= evidence.valid_before && !node.is_used(evidence, "finalized").await?;
        }
        if !dead {
            return Ok(false);
        }
        if node.is_own() {
            return Ok(true);
        }
        if !agreeing.contains(&node.host()) {
            agreeing.push(node.host());
        }
    }
    Ok(agreeing.len() >= 2)
}
