//! What the pages get: everything is text, ready to be shown. The TypeScript twins in `ui/src/ipc/bindings` are made from here.

use countersign_core::{
    approval::{Bar, Question, Said, Warning},
    money::Micro,
    policy::{Condition, own_budget},
};
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{lacking::ShortView, preferences::Language};

/// One message of the core to the approval window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ApprovalFrame {
    /// Speak this language; comes first.
    Speak {
        /// As chosen in the main window.
        language: Language,
    },
    /// Ask this.
    Question {
        /// What is shown.
        view: Box<ApprovalView>,
    },
    /// Ask for a change that loosens something; decided like a question, under its own id.
    Change {
        /// Its id.
        id: String,
        /// Names this showing.
        display_hash: String,
        /// What is asked for.
        #[cfg_attr(test, ts(type = "Said"))]
        title: Said,
        /// What it comes to.
        #[cfg_attr(test, ts(type = "Array<Said>"))]
        lines: Vec<Said>,
        /// See [`super::environment::UI_AUTOMATION`].
        red_band: bool,
    },
    /// Whether a yes would count.
    Arming {
        /// It would.
        armed: bool,
    },
    /// Where the shown item stands.
    Queue {
        /// From 1.
        position: u32,
        /// All that wait, the shown one included.
        waiting: u32,
        /// How many requests this one item answers.
        joined: u32,
    },
    /// How the answered item ended, so far.
    Outcome {
        /// The state.
        state: OutcomeState,
        /// More about it.
        #[cfg_attr(test, ts(type = "Said | null"))]
        text: Option<Said>,
        /// Why the answer was not remembered, if it was to be and could not.
        unkept: Option<Unkept>,
    },
    /// Earlier answers that were not remembered; nothing else waits.
    Unkept {
        /// In the order they were given.
        answers: Vec<UnkeptView>,
    },
    /// Nothing to see and nothing to press.
    Blank,
}

/// Why no rule was made of an answer. The answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Unkept {
    /// Something in limits or settings has not been confirmed by anybody.
    Unconfirmed,
    /// The policy was written by hand in a way that no rule can be added to.
    ByHand,
    /// Anything else.
    Failed,
}

/// One answer that was not remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct UnkeptView {
    /// Whom the payment was to, as it was shown.
    pub payee: String,
    /// Why not.
    pub why: Unkept,
}

/// How an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeState {
    /// A yes was taken and is being signed.
    Signing,
    /// Signed.
    Signed,
    /// Seen on chain.
    Settled,
    /// The seller says so.
    Claimed,
    /// Nobody knows yet; the amount stays held.
    Unknown,
    /// It did not work.
    Failed,
    /// A no was taken.
    Denied,
    /// Nobody answered in time.
    Expired,
}

/// A question as the window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ApprovalView {
    pub payment_id: String,
    pub display_hash: String,
    pub agent: String,
    #[cfg_attr(test, ts(type = "Said"))]
    pub program: Said,
    pub payee_host: String,
    pub payee_claimed: bool,
    pub payee_origin: String,
    pub payee_registrable: String,
    pub payee_account: String,
    #[cfg_attr(test, ts(type = "Said"))]
    pub payee_history: Said,
    pub amount_fiat: Option<String>,
    pub amount_asset: String,
    #[cfg_attr(test, ts(type = "Said"))]
    pub amount_terms: Said,
    pub pay_from: String,
    pub agent_says: Option<String>,
    pub seller_says: Option<String>,
    pub resource: String,
    #[cfg_attr(test, ts(type = "Said"))]
    pub why_asked: Said,
    pub rule: String,
    pub also: Vec<String>,
    pub warnings: Vec<WarningView>,
    pub bar: Option<BarView>,
    pub remember: Vec<RememberView>,
    #[cfg_attr(test, ts(type = "Said"))]
    pub act: Said,
    #[cfg_attr(test, ts(type = "Array<[Said, string]>"))]
    pub signs: Vec<(Said, String)>,
    #[cfg_attr(test, ts(type = "number"))]
    pub expires_at_ms: i64,
    #[cfg_attr(test, ts(type = "number"))]
    pub now_ms: i64,
    pub red_band: bool,
}

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct WarningView {
    /// Stable name.
    pub id: String,
    /// For a person.
    #[cfg_attr(test, ts(type = "Said"))]
    pub text: Said,
}

/// The tightest budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct BarView {
    pub id: String,
    pub spent: String,
    pub this: String,
    pub left: String,
    pub of: String,
    pub before_permille: u16,
    pub after_permille: u16,
    pub over: Option<String>,
}

