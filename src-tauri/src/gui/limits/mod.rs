//! The Limits page's room: what it shows, what a change would do, and how one is made.
//!
//! A change comes as a typed edit, is applied to the policy in force by the core, checked by its parser and judged by its own
//! comparison. What tightens is saved at once. What loosens passes the owner check and then the window that asks; the page holds no
//! rule and reckons no money.

mod condition;
mod drawn;
mod edit;
mod error;
pub mod owner;
#[cfg(test)]
mod tests;
mod view;

pub use edit::LimitsEdit;
pub use error::LimitsError;
pub use view::{LimitsView, PreviewView, SavedView, VersionView};

use countersign_core::{
    Millis, Rfc3339,
    approval::Said,
    money::Micro,
    origin::Origin,
    payment::{AgentName, ProcessId, SessionId},
    policy::{self, Policy, Tally, compare, replay_for},
    registry::Registry,
};
use countersign_desk::approver::{Approver, Change};
use countersign_vault::{Clock, PayeeKey, Set, SetBy, Vault, process};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::view::Remember;
use drawn::Drawing;
use owner::{Act, OwnerCheck, WAIT_MS};
use view::TallyView;

/// How far back a change is tried out.
const DAYS: u32 = 30;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// A session's rule ends by itself, since nobody says when a session does.
const SESSION_MS: i64 = 43_200_000;
/// So does a program's: no yes is kept for good, and one that is over goes from the list with the next.
const PROCESS_MS: i64 = 604_800_000;
/// Most payments it is tried out on.
const MOST: usize = 5_000;
/// How long the person has in the window that asks.
const PATIENCE: Duration = Duration::from_secs(120);
/// A session nobody has: its counters are empty.
const NOBODY: &str = "limits-page";

/// Everything the page can ask for.
pub struct Room {
    vault: Vault,
    registry: Arc<Registry>,
    approver: Arc<dyn Approver>,
    clock: Arc<dyn Clock>,
    owner: OwnerCheck<Act>,
    /// One change at a time: what is saved was made of what is in force.
    saving: tokio::sync::Mutex<()>,
    /// Runs of programs that were named before this Countersign began: it knows none of them again.
    earlier: BTreeSet<ProcessId>,
}

type Told<T> = Result<T, LimitsError>;

impl Room {
    /// A room over this vault.
    pub fn new(vault: Vault, registry: Arc<Registry>, approver: Arc<dyn Approver>, clock: Arc<dyn Clock>) -> Self {
        let owner = OwnerCheck::new(clock.clone());
        let earlier = vault.policy().map(|policy| runs(&policy).collect()).unwrap_or_default();
        Self { vault, registry, approver, clock, owner, saving: tokio::sync::Mutex::default(), earlier }
    }

    /// The page as it stands.
    pub async fn view(&self) -> Told<LimitsView> {
        let in_force = self.policy()?;
        let (base, policy) = (in_force.hash("").to_string(), self.without_ended(&in_force)?);
        let agents = self.vault.list_agents().await?;
        let agents: Vec<AgentName> = agents.into_iter().filter(|a| a.revoked_at.is_none()).map(|a| a.name).collect();
        let known = self.vault.payees().await?;
        let labels = self.vault.payee_labels().await?;
        let left = self.left(&policy, &agents).await?;
        let unconfirmed = self.vault.doubts().policy.is_some();
        let (registry, now) = (&*self.registry, self.clock.wall());
        Ok(Drawing { base, policy: &policy, registry, now, unconfirmed, agents, known, labels, left }.view())
    }

    /// What is left of each budget that has one counter for all it covers.
    async fn left(&self, policy: &Policy, agents: &[AgentName]) -> Told<BTreeMap<String, Micro>> {
        let session: SessionId = NOBODY.parse().map_err(|_| LimitsError::Over)?;
        let nobody: Option<AgentName> = NOBODY.parse().ok();
        let mut left = BTreeMap::new();
        for agent in agents.iter().chain(&nobody) {
            for budget in self.vault.budgets(agent, &session, false).await? {
                let shared = policy
                    .budget(&budget.id)
                    .is_some_and(|b| b.scope.iter().all(|s| matches!(s, policy::Scope::Rule(_))));
                if let (true, Some(amount)) = (shared, budget.left) {
                    left.insert(budget.id, amount);
                }
            }
        }
        Ok(left)
    }

