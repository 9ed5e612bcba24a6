//! Asking a person: one question, frozen; a yes covers what was on screen, and everything is judged again after it.

use countersign_core::{
    approval::{Answer, Question, Said},
    payment::PaymentId,
    policy::Approved,
    rail::Quoted,
    status::Event as Happens,
};
use countersign_vault::{Record, Rejudged, Reservation, Reserved, Waiting};
use std::time::Duration;
use url::Url;

use crate::{
    approver::Showing,
    desk::{Desk, vault_problem},
    event::Event,
    pay::random,
    problem::{Code, Problem},
    request::Request,
    story::{Progress, Telling},
    view::outcome_of,
};

impl Desk {
    /// Puts the question until it is answered, over or moot. `Err(record)` is a payment that was refused.
    pub(crate) async fn ask_person(
        &self,
        request: &Request,
        url: &Url,
        mut waiting: Waiting,
        telling: &mut Telling,
    ) -> Result<Result<Reservation, Record>, Problem> {
        let id = waiting.record.id.clone();
        tracing::Span::current().record("payment.id", id.as_str());
        self.stories.names(telling, &id);
        if !self.approver.reachable() {
            let record = self.vault.end_waiting(&id, Happens::Denied, "no_approver").await.map_err(vault_problem)?;
            return Ok(Err(record));
        }
        telling.says(Progress::Asking(id.clone()));
        loop {
            let showing = Showing { question: self.question(&waiting), nonce: random()? };
            let (hash, shown) = (showing.display_hash(), showing.question.clone());
            self.tell(Event::Asked(Box::new(showing.question.clone())));
            let answer = match self.hear(request, &waiting, showing).await? {
                Heard::Answer(answer) => answer,
                Heard::Moot(end) => {
                    self.answered(&id, if end.is_ok() { "yes" } else { "cancelled" });
                    return Ok(*end);
                }
            };
            telling.says(Progress::Working);
            if request.is_moot() {
                self.answered(&id, "cancelled");
                return Ok(Err(self.gone(&id).await?));
            }
            let answer = match answer {
                Answer::Yes(yes) if yes.display_hash != hash || !shown.is_about(&waiting.record.quote) => Answer::No,
                other => other,
            };
            let (word, how) = match &answer {
                Answer::Yes(_) => ("yes", Happens::Reserved),
                Answer::No | Answer::Gone(_) => ("no", Happens::Declined),
                Answer::Silence => ("expired", Happens::Expired),
            };
            let through = match &answer {
                Answer::Gone(gone) => gone.as_str(),
                _ => "person",
            };
            self.answered(&id, word);
            let ended = match waiting.needs.answer(answer) {
                Ok(approved) => {
                    let reserved = match self.reserve(request, url, approved, &waiting.record).await {
                        Ok(reserved) => reserved,
                        Err(problem) => return Err(self.cut_off(&waiting.record, problem).await),
                    };
                    match reserved {
                        Reserved::Reservation(reservation) => Ok(*reservation),
                        Reserved::Refused(record) | Reserved::Moved(record) => {
                            let rule = record.decision.rule.clone();
                            self.approver.outcome(&id, "failed", Some(Said::EndRefused { rule }));
                            Err(*record)
                        }
                        Reserved::Again(again) => {
                            waiting = *again;
                            telling.says(Progress::Asking(id.clone()));
                            continue;
                        }
                    }
                }
                Err(_) => Err(self.vault.end_waiting(&id, how, through).await.map_err(vault_problem)?),
            };
            self.look_again();
            return Ok(ended);
        }
    }

    /// A yes that could not be carried out: the question is over, and the agent is told with the payment as it stands.
    async fn cut_off(&self, record: &Record, problem: Problem) -> Problem {
        self.approver.outcome(&record.id, "failed", Some(end_of(problem.code)));
        // Nobody refused: the question is over, as one that ran out of time is.
        let ended = self.vault.end_waiting(&record.id, Happens::Expired, "fault").await;
        let record = ended.as_ref().unwrap_or(record);
        Problem::about(problem.code, problem.detail, outcome_of(record, &self.registry))
    }

