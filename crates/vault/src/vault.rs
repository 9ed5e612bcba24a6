//! The vault as the desk sees it: one method a verb. Everything durable happens in the ledger's writer.

mod guard;
mod logins;
mod merchants;
mod payees;
mod people;
mod stripe;

use countersign_core::{
    Millis,
    approval::History,
    payment::{AgentName, Caller, Digest, IdempotencyKey, PaymentId, Quote, SessionId},
    policy::{Approved, BudgetView, By, budgets_of},
    signable::Signable,
    status::{Event, Settlement},
};
use futures_channel::oneshot;
use std::{path::PathBuf, sync::Arc};

use crate::{
    activity::{Activity, Word},
    config::VerifyReport,
    error::{Health, OpenError, SignError, VaultError},
    keys::Guarded,
    ledger::{
        Again, Ledger, Mark,
        backup::{BackupError, Checked},
        verb,
    },
    open::Open,
    point::point,
    record::{Explained, Filter, Note, Page, Record},
    sign,
    verbs::{Admit, Admitted, Lookup, Rejudged, Reservation, Reserved, Signed},
};

/// Ledger and keys of one data directory. Clones are handles to the same one; the last one to go flushes and closes it.
#[derive(Clone)]
pub struct Vault(Arc<Ledger>);

impl Vault {
    /// Takes the data directory. A fault that only forbids writing gives a vault that may be looked at.
    pub fn open(open: Open) -> Result<Self, OpenError> {
        Ok(Self(Arc::new(Ledger::open(open)?)))
    }

    /// Whether money can move.
    pub fn health(&self) -> Health {
        match self.0.shared.view().health(self.0.shared.clock.wall()) {
            Health::Ok if self.guarded() == Guarded::Locked => Health::Locked,
            health => health,
        }
    }

    /// What is known of a key, before any request leaves. Answers even when nothing may be written.
    pub async fn lookup(&self, agent: &AgentName, key: &IdempotencyKey, request: Digest) -> Result<Lookup, VaultError> {
        self.0.read(|conn| verb::lookup(conn, agent, key, request))
    }

    /// Judges and writes down, in one durable transaction.
    pub async fn admit(&self, admit: Admit) -> Result<Admitted, VaultError> {
        self.0.write(move |tx| verb::admit(tx, admit)).await
    }

    /// Whether policy would refuse this payment as things stand; writes nothing.
    pub async fn denies(&self, payment: &PaymentId, quote: &Quote, caller: &Caller) -> Result<bool, VaultError> {
        let (payment, quote, caller) = (payment.clone(), quote.clone(), caller.clone());
        self.0.write(move |tx| verb::denies(tx, &payment, &quote, &caller)).await
    }

    /// Judges again after a yes, and holds.
    pub async fn reserve(&self, yes: Approved, signables: Vec<Signable>) -> Result<Reserved, VaultError> {
        self.0.write(move |tx| verb::reserve(tx, yes, signables, None)).await
    }

    /// The same where the offer expired while the person decided: this one takes its place. The forms are held against the
    /// payment's own price all the same.
    pub async fn reserve_renewed(
        &self,
        yes: Approved,
        signables: Vec<Signable>,
        offer: String,
    ) -> Result<Reserved, VaultError> {
        self.0.write(move |tx| verb::reserve(tx, yes, signables, Some(offer))).await
    }

    /// Ends a waiting question: declined, expired or cancelled. One that is over already is answered as it stands.
    ///
    /// `through` says where: `window`, `terminal`, …; with `lock`, `sleep`, `quit` or `no_approver` it is no person's judgement.
    pub async fn end_waiting(&self, payment: &PaymentId, how: Event, through: &str) -> Result<Record, VaultError> {
        let (payment, through) = (payment.clone(), through.to_owned());
        self.0.write(move |tx| verb::end_waiting(tx, &payment, how, &through)).await
    }

    /// Looks at a waiting payment again: other answers may have made room, or taken it. Without forms it is not let through.
    pub async fn rejudge_waiting(&self, payment: &PaymentId, signables: Vec<Signable>) -> Result<Rejudged, VaultError> {
        let payment = payment.clone();
        self.0.write(move |tx| verb::rejudge(tx, &payment, signables)).await
    }