/// What the person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Approve,
    /// No.
    Deny,
    /// No, and nothing more of this agent until resumed.
    DenyAndPause,
}

/// How long the answer holds. Longer than once is a rule, made of what the ledger keeps of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Remember {
    /// Only this payment.
    Once,
    /// While the agent stays in the session it asked in.
    Session,
    /// Until the program that asked exits, or Countersign does.
    Process,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// Until a moment the person names: a yes opens as with always.
    Until,
    /// Without end: the rule opens on the Limits page, for its owner to confirm.
    Always,
}

/// One of them as it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct RememberView {
    pub scope: Remember,
    /// What the rule of a yes would let through in any 24 hours; none where no rule is made.
    pub budget: Option<String>,
}

/// What can be remembered of a question: at first sight of a payee nothing beyond the session; until the program exits only where its
/// process is known; without a value, or while something
/// in the limits has not been confirmed, nothing at all.
fn remembered(question: &Question) -> Vec<RememberView> {
    let once = RememberView { scope: Remember::Once, budget: None };
    let known = question
        .amount_fiat
        .as_deref()
        .unwrap_or_default()
        .split_once(' ')
        .and_then(|(n, code)| Some((Micro::parse(n).ok()?, code)));
    let reasons = || question.also.iter().chain([&question.rule]);
    let unconfirmed = reasons().any(|reason| reason == Condition::PolicyUnconfirmed.rule());
    let Some((exposure, code)) = known.filter(|_| !unconfirmed) else { return vec![once] };
    let budget = Some(format!("{} {code}", own_budget(exposure)));
    let rule = |scope| RememberView { scope, budget: budget.clone() };
    let first = question.warnings.iter().any(|warning| warning.id == "first-payee");
    let longer = [Remember::Hour, Remember::Until, Remember::Always].into_iter().filter(|_| !first).map(rule);
    let process = (question.process && !first).then(|| rule(Remember::Process));
    [once, rule(Remember::Session)].into_iter().chain(process).chain(longer).collect()
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[cfg_attr(test, derive(TS))]
#[error("{message}")]
pub struct DecideError {
    /// Stable.
    pub kind: DecideErrorKind,
    /// For a person.
    pub message: String,
}

/// Kinds of refusal, in the order they are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum DecideErrorKind {
    /// Not a command of this window.
    WrongWindow,
    /// It has its answer.
    AlreadyDecided,
    /// It is not the item on screen.
    NotShown,
    /// It was shown, but not like this.
    OtherShowing,
    /// Too late.
    Expired,
    /// The window has not stood still long enough, is covered, or has no focus.
    NotArmed,
    /// No key or button was pressed on the window.
    NoPress,
    /// The press came from a program.
    SyntheticPress,
    /// The app is going away, or the ledger said no.
    Failed,
}

/// The main window's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct MainStatus {
    /// Whether money can move.
    pub state: MainState,
    /// Questions waiting.
    pub waiting: u32,
    /// Of this program.
    pub version: String,
    /// See [`super::environment::UI_AUTOMATION`].
    pub red_band: bool,
    /// Nothing can be paid before the passphrase of the wallets is typed.
    pub passphrase: bool,
    /// There is a wallet.
    pub wallet: bool,
    /// There is an agent that can ask.
    pub agent: bool,
    /// Where a first payment can be tried, as configured.
    pub try_at: Option<String>,
    /// A payment failed lately because its wallet holds too little.
    pub short: Option<ShortView>,
}

/// Whether money can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum MainState {
    Running,
    Paused,
    ViewOnly,
    Locked,
}

