//! The stage: what stands in the approval window, what waits behind it, and which answer counts. Pure but for the answers it hands on.
//!
//! One item at a time, first come first served. An answer counts only for the item on screen, in the showing that is on screen,
//! once. Whatever takes the item away without an answer is not a yes.

mod asked;
mod untold;

pub use asked::Asked;

use countersign_core::{
    Millis,
    approval::{Gone, Said},
};
use std::collections::VecDeque;

use super::{
    guard::{BLANK, Guard, Sign, Tick},
    press::{self, Press, Presses},
    view::{ApprovalFrame, DecideError, DecideErrorKind, Decision, OutcomeState, Unkept},
};
use asked::Item;
use untold::Untold;

/// How long a good end or a denial stays on screen.
const STAYS: Tick = 2000;
/// How long "signed" stays while the seller has not answered yet.
const STAYS_SIGNED: Tick = 6000;

/// How long a page may take to listen before it is loaded anew.
const COMES: Tick = 5000;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Monotonic.
    pub tick: Tick,
    /// Wall.
    pub wall: Millis,
}

/// What the window has to do.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Make the window; what it tells comes with this number.
    Open(u64),
    /// Show it, without taking the focus.
    Show,
    /// Send to the page.
    Frame(ApprovalFrame),
    /// Load the page anew.
    Reload,
    /// Take the window away.
    Close,
    /// So many items wait now.
    Waiting(usize),
    /// Pause this agent until resumed.
    Pause(String),
}

enum Scene {
    Empty,
    /// Nothing, until then; the page is loaded anew at `again` if it does not listen by then, which gives it `pause`.
    Blank {
        until: Tick,
        again: Tick,
        pause: Tick,
    },
    Item(Item),
    Outcome {
        payment: String,
        state: OutcomeState,
        text: Option<Said>,
        unkept: Option<Unkept>,
        closes: Option<Tick>,
    },
    /// Which answers were not remembered, until the window is closed.
    Notice,
}

fn blank_until(now: Tick, blank: Tick) -> Scene {
    Scene::Blank { until: now.saturating_add(blank), again: now.saturating_add(COMES), pause: COMES }
}

/// See the module.
pub struct Stage {
    queue: VecDeque<Item>,
    scene: Scene,
    guard: Guard,
    presses: Presses,
    attached: bool,
    window: u64,
    said_armed: bool,
    said_waiting: usize,
    last_decided: Option<String>,
    untold: Untold,
    effects: Vec<Effect>,
}

impl Stage {
    /// An empty stage. `arm`: see [`super::guard`].
    pub fn new(arm: Tick) -> Self {
        Self {
            queue: VecDeque::new(),
            scene: Scene::Empty,
            guard: Guard::new(arm),
            presses: Presses::default(),
            attached: false,
            window: 0,
            said_armed: false,
            said_waiting: 0,
            last_decided: None,
            untold: Untold::default(),
            effects: Vec::new(),
        }
    }

    /// Something to be asked; `ticket` names the asking.
    pub fn ask(&mut self, now: Now, ticket: u64, asked: Asked) {
        self.queue.push_back(Item { ticket, asked });
        if let Scene::Outcome { payment, unkept: Some(why), .. } = &self.scene {
            self.untold.add(payment, *why);
        }
        match self.scene {
            Scene::Empty => self.open(now.tick, 0),
            Scene::Outcome { .. } | Scene::Notice => self.blank(now.tick),
            Scene::Blank { .. } | Scene::Item(_) => self.say_queue(),
        }
        self.advance(now);
    }

    /// Nobody waits for this asking any more: it is over in time, withdrawn or moot.
    pub fn withdraw(&mut self, now: Now, ticket: u64) {
        self.queue.retain(|item| item.ticket != ticket);
        if let Scene::Item(item) = &self.scene
            && item.ticket == ticket
        {
            let (id, over) = (item.id(), item.asked.expires().is_some_and(|at| at <= now.wall));
            if over && self.queue.is_empty() {
                self.end(now.tick, id, OutcomeState::Expired, Some(Said::EndSilence {}), None);
            } else {
                self.next(now.tick);
            }
        } else if matches!(self.scene, Scene::Blank { .. }) && self.queue.is_empty() {
            self.close(now.tick);
        } else {
            self.say_queue();
        }
        self.advance(now);
    }

