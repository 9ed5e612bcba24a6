//! Between the ledger and the seller, where a payment is a token: asked for, written down, then shown.

use countersign_core::{
    approval::Said,
    signable::{Signable, spt::Spt},
    status::Settlement,
    text::clean,
};
use countersign_vault::{Note, Outcome as Ended, Record};

use crate::{
    desk::Desk,
    issuer::NotIssued,
    outcome::{Outcome, ResponseView},
    pay::window_over,
    view::outcome_of,
};

/// The kept body that a payment's token is.
pub const TOKEN: &str = "token";

impl Desk {
    /// A form with its token in the place of a signature, once that is written down: the one that is there, or the one that is asked
    /// for. `Err` is what the agent is told where there is none to show.
    pub(crate) async fn issue(&self, record: &Record, spt: &Spt) -> Result<[(Signable, Vec<u8>); 1], Box<Outcome>> {
        let form = |token| Ok([(Signable::Spt(spt.clone()), token)]);
        let late = || window_over(record, self.now());
        let too_late = || NotIssued::Unclear("its time was over before it could be shown".to_owned());
        match self.vault.detail(&record.id, TOKEN).await {
            Ok(Some(token)) if !late() => return form(token),
            Ok(Some(_)) => return Err(self.no_token(record, too_late()).await),
            Ok(None) => {}
            Err(error) => return Err(self.no_token(record, NotIssued::Unclear(error.to_string())).await),
        }
        let issued = match &self.issuer {
            Some(issuer) => issuer.issue(spt).await,
            None => Err(NotIssued::Refused("nobody issues tokens here".to_owned())),
        };
        let token = match issued {
            Ok(token) => token.into_bytes(),
            Err(why) => return Err(self.no_token(record, why).await),
        };
        // Whoever looks for the payment's end later knows it by its token.
        let note = Note {
            why: Some("token_issued".to_owned()),
            detail: vec![(TOKEN.to_owned(), token.clone())],
            ..Note::default()
        };
        match self.vault.note(&record.id, note).await {
            Ok(_) if late() => Err(self.no_token(record, too_late()).await),
            Ok(_) => form(token),
            Err(error) => Err(self.no_token(record, NotIssued::Unclear(error.to_string())).await),
        }
    }

    /// Notes why there is none: refused, the payment failed; in doubt, the same request may go on.
    async fn no_token(&self, record: &Record, why: NotIssued) -> Box<Outcome> {
        let (text, ended, end) = match &why {
            NotIssued::Refused(why) => {
                (format!("nothing was paid: {why}"), Ended::Failed, Said::EndUnsigned { why: clean(why) })
            }
            NotIssued::Unclear(why) => {
                let text = format!("the seller was shown no payment yet, and the same request again goes on: {why}");
                (text, Ended::Unknown, Said::EndOpen {})
            }
        };
        let response = ResponseView::new(402, &[], Some(clean(&text).as_bytes()));
        let refused = ended == Ended::Failed;
        let answer = || ("answer".to_owned(), serde_json::to_vec(&response).unwrap_or_default());
        let note = Note {
            settlement: refused.then_some(Settlement::Failed),
            outcome: Some(ended),
            why: Some(if refused { "token_refused" } else { "token_unclear" }.to_owned()),
            detail: refused.then(answer).into_iter().collect(),
            ..Note::default()
        };
        let noted = self.vault.note(&record.id, note).await;
        if let Err(error) = &noted {
            tracing::error!(%error, "a payment without a token could not be noted; the amount stays held");
        }
        self.approver.outcome(&record.id, if refused { "failed" } else { "unknown" }, Some(end));
        let mut outcome = outcome_of(noted.as_ref().unwrap_or(record), &self.registry);
        outcome.response = Some(response);
        Box::new(outcome)
    }
}
