//! Admission: idempotency, judgement and either a refusal, a question or a hold, in one transaction.

use countersign_core::{
    Millis,
    payment::{Caller, PaymentId, Quote},
    policy::{Decision, Facts, Judged},
    status::{Event, Settlement, Status},
};

use super::{
    body::{Body, json},
    facts::history,
    fits::fits,
    fold::{self, PaymentRow, Stored},
    hold::{Grant, alias_mac},
    reserve::end,
    tx::{Stop, Tx},
};
use crate::{
    error::VaultError,
    record::{Record, RefusedAs},
    verbs::{Admit, Admitted, Lookup, Waiting},
};

/// What is known of a key; reads only.
pub(crate) fn lookup(
    conn: &rusqlite::Connection,
    agent: &countersign_core::payment::AgentName,
    key: &countersign_core::payment::IdempotencyKey,
    request: countersign_core::payment::Digest,
) -> Result<Lookup, Stop> {
    Ok(match fold::by_key(conn, agent, key)? {
        None => Lookup::New,
        Some((digest, stored)) if digest == request => Lookup::Same(Box::new(stored.record)),
        Some(_) => Lookup::Conflict,
    })
}

pub(crate) fn admit(tx: &mut Tx<'_>, a: Admit) -> Result<Admitted, Stop> {
    let agent = &a.caller.agent;
    match known(tx, &a)? {
        Lookup::Same(record) => return Ok(Admitted::Same(record)),
        Lookup::Conflict => return Ok(Admitted::Conflict),
        Lookup::New => {}
    }
    tx.view.may_pay(agent, tx.now.seen.wall)?;
    let open = expire_overdue(tx)?;
    let quote = &a.quoted.quote;
    if let Some(record) = join(tx, &a, open)? {
        return Ok(Admitted::Joined(Box::new(record)));
    }
    tx.room()?;
    fits(quote, &a.signables, tx.now.seen.wall)?;
    // Nobody is asked about what cannot be signed.
    a.signables.iter().try_for_each(|form| tx.unused(form).and_then(|()| tx.within_trade(form)))?;
    let facts = tx.facts(quote, &a.caller, None)?;
    match tx.judge(&a.payment, &facts)? {
        Judged::Refused(decision) => {
            let mut entry = tx.body(Event::Denied);
            entry.refused_as = Some(refused_as(&decision));
            let stored = first(tx, &a, entry, &facts, &decision)?;
            Ok(Admitted::Refused(Box::new(stored.record)))
        }
        Judged::Asks(needs) => {
            if let Some(retry_after_seconds) = too_many(tx, &a.caller)? {
                return Ok(Admitted::TooMany { retry_after_seconds });
            }
            let mut entry = tx.body(Event::Asked);
            entry.expires_at = Some(tx.now.at.plus_seconds(tx.shared.limits.approval_seconds));
            let decision = needs.decision().clone();
            let stored = first(tx, &a, entry, &facts, &decision)?;
            tx.mem.prompts.entry(agent.clone()).or_default().push_back(tx.now.at);
            tx.mem.asked.push(a.payment.clone());
            let history = history(tx.conn, tx.view.policy.as_deref(), agent, quote)?;
            Ok(Admitted::Waiting(Box::new(Waiting {
                needs,
                record: stored.record,
                history,
                behind: facts.behind(),
                reason: a.reason,
                seller: a.quoted.seller_says,
            })))
        }
        Judged::Allowed(approved) => {
            let mut entry = tx.body(Event::Reserved);
            let decision = approved.decision().clone();
            let mut stored = insert(tx, &a, &mut entry, &decision)?;
            let reservation = tx.write_down(
                &mut stored,
                None,
                entry,
                Grant { approved, facts, forms: a.signables, offer: a.quoted.offer },
            )?;
            Ok(Admitted::Reserved(Box::new(reservation)))
        }
    }
}

fn known(tx: &Tx<'_>, a: &Admit) -> Result<Lookup, Stop> {
    #[cfg(feature = "faults")]
    if tx.shared.faults.as_ref().is_some_and(|faults| faults.looks_no_key_up()) {
        return Ok(Lookup::New);
    }
    lookup(tx.conn, &a.caller.agent, &a.key, a.request)
}

/// Whether policy would refuse this payment as things stand; writes nothing.
pub(crate) fn denies(tx: &mut Tx<'_>, payment: &PaymentId, quote: &Quote, caller: &Caller) -> Result<bool, Stop> {
    let facts = tx.facts(quote, caller, None)?;
    Ok(matches!(tx.judge(payment, &facts)?, Judged::Refused(_)))
}

/// Why a refusal by policy is a refusal, as the API says it.
pub(crate) fn refused_as(decision: &Decision) -> RefusedAs {
    if decision.rule == "builtin:back-off" {
        RefusedAs::DeniedByHuman
    } else if decision.rule.starts_with("budget:") {
        RefusedAs::OverBudget
    } else {
        RefusedAs::DeniedByRule
    }
}

/// Writes the payment with an entry that holds nothing.
fn first(tx: &mut Tx<'_>, a: &Admit, mut entry: Body, facts: &Facts, decision: &Decision) -> Result<Stored, Stop> {
    let mut stored = insert(tx, a, &mut entry, decision)?;
    entry.facts = Some(facts.clone());
    entry.decision = Some(decision.clone());
    tx.advance_chain(&mut stored, None, &entry)?;
    Ok(stored)
}

