//! The resolver: looks for evidence about every payment whose end is open.

use countersign_core::{
    Millis,
    approval::Said,
    money::Amount,
    payment::{Op, PaymentId},
    rail::Evidence,
    signable::Signable,
    status::{Event as Happens, Settlement, Status},
};
use countersign_vault::{Note, Outcome as Ended, Record, VaultError};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

use super::{Due, Pace, asked, sight};
use crate::{desk::Desk, event::Event};

/// Pause after the first look in vain; doubled after each further one.
pub const FIRST_PAUSE_MS: i64 = 1_000;
const LONGEST_PAUSE_MS: i64 = 120_000;
/// Seconds after a window's end before silence counts as its end.
pub(super) const GRACE: u64 = 10;
/// Payments looked at side by side.
const AT_ONCE: usize = 32;

/// Only the ledger can end a look early; what nodes do wrong is passed over.
pub(super) type Look<T> = Result<T, VaultError>;

/// Whether a program of somebody else pays it.
fn is_handed(forms: &[Signable]) -> bool {
    matches!(forms, [Signable::Handed(_)])
}

impl Desk {
    /// Looks for evidence until the task is dropped.
    pub async fn settle(self: Arc<Self>) {
        match self.vault.open_ids(self.settler.sees_any() || self.settler.asks_any()).await {
            Ok(open) => {
                for (payment, end) in open {
                    self.look_at_start(&payment, end).await;
                }
            }
            Err(error) => {
                tracing::error!(%error, "open payments could not be read; they stay held until the next start")
            }
        }
        for (network, nodes) in self.settler.networks() {
            self.compare_block(network, nodes).await;
        }
        let mut health = self.health().word();
        loop {
            let now = self.health().word();
            if std::mem::replace(&mut health, now) != now {
                self.tell(Event::Health(now));
            }
            let (due, next) = self.settler.take(self.now(), AT_ONCE);
            if due.is_empty() {
                let left = next.map_or(60_000, |at| at.0.saturating_sub(self.now().0).clamp(50, 60_000));
                let pause = Duration::from_millis(u64::try_from(left).unwrap_or(1_000));
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.settler.sooner.notified() => {}
                }
                continue;
            }
            let mut looks = JoinSet::new();
            for due in due {
                looks.spawn(self.clone().look_and_come_back(due));
            }
            while looks.join_next().await.is_some() {}
        }
    }

    /// After a credential left: soon where a node or a provider can show its use, else when its window is over.
    pub(crate) fn look_later(&self, record: &Record) {
        if self.settler.provider(&record.quote).is_some() {
            return self.ask_later(record);
        }
        self.settler.look(&record.id, self.first_look(record.valid_before.unwrap_or(0)));
    }

    async fn look_at_start(&self, payment: &PaymentId, end: u64) {
        let record = if self.settler.asks_any() { self.vault.payment(payment).await.ok().flatten() } else { None };
        match record.filter(|record| self.settler.provider(&record.quote).is_some()) {
            Some(record) if record.watched => self.ask_at(&record, self.now()),
            Some(_) => {}
            None => self.settler.look(payment, self.first_look(end)),
        }
    }

    fn first_look(&self, valid_before: u64) -> Millis {
        if self.settler.sees_any() {
            self.now()
        } else {
            Millis(0).plus_seconds(valid_before.saturating_add(GRACE).saturating_add(1))
        }
    }

    async fn look_and_come_back(self: Arc<Self>, due: Due) {
        let Due { payment, pause_ms, pace, .. } = due;
        match self.look_at(&payment).await {
            Ok(Some(false)) => {}
            Ok(Some(true)) => {
                return self.settler.come_back(Due { at: self.now(), payment, pause_ms: first(pace), pace });
            }
            Ok(None) => return,
            Err(error) => tracing::warn!(%error, payment.id = %payment, "a settlement could not be checked"),
        }
        let at = Millis(self.now().0.saturating_add(pause_ms));
        let pause_ms = match pace {
            Pace::Chain => pause_ms.saturating_mul(2).min(LONGEST_PAUSE_MS),
            Pace::Provider => asked::longer(pause_ms),
        };
        self.settler.come_back(Due { at, payment, pause_ms, pace });
    }

    /// One look: `None` when the payment has its end, else whether something was learnt.
    async fn look_at(&self, payment: &PaymentId) -> Look<Option<bool>> {
        match self.vault.open_payment(payment).await? {
            Some((record, _)) if !record.watched => Ok(None),
            // Its program alone knows the end, and is asked when the agent asks.
            Some((record, forms)) if is_handed(&forms) && record.outcome != Some(Ended::Failed) => Ok(None),
            Some((record, forms)) if self.settler.provider(&record.quote).is_some() => {
                let learnt = self.ask_provider(&record, &forms).await?;
                Ok((learnt || !self.asked_long_enough(&record)).then_some(learnt))
            }
            Some((record, _))
                if record.status == Status::Unknown && !self.settler.can_see(record.quote.network.as_ref()) =>
            {
                Ok(None)
            }
            Some((record, forms)) => self.look(&record, &forms).await.map(Some),
            None => Ok(None),
        }
    }

    /// One look at one payment; true if something was learnt.
    async fn look(&self, record: &Record, forms: &[countersign_core::signable::Signable]) -> Look<bool> {
        let Ok(rail) = self.rail(&record.quote.rail) else { return Ok(false) };
        if let Some(network) = &record.quote.network {
            self.compare_block(network, self.settler.of(network)).await;
        }
        let over = self.now().seconds() > record.valid_before.unwrap_or(0).saturating_add(GRACE);
        if record.quote.op == Op::Sign {
            return if over { self.proved(record).await } else { Ok(false) };
        }
        let nodes = record.quote.network.as_ref().map_or(&[][..], |n| self.settler.of(n));
        let all: Vec<Evidence> = forms.iter().filter_map(|form| rail.evidence(form)).collect();
        if let Some(transaction) = sight::payment(nodes, record.transaction.as_deref(), &all).await {
            let taken = sight::taken(nodes, &transaction, &all, &record.quote).await;
            return self.settled(record, &transaction, taken).await;
        }
        if let (Some(claimed), Settlement::Claimed) = (&record.transaction, record.settlement)
            && sight::contradicts(nodes, claimed, &all).await
        {
            return self.contradicted(record).await;
        }
        if !over {
            return Ok(false);
        }
        if let Some(seen) = sight::unused(nodes, &all).await {
            return self.moved(record, Happens::Dead, Settlement::Failed, seen).await;
        }
        if record.status == Status::Unknown {
            return Ok(false);
        }
        if nodes.is_empty() && record.settlement == Settlement::Claimed {
            return self
                .moved(
                    record,
                    Happens::Settled,
                    Settlement::Claimed,
                    json!({"proof": "the seller's receipt; no node is configured"}),
                )
                .await;
        }
        self.moved(record, Happens::WindowOver, record.settlement, json!({})).await
    }

    /// A proof moves no money: no chain shows it, and once its window is over none is sent again.
    async fn proved(&self, record: &Record) -> Look<bool> {
        let seen = json!({"proof": "it moves no money, and its window is over"});
        if record.settlement == Settlement::Claimed || record.outcome == Some(Ended::Completed) {
            return self.moved(record, Happens::Settled, Settlement::Claimed, seen).await;
        }
        self.moved(record, Happens::Dead, record.settlement, seen).await
    }

    async fn settled(&self, record: &Record, transaction: &str, taken: Option<Amount>) -> Look<bool> {
        let mut seen =
            json!({"transaction": transaction, "proof": "the transfer and the log of its use in one transaction"});
        if let Some(taken) = taken {
            seen["actual"] = json!(taken);
        }
        self.moved(record, Happens::Settled, Settlement::Verified, seen).await
    }

    pub(super) async fn moved(
        &self,
        record: &Record,
        event: Happens,
        settlement: Settlement,
        seen: serde_json::Value,
    ) -> Look<bool> {
        let record = self.vault.advance(&record.id, event, settlement, seen).await?;
        tracing::info!(payment.id = %record.id, state = record.status.api(), settlement = record.settlement.as_str(), "a payment moved on");
        self.tell(Event::Moved { payment: record.id.clone(), state: record.status.api() });
        if record.status == Status::Settled && record.quote.op != Op::Sign {
            let how = match record.settlement {
                Settlement::Verified if record.quote.network.is_none() => Said::EndConfirmed {},
                Settlement::Verified => Said::EndSeen {},
                _ => Said::EndUnchecked {},
            };
            self.approver.outcome(&record.id, "settled", Some(how));
        }
        self.look_again();
        Ok(true)
    }

    /// The seller named a transaction, and the chain shows it does not pay.
    async fn contradicted(&self, record: &Record) -> Look<bool> {
        let note = Note {
            settlement: Some(Settlement::Failed),
            why: Some("chain_contradicts_receipt".to_owned()),
            ..Note::default()
        };
        let record = self.vault.note(&record.id, note).await?;
        tracing::warn!(payment.id = %record.id, "the seller's receipt names a transaction that does not pay");
        self.tell(Event::Moved { payment: record.id.clone(), state: record.status.api() });
        self.approver.outcome(&record.id, "unknown", Some(Said::EndContradicted {}));
        Ok(true)
    }
}

const fn first(pace: Pace) -> i64 {
    match pace {
        Pace::Chain => FIRST_PAUSE_MS,
        Pace::Provider => asked::AFTER_DOUBT_MS,
    }
}