    /// A page is there and listens.
    pub fn attach(&mut self, now: Now) {
        self.attached = true;
        if matches!(self.scene, Scene::Item(_)) {
            self.present(now);
        }
        self.say_untold();
        self.advance(now);
    }

    /// The window tells something about itself.
    pub fn sign(&mut self, now: Now, window: u64, sign: Sign) {
        if window == self.window && self.guard.sign(now.tick, sign) {
            self.presses.forget();
        }
        self.advance(now);
    }

    /// Something was pressed on the window.
    pub fn press(&mut self, now: Now, window: u64, press: Press) {
        if window == self.window {
            self.presses.take(now.tick, press, self.guard.armed(now.tick));
        }
    }

    /// The window is gone, by the person's hand or by a crash: that is a no to what was shown.
    pub fn closed(&mut self, now: Now, window: u64) {
        if window != self.window || matches!(self.scene, Scene::Empty) {
            return;
        }
        self.attached = false;
        // A window that is gone before it could tell is not opened again and again for that.
        if matches!(self.scene, Scene::Notice | Scene::Blank { .. }) && self.queue.is_empty() {
            self.untold.told();
        }
        if let Scene::Item(item) = std::mem::replace(&mut self.scene, Scene::Empty) {
            self.last_decided = Some(item.id());
            item.asked.no();
        }
        self.guard.new_window(now.tick);
        if !self.queue.is_empty() || self.untold.any() {
            self.open(now.tick, BLANK);
        }
        self.advance(now);
    }

    /// The computer slept: what was on screen is denied.
    pub fn slept(&mut self, now: Now) {
        if let Scene::Item(_) = self.scene {
            let text = Some(Said::EndSlept {});
            self.answer(now, |asked| asked.gone(Gone::Slept), OutcomeState::Denied, text);
        }
        self.advance(now);
    }

    /// The person's word, as the page brings it. First failure → no answer, and why.
    pub fn decide(&mut self, now: Now, id: &str, hash: &str, decision: Decision) -> Result<(), DecideError> {
        let result = self.judge(now, id, hash, decision);
        if result.is_ok() {
            match decision {
                Decision::Approve => self.answer(now, Asked::yes, OutcomeState::Signing, None),
                Decision::Deny | Decision::DenyAndPause => {
                    if let (Decision::DenyAndPause, Scene::Item(Item { asked: Asked::Question(showing, _), .. })) =
                        (decision, &self.scene)
                    {
                        self.effects.push(Effect::Pause(showing.question.agent.clone()));
                    }
                    self.answer(now, |asked| asked.no(), OutcomeState::Denied, Some(Said::EndDenied {}));
                }
            }
        }
        self.advance(now);
        result
    }

    fn judge(&self, now: Now, id: &str, hash: &str, decision: Decision) -> Result<(), DecideError> {
        let refuse = |kind, message: &str| Err(DecideError { kind, message: message.to_owned() });
        let Scene::Item(item) = &self.scene else {
            return match &self.last_decided {
                Some(last) if last == id => {
                    refuse(DecideErrorKind::AlreadyDecided, "This question has its answer already.")
                }
                _ => refuse(DecideErrorKind::NotShown, "This question is not on screen."),
            };
        };
        if item.id() != id {
            return refuse(DecideErrorKind::NotShown, "This question is not on screen.");
        }
        if item.asked.hash().to_string() != hash {
            return refuse(DecideErrorKind::OtherShowing, "What was answered is not what is on screen.");
        }
        if item.asked.expires().is_some_and(|at| at <= now.wall) {
            return refuse(DecideErrorKind::Expired, "The time for an answer is over. Nothing was paid.");
        }
        if decision != Decision::Approve {
            return Ok(());
        }
        if !self.guard.armed(now.tick) {
            return refuse(
                DecideErrorKind::NotArmed,
                "Wait a moment: the window must stand still, uncovered and in front.",
            );
        }
        if press::NEEDED && !self.presses.witness(now.tick) {
            return if self.presses.refused_lately(now.tick) {
                refuse(DecideErrorKind::SyntheticPress, "That press was made by a program, not by a hand.")
            } else {
                refuse(DecideErrorKind::NoPress, "Press and release the button yourself.")
            };
        }
        Ok(())
    }