    /// Computes every signature, or none. Blocks while the key store does, at most ten seconds.
    ///
    /// A reservation that ends here without any signature gives its hold back.
    pub fn sign(&self, mut reservation: Reservation) -> Result<Signed, SignError> {
        let shared = &self.0.shared;
        if !Arc::ptr_eq(&reservation.dropped.marks, &shared.marks) {
            return Err(SignError::Unhealthy("the reservation belongs to another ledger".into()));
        }
        let wall = shared.clock.wall();
        let view = shared.view();
        view.may_pay(&reservation.record.agent, wall).map_err(refused)?;
        if view.doubts.any() && !matches!(reservation.record.by, Some(By::Person(_))) {
            let why = "policy, clock or history came into doubt meanwhile; a person has to be asked";
            return Err(SignError::Unhealthy(why.into()));
        }
        if reservation.forms.iter().any(|form| wall.seconds() >= form.valid_before()) {
            return Err(SignError::Failed("its validity window is over".into()));
        }
        let hands = self.hands(&reservation.forms)?;
        point("sign.reserved");
        reservation.dropped.armed = false;
        let forms = std::mem::take(&mut reservation.forms);
        match sign_all(forms, &hands) {
            Ok(forms) => {
                point("sign.signed");
                shared.marks.leave(Mark::Signed(reservation.record.id.clone()));
                Ok(Signed { record: reservation.record, forms, offer: reservation.offer })
            }
            Err((computed, error)) => {
                reservation.dropped.armed = computed == 0;
                Err(error)
            }
        }
    }

    /// Whether every key that [`Self::sign`] needs is in memory, so that it does not block.
    pub fn has_keys_of(&self, reservation: &Reservation) -> bool {
        let loaded = |wallet| self.0.shared.keys.loaded_signer(wallet).is_some();
        reservation.forms.iter().all(|form| sign::wallet(form).is_some_and(loaded))
    }

    fn hands(&self, forms: &[Signable]) -> Result<Vec<sign::Hand>, SignError> {
        let keys = &self.0.shared.keys;
        let hand = |form: &Signable| {
            let found = match (sign::wallet(form), form) {
                (Some(wallet), _) => {
                    self.0.shared.uses_keys();
                    match keys.loaded_signer(wallet) {
                        Some(signer) => Ok(sign::Hand::Wallet(signer)),
                        None => keys.signer(&form.signer()).map(sign::Hand::Wallet),
                    }
                }
                (None, Signable::Handed(_)) => Ok(sign::Hand::Nobody),
                (None, Signable::Spt(spt)) => keys.can_issue(spt).map(|()| sign::Hand::Nobody),
                (None, _) => keys.merchant_key().map(sign::Hand::Merchant),
            };
            found.map_err(|error| guard::no_key(&form.signer(), error))
        };
        forms.iter().map(hand).collect()
    }

    /// The same signatures again for a repeat inside the window; none outside it.
    pub async fn sign_again(&self, payment: &PaymentId) -> Result<Option<Signed>, VaultError> {
        let id = payment.clone();
        let Some(Again { record, forms, offer }) = self.0.write(move |tx| verb::again(tx, &id)).await? else {
            return Ok(None);
        };
        let own = self.clone();
        let signed =
            aside(move || own.hands(&forms).and_then(|hands| sign_all(forms, &hands).map_err(|(_, error)| error)))
                .await?;
        let shared = &self.0.shared;
        shared.view().may_pay(&record.agent, shared.clock.wall())?;
        let forms = signed.map_err(|error| match error {
            SignError::Locked => VaultError::Locked,
            other => VaultError::Refused(other.to_string()),
        })?;
        shared.marks.leave(Mark::Signed(record.id.clone()));
        Ok(Some(Signed { record, forms, offer }))
    }

    /// Waits until what was marked so far is written down, or cannot be.
    pub async fn flush(&self) {
        self.0.write(|_| Ok(())).await.ok();
    }

    /// Notes that the credential left; written with the next commit.
    pub fn mark_delivered(&self, payment: &PaymentId) {
        self.0.shared.marks.leave(Mark::Delivered(payment.clone()));
    }

    /// Writes something down beside a payment.
    pub async fn note(&self, payment: &PaymentId, note: Note) -> Result<Record, VaultError> {
        let payment = payment.clone();
        self.0.write(move |tx| verb::note(tx, &payment, note)).await
    }

    /// Writes down whether the provider of an open page is asked about it from here on. Of anything else that cannot be stopped.
    pub async fn watch(&self, payment: &PaymentId, watched: bool) -> Result<Record, VaultError> {
        let payment = payment.clone();
        self.0.write(move |tx| verb::watch(tx, &payment, watched)).await
    }

    /// Moves a payment on evidence: settled, window over, dead.
    ///
    /// Of `evidence`, `transaction` is kept as the payment's, and `actual` (atomic units, a string) below the exposure gives
    /// the rest back to the budgets; everything is stored.
    pub async fn advance(
        &self,
        payment: &PaymentId,
        event: Event,
        settlement: Settlement,
        evidence: serde_json::Value,
    ) -> Result<Record, VaultError> {
        let payment = payment.clone();
        self.0.write(move |tx| verb::advance(tx, &payment, event, settlement, evidence)).await
    }

    /// One payment.
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Record>, VaultError> {
        self.0.read(|conn| Ok(verb::by_id(conn, id)?.map(|stored| stored.record)))
    }

    /// Payments, newest first.
    pub async fn payments(&self, filter: Filter) -> Result<Page, VaultError> {
        self.0.read(|conn| verb::page(conn, &filter))
    }