impl ApprovalView {
    /// What is shown of a question.
    pub fn of(question: Question, display_hash: String, now_ms: i64, red_band: bool) -> Self {
        let remember = remembered(&question);
        let Question {
            payment_id,
            agent,
            program,
            process: _,
            payee_host,
            payee_claimed,
            payee_origin,
            payee_registrable,
            payee_account,
            payee_history,
            amount_fiat,
            amount_asset,
            amount_terms,
            pay_from,
            agent_says,
            seller_says,
            resource,
            why_asked,
            rule,
            also,
            warnings,
            bar,
            expires_at,
            act,
            signs,
        } = question;
        Self {
            payment_id: payment_id.to_string(),
            display_hash,
            remember,
            warnings: warnings
                .into_iter()
                .map(|Warning { id, text }| WarningView { id: id.to_owned(), text })
                .collect(),
            bar: bar.map(|Bar { id, spent, this, left, of, before_permille, after_permille, over }| BarView {
                id,
                spent,
                this,
                left,
                of,
                before_permille,
                after_permille,
                over,
            }),
            expires_at_ms: expires_at.0,
            now_ms,
            red_band,
            agent,
            program,
            payee_host,
            payee_claimed,
            payee_origin,
            payee_registrable,
            payee_account,
            payee_history,
            amount_fiat,
            amount_asset,
            amount_terms,
            pay_from,
            agent_says,
            seller_says,
            resource,
            why_asked,
            rule,
            also,
            act,
            signs,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{
        super::{
            activity::view::{
                ActivityFilter, ActivityLine, ActivityPage, Bar, BarPart, Exported, Form, Overview, OverviewAsked,
                PageView, PaymentStory, Ranked, Span, SpentView, StepKind, StepView, SumsBy,
            },
            preferences::{Look, MoneyKind, Notices, Preferences},
        },
        *,
    };
    use std::path::Path;

    pub fn check<T: TS + 'static>(dir: &Path, stale: &mut Vec<String>) {
        let config = ts_rs::Config::default();
        let mut text = T::export_to_string(&config).unwrap();
        if text.contains("Said") {
            text = text.replacen("\n\n", "\nimport type { Said } from \"./Said\";\n\n", 1);
        }
        current(&dir.join(T::output_path().unwrap()), &text, stale);
    }

    fn current(path: &Path, text: &str, stale: &mut Vec<String>) {
        if std::env::var_os("UPDATE_BINDINGS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        if std::fs::read_to_string(path).unwrap_or_default() != text {
            stale.push(path.display().to_string());
        }
    }

    /// Every sentence of the core with its holes, so that a page without words for one is not built.
    fn said(dir: &Path, stale: &mut Vec<String>) {
        let one = |(id, parts): &(&str, &[&str])| {
            let parts: Vec<String> = parts.iter().map(|part| format!("{part}: string")).collect();
            format!("  | {{ id: \"{id}\"; parts: {{ {} }} }}\n", parts.join("; "))
        };
        let all: String = Said::ALL.iter().map(one).collect();
        let text = format!(
            "// Made from the core by the test `the_bindings_are_current`. Do not edit.\n\n\
             /** One sentence of the core, with what is filled in. */\nexport type Said =\n{};\n",
            all.trim_end()
        );
        current(&dir.join("Said.ts"), &text, stale);
    }

    #[test]
    fn the_bindings_are_current() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/ipc/bindings");
        let mut stale = Vec::new();
        check::<ApprovalFrame>(&dir, &mut stale);
        check::<ApprovalView>(&dir, &mut stale);
        check::<WarningView>(&dir, &mut stale);
        said(&dir, &mut stale);
        check::<BarView>(&dir, &mut stale);
        check::<OutcomeState>(&dir, &mut stale);
        check::<Unkept>(&dir, &mut stale);
        check::<UnkeptView>(&dir, &mut stale);
        check::<Decision>(&dir, &mut stale);
        check::<Remember>(&dir, &mut stale);
        check::<RememberView>(&dir, &mut stale);
        check::<DecideError>(&dir, &mut stale);
        check::<DecideErrorKind>(&dir, &mut stale);
        check::<MainStatus>(&dir, &mut stale);
        check::<MainState>(&dir, &mut stale);
        check::<ShortView>(&dir, &mut stale);
        check::<ActivityFilter>(&dir, &mut stale);
        check::<ActivityLine>(&dir, &mut stale);
        check::<ActivityPage>(&dir, &mut stale);
        check::<OverviewAsked>(&dir, &mut stale);
        check::<SumsBy>(&dir, &mut stale);
        check::<Span>(&dir, &mut stale);
        check::<Overview>(&dir, &mut stale);
        check::<SpentView>(&dir, &mut stale);
        check::<Bar>(&dir, &mut stale);
        check::<BarPart>(&dir, &mut stale);
        check::<Ranked>(&dir, &mut stale);
        check::<PaymentStory>(&dir, &mut stale);
        check::<PageView>(&dir, &mut stale);
        check::<StepView>(&dir, &mut stale);
        check::<StepKind>(&dir, &mut stale);
        check::<Form>(&dir, &mut stale);
        check::<Exported>(&dir, &mut stale);
        check::<Preferences>(&dir, &mut stale);
        check::<Language>(&dir, &mut stale);
        check::<Look>(&dir, &mut stale);
        check::<MoneyKind>(&dir, &mut stale);
        check::<Notices>(&dir, &mut stale);
        assert!(stale.is_empty(), "run the test once with UPDATE_BINDINGS=1 for: {stale:#?}");
    }
}