    /// How an approved payment goes on.
    pub fn outcome(&mut self, now: Now, id: &str, state: OutcomeState, text: Option<Said>) {
        if let Scene::Outcome { payment, .. } = &self.scene
            && payment == id
        {
            let stays = match state {
                OutcomeState::Signed if text.is_none() => Some(STAYS_SIGNED),
                OutcomeState::Signed | OutcomeState::Settled | OutcomeState::Claimed | OutcomeState::Denied => {
                    Some(STAYS)
                }
                OutcomeState::Signing | OutcomeState::Unknown | OutcomeState::Failed | OutcomeState::Expired => None,
            };
            self.end(now.tick, id.to_owned(), state, text, stays);
        }
        self.advance(now);
    }

    /// An answer could not be remembered: its end says so until the window is closed. Where something else was asked meanwhile, that
    /// is said once nothing waits any more.
    pub fn unkept(&mut self, now: Now, id: &str, why: Unkept) {
        if let Scene::Outcome { payment, unkept, .. } = &mut self.scene
            && payment == id
        {
            *unkept = Some(why);
            self.say_outcome();
        } else if self.untold.add(id, why) && matches!(self.scene, Scene::Empty) {
            self.open(now.tick, 0);
        }
        self.say_untold();
        self.advance(now);
    }

    /// The rows of what will be signed, for the item on screen.
    pub fn raw(&self, id: &str) -> Vec<(Said, String)> {
        match &self.scene {
            Scene::Item(Item { asked: Asked::Question(showing, _), .. })
                if showing.question.payment_id.as_str() == id =>
            {
                showing.question.signs.clone()
            }
            _ => Vec::new(),
        }
    }

    /// Time has passed.
    pub fn advance(&mut self, now: Now) {
        match self.scene {
            Scene::Blank { until, .. } if until <= now.tick && self.attached => match self.queue.pop_front() {
                Some(item) => {
                    self.scene = Scene::Item(item);
                    self.present(now);
                }
                None => self.close(now.tick),
            },
            Scene::Blank { until, again, pause } if again <= now.tick && !self.attached => {
                tracing::warn!("the page of the approval window does not come; it is loaded again");
                // A slow start must come to its end some time: each load has twice as long as the one before.
                let pause = pause.saturating_mul(2);
                self.scene = Scene::Blank { until, again: now.tick.saturating_add(pause), pause };
                self.effects.push(Effect::Reload);
            }
            Scene::Outcome { closes: Some(at), .. } if at <= now.tick => self.close(now.tick),
            _ => {}
        }
        if let Scene::Item(_) = self.scene {
            let armed = self.guard.armed(now.tick);
            if armed != self.said_armed {
                self.said_armed = armed;
                self.effects.push(Effect::Frame(ApprovalFrame::Arming { armed }));
            }
        }
        let waiting = self.waiting();
        if waiting != self.said_waiting {
            self.said_waiting = waiting;
            self.effects.push(Effect::Waiting(waiting));
        }
    }

    /// When [`Stage::advance`] has something to do by itself.
    pub fn due(&self) -> Option<Tick> {
        match self.scene {
            Scene::Blank { until, .. } if self.attached => Some(until),
            Scene::Blank { again, .. } => Some(again),
            Scene::Outcome { closes, .. } => closes,
            Scene::Item(_) if !self.said_armed => self.guard.arms_at(),
            _ => None,
        }
    }

