//! From a durable reservation to what the agent gets: sign, send once, write down what came back.

use countersign_core::{
    approval::Said,
    payment::Op,
    rail::{Credential, Receipt},
    signable::{Signable, handed::Handed},
    status::Settlement,
    text::clean,
};
use countersign_vault::{Note, Outcome as Ended, Record, Reservation, SignError, Signed};
use url::Url;

use crate::{
    desk::{Desk, KEPT_BODY, vault_problem},
    event::Event,
    outcome::{CredentialView, Outcome, OutcomeStatus, ResponseView},
    pay::window_over,
    problem::{Code, Problem},
    request::{Act, Request},
    story::{Followed, Progress, Telling, follow},
    view::{answer_of, outcome_of, status_of},
    wire::{Answer, Outgoing},
};

impl Desk {
    /// Signs and delivers: to the caller, or with the paid request we make ourselves.
    pub(crate) async fn deliver(
        &self,
        request: &Request,
        url: &Url,
        reservation: Reservation,
        telling: &mut Telling,
    ) -> Result<Outcome, Problem> {
        let record = reservation.record().clone();
        let id = record.id.clone();
        tracing::Span::current().record("payment.id", id.as_str());
        telling.says(Progress::Working);
        let signed = match self.sign(reservation).await {
            Ok(signed) => signed,
            Err(error) => return Err(self.unsigned(record, &error).await),
        };
        self.approver.outcome(&id, "signed", None);
        let outcome = self.send(request, url, &signed, false).await;
        self.look_later(signed.record());
        outcome
    }

    /// Signs here with keys that are in memory; a key store may block while its owner unlocks it, so it gets a thread.
    async fn sign(&self, reservation: Reservation) -> Result<Signed, SignError> {
        if self.vault.has_keys_of(&reservation) {
            return self.vault.sign(reservation);
        }
        let vault = self.vault.clone();
        let signed = tokio::task::spawn_blocking(move || vault.sign(reservation)).await;
        signed.unwrap_or_else(|error| Err(SignError::Failed(error.to_string())))
    }

    /// No credential was made: what the agent is told, with the payment as the ledger has it after giving the hold back.
    async fn unsigned(&self, record: Record, error: &SignError) -> Problem {
        self.approver.outcome(&record.id, "failed", Some(end_of(error)));
        self.vault.flush().await;
        let record = self.vault.payment(&record.id).await.ok().flatten().unwrap_or(record);
        let problem = Problem::about(sign_code(error), error.to_string(), outcome_of(&record, &self.registry));
        match error {
            SignError::NoMerchant(_) => {
                problem.saying("Ask the person to set the merchant up: `countersign alipay setup`.")
            }
            _ => problem,
        }
    }

    async fn send(&self, request: &Request, url: &Url, signed: &Signed, again: bool) -> Result<Outcome, Problem> {
        let record = signed.record();
        let issued;
        let forms = match signed.forms() {
            [(Signable::Spt(spt), _)] => match self.issue(record, spt).await {
                Ok(forms) => {
                    issued = forms;
                    issued.as_slice()
                }
                Err(outcome) => return Ok(*outcome),
            },
            forms => forms,
        };
        let Some(credential) = self.write(signed, forms) else {
            let code = Code::SettlementUnknown;
            let outcome = outcome_of(record, &self.registry);
            return Ok(Outcome {
                status: OutcomeStatus::Unknown,
                code: Some(code.as_str()),
                next: Some(code.next().into()),
                ..outcome
            });
        };
        self.vault.mark_delivered(&record.id);
        match &request.act {
            Act::Pay { .. } => {
                let mut outcome = outcome_of(record, &self.registry);
                outcome.credential = Some(CredentialView::from(credential));
                Ok(outcome)
            }
            Act::Fetch { headers, body } => {
                let outgoing = Outgoing { method: &request.method, url: &request.url, headers, body };
                if let [(Signable::Handed(handed), _)] = signed.forms() {
                    let outgoing = Outgoing { url, ..outgoing };
                    let answer = self.hand_over(handed, record, &credential, &outgoing, again).await;
                    return self.keep(record, answer, false).await;
                }
                let headers: Vec<(String, String)> = credential.headers.into_iter().collect();
                let answer = self.wire.ask_paid(&outgoing, url, &headers).await;
                self.keep(record, answer.map_err(|error| error.to_string()), true).await
            }
            // Of a call only the goods are shown: its headers are prices and receipts in our own spelling.
            Act::Call { carrier, .. } => {
                carrier.pays(&record.quote);
                self.keep(record, carrier.deliver(&credential).await, false).await
            }
        }
    }