    /// What a change would do, and would have done in the last days.
    pub async fn preview(&self, edit: &LimitsEdit) -> Told<PreviewView> {
        let (old, new) = self.both(edit).await?;
        let change = compare(&old, &new);
        let made = matches!(edit, LimitsEdit::Remember { .. }).then(|| self.drawing(&new).made(&old)).flatten();
        let since = Millis(self.clock.wall().0.saturating_sub(i64::from(DAYS).saturating_mul(DAY_MS)));
        let (past, whole) = self.vault.past(since, MOST).await?;
        let agents = self.vault.list_agents().await?;
        let careful: BTreeSet<AgentName> = agents.into_iter().filter(|a| a.ask_everything).map(|a| a.name).collect();
        let payments = u32::try_from(past.len()).unwrap_or(u32::MAX);
        let tried = tokio::task::spawn_blocking(move || {
            let tally = |policy: &Policy| {
                let narrow = policy.narrowed_to_ask();
                let told = replay_for(|agent| if careful.contains(agent) { &narrow } else { policy }, &past);
                TallyView::from(Tally::of(&told, &past))
            };
            (tally(&old), tally(&new))
        });
        let (before, after) = tried.await.map_err(|e| LimitsError::Failed { text: e.to_string() })?;
        let looser = self.looser_of(&change);
        let same = change == policy::Change::Same;
        Ok(PreviewView { same, looser, made, days: DAYS, payments, whole, before, after })
    }

    /// A policy alone, without people and sums.
    fn drawing<'a>(&'a self, policy: &'a Policy) -> Drawing<'a> {
        let (base, registry, now, unconfirmed) = (String::new(), &*self.registry, self.clock.wall(), false);
        let (agents, known, labels, left) = (Vec::new(), Vec::new(), BTreeMap::new(), BTreeMap::new());
        Drawing { base, policy, registry, now, unconfirmed, agents, known, labels, left }
    }

    /// A policy without what was remembered for runs of programs that are over.
    fn without_ended(&self, policy: &Policy) -> Told<Policy> {
        let over = |run: &ProcessId| self.earlier.contains(run) || !process::runs(run);
        Ok(policy.edited(&policy::Edit::Ended(runs(policy).filter(over).collect()))?)
    }

    /// Makes a change that tightens; lets one that loosens wait for its owner. `base` names the policy the page showed.
    pub async fn save(&self, edit: &LimitsEdit, base: &str) -> Told<SavedView> {
        let _saving = self.saving.lock().await;
        let (old, new) = self.both(edit).await?;
        let hash = old.hash("");
        if hash.to_string() != base {
            return Err(LimitsError::Changed);
        }
        match compare(&old, &new) {
            policy::Change::Same => Ok(SavedView::Same),
            policy::Change::Tighter => {
                self.vault.set_policy(new, SetBy::Command).await?;
                Ok(SavedView::Saved)
            }
            change @ policy::Change::Looser(_) => {
                let words = self.words(edit).await?;
                self.wait(Act::Policy { new: Box::new(new), base: hash }, words, self.looser_of(&change))
            }
        }
    }

    /// Lets the forgetting of a payee wait for its owner: its account may then change without standing out.
    pub async fn forget(&self, payee: PayeeKey) -> Told<SavedView> {
        if !self.vault.payees().await?.iter().any(|known| known.key == payee) {
            return Err(LimitsError::NoSuch { what: payee.origin.to_string() });
        }
        let looser = Said::Forgotten { origin: payee.origin.to_string(), account: payee.account.clone() };
        let words = payee.origin.to_string();
        self.wait(Act::Forget(payee), words, vec![looser])
    }

    /// A payment as it was judged.
    async fn facts(&self, payment: &str) -> Told<policy::Facts> {
        let no_such = || LimitsError::NoSuch { what: payment.to_owned() };
        let id = payment.parse().map_err(|_| no_such())?;
        Ok(self.vault.explain(&id).await?.ok_or_else(no_such)?.facts)
    }

