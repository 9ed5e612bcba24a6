//! How a payment ended that no chain shows: its provider is asked, at growing intervals. Silence and doubt free nothing.

use countersign_core::{
    Millis,
    payment::{Op, PaymentId},
    signable::Signable,
    status::{Event as Happens, Settlement, Status},
};
use countersign_vault::{Outcome as Ended, Record, VaultError};
use serde_json::json;

use super::{
    Due, Pace,
    resolve::{GRACE, Look},
};
use crate::{desk::Desk, provider::Seen};

/// Before a doubtful answer is asked about: providers need as long to know.
pub(super) const AFTER_DOUBT_MS: i64 = 10_000;
/// How long somebody else's doing is waited for; after that a payment is looked at once a start.
const PATIENCE_SECONDS: u64 = 30 * 24 * 3600;
/// Pauses between looks in vain.
const PAUSES_MS: [i64; 3] = [30_000, 120_000, 600_000];

impl Desk {
    /// After an order left: at once where it is said to be done, for a second word; otherwise a little later.
    pub(super) fn ask_later(&self, record: &Record) {
        let pause = if record.settlement == Settlement::Claimed { 0 } else { AFTER_DOUBT_MS };
        self.ask_at(record, Millis(self.now().0.saturating_add(pause)));
    }

    pub(super) fn ask_at(&self, record: &Record, at: Millis) {
        self.settler.put(Due { at, payment: record.id.clone(), pause_ms: AFTER_DOUBT_MS, pace: Pace::Provider });
    }

    /// Has the provider of an open page asked no more, or asked again and at once; for good, until told otherwise.
    ///
    /// # Errors
    /// What may move the person's money is always asked about.
    pub async fn watch(&self, payment: &PaymentId, watched: bool) -> Result<Record, VaultError> {
        let record = self.vault.watch(payment, watched).await?;
        self.settler.forget(payment);
        if watched {
            self.ask_at(&record, self.now());
        }
        Ok(record)
    }

    /// Whether its provider is asked about a payment again and again until it has its end.
    pub fn is_watched(&self, record: &Record) -> bool {
        let provider = self.settler.provider(&record.quote);
        record.watched && !self.asked_long_enough(record) && provider.is_some_and(|provider| provider.can_look(record))
    }

    /// Whether it is time to ask no more: nothing has come of it for a month.
    pub(super) fn asked_long_enough(&self, record: &Record) -> bool {
        self.now() > record.created_at.plus_seconds(PATIENCE_SECONDS)
    }

    /// One question; true if something was learnt.
    pub(super) async fn ask_provider(&self, record: &Record, forms: &[Signable]) -> Look<bool> {
        let Some(provider) = self.settler.provider(&record.quote) else { return Ok(false) };
        let over = self.now().seconds() > record.valid_before.unwrap_or(0).saturating_add(GRACE);
        let refused = record.outcome == Some(Ended::Failed);
        let seen = provider.look(record, forms).await;
        if let Err(error) = &seen {
            tracing::warn!(%error, payment.id = %record.id, "a provider could not say how a payment ended");
        }
        match seen {
            Ok(Seen::Moved { transaction, amount }) => {
                let mut proof = json!({"actual": amount, "proof": "the provider's own word"});
                if let Some(transaction) = transaction {
                    proof["transaction"] = transaction.into();
                }
                self.moved(record, Happens::Settled, Settlement::Verified, proof).await
            }
            Ok(Seen::Over) => {
                let proof = json!({"proof": "the provider's own word that it is closed"});
                self.moved(record, Happens::Dead, Settlement::Failed, proof).await
            }
            // Sent once more it would be refused for its age, and it was refused when it was young.
            Ok(Seen::NotMoved) if refused && over => {
                let proof = json!({"proof": "refused by the provider, which knows of none afterwards"});
                self.moved(record, Happens::Dead, Settlement::Failed, proof).await
            }
            Ok(Seen::Open) => Ok(false),
            // A page is open for as long as its provider does not say otherwise.
            Err(_) if record.quote.op == Op::ReceiveLink => Ok(false),
            Ok(Seen::NotMoved) | Err(_) if over && record.status != Status::Unknown => {
                self.moved(record, Happens::WindowOver, record.settlement, json!({})).await
            }
            Ok(Seen::NotMoved) | Err(_) => Ok(false),
        }
    }
}

/// A provider's pause after this one.
pub(super) fn longer(pause_ms: i64) -> i64 {
    let [.., longest] = PAUSES_MS;
    PAUSES_MS.into_iter().find(|next| *next > pause_ms).unwrap_or(longest)
}