    /// Ends what waits for a server that was removed meanwhile.
    async fn gone(&self, id: &PaymentId) -> Result<Record, Problem> {
        self.approver.outcome(id, "failed", Some(Said::EndRemoved {}));
        let ended = self.vault.end_waiting(id, Happens::Cancelled, "removed").await.map_err(vault_problem);
        self.look_again();
        ended
    }

    async fn reserve(&self, request: &Request, url: &Url, yes: Approved, record: &Record) -> Result<Reserved, Problem> {
        let reserved = match self.signables(&record.quote, &self.offer(&record.id).await?) {
            Err(problem) if problem.code == Code::OfferExpired => {
                let Quoted { offer, .. } = self.renew(request, url, record).await?;
                self.vault.reserve_renewed(yes, self.signables(&record.quote, &offer)?, offer).await
            }
            signables => self.vault.reserve(yes, signables?).await,
        };
        reserved.map_err(vault_problem)
    }

    /// The kept offer of a payment that waits.
    async fn offer(&self, payment: &PaymentId) -> Result<String, Problem> {
        let kept = self.vault.detail(payment, "offer").await.map_err(vault_problem)?;
        Ok(String::from_utf8(kept.unwrap_or_default()).unwrap_or_default())
    }

    /// Waits for the person, for the deadline, or until the question is moot.
    async fn hear(&self, request: &Request, waiting: &Waiting, showing: Showing) -> Result<Heard, Problem> {
        let left = showing.question.expires_at.0.saturating_sub(self.now().0).max(0);
        let deadline = tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
        let asking = self.approver.ask(showing);
        let offer = self.offer(&waiting.record.id).await?;
        let mut look_again = self.look_again.subscribe();
        tokio::pin!(asking, deadline);
        loop {
            tokio::select! {
                answer = &mut asking => return Ok(Heard::Answer(answer)),
                () = &mut deadline => return Ok(Heard::Answer(Answer::Silence)),
                Ok(()) = look_again.changed() => {
                    if request.is_moot() {
                        return Ok(Heard::Moot(Box::new(Err(self.gone(&waiting.record.id).await?))));
                    }
                    // A price that expired meanwhile is not taken anew for this: the person answers, or it ends.
                    let signables = self.signables(&waiting.record.quote, &offer).unwrap_or_default();
                    match self.vault.rejudge_waiting(&waiting.record.id, signables).await {
                        Ok(Rejudged::Still) => {}
                        Ok(Rejudged::Reserved(reservation)) => return Ok(Heard::Moot(Box::new(Ok(*reservation)))),
                        Ok(Rejudged::Refused(record) | Rejudged::Moved(record)) => return Ok(Heard::Moot(Box::new(Err(*record)))),
                        Err(error) => tracing::warn!(%error, "a waiting payment could not be judged again; it still waits for its answer"),
                    }
                }
            }
        }
    }

    fn question(&self, waiting: &Waiting) -> Question {
        let record = &waiting.record;
        let expires = record.expires_at.unwrap_or_else(|| self.now().plus_seconds(self.approval_seconds));
        Question::freeze(
            &record.id,
            record.agent.as_str(),
            &waiting.behind,
            &record.quote,
            waiting.needs.decision(),
            &waiting.history,
            &self.registry,
            waiting.reason.as_deref(),
            waiting.seller.as_deref(),
            expires,
        )
    }

    fn answered(&self, id: &PaymentId, answer: &'static str) {
        self.tell(Event::Answered { payment: id.clone(), answer });
    }
}

/// What a person is told of a yes that came to nothing.
fn end_of(code: Code) -> Said {
    match code {
        Code::Paused => Said::EndPaused {},
        Code::Locked => Said::EndLocked {},
        Code::OfferExpired => Said::EndExpired {},
        other => Said::EndProblem { code: other.as_str().to_owned() },
    }
}

enum Heard {
    Answer(Answer),
    /// The payment went on, or ended, without this answer.
    Moot(Box<Result<Reservation, Record>>),
}
