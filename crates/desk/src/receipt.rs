//! The seller's answer brought by the caller, when the caller sent the credential itself.

use countersign_core::{
    payment::{Caller, PaymentId},
    rail::Receipt,
    status::Settlement,
};
use countersign_vault::Note;
use std::sync::Arc;

use crate::{
    desk::{Desk, vault_problem},
    outcome::Outcome,
    problem::{Code, Problem},
    view::outcome_of,
};

impl Desk {
    /// Notes what the seller claims. The caller's word about the seller's word: never proof, and it frees nothing.
    pub async fn receipt(self: &Arc<Self>, caller: &Caller, id: &PaymentId, header: &str) -> Result<Outcome, Problem> {
        let record = self.own(caller, id).await?;
        if !record.quote.payee.claimed {
            return Err(Problem::new(
                Code::BadRequest,
                "Countersign sent this payment itself and has read the seller's answer; a receipt is for payments you sent",
            ));
        }
        if !record.status.holds() {
            return Err(Problem::new(
                Code::BadRequest,
                format!("the payment is {}, there is no receipt for it", record.status.api()),
            ));
        }
        let rail = self.rail(&record.quote.rail)?;
        let headers: Vec<(String, String)> =
            rail.receipt_headers().iter().map(|n| ((*n).to_owned(), header.to_owned())).collect();
        let (settlement, transaction) = match rail.receipt(&record.quote, 200, &headers, &[]) {
            Receipt::Success { transaction } => (Settlement::Claimed, Some(transaction)),
            Receipt::Pending { transaction } => (Settlement::Unknown, Some(transaction)),
            Receipt::Failed { .. } => (Settlement::Failed, None),
            Receipt::Absent | Receipt::Unreadable | Receipt::Doubtful { .. } => {
                return Err(Problem::new(Code::BadRequest, "`header` is not a receipt of this payment"));
            }
        };
        if record.settlement == Settlement::Verified {
            return Ok(outcome_of(&record, &self.registry));
        }
        let note = Note {
            settlement: Some(settlement),
            transaction: transaction.filter(|t| !t.is_empty()),
            why: Some("receipt_from_caller".to_owned()),
            ..Note::default()
        };
        let record = self.vault.note(id, note).await.map_err(vault_problem)?;
        self.look_later(&record);
        Ok(outcome_of(&record, &self.registry))
    }
}