    /// When a rule ends, which lies ahead.
    fn end(&self, until: &str) -> Told<Millis> {
        let Rfc3339(end) = until.parse().map_err(|_| LimitsError::Name { text: until.to_owned() })?;
        if end > self.clock.wall() { Ok(end) } else { Err(LimitsError::Over) }
    }

    /// What the person types: of a payment, the amount.
    async fn words(&self, edit: &LimitsEdit) -> Told<String> {
        let LimitsEdit::Remember { payment, .. } = edit else { return Ok(edit.words()) };
        Ok(self.facts(payment).await?.exposure.map_or_else(|| edit.words(), |amount| amount.to_string()))
    }

    /// Makes a rule of an answered question, for the session, until its program exits or an hour, or of a no for longer. Whoever calls has the answer of a person.
    /// A yes confirms the policy it becomes part of, so it is no rule while there is anything in it that nobody has confirmed.
    pub async fn remember(&self, payment: &str, yes: bool, remember: Remember, until: Option<&str>) -> Told<()> {
        let mut facts = self.facts(payment).await?;
        facts.keep_process(process::runs);
        let at = self.clock.wall();
        let from_now = |ms: i64| Millis(at.0.saturating_add(ms));
        let (only, expires) = match remember {
            Remember::Once => return Ok(()),
            Remember::Session => (Some(policy::Only::Session), Some(from_now(SESSION_MS))),
            Remember::Process | Remember::Hour if yes && !facts.payee_known => return Err(LimitsError::Over),
            Remember::Process => (Some(policy::Only::Process), Some(from_now(PROCESS_MS))),
            Remember::Hour => (None, Some(from_now(HOUR_MS))),
            // For longer a yes is the owner's to confirm.
            Remember::Until | Remember::Always if yes => return Err(LimitsError::Over),
            Remember::Until => (None, Some(self.end(until.unwrap_or_default())?)),
            Remember::Always => (None, None),
        };
        if yes && self.vault.doubts().policy.is_some() {
            return Err(LimitsError::Unconfirmed);
        }
        let _saving = self.saving.lock().await;
        let answer = policy::Remembered { facts, yes, only, expires, at };
        let mut old = self.policy()?;
        if yes {
            old = Arc::new(self.without_ended(&old)?);
        }
        let new = old.edited(&policy::Edit::Remember(Box::new(answer)))?;
        let by = if yes { SetBy::Person } else { SetBy::Command };
        self.vault.set_policy(new, by).await?;
        Ok(())
    }

    /// Names an origin in the person's words; changes no decision.
    pub async fn label(&self, origin: &str, label: Option<String>) -> Told<()> {
        let origin: Origin = origin.parse().map_err(|_| LimitsError::Name { text: origin.to_owned() })?;
        Ok(self.vault.label_payee(origin, label).await?)
    }

    fn wait(&self, act: Act, words: String, looser: Vec<Said>) -> Told<SavedView> {
        let id = super::doubts::id().ok_or(LimitsError::Over)?;
        self.owner.begin(&id, act, &words);
        let wait_seconds = u32::try_from(WAIT_MS.div_euclid(1000)).unwrap_or_default();
        Ok(SavedView::Owner { id, looser, words, wait_seconds })
    }

    /// Carries out what waits, once its words were typed, the wait is over and the person said yes in the window that asks.
    pub async fn confirm(&self, id: &str, typed: &str) -> Told<()> {
        let act = self.owner.answer(id, typed)?;
        let change = Change { id: id.to_owned(), title: act.title(), lines: self.lines(&act).await? };
        match tokio::time::timeout(PATIENCE, self.approver.confirm(change)).await {
            Ok(true) => self.carry_out(act).await,
            Ok(false) => Err(LimitsError::Declined),
            Err(_) => Err(LimitsError::Unanswered),
        }
    }

    /// What waits is dropped.
    pub fn cancel(&self) {
        self.owner.cancel();
    }

