//! The stage against a clock and a window made of numbers.

mod storm;

use super::*;
use crate::gui::{
    guard::ARM,
    press::Stroke,
    view::{ApprovalView, Remember, UnkeptView},
};
use countersign_core::{
    approval::{Answer, Question, Warning},
    payment::PaymentId,
};
use countersign_desk::approver::Showing;
use tokio::sync::oneshot;

const WALL: i64 = 1_800_000_000_000;

struct Theatre {
    stage: Stage,
    tick: Tick,
    tickets: u64,
    seen: Vec<Effect>,
}

fn question(n: u8) -> Showing {
    let text = |t: &str| t.to_owned();
    let question = Question {
        payment_id: PaymentId::from_random([n; 16]),
        agent: text("researcher"),
        program: Said::ProgramUnseen {},
        process: false,
        payee_host: text("api.example"),
        payee_claimed: false,
        payee_origin: text("https://api.example"),
        payee_registrable: text("api.example"),
        payee_account: text("0x0000000000000000000000000000000000000001"),
        payee_history: Said::PaidNever {},
        amount_fiat: Some(text("4.20 USD")),
        amount_asset: text("4.2 USDC"),
        amount_terms: Said::TermsFinal { network: text("Base Sepolia") },
        pay_from: text("0x02"),
        agent_says: None,
        seller_says: None,
        resource: text("GET /"),
        why_asked: Said::WhyDefault {},
        rule: text("default"),
        also: Vec::new(),
        warnings: Vec::new(),
        bar: None,
        expires_at: Millis(WALL + 120_000),
        act: Said::ActPay { amount: text("4.20 USD") },
        signs: vec![(Said::SignTo {}, text("0x01"))],
    };
    Showing { question, nonce: [n; 16] }
}

impl Theatre {
    fn new() -> Self {
        Self { stage: Stage::new(ARM), tick: 1000, tickets: 0, seen: Vec::new() }
    }

    fn now(&self) -> Now {
        Now { tick: self.tick, wall: Millis(WALL + i64::try_from(self.tick).unwrap()) }
    }

    fn collect(&mut self) {
        self.seen.extend(self.stage.take_effects());
    }

    fn wait(&mut self, ms: Tick) {
        self.tick += ms;
        self.stage.advance(self.now());
        self.collect();
    }

    fn ask(&mut self, showing: &Showing) -> (u64, oneshot::Receiver<Answer>) {
        let (answer, heard) = oneshot::channel();
        self.tickets += 1;
        self.stage.ask(self.now(), self.tickets, Asked::Question(Box::new(showing.clone()), answer));
        self.collect();
        (self.tickets, heard)
    }

    /// A page that listens in a window that is seen and focused.
    fn window(&mut self) {
        self.stage.attach(self.now());
        let number = self.stage.window;
        self.stage.sign(self.now(), number, Sign::Visible(true));
        self.stage.sign(self.now(), number, Sign::Focused(true));
        self.collect();
    }

    fn press(&mut self, what: Stroke) {
        self.stage.press(self.now(), self.stage.window, Press { what, synthetic: false });
    }

    fn click(&mut self) {
        self.press(Stroke::PointerDown);
        self.press(Stroke::PointerUp);
    }

    fn decide(&mut self, showing: &Showing, decision: Decision) -> Result<(), DecideErrorKind> {
        let (id, hash) = (showing.question.payment_id.to_string(), showing.display_hash().to_string());
        let said = self.stage.decide(self.now(), &id, &hash, decision).map_err(|e| e.kind);
        self.collect();
        said
    }

    fn count(&self, wanted: &Effect) -> usize {
        self.seen.iter().filter(|effect| *effect == wanted).count()
    }
}

fn on_screen(n: u8) -> (Theatre, Showing, oneshot::Receiver<Answer>, u64) {
    let mut theatre = Theatre::new();
    let showing = question(n);
    let (ticket, heard) = theatre.ask(&showing);
    theatre.window();
    (theatre, showing, heard, ticket)
}

#[test]
fn a_click_on_the_armed_window_is_a_yes_about_what_was_shown() {
    let (mut theatre, showing, mut heard, _) = on_screen(1);
    theatre.wait(ARM);
    theatre.click();
    assert_eq!(theatre.decide(&showing, Decision::Approve), Ok(()));
    let Ok(Answer::Yes(yes)) = heard.try_recv() else { panic!("no yes") };
    assert_eq!(yes.display_hash, showing.display_hash());
    assert_eq!(theatre.decide(&showing, Decision::Approve), Err(DecideErrorKind::AlreadyDecided));
}