/// Inserts the immutable row and what may be forgotten; the entry is still to be appended.
fn insert(tx: &Tx<'_>, a: &Admit, entry: &mut Body, decision: &Decision) -> Result<Stored, Stop> {
    let quote = &a.quoted.quote;
    let mut row = PaymentRow {
        n: 0,
        id: a.payment.clone(),
        agent: a.caller.agent.clone(),
        key: a.key.clone(),
        request: a.request,
        quote: json(quote)?,
        exposure: quote.exposure.amount.to_be_bytes(),
        asset: quote.exposure.asset.to_string(),
        purchase: fold::purchase(quote),
        payee: fold::payee(quote),
        at: tx.now.at,
        epoch: tx.mem.epoch,
    };
    tx.conn
        .prepare_cached(
            "INSERT INTO payment (id, agent, idem, request, quote, exposure, asset, purchase, payee, at, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute((
            row.id.as_str(),
            row.agent.as_str(),
            row.key.as_str(),
            row.request.0,
            &row.quote,
            row.exposure,
            &row.asset,
            row.purchase.0,
            row.payee.0,
            row.at.0,
            row.epoch,
        ))?;
    row.n = tx.conn.last_insert_rowid();
    entry.row = Some(row.digest());
    let texts = [
        ("url", Some(&a.url)),
        ("offer", Some(&a.quoted.offer)),
        ("reason", a.reason.as_ref()),
        ("seller", a.quoted.seller_says.as_ref()),
    ];
    for (kind, text) in texts {
        if let Some(text) = text {
            tx.keep(row.n, entry, kind, text.as_bytes(), None)?;
        }
    }
    Ok(Stored { n: row.n, entries: 0, record: blank(row, quote.clone(), decision.clone()) })
}

/// The payment before its first entry is folded in.
fn blank(row: PaymentRow, quote: Quote, decision: Decision) -> Record {
    Record {
        id: row.id,
        agent: row.agent,
        key: row.key,
        request: row.request,
        quote,
        status: Status::Refused,
        settlement: Settlement::None,
        outcome: None,
        decision,
        by: None,
        created_at: row.at,
        changed_at: row.at,
        expires_at: None,
        valid_before: None,
        transaction: None,
        refused_as: None,
        watched: true,
        signed: false,
        epoch: row.epoch,
    }
}

/// Makes the key an alias if the same purchase of the same agent is waiting.
fn join(tx: &mut Tx<'_>, a: &Admit, open: Vec<Stored>) -> Result<Option<Record>, Stop> {
    let agent = a.caller.agent.as_str();
    let purchase = fold::purchase(&a.quoted.quote);
    let payee = fold::payee(&a.quoted.quote);
    let same = |stored: &Stored| {
        let quote = &stored.record.quote;
        stored.record.agent.as_str() == agent && fold::purchase(quote) == purchase && fold::payee(quote) == payee
    };
    let Some(stored) = open.into_iter().rfind(same) else { return Ok(None) };
    let mac = alias_mac(tx.key, agent, a.key.as_str(), &a.request, &stored.record.id);
    tx.conn
        .prepare_cached("INSERT INTO alias (agent, idem, request, payment, mac) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((agent, a.key.as_str(), a.request.0, stored.n, mac))?;
    Ok(Some(stored.record))
}

/// Ends questions whose story was cut off, so that nobody waits for them and they take nobody's place. Answers the others.
fn expire_overdue(tx: &mut Tx<'_>) -> Result<Vec<Stored>, Stop> {
    let now = tx.now.at;
    let over = |stored: &Stored| stored.record.expires_at.is_none_or(|end| now >= end);
    let (overdue, open): (Vec<_>, Vec<_>) = waiting(tx)?.into_iter().partition(over);
    for mut stored in overdue {
        end(tx, &mut stored, Event::Expired, "deadline")?;
    }
    Ok(open)
}

/// Every waiting payment: never more than a handful.
pub(crate) fn waiting(tx: &Tx<'_>) -> Result<Vec<Stored>, Stop> {
    let mut statement = tx.conn.prepare_cached("SELECT payment FROM head WHERE state = 'waiting' ORDER BY payment")?;
    let all = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    all.into_iter().map(|n| fold::by_n(tx.conn, n)).collect()
}

/// Seconds to wait if there are too many questions already.
fn too_many(tx: &mut Tx<'_>, caller: &Caller) -> Result<Option<u64>, Stop> {
    let limits = tx.shared.limits;
    let all = waiting(tx)?;
    let own = all.iter().filter(|s| s.record.agent == caller.agent).count();
    let least = |most: u32, count: usize| u32::try_from(count).is_ok_and(|count| count < most);
    if !least(limits.all_waiting, all.len()) || !least(limits.per_agent_waiting, own) {
        let ends = all.iter().filter_map(|s| s.record.expires_at).min();
        return Ok(Some(seconds_until(ends.unwrap_or(tx.now.at), tx.now.at)));
    }
    let since = tx.now.at.0.saturating_sub(60_000);
    let prompts = tx.mem.prompts.entry(caller.agent.clone()).or_default();
    while prompts.front().is_some_and(|at| at.0 <= since) {
        prompts.pop_front();
    }
    let (room, oldest) = (least(limits.prompts_per_minute, prompts.len()), prompts.front().copied());
    Ok(if room { None } else { oldest.map(|at| seconds_until(at.plus_seconds(60), tx.now.at)) })
}

fn seconds_until(end: Millis, now: Millis) -> u64 {
    let ms = end.0.saturating_sub(now.0).max(0);
    u64::try_from(ms).unwrap_or(0).div_ceil(1000).max(1)
}

/// The waiting payment of this id, or the error that fits.
pub(crate) fn find(tx: &Tx<'_>, id: &PaymentId) -> Result<Stored, Stop> {
    fold::by_id(tx.conn, id)?.ok_or_else(|| VaultError::NotFound.into())
}