    /// Has a program of somebody else pay, once; later it is only asked, by the number it gave.
    async fn hand_over(
        &self,
        handed: &Handed,
        record: &Record,
        credential: &Credential,
        outgoing: &Outgoing<'_>,
        again: bool,
    ) -> Result<Answer, String> {
        let gone = || format!("{} does not pay here any more", handed.program);
        let buyer = self.buyers.get(handed.program.as_str()).ok_or_else(gone)?;
        match &record.transaction {
            Some(number) if again => buyer.ask(number, outgoing).await,
            _ => buyer.buy(handed, credential, outgoing, !again).await,
        }
    }

    fn write(&self, signed: &Signed, forms: &[(Signable, Vec<u8>)]) -> Option<Credential> {
        let record = signed.record();
        let rail = self.rail(&record.quote.rail).ok()?;
        let written = rail.credential(&record.quote, signed.offer(), forms);
        written
            .inspect_err(|error| {
                tracing::error!(%error, "a signed payment could not be written as a credential; it stays held until it can no longer be used");
            })
            .ok()
    }

    /// Writes down what the seller answered, then answers the agent.
    async fn keep(&self, record: &Record, answer: Result<Answer, String>, headers: bool) -> Result<Outcome, Problem> {
        let (note, response, body) = match &answer {
            Ok(answer) => self.read(record, answer, headers)?,
            Err(why) => {
                (Note { outcome: Some(Ended::Unknown), why: Some("no_answer".to_owned()), ..Note::default() }, None, {
                    tracing::warn!(%why, "the paid request got no answer; the payment may still be taken");
                    None
                })
            }
        };
        let record = match self.vault.note(&record.id, note).await {
            Ok(record) => record,
            Err(error) => {
                // The credential left: whatever the ledger says now, the agent must not be told that nothing was paid.
                tracing::error!(%error, "the answer to a paid request could not be written down");
                let mut outcome = outcome_of(record, &self.registry);
                outcome.response = response;
                self.approver.outcome(&record.id, "unknown", Some(Said::EndUnwritten {}));
                return Ok(outcome);
            }
        };
        if let Some(body) = body {
            let kept = Note {
                detail: vec![("body".to_owned(), body)],
                detail_until: Some(self.habits.keep_until(self.now())),
                why: Some("body_kept".to_owned()),
                ..Note::default()
            };
            if let Err(error) = self.vault.note(&record.id, kept).await {
                tracing::warn!(%error, "the answer's body is not kept for a repeat");
            }
        }
        let mut outcome = outcome_of(&record, &self.registry);
        outcome.response = response;
        self.tell(Event::Moved { payment: record.id.clone(), state: record.status.api() });
        let shown = match outcome.status {
            OutcomeStatus::Completed if record.quote.op == Op::Sign => ("signed", Said::EndDelivered {}),
            OutcomeStatus::Completed if record.settlement == Settlement::Claimed => ("claimed", Said::EndClaimed {}),
            OutcomeStatus::Completed => ("signed", Said::EndDelivered {}),
            OutcomeStatus::Failed => ("failed", Said::EndDeclined {}),
            _ => ("unknown", Said::EndOpen {}),
        };
        self.approver.outcome(&record.id, shown.0, Some(shown.1));
        Ok(outcome)
    }