#[test]
fn a_yes_before_the_window_stood_still_is_refused_and_not_kept() {
    let (mut theatre, showing, mut heard, _) = on_screen(1);
    theatre.wait(ARM - 1);
    theatre.click();
    assert_eq!(theatre.decide(&showing, Decision::Approve), Err(DecideErrorKind::NotArmed));
    theatre.wait(1);
    assert!(theatre.seen.contains(&Effect::Frame(ApprovalFrame::Arming { armed: true })));
    assert!(heard.try_recv().is_err(), "nothing was queued");
    if press::NEEDED {
        assert_eq!(
            theatre.decide(&showing, Decision::Approve),
            Err(DecideErrorKind::NoPress),
            "the early click is no witness"
        );
    }
}

#[test]
fn moving_the_window_between_press_and_answer_takes_the_press_away() {
    let (mut theatre, showing, _heard, _) = on_screen(1);
    theatre.wait(ARM);
    theatre.click();
    let number = theatre.stage.window;
    theatre.stage.sign(theatre.now(), number, Sign::Moved);
    assert_eq!(theatre.decide(&showing, Decision::Approve), Err(DecideErrorKind::NotArmed));
}

#[test]
fn a_no_counts_at_once() {
    let (mut theatre, showing, mut heard, _) = on_screen(1);
    assert_eq!(theatre.decide(&showing, Decision::Deny), Ok(()));
    assert!(matches!(heard.try_recv(), Ok(Answer::No)));
    assert_eq!(theatre.count(&Effect::Close), 0);
    theatre.wait(2000);
    assert_eq!(theatre.count(&Effect::Close), 1, "closes by itself");
}

#[test]
fn deny_and_pause_pauses_the_agent_that_asked() {
    let (mut theatre, showing, mut heard, _) = on_screen(1);
    assert_eq!(theatre.decide(&showing, Decision::DenyAndPause), Ok(()));
    assert!(matches!(heard.try_recv(), Ok(Answer::No)));
    assert_eq!(theatre.count(&Effect::Pause("researcher".to_owned())), 1);
}

#[test]
fn another_payment_or_another_showing_gets_no_answer() {
    let (mut theatre, showing, mut heard, _) = on_screen(1);
    theatre.wait(ARM);
    theatre.click();
    assert_eq!(theatre.decide(&question(2), Decision::Approve), Err(DecideErrorKind::NotShown));
    let other = Showing { nonce: [9; 16], ..showing };
    assert_eq!(theatre.decide(&other, Decision::Approve), Err(DecideErrorKind::OtherShowing));
    assert!(heard.try_recv().is_err());
}

#[test]
fn after_its_time_a_question_takes_no_answer() {
    let (mut theatre, showing, mut heard, ticket) = on_screen(1);
    theatre.wait(120_000);
    theatre.click();
    assert_eq!(theatre.decide(&showing, Decision::Approve), Err(DecideErrorKind::Expired));
    theatre.stage.withdraw(theatre.now(), ticket);
    theatre.collect();
    let expired = |e: &Effect| matches!(e, Effect::Frame(ApprovalFrame::Outcome { state: OutcomeState::Expired, .. }));
    assert!(theatre.seen.iter().any(expired));
    theatre.wait(1_000_000);
    assert_eq!(theatre.count(&Effect::Close), 0, "stays until seen");
    assert!(heard.try_recv().is_err());
}

#[test]
fn closing_the_window_is_a_no_to_what_was_shown_and_the_next_asks_again() {
    let (mut theatre, _, mut first, _) = on_screen(1);
    let second = question(2);
    let (_, mut heard) = theatre.ask(&second);
    theatre.stage.closed(theatre.now(), theatre.stage.window);
    theatre.collect();
    assert!(matches!(first.try_recv(), Ok(Answer::No)));
    assert!(heard.try_recv().is_err(), "the second was not on screen");
    assert_eq!(theatre.count(&Effect::Open(2)), 1);
    theatre.window();
    assert_eq!(theatre.decide(&second, Decision::Deny), Err(DecideErrorKind::NotShown), "blank");
    theatre.wait(BLANK);
    assert_eq!(theatre.decide(&second, Decision::Deny), Ok(()));
}