    /// What the person agrees to: with an unconfirmed policy, all that nobody has confirmed yet.
    async fn lines(&self, act: &Act) -> Told<Vec<Said>> {
        Ok(match act {
            Act::Policy { new, .. } if self.vault.doubts().policy.is_some() => {
                self.vault.to_confirm(Some(new.as_ref())).await?
            }
            Act::Policy { new, .. } => self.looser_of(&compare(self.policy()?.as_ref(), new)),
            Act::Forget(payee) => {
                vec![Said::Forgotten { origin: payee.origin.to_string(), account: payee.account.clone() }]
            }
        })
    }

    fn looser_of(&self, change: &policy::Change) -> Vec<Said> {
        match change {
            policy::Change::Looser(why) => why.iter().map(|what| what.said(self.registry.reference())).collect(),
            policy::Change::Same | policy::Change::Tighter => Vec::new(),
        }
    }

    async fn carry_out(&self, act: Act) -> Told<()> {
        match act {
            Act::Policy { new, base } => {
                let _saving = self.saving.lock().await;
                if self.policy()?.hash("") != base {
                    return Err(LimitsError::Changed);
                }
                match self.vault.set_policy(*new, SetBy::Person).await? {
                    Set::Same | Set::InForce => Ok(()),
                    Set::Unconfirmed(why) => Err(LimitsError::Failed { text: why.join("; ") }),
                }
            }
            Act::Forget(payee) => Ok(self.vault.forget_payee(payee).await?),
        }
    }

    /// Every version, newest first.
    pub async fn versions(&self) -> Told<Vec<VersionView>> {
        let all = self.vault.policy_versions().await?;
        let newest = all.first().map(|v| v.version);
        let row = |v: countersign_vault::PolicyVersion| VersionView {
            version: v.version,
            at: v.at.rfc3339(),
            by: v.by,
            name: self.parsed(&v.toml).map_or_else(|_| String::new(), |p| countersign_core::text::clean(p.name())),
            in_force: newest == Some(v.version),
            toml: v.toml,
        };
        Ok(all.into_iter().map(row).collect())
    }

    fn policy(&self) -> Told<Arc<Policy>> {
        self.vault.policy().ok_or_else(|| LimitsError::Failed { text: "no policy can be read".to_owned() })
    }

    fn parsed(&self, toml: &str) -> Told<Policy> {
        Ok(Policy::parse(toml, self.registry.reference())?)
    }

    /// The policy in force and the one an edit makes of it.
    async fn both(&self, edit: &LimitsEdit) -> Told<(Arc<Policy>, Policy)> {
        let old = self.policy()?;
        let new = match (edit.parsed()?, edit) {
            (Some(edit), _) => old.edited(&edit)?,
            (None, LimitsEdit::Remember { payment, until }) => {
                let expires = until.as_deref().map(|until| self.end(until)).transpose()?;
                let (facts, at) = (self.facts(payment).await?, self.clock.wall());
                let answer = policy::Remembered { facts, yes: true, only: None, expires, at };
                old.edited(&policy::Edit::Remember(Box::new(answer)))?
            }
            (None, LimitsEdit::Restore { version }) => {
                let all = self.vault.policy_versions().await?;
                let found = all.into_iter().find(|v| v.version == *version);
                self.parsed(&found.ok_or_else(|| LimitsError::NoSuch { what: version.to_string() })?.toml)?
            }
            (None, _) => return Err(LimitsError::Over),
        };
        Ok((old, new))
    }
}

/// The runs of programs for which something was remembered.
fn runs(policy: &Policy) -> impl Iterator<Item = ProcessId> {
    policy.rules().iter().filter_map(policy::held_to)
}

impl Act {
    const fn title(&self) -> Said {
        match self {
            Self::Policy { .. } => Said::AskLimits {},
            Self::Forget(_) => Said::AskForget {},
        }
    }
}

impl From<Tally> for TallyView {
    fn from(tally: Tally) -> Self {
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            allowed: number(tally.allowed),
            asked: number(tally.asked),
            refused: number(tally.refused),
            silent: tally.silent.to_string(),
        }
    }
}