    /// What is to be done, once.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether somebody's answer is on screen to be given.
    pub const fn asking(&self) -> bool {
        matches!(self.scene, Scene::Item(_))
    }

    fn waiting(&self) -> usize {
        self.queue.len().saturating_add(usize::from(self.asking()))
    }

    fn open(&mut self, now: Tick, blank: Tick) {
        self.window = self.window.wrapping_add(1);
        self.attached = false;
        self.guard.new_window(now);
        self.presses.forget();
        self.scene = blank_until(now, blank);
        self.effects.push(Effect::Open(self.window));
    }

    fn blank(&mut self, now: Tick) {
        self.attached = false;
        self.guard.item(now, false);
        self.presses.forget();
        self.scene = blank_until(now, BLANK);
        self.effects.extend([Effect::Frame(ApprovalFrame::Blank), Effect::Reload]);
    }

    /// Nothing waits: the window goes, once it has told what there is to tell.
    fn close(&mut self, now: Tick) {
        self.presses.forget();
        if self.untold.any() {
            self.guard.item(now, false);
            self.scene = if self.attached { Scene::Notice } else { blank_until(now, 0) };
            return self.say_untold();
        }
        self.scene = Scene::Empty;
        self.attached = false;
        self.guard.new_window(now);
        self.effects.push(Effect::Close);
    }

    fn say_untold(&mut self) {
        if matches!(self.scene, Scene::Notice) {
            self.effects.extend([Effect::Frame(self.untold.frame()), Effect::Show]);
        }
    }

    /// The item on screen is away: the next one, after a blank, or nothing.
    fn next(&mut self, now: Tick) {
        if self.queue.is_empty() { self.close(now) } else { self.blank(now) }
    }

    fn answer(&mut self, now: Now, give: impl FnOnce(Asked), state: OutcomeState, text: Option<Said>) {
        let Scene::Item(item) = std::mem::replace(&mut self.scene, Scene::Empty) else { return };
        let (id, is_change) = (item.id(), matches!(item.asked, Asked::Change(..)));
        if let Asked::Question(showing, _) = &item.asked {
            self.untold.answered(&id, &showing.question.payee_host);
        }
        give(item.asked);
        self.last_decided = Some(id.clone());
        if is_change || !self.queue.is_empty() {
            self.next(now.tick);
        } else {
            let stays = (state == OutcomeState::Denied).then_some(STAYS);
            self.end(now.tick, id, state, text, stays);
        }
    }

    fn end(&mut self, now: Tick, payment: String, state: OutcomeState, text: Option<Said>, stays: Option<Tick>) {
        self.guard.item(now, false);
        self.presses.forget();
        let unkept = match &self.scene {
            Scene::Outcome { payment: same, unkept, .. } if *same == payment => *unkept,
            _ => None,
        };
        let closes = stays.map(|s| now.saturating_add(s));
        self.scene = Scene::Outcome { payment, state, text, unkept, closes };
        self.say_outcome();
    }

    fn say_outcome(&mut self) {
        if let Scene::Outcome { state, text, unkept, closes, .. } = &mut self.scene {
            *closes = closes.filter(|_| unkept.is_none());
            let frame = ApprovalFrame::Outcome { state: *state, text: text.clone(), unkept: *unkept };
            self.effects.push(Effect::Frame(frame));
        }
    }

    /// Puts the item of the scene on screen.
    fn present(&mut self, now: Now) {
        let Scene::Item(item) = &self.scene else { return };
        let frame = item.asked.frame(now.wall);
        self.guard.item(now.tick, true);
        self.presses.forget();
        self.said_armed = false;
        self.effects.extend([Effect::Frame(frame), Effect::Show]);
        self.say_queue();
    }

    fn say_queue(&mut self) {
        if self.asking() {
            let waiting = u32::try_from(self.waiting()).unwrap_or(u32::MAX);
            self.effects.push(Effect::Frame(ApprovalFrame::Queue { position: 1, waiting, joined: 1 }));
        }
    }
}

#[cfg(test)]
mod tests;