#[test]
fn between_two_questions_nothing_can_be_answered_and_the_page_is_new() {
    let (mut theatre, first, _heard, _) = on_screen(1);
    let second = question(2);
    let (_, mut heard) = theatre.ask(&second);
    theatre.wait(ARM);
    theatre.click();
    assert_eq!(theatre.decide(&first, Decision::Approve), Ok(()));
    assert_eq!(theatre.count(&Effect::Reload), 1);
    theatre.stage.attach(theatre.now());
    for _ in 0..BLANK {
        theatre.click();
        assert_ne!(theatre.decide(&second, Decision::Approve), Ok(()));
        theatre.wait(1);
    }
    theatre.wait(ARM - 1);
    theatre.click();
    assert_eq!(theatre.decide(&second, Decision::Approve), Err(DecideErrorKind::NotArmed));
    theatre.wait(1);
    theatre.click();
    assert_eq!(theatre.decide(&second, Decision::Approve), Ok(()));
    assert!(matches!(heard.try_recv(), Ok(Answer::Yes(yes)) if yes.payment == second.question.payment_id));
}

#[test]
fn sleep_pays_nothing_and_is_nobodys_refusal() {
    let (mut theatre, _, mut heard, _) = on_screen(1);
    theatre.stage.slept(theatre.now());
    assert!(matches!(heard.try_recv(), Ok(Answer::Gone(Gone::Slept))));
}

#[test]
fn a_word_about_an_older_window_is_not_heard() {
    let (mut theatre, showing, mut heard, _) = on_screen(1);
    theatre.wait(ARM);
    theatre.stage.closed(theatre.now(), 0);
    theatre.stage.sign(theatre.now(), 0, Sign::Moved);
    theatre.click();
    assert_eq!(theatre.decide(&showing, Decision::Approve), Ok(()));
    assert!(matches!(heard.try_recv(), Ok(Answer::Yes(_))));
}

#[test]
fn a_good_end_closes_the_window_and_a_doubtful_one_stays() {
    for (state, closes) in
        [(OutcomeState::Claimed, true), (OutcomeState::Failed, false), (OutcomeState::Unknown, false)]
    {
        let (mut theatre, showing, _heard, _) = on_screen(1);
        theatre.wait(ARM);
        theatre.click();
        theatre.decide(&showing, Decision::Approve).unwrap();
        theatre.stage.outcome(theatre.now(), showing.question.payment_id.as_str(), state, Some(Said::EndOpen {}));
        theatre.wait(2000);
        assert_eq!(theatre.count(&Effect::Close) == 1, closes, "{state:?}");
    }
}

#[test]
fn an_answer_that_could_not_be_remembered_says_so_until_it_is_seen_whatever_becomes_of_the_payment() {
    let (mut theatre, showing, _heard, _) = on_screen(1);
    theatre.wait(ARM);
    theatre.click();
    theatre.decide(&showing, Decision::Approve).unwrap();
    let id = showing.question.payment_id.as_str();
    theatre.stage.unkept(theatre.now(), question(2).question.payment_id.as_str(), Unkept::Failed);
    theatre.stage.unkept(theatre.now(), id, Unkept::Unconfirmed);
    theatre.stage.outcome(theatre.now(), id, OutcomeState::Settled, None);
    theatre.wait(1_000_000);
    assert_eq!(theatre.count(&Effect::Close), 0);
    let told = |state| ApprovalFrame::Outcome { state, text: None, unkept: Some(Unkept::Unconfirmed) };
    for state in [OutcomeState::Signing, OutcomeState::Settled] {
        assert_eq!(theatre.count(&Effect::Frame(told(state))), 1, "{state:?}");
    }
}

#[test]
fn a_page_that_does_not_come_is_loaded_again_until_it_does() {
    let mut theatre = Theatre::new();
    let (_, _heard) = theatre.ask(&question(1));
    assert_eq!(theatre.stage.due(), Some(theatre.tick + COMES));
    theatre.wait(COMES - 1);
    assert_eq!(theatre.count(&Effect::Reload), 0);
    theatre.wait(1);
    theatre.wait(2 * COMES - 1);
    assert_eq!(theatre.count(&Effect::Reload), 1, "the second load has twice as long");
    theatre.wait(1);
    assert_eq!(theatre.count(&Effect::Reload), 2);
    theatre.window();
    theatre.wait(COMES);
    assert!(theatre.stage.asking());
    assert_eq!(theatre.count(&Effect::Reload), 2);
}

#[test]
fn until_the_program_exits_is_offered_only_where_its_process_is_known_and_the_seller_was_paid_before() {
    let offered = |process: bool, first: bool| {
        let mut asked = question(1).question;
        asked.process = process;
        if first {
            asked.warnings.push(Warning { id: "first-payee", text: Said::WarnFirstPayee {} });
        }
        let view = ApprovalView::of(asked, String::new(), WALL, false);
        let budget = |scope| view.remember.iter().find(|one| one.scope == scope).map(|one| one.budget.clone());
        (budget(Remember::Process), budget(Remember::Session))
    };
    let own = Some(Some("42.00 USD".to_owned()));
    assert_eq!(offered(true, false), (own.clone(), own.clone()));
    assert_eq!(offered(true, true), (None, own.clone()));
    assert_eq!(offered(false, false), (None, own));
}

