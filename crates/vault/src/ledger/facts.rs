//! The facts of a payment with what only the ledger knows, and its judgement on fresh spend.

use countersign_core::{
    approval::History,
    payment::{AgentName, Caller, Op, PaymentId, Quote},
    policy::{Condition, Facts, Judged, Policy, judge},
    status::Status,
};
use rusqlite::Connection;

use super::{
    fold::{payee, purchase},
    odd::odd,
    payees::{is_forgotten, origin_forgotten},
    tx::{Stop, Tx},
    usage::Fresh,
};
use crate::{error::VaultError, process};

/// How long a doubtful payment makes the same purchase ask.
pub(crate) const DUPLICATE_MS: i64 = 600_000;
/// So many denials within so long put the pair off for so long.
const DENIALS: usize = 3;
const DENIALS_WITHIN_MS: i64 = 600_000;
const BACK_OFF_MS: i64 = 3_600_000;
/// History counts no further than this.
const MOST_COUNTED: i64 = 1_000;

/// Whether the payee is a seller's, who has one account: each refund goes to another buyer, and a page is the person's own.
fn pays_one(quote: &Quote) -> bool {
    !matches!(quote.op, Op::Refund | Op::ReceiveLink)
}

impl Tx<'_> {
    /// Everything a rule can ask about, as it is in this transaction. `own` is the payment itself if it is written already.
    pub fn facts(&self, quote: &Quote, caller: &Caller, own: Option<i64>) -> Result<Facts, Stop> {
        let mut facts = Facts::of(quote, caller, self.now.at);
        facts.keep_process(process::runs);
        let (view, wall) = (&self.view, self.now.seen.wall);
        let revoked = view.agents.get(&caller.agent).is_some_and(|a| a.revoked.is_some());
        facts.bound_to(view.agents.get(&caller.agent).and_then(|a| a.program.as_deref()));
        let confirmed = view.agents.get(&caller.agent).is_some_and(|a| a.confirmed);
        facts.payee_known = is_known(self.conn, view.policy.as_deref(), quote, &caller.agent)?;
        facts.risk.extend(odd(self.conn, view.policy.as_deref(), &caller.agent, quote, facts.payee_known)?);
        let conditions = [
            (view.paused("", wall), Condition::Paused),
            (view.paused(caller.agent.as_str(), wall), Condition::AgentPaused),
            (revoked, Condition::AgentRevoked),
            (view.doubts.clock.is_some(), Condition::ClockSuspect),
            (view.doubts.policy.is_some() || view.doubts.history.is_some() || !confirmed, Condition::PolicyUnconfirmed),
            (
                !facts.payee_known && pays_one(quote) && self.origin_known(quote, &caller.agent)?,
                Condition::PayeeChanged,
            ),
            (self.in_doubt(quote, &caller.agent, own)? || self.refund_open(quote, own)?, Condition::PossibleDuplicate),
            (self.backs_off(quote, &caller.agent)?, Condition::BackOff),
        ];
        facts.conditions.extend(conditions.into_iter().filter(|(holds, _)| *holds).map(|(_, condition)| condition));
        Ok(facts)
    }

    /// Judges under the policy in force, inside this transaction.
    pub fn judge(&mut self, payment: &PaymentId, facts: &Facts) -> Result<Judged, Stop> {
        let careful = self.view.agents.get(&facts.agent).is_none_or(|a| a.careful);
        let policy = if careful { &self.view.careful } else { &self.view.policy };
        let policy = policy.as_ref().ok_or_else(|| VaultError::Storage("there is no policy".into()))?;
        let mut usage = Fresh { conn: self.conn, counters: &mut self.mem.counters, full_until: self.view.full_until };
        judge(policy, payment, facts, &mut usage)
    }

    fn origin_known(&self, quote: &Quote, agent: &AgentName) -> Result<bool, Stop> {
        if self.view.policy.as_ref().is_some_and(|p| p.is_known_origin(&quote.payee.origin)) {
            return Ok(true);
        }
        let (by, origin) = (known_by(quote, agent), quote.payee.origin.as_str());
        let found = self
            .conn
            .prepare_cached("SELECT 1 FROM known WHERE agent = ?1 AND origin = ?2 LIMIT 1")?
            .exists((by, origin))?;
        Ok(found && !origin_forgotten(self.conn, by, origin)?)
    }

    /// Whether a recent payment for the same purchase has an unknown or failed outcome, and no later one is claimed or verified.
    fn in_doubt(&self, quote: &Quote, agent: &AgentName, own: Option<i64>) -> Result<bool, Stop> {
        let mut statement = self.conn.prepare_cached(
            "SELECT d.cleared, p.at, h.state FROM doubt d JOIN payment p ON p.n = d.payment JOIN head h ON h.payment = d.payment
             WHERE d.agent = ?1 AND d.purchase = ?2 AND d.payment IS NOT ?3 ORDER BY d.payment DESC",
        )?;
        let since = self.now.at.0.saturating_sub(DUPLICATE_MS);
        let mut rows = statement.query((agent.as_str(), purchase(quote).0, own))?;
        while let Some(row) = rows.next()? {
            if row.get::<_, bool>(0)? || row.get::<_, i64>(1)? < since {
                return Ok(false);
            }
            if Status::from_word(&row.get::<_, String>(2)?).is_some_and(Status::holds) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a person said no to this pair three times within ten minutes, less than an hour ago.
    fn backs_off(&self, quote: &Quote, agent: &AgentName) -> Result<bool, Stop> {
        let since = self.now.at.0.saturating_sub(BACK_OFF_MS).saturating_sub(DENIALS_WITHIN_MS);
        let mut statement = self
            .conn
            .prepare_cached("SELECT at FROM denial WHERE agent = ?1 AND payee = ?2 AND at > ?3 ORDER BY at")?;
        let times = statement
            .query_map((agent.as_str(), payee(quote).0, since), |row| row.get::<_, i64>(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        Ok(times.windows(DENIALS).any(|run| match run {
            [first, .., last] => {
                last.saturating_sub(*first) <= DENIALS_WITHIN_MS && self.now.at.0 < last.saturating_add(BACK_OFF_MS)
            }
            _ => false,
        }))
    }
}

/// Whether a person said yes to exactly this payee before, or pinned it.
fn is_known(conn: &Connection, policy: Option<&Policy>, quote: &Quote, agent: &AgentName) -> Result<bool, Stop> {
    let to = &quote.payee;
    if policy.is_some_and(|p| p.is_known(&to.origin, &to.account, &quote.exposure.asset)) {
        return Ok(true);
    }
    let found = conn
        .prepare_cached("SELECT 1 FROM known WHERE agent = ?1 AND origin = ?2 AND asset = ?3 AND account = ?4")?
        .exists((known_by(quote, agent), to.origin.as_str(), quote.exposure.asset.as_str(), &to.account))?;
    Ok(found && !is_forgotten(conn, quote, agent)?)
}

/// Whose knowledge of a payee counts: everybody's for a payee we reached ourselves, one agent's for a payee it claims.
pub(crate) fn known_by<'a>(quote: &Quote, agent: &'a AgentName) -> &'a str {
    if quote.payee.claimed { agent.as_str() } else { "" }
}

/// Payments of this agent to exactly this payee.
pub(crate) fn history(
    conn: &Connection,
    policy: Option<&Policy>,
    agent: &AgentName,
    quote: &Quote,
) -> Result<History, Stop> {
    let mut statement = conn.prepare_cached(
        "SELECT p.at FROM payment p JOIN head h ON h.payment = p.n
         WHERE p.agent = ?1 AND p.payee = ?2 AND h.state NOT IN ('refused', 'waiting', 'released') ORDER BY p.n DESC LIMIT ?3",
    )?;
    let times = statement
        .query_map((agent.as_str(), payee(quote).0, MOST_COUNTED), |row| row.get(0).map(countersign_core::Millis))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let known = is_known(conn, policy, quote, agent)?;
    Ok(History {
        payments: u64::try_from(times.len()).unwrap_or(u64::MAX),
        last: times.first().copied(),
        odd: odd(conn, policy, agent, quote, known)?,
    })
}