    /// What an answer to a paid request means; never proof.
    #[expect(clippy::type_complexity, reason = "three parts of one answer, used once")]
    fn read(
        &self,
        record: &Record,
        answer: &Answer,
        headers: bool,
    ) -> Result<(Note, Option<ResponseView>, Option<Vec<u8>>), Problem> {
        let receipt =
            self.rail(&record.quote.rail)?.receipt(&record.quote, answer.status, &answer.headers, &answer.body);
        let (ended, settlement, transaction, why) = match (answer.status, receipt) {
            (200..=299, Receipt::Success { transaction }) => {
                (Ended::Completed, Some(Settlement::Claimed), Some(transaction), "receipt")
            }
            (200..=299, _) => (Ended::Completed, None, None, "no_receipt"),
            (402, Receipt::Failed { .. }) => (Ended::Failed, Some(Settlement::Failed), None, "refused_by_seller"),
            (_, Receipt::Pending { transaction }) => (Ended::Unknown, None, Some(transaction), "settlement_pending"),
            (_, Receipt::Success { transaction }) => {
                (Ended::Unknown, Some(Settlement::Claimed), Some(transaction), "receipt_with_error")
            }
            (_, Receipt::Doubtful { reason }) => (Ended::Unknown, None, None, reason),
            _ => (Ended::Unknown, None, None, "no_success"),
        };
        let shown = if headers { answer.headers.as_slice() } else { &[] };
        let mut kept = ResponseView::new(answer.status, shown, None);
        let keeps = !answer.too_large && answer.body.len() <= KEPT_BODY;
        if !keeps {
            kept.body_omitted = Some("too_large".to_owned());
        }
        let head = serde_json::to_vec(&kept).unwrap_or_default();
        let note = Note {
            settlement,
            outcome: Some(ended),
            transaction: transaction.filter(|t| !t.is_empty()),
            why: Some(why.to_owned()),
            detail: vec![("answer".to_owned(), head)],
            detail_until: None,
        };
        let mut response = kept;
        if !answer.too_large {
            response.body_omitted = None;
            response.put_body(Some(&answer.body));
        }
        Ok((note, Some(response), keeps.then(|| answer.body.clone())))
    }

    /// The same request again: the same answer, and while nobody knows and the window is open, the same bytes once more.
    pub(crate) async fn repeat(
        &self,
        request: &Request,
        record: Record,
        telling: &mut Telling,
    ) -> Result<Outcome, Problem> {
        telling.is_repeat();
        if let Some(story) = self.stories.of(&record.id) {
            telling.says(Progress::Asking(record.id.clone()));
            if let Followed::Done(told) = follow(story, u64::from(u32::MAX)).await {
                return told.result;
            }
        }
        let unknown = status_of(&record) == OutcomeStatus::Unknown && record.status.holds();
        if let (Act::Fetch { .. } | Act::Call { .. }, true) =
            (&request.act, unknown && !window_over(&record, self.now()))
            && let Some(url) = self.paid_at(&record).await?
            && let Some(signed) = self.signed_again(&record).await
        {
            return self.send(request, &url, &signed, true).await;
        }
        answer_of(self.full_outcome(&record, true).await?, &record)
    }

    /// The credential of a payment the caller sends itself, while it can still be used.
    pub(crate) async fn credential_again(&self, record: &Record) -> Result<Option<CredentialView>, Problem> {
        if !record.status.holds() || window_over(record, self.now()) {
            return Ok(None);
        }
        Ok(self
            .signed_again(record)
            .await
            .and_then(|signed| self.write(&signed, signed.forms()))
            .map(CredentialView::from))
    }

    /// The same signatures once more; none while paused, locked or over, when the stored outcome is the answer.
    async fn signed_again(&self, record: &Record) -> Option<Signed> {
        self.vault.sign_again(&record.id).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the stored outcome is answered without sending its credential again");
            None
        })
    }

    /// Where the paid request went: the address the price came from, unless it was forgotten.
    async fn paid_at(&self, record: &Record) -> Result<Option<Url>, Problem> {
        let kept = self.vault.detail(&record.id, "url").await.map_err(vault_problem)?;
        Ok(kept.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| Url::parse(&text).ok()))
    }
}

/// What a person is told of a yes that could not be signed.
fn end_of(error: &SignError) -> Said {
    use SignError as E;
    match error {
        E::Paused => Said::EndPaused {},
        E::Locked => Said::EndLocked {},
        E::Unhealthy(why) => Said::EndUnhealthy { why: clean(why) },
        E::NoKey(account) | E::NoMerchant(account) => Said::EndNoKey { account: clean(account) },
        E::Failed(why) => Said::EndUnsigned { why: clean(why) },
    }
}

fn sign_code(error: &SignError) -> Code {
    use SignError as E;
    match error {
        E::Paused => Code::Paused,
        E::Locked => Code::Locked,
        E::Unhealthy(_) => Code::StorageUnavailable,
        E::NoKey(_) | E::NoMerchant(_) => Code::NoWallet,
        E::Failed(_) => Code::Locked,
    }
}
