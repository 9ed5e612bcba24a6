//! The window as an approver. It can be asked before there is a window; questions wait until [`drive`] runs the stage.
//!
//! Whatever goes wrong between a question and its answer – no page, a crash, quitting – is a no.

use async_trait::async_trait;
use countersign_core::{
    approval::{Answer, Gone, Said},
    payment::{Digest, PaymentId},
};
use countersign_desk::approver::{Approver, Change, Showing};
use countersign_vault::Clock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    guard::{Sign, Tick},
    press::Press,
    stage::{Asked, Effect, Now, Stage},
    view::{DecideError, Decision, OutcomeState, Unkept},
};

/// Everything the stage hears of, in one order.
pub enum Input {
    /// Something to ask, under a ticket.
    Ask(u64, Asked),
    /// Nobody waits for it any more.
    Withdraw(u64),
    /// How a payment went on.
    Outcome(String, OutcomeState, Option<Said>),
    /// The answer to this payment could not be remembered.
    Unkept(String, Unkept),
    /// A page listens.
    Attach,
    /// A window tells about itself.
    Sign(u64, Sign),
    /// Something was pressed on a window.
    Press(u64, Press),
    /// A window is gone.
    Closed(u64),
    /// The person's word: id, showing, decision.
    Decide(String, String, Decision, oneshot::Sender<Result<(), DecideError>>),
    /// What will be signed.
    Raw(String, oneshot::Sender<Vec<(Said, String)>>),
    /// Somebody started Countersign once more, and wants its main window.
    Raise(Option<String>),
    /// The app ends.
    Quit,
}

/// Asks through the approval window.
#[derive(Debug)]
pub struct WindowApprover {
    inputs: mpsc::UnboundedSender<Input>,
    tickets: AtomicU64,
}

/// The other end: what was asked and not yet put on a stage.
pub type Inputs = mpsc::UnboundedReceiver<Input>;

impl WindowApprover {
    /// An approver and the end that [`drive`] takes.
    pub fn new() -> (Arc<Self>, Inputs) {
        let (inputs, heard) = mpsc::unbounded_channel();
        (Arc::new(Self { inputs, tickets: AtomicU64::new(1) }), heard)
    }

    /// Where windows and commands put what they have to say.
    pub fn inputs(&self) -> mpsc::UnboundedSender<Input> {
        self.inputs.clone()
    }

    /// Puts an item and takes it back when the future is dropped.
    async fn put<T>(&self, asked: Asked, answer: oneshot::Receiver<T>) -> Option<T> {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        self.inputs.send(Input::Ask(ticket, asked)).ok()?;
        let _withdraw = Withdraw { inputs: &self.inputs, ticket };
        answer.await.ok()
    }
}

/// Takes a question back when nobody waits for it any more; without meaning after an answer.
struct Withdraw<'a> {
    inputs: &'a mpsc::UnboundedSender<Input>,
    ticket: u64,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        let _ = self.inputs.send(Input::Withdraw(self.ticket));
    }
}

#[async_trait]
impl Approver for WindowApprover {
    fn reachable(&self) -> bool {
        !self.inputs.is_closed()
    }

    async fn ask(&self, showing: Showing) -> Answer {
        let (answer, heard) = oneshot::channel();
        // The app is ending: nobody says anything any more.
        self.put(Asked::Question(Box::new(showing), answer), heard).await.unwrap_or(Answer::Gone(Gone::Quit))
    }

    async fn confirm(&self, change: Change) -> bool {
        let mut nonce = [0; 16];
        if getrandom::fill(&mut nonce).is_err() {
            return false;
        }
        let shown = serde_json::to_vec(&(&change.title, &change.lines)).unwrap_or_default();
        let hash = Digest::of(&[b"countersign change 1", &nonce, change.id.as_bytes(), &shown]);
        let (answer, heard) = oneshot::channel();
        self.put(Asked::Change(change, hash, answer), heard).await.unwrap_or(false)
    }

    fn outcome(&self, payment: &PaymentId, state: &str, detail: Option<Said>) {
        let state = match state {
            "signed" => OutcomeState::Signed,
            "settled" => OutcomeState::Settled,
            "claimed" => OutcomeState::Claimed,
            "failed" => OutcomeState::Failed,
            _ => OutcomeState::Unknown,
        };
        let _ = self.inputs.send(Input::Outcome(payment.to_string(), state, detail));
    }

    fn raise(&self, page: Option<String>) -> bool {
        self.inputs.send(Input::Raise(page)).is_ok()
    }
}

/// The window as the stage needs it.
pub trait Face: Send + Sync {
    /// Carries an effect out, soon and in order.
    fn perform(&self, effect: Effect);

    /// Brings the main window to the front, on this page. It answers nothing.
    fn raise(&self, page: Option<String>);
}

/// How often a shown question looks whether the computer slept.
const WATCH: Duration = Duration::from_secs(1);
/// How much longer a moment may take on the clock that counts sleep.
const SLEPT: i64 = 3000;

/// Runs the stage until [`Input::Quit`]; then everything still waiting is a no.
pub async fn drive(mut inputs: Inputs, mut stage: Stage, clock: Arc<dyn Clock>, face: Arc<dyn Face>) {
    let start = Instant::now();
    let tick = || Tick::try_from(start.elapsed().as_millis()).unwrap_or(Tick::MAX);
    let lag = |tick: Tick| clock.boot_ms().saturating_sub(i64::try_from(tick).unwrap_or(i64::MAX));
    let mut usual = lag(tick());
    loop {
        let now = tick();
        let mut wait = stage.due().map(|at| Duration::from_millis(at.saturating_sub(now)));
        if stage.asking() {
            wait = Some(wait.map_or(WATCH, |w| w.min(WATCH)));
        }
        let input = match wait {
            Some(wait) => tokio::select! {
                input = inputs.recv() => input,
                () = tokio::time::sleep(wait) => None,
            },
            None => inputs.recv().await,
        };
        let now = Now { tick: tick(), wall: clock.wall() };
        let lags = lag(now.tick);
        if lags.saturating_sub(usual) > SLEPT {
            stage.slept(now);
        }
        usual = lags;
        match input {
            None if wait.is_none() => return,
            None => stage.advance(now),
            Some(Input::Quit) => return,
            Some(Input::Raise(page)) => face.raise(page),
            Some(input) => take(&mut stage, now, input),
        }
        for effect in stage.take_effects() {
            face.perform(effect);
        }
    }
}

fn take(stage: &mut Stage, now: Now, input: Input) {
    match input {
        Input::Ask(ticket, asked) => stage.ask(now, ticket, asked),
        Input::Withdraw(ticket) => stage.withdraw(now, ticket),
        Input::Outcome(id, state, text) => stage.outcome(now, &id, state, text),
        Input::Unkept(id, why) => stage.unkept(now, &id, why),
        Input::Attach => stage.attach(now),
        Input::Sign(window, sign) => stage.sign(now, window, sign),
        Input::Press(window, press) => stage.press(now, window, press),
        Input::Closed(window) => stage.closed(now, window),
        Input::Decide(id, hash, decision, reply) => drop(reply.send(stage.decide(now, &id, &hash, decision))),
        Input::Raw(id, reply) => drop(reply.send(stage.raw(&id))),
        Input::Raise(_) | Input::Quit => {}
    }
}