    /// A kept body, unless it was forgotten: `url`, `offer`, `reason`, `seller`, and what [`Self::note`] was given.
    pub async fn detail(&self, id: &PaymentId, kind: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.0.read(|conn| verb::detail(conn, id, kind))
    }

    /// Brings the end of every kept answer forward by `earlier` milliseconds, and to `latest` at most; forgets what is over then.
    pub async fn keep_shorter(&self, earlier: i64, latest: Millis) -> Result<(), VaultError> {
        self.0.write(move |tx| verb::keep_shorter(tx, earlier, latest)).await
    }

    /// Payments that may still move, oldest first, with what was signed.
    pub async fn open_payments(&self) -> Result<Vec<(Record, Vec<Signable>)>, VaultError> {
        self.0.read(verb::open)
    }

    /// Names of payments that may still move, with the end of their window in Unix seconds; `unknown` ones only if wanted.
    pub async fn open_ids(&self, unknown: bool) -> Result<Vec<(PaymentId, u64)>, VaultError> {
        self.0.read(|conn| verb::open_ids(conn, unknown))
    }

    /// One payment that may still move, with what was signed; none if it has its end.
    pub async fn open_payment(&self, id: &PaymentId) -> Result<Option<(Record, Vec<Signable>)>, VaultError> {
        self.0.read(|conn| verb::open_one(conn, id))
    }

    /// Facts, judgements and steps of one payment.
    pub async fn explain(&self, id: &PaymentId) -> Result<Option<Explained>, VaultError> {
        self.0.read(|conn| verb::explain(conn, id))
    }

    /// What an agent may still spend.
    pub async fn budgets(
        &self,
        agent: &AgentName,
        session: &SessionId,
        testnet: bool,
    ) -> Result<Vec<BudgetView>, VaultError> {
        let (agent, session) = (agent.clone(), session.clone());
        self.0
            .write(move |tx| {
                let view = Arc::clone(&tx.view);
                let policy = view.policy.as_ref().ok_or_else(|| VaultError::Storage("there is no policy".into()))?;
                let mut usage =
                    verb::Fresh { conn: tx.conn, counters: &mut tx.mem.counters, full_until: view.full_until };
                budgets_of(policy, &agent, &session, tx.now.at, testnet, &mut usage)
            })
            .await
    }

    /// What is known of an agent's payee.
    pub async fn history(&self, agent: &AgentName, quote: &Quote) -> Result<History, VaultError> {
        let view = self.0.shared.view();
        self.0.read(|conn| verb::history(conn, view.policy.as_deref(), agent, quote))
    }

    /// The read model of this ledger; `word` says how a payment stands.
    pub fn activity(&self, word: Word) -> Activity {
        Activity::new(self.0.shared.ledger.clone(), word)
    }

    /// Checks the whole ledger, beside the work.
    pub async fn verify(&self) -> Result<VerifyReport, VaultError> {
        let own = self.clone();
        let mut report = aside(move || own.0.verify()).await??;
        report.faults.extend(self.doubts().history.map(|why| why.to_string()));
        Ok(report)
    }

    /// Proves a backup for this place and counts what is in it, beside the work. Changes nothing; one at a time.
    pub async fn check_backup(&self, file: PathBuf) -> Result<Checked, BackupError> {
        let own = self.clone();
        let checked = aside(move || own.0.check_backup(&file)).await;
        checked.unwrap_or_else(|error| Err(BackupError::Failed(error.to_string())))
    }

    /// Flushes marks, checkpoints, writes the anchor and lets the data directory go with the last handle. Later calls fail.
    pub async fn shutdown(self) {
        aside(move || self.0.stop()).await.ok();
    }
}

fn refused(error: VaultError) -> SignError {
    match error {
        VaultError::Paused => SignError::Paused,
        VaultError::Locked => SignError::Locked,
        other => SignError::Unhealthy(other.to_string()),
    }
}

type Forms = Vec<(Signable, Vec<u8>)>;

/// Signs every form; an error says how many signatures were computed before it.
fn sign_all(forms: Vec<Signable>, hands: &[sign::Hand]) -> Result<Forms, (usize, SignError)> {
    let mut signed = Vec::with_capacity(forms.len());
    for (form, hand) in forms.into_iter().zip(hands) {
        match sign::sign_by(hand, &form) {
            Ok(bytes) => signed.push((form, bytes)),
            Err(sign::SignError::Locked) => return Err((signed.len(), SignError::Locked)),
            Err(error) => return Err((signed.len(), SignError::Failed(error.to_string()))),
        }
    }
    Ok(signed)
}

/// Runs something that blocks on a thread of its own, so that no runtime's worker waits for a disk or a keyring.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, VaultError> {
    let (done, result) = oneshot::channel();
    let broken = |why: String| VaultError::Storage(format!("a thread failed: {why}"));
    std::thread::Builder::new()
        .name("countersign-aside".into())
        .spawn(move || done.send(work()).is_ok())
        .map_err(|e| broken(e.to_string()))?;
    result.await.map_err(|e| broken(e.to_string()))
}
