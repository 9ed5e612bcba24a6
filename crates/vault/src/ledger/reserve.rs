//! After the question: a yes, or a second look, each judged again on fresh spend and the policy in force.

use countersign_core::{
    payment::{Caller, PaymentId},
    policy::{Again, Approved, Decision, Facts, Judged},
    signable::Signable,
    status::{Event, Status},
};

use super::{
    admit::{find, refused_as},
    detail,
    facts::history,
    fits::fits,
    fold::{self, Stored},
    hold::{Grant, aliases},
    tx::{Stop, Tx},
};
use crate::{
    record::{Record, RefusedAs},
    verbs::{Rejudged, Reservation, Reserved, Waiting},
};

/// Consumes a yes. Deny is never overridden; a reason that was not on screen is shown again.
pub(crate) fn reserve(
    tx: &mut Tx<'_>,
    yes: Approved,
    forms: Vec<Signable>,
    renewed: Option<String>,
) -> Result<Reserved, Stop> {
    let mut stored = find(tx, yes.payment())?;
    if stored.record.status != Status::Waiting {
        return Ok(Reserved::Moved(Box::new(stored.record)));
    }
    if over(tx, &stored.record) {
        return Ok(Reserved::Refused(Box::new(expire(tx, &mut stored)?)));
    }
    let (facts, judged) = again(tx, &stored)?;
    match yes.confirm(judged) {
        Ok(approved) => Ok(Reserved::Reservation(Box::new(go(tx, &mut stored, approved, facts, forms, renewed)?))),
        Err(Again::Refused(decision)) => Ok(Reserved::Refused(Box::new(refuse(tx, &mut stored, facts, decision)?))),
        Err(Again::Asks(needs)) => {
            let mut record = stored.record;
            record.decision = needs.decision().clone();
            let reason = detail::text(tx.conn, stored.n, "reason")?;
            let seller = detail::text(tx.conn, stored.n, "seller")?;
            let history = history(tx.conn, tx.view.policy.as_deref(), &record.agent, &record.quote)?;
            Ok(Reserved::Again(Box::new(Waiting { needs, record, history, behind: facts.behind(), reason, seller })))
        }
    }
}

/// Looks at a waiting payment again: other answers may have made room, or taken it.
pub(crate) fn rejudge(tx: &mut Tx<'_>, id: &PaymentId, forms: Vec<Signable>) -> Result<Rejudged, Stop> {
    let mut stored = find(tx, id)?;
    if stored.record.status != Status::Waiting {
        return Ok(Rejudged::Moved(Box::new(stored.record)));
    }
    if over(tx, &stored.record) {
        return Ok(Rejudged::Refused(Box::new(expire(tx, &mut stored)?)));
    }
    let (facts, judged) = again(tx, &stored)?;
    match judged {
        Judged::Allowed(approved) if !forms.is_empty() => {
            Ok(Rejudged::Reserved(Box::new(go(tx, &mut stored, approved, facts, forms, None)?)))
        }
        Judged::Refused(decision) => Ok(Rejudged::Refused(Box::new(refuse(tx, &mut stored, facts, decision)?))),
        Judged::Asks(_) | Judged::Allowed(_) => Ok(Rejudged::Still),
    }
}

/// The stored facts, with what only now is known, judged again. A pause or a revoked agent is a reason to refuse.
fn again(tx: &mut Tx<'_>, stored: &Stored) -> Result<(Facts, Judged), Stop> {
    tx.view.open()?;
    tx.room()?;
    let first = first_facts(tx, stored.n)?;
    let caller = Caller { agent: first.agent, session: first.session, program: first.program };
    let facts = tx.facts(&stored.record.quote, &caller, Some(stored.n))?;
    let judged = tx.judge(&stored.record.id, &facts)?;
    Ok((facts, judged))
}

/// The facts as first judged.
fn first_facts(tx: &Tx<'_>, payment: i64) -> Result<Facts, Stop> {
    let mut facts = None;
    fold::each_entry(tx.conn, payment, |n, _, body| {
        if n == 1 {
            facts = body.facts;
        }
        Ok(())
    })?;
    facts.ok_or_else(|| super::tx::damaged("a payment without facts"))
}

fn go(
    tx: &mut Tx<'_>,
    stored: &mut Stored,
    approved: Approved,
    facts: Facts,
    forms: Vec<Signable>,
    renewed: Option<String>,
) -> Result<Reservation, Stop> {
    fits(&stored.record.quote, &forms, tx.now.seen.wall)?;
    let mut entry = tx.body(Event::Reserved);
    let offer = match renewed {
        Some(offer) => {
            tx.keep(stored.n, &mut entry, "offer", offer.as_bytes(), None)?;
            offer
        }
        None => detail::text(tx.conn, stored.n, "offer")?.unwrap_or_default(),
    };
    tx.write_down(stored, Some(Status::Waiting), entry, Grant { approved, facts, forms, offer })
}

fn refuse(tx: &mut Tx<'_>, stored: &mut Stored, facts: Facts, decision: Decision) -> Result<Record, Stop> {
    let mut entry = tx.body(Event::Denied);
    entry.refused_as = Some(refused_as(&decision));
    entry.facts = Some(facts);
    entry.decision = Some(decision);
    entry.aliases = Some(aliases(tx.conn, stored.n)?);
    tx.advance_chain(stored, Some(Status::Waiting), &entry)?;
    Ok(stored.record.clone())
}

fn over(tx: &Tx<'_>, record: &Record) -> bool {
    record.expires_at.is_none_or(|end| tx.now.at >= end)
}

fn expire(tx: &mut Tx<'_>, stored: &mut Stored) -> Result<Record, Stop> {
    end(tx, stored, Event::Expired, "deadline")
}

/// Ends a waiting question without a yes. One that is over already is answered as it stands.
pub(crate) fn end_waiting(tx: &mut Tx<'_>, id: &PaymentId, how: Event, through: &str) -> Result<Record, Stop> {
    let mut stored = find(tx, id)?;
    if stored.record.status != Status::Waiting {
        return Ok(stored.record);
    }
    end(tx, &mut stored, how, through)
}

/// Ways a question ends that are nobody's judgement of this payee.
pub(crate) const NOT_A_PERSON: &[&str] = &["lock", "sleep", "quit", "no_approver", "start", "fault"];

pub(crate) fn end(tx: &mut Tx<'_>, stored: &mut Stored, how: Event, through: &str) -> Result<Record, Stop> {
    let person = how == Event::Declined && !NOT_A_PERSON.contains(&through);
    let doubtful = stored.record.decision.reasons().any(|r| r == "builtin:possible-duplicate");
    let mut entry = tx.body(how);
    entry.refused_as = Some(match how {
        Event::Cancelled => RefusedAs::Cancelled,
        _ if through == "no_approver" => RefusedAs::NoApprover,
        _ if person && doubtful => RefusedAs::DuplicatePurchase,
        _ if person => RefusedAs::DeniedByHuman,
        _ => RefusedAs::ApprovalExpired,
    });
    entry.why = Some(through.to_owned());
    entry.aliases = Some(aliases(tx.conn, stored.n)?);
    tx.advance_chain(stored, Some(Status::Waiting), &entry)?;
    if person {
        let record = &stored.record;
        tx.conn.prepare_cached("INSERT INTO denial (payment, agent, payee, at) VALUES (?1, ?2, ?3, ?4)")?.execute((
            stored.n,
            record.agent.as_str(),
            fold::payee(&record.quote).0,
            tx.now.at.0,
        ))?;
    }
    Ok(stored.record.clone())
}