fn not_kept(of: &[Unkept]) -> Effect {
    let answers = of.iter().map(|why| UnkeptView { payee: "api.example".to_owned(), why: *why }).collect();
    Effect::Frame(ApprovalFrame::Unkept { answers })
}

#[test]
fn an_answer_that_could_not_be_remembered_is_told_after_whatever_else_waits() {
    let (mut theatre, first, _heard, _) = on_screen(1);
    let id = |showing: &Showing| showing.question.payment_id.to_string();
    let second = question(2);
    let (_, _second) = theatre.ask(&second);
    theatre.decide(&first, Decision::Deny).unwrap();
    theatre.stage.unkept(theatre.now(), &id(&first), Unkept::ByHand);
    theatre.window();
    theatre.wait(BLANK);
    let one = not_kept(&[Unkept::ByHand]);
    assert_eq!(theatre.count(&one), 0, "a question comes first");
    theatre.decide(&second, Decision::Deny).unwrap();
    theatre.wait(STAYS);
    assert_eq!((theatre.count(&one), theatre.count(&Effect::Close)), (1, 0));

    let third = question(3);
    let (ticket, _third) = theatre.ask(&third);
    theatre.window();
    theatre.wait(BLANK);
    theatre.stage.withdraw(theatre.now(), ticket);
    theatre.wait(1_000_000);
    assert_eq!((theatre.count(&one), theatre.count(&Effect::Close)), (2, 0), "a question only puts it off");
    theatre.stage.unkept(theatre.now(), &id(&second), Unkept::Failed);
    theatre.collect();
    assert_eq!(theatre.count(&not_kept(&[Unkept::ByHand, Unkept::Failed])), 1);
    theatre.stage.closed(theatre.now(), theatre.stage.window);
    theatre.wait(1_000_000);
    assert!(matches!(theatre.stage.scene, Scene::Empty), "closed by the person, it was told");
}

#[test]
fn an_answer_that_could_not_be_remembered_is_told_in_a_window_of_its_own_where_none_is_left() {
    let (mut theatre, first, _heard, _) = on_screen(1);
    let second = question(2);
    let (_, _second) = theatre.ask(&second);
    let id = first.question.payment_id.as_str();
    theatre.decide(&first, Decision::Deny).unwrap();
    theatre.window();
    theatre.wait(BLANK);
    theatre.stage.closed(theatre.now(), theatre.stage.window);
    theatre.collect();
    assert!(matches!(theatre.stage.scene, Scene::Empty));
    theatre.stage.unkept(theatre.now(), id, Unkept::Unconfirmed);
    theatre.collect();
    assert_eq!(theatre.count(&Effect::Open(theatre.stage.window)), 1);
    theatre.window();
    assert_eq!(theatre.count(&not_kept(&[Unkept::Unconfirmed])), 1);
    theatre.stage.unkept(theatre.now(), id, Unkept::Unconfirmed);
    theatre.collect();
    assert_eq!(theatre.count(&not_kept(&[Unkept::Unconfirmed; 2])), 0, "each answer once");
}

#[test]
fn an_end_that_told_it_and_was_put_aside_by_a_question_tells_it_again() {
    let (mut theatre, first, _heard, _) = on_screen(1);
    theatre.decide(&first, Decision::Deny).unwrap();
    theatre.stage.unkept(theatre.now(), first.question.payment_id.as_str(), Unkept::Failed);
    let second = question(2);
    let (_, _second) = theatre.ask(&second);
    theatre.window();
    theatre.wait(BLANK);
    theatre.decide(&second, Decision::Deny).unwrap();
    theatre.wait(STAYS);
    assert_eq!((theatre.count(&not_kept(&[Unkept::Failed])), theatre.count(&Effect::Close)), (1, 0));
}

#[test]
fn a_withdrawn_question_makes_room_for_the_next() {
    let (mut theatre, first, _heard, ticket) = on_screen(1);
    let second = question(2);
    let (_, _second) = theatre.ask(&second);
    theatre.stage.withdraw(theatre.now(), ticket);
    theatre.collect();
    assert_eq!(theatre.decide(&first, Decision::Deny), Err(DecideErrorKind::NotShown));
    theatre.window();
    theatre.wait(BLANK);
    assert_eq!(theatre.decide(&second, Decision::Deny), Ok(()));
    let counts: Vec<usize> =
        theatre.seen.iter().filter_map(|e| if let Effect::Waiting(n) = e { Some(*n) } else { None }).collect();
    assert_eq!(counts, [1, 2, 1, 0]);
}
