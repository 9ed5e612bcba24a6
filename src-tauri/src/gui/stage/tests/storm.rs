//! Ten thousand random things done to the stage, in any order: no yes gets through before the guard's time, whatever came before.

use super::*;
use proptest::{
    prelude::RngExt as _,
    test_runner::{RngAlgorithm, TestRng},
};

/// What the page was told, and what the window said, by an account of its own.
struct Account {
    shown: Option<(String, Tick)>,
    changed: Tick,
    window: [bool; 4],
}

/// A window that nobody knows anything of yet: not visible, not focused, not covered, on the screen.
const UNKNOWN: [bool; 4] = [false, false, false, true];

impl Account {
    fn hear(&mut self, now: Tick, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Frame(ApprovalFrame::Question { view }) => self.shown = Some((view.payment_id.clone(), now)),
                Effect::Frame(ApprovalFrame::Blank | ApprovalFrame::Outcome { .. }) | Effect::Reload => {
                    self.shown = None;
                }
                Effect::Open(_) | Effect::Close => (self.shown, self.changed, self.window) = (None, now, UNKNOWN),
                _ => {}
            }
        }
    }

    fn say(&mut self, now: Tick, sign: Sign) {
        let before = self.window;
        match sign {
            Sign::Visible(v) => self.window[0] = v,
            Sign::Focused(v) => self.window[1] = v,
            Sign::Covered(v) => self.window[2] = v,
            Sign::OnScreen(v) => self.window[3] = v,
            Sign::Moved | Sign::Resized | Sign::Scaled => self.changed = now,
        }
        if before != self.window {
            self.changed = now;
        }
    }

    /// Whether a yes to this payment may count.
    fn may(&self, now: Tick, payment: &str) -> bool {
        let still = |since: Tick| now.saturating_sub(since) >= ARM;
        self.shown.as_ref().is_some_and(|(shown, since)| shown == payment && still(*since))
            && still(self.changed)
            && self.window == [true, true, false, true]
    }
}

#[test]
fn ten_thousand_random_events_get_no_yes_before_the_guards_time_and_no_question_two_answers() {
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut theatre = Theatre::new();
    let mut account = Account { shown: None, changed: 0, window: UNKNOWN };
    let mut asked: Vec<(Showing, u64, oneshot::Receiver<Answer>)> = Vec::new();
    let (mut yes, mut no, mut early) = (0, 0, 0);
    for n in 0..10_000_u32 {
        let number = theatre.stage.window;
        match random.random_range(0..100) {
            0..6 if asked.len() < 4 => {
                let mut showing = question(1);
                showing.question.payment_id = PaymentId::from_random(u128::from(n).to_be_bytes());
                showing.question.expires_at = Millis(theatre.now().wall.0 + 120_000);
                let (ticket, heard) = theatre.ask(&showing);
                asked.push((showing, ticket, heard));
            }
            6..16 => theatre.stage.attach(theatre.now()),
            16..28 => {
                let good = random.random_bool(0.8);
                let sign = match random.random_range(0..14) {
                    0..4 => Sign::Visible(good),
                    4..8 => Sign::Focused(good),
                    8..11 => Sign::Covered(!good),
                    11 => Sign::OnScreen(good),
                    12 => Sign::Moved,
                    _ => {
                        if good {
                            Sign::Resized
                        } else {
                            Sign::Scaled
                        }
                    }
                };
                theatre.stage.sign(theatre.now(), number, sign);
                account.say(theatre.tick, sign);
            }
            28..48 => theatre.click(),
            48..52 => theatre.press(Stroke::KeyDown),
            52..56 => theatre.press(Stroke::KeyUp),
            56 => theatre.stage.closed(theatre.now(), number),
            57 => theatre.stage.slept(theatre.now()),
            58 if !asked.is_empty() => {
                let (_, ticket, _) = &asked[random.random_range(0..asked.len())];
                theatre.stage.withdraw(theatre.now(), *ticket);
            }
            59..80 => theatre.wait(random.random_range(0..1_200)),
            _ if !asked.is_empty() => {
                let (showing, ..) = &asked[random.random_range(0..asked.len())];
                let decision = if random.random_bool(0.95) { Decision::Approve } else { Decision::Deny };
                let may = account.may(theatre.tick, showing.question.payment_id.as_str());
                let said = theatre.decide(&showing.clone(), decision);
                if decision == Decision::Approve {
                    assert!(may || said.is_err(), "event {n}: a yes before its time");
                    early += usize::from(said == Err(DecideErrorKind::NotArmed));
                }
            }
            _ => {}
        }
        theatre.collect();
        account.hear(theatre.tick, &std::mem::take(&mut theatre.seen));
        asked.retain_mut(|(showing, _, heard)| match heard.try_recv() {
            Ok(Answer::Yes(said)) => {
                assert_eq!(said.payment, showing.question.payment_id);
                yes += 1;
                false
            }
            Ok(_) | Err(oneshot::error::TryRecvError::Closed) => {
                no += 1;
                false
            }
            Err(oneshot::error::TryRecvError::Empty) => true,
        });
    }
    assert!(yes > 20 && no > 20 && early > 200, "{yes} yes, {no} other ends, {early} too early: not much of a storm");
}
