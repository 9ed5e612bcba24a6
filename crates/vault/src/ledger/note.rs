//! What happens after a reservation: notes, evidence, and the end of a hold.

use countersign_core::{
    Millis,
    money::{Amount, Micro},
    payment::PaymentId,
    status::{Event, Settlement, Status, next},
};

use super::{
    admit::find,
    fold::{self, Stored},
    hold::{forms, window_open},
    tx::{Stop, Tx, damaged},
    usage::{blob, micro},
};
use crate::{
    error::VaultError,
    record::{Note, Outcome, Record},
};

/// Writes a note beside a payment; moves nothing.
pub(crate) fn note(tx: &mut Tx<'_>, id: &PaymentId, note: Note) -> Result<Record, Stop> {
    let mut stored = find(tx, id)?;
    legal(&stored, Event::Noted)?;
    let mut entry = tx.body(Event::Noted);
    entry.settlement = note.settlement;
    entry.outcome = note.outcome;
    entry.transaction = note.transaction;
    entry.why = note.why;
    for (kind, body) in &note.detail {
        tx.keep(stored.n, &mut entry, kind, body, note.detail_until)?;
    }
    let from = Some(stored.record.status);
    tx.advance_chain(&mut stored, from, &entry)?;
    doubt(tx, &stored)?;
    Ok(stored.record)
}

/// Notes that the provider of an open page is asked about it no more, or again; what is so already is not written twice.
///
/// Nothing else is ever looked away from: whatever may move the person's money is asked about until its end is known.
pub(crate) fn watch(tx: &mut Tx<'_>, id: &PaymentId, watched: bool) -> Result<Record, Stop> {
    let mut stored = find(tx, id)?;
    if !stored.record.is_open_page() {
        return Err(
            VaultError::Refused("only an open page can be looked away from, and this is none".to_owned()).into()
        );
    }
    if stored.record.watched == watched {
        return Ok(stored.record);
    }
    let mut entry = tx.body(Event::Noted);
    entry.watched = Some(watched);
    entry.why = Some(if watched { "watched" } else { "unwatched" }.to_owned());
    let from = Some(stored.record.status);
    tx.advance_chain(&mut stored, from, &entry)?;
    Ok(stored.record)
}

/// Moves a payment on evidence. Only a proof of non-use, or a smaller amount that was shown, frees anything.
pub(crate) fn advance(
    tx: &mut Tx<'_>,
    id: &PaymentId,
    event: Event,
    settlement: Settlement,
    evidence: serde_json::Value,
) -> Result<Record, Stop> {
    let mut stored = find(tx, id)?;
    let from = stored.record.status;
    let illegal = || VaultError::Illegal { from, event };
    if !matches!(event, Event::Settled | Event::WindowOver | Event::Dead) {
        return Err(illegal().into());
    }
    legal(&stored, event)?;
    if event == Event::WindowOver && window_open(&forms(tx.conn, stored.n)?, tx.now.seen.wall) {
        return Err(illegal().into());
    }
    let mut entry = tx.body(event);
    entry.settlement = Some(settlement);
    entry.transaction = evidence.get("transaction").and_then(|t| t.as_str()).map(str::to_owned);
    let unused = if event == Event::Settled { unused(tx, &stored, &evidence)? } else { None };
    entry.freed = unused;
    entry.evidence = Some(evidence);
    tx.advance_chain(&mut stored, Some(from), &entry)?;
    match (event, unused) {
        (Event::Dead, _) => free(tx, stored.n, None)?,
        (_, Some(part)) => free(tx, stored.n, Some(part))?,
        _ => {}
    }
    doubt(tx, &stored)?;
    Ok(stored.record)
}

/// Refuses an event the table does not know for this state.
fn legal(stored: &Stored, event: Event) -> Result<(), Stop> {
    let from = stored.record.status;
    next(Some(from), event).map(|_| ()).ok_or_else(|| VaultError::Illegal { from, event }.into())
}

/// What the evidence shows was not taken, in the reference currency: `actual` in atomic units below the exposure.
fn unused(tx: &Tx<'_>, stored: &Stored, evidence: &serde_json::Value) -> Result<Option<Micro>, Stop> {
    let quote = &stored.record.quote;
    let actual = evidence.get("actual").and_then(|a| a.as_str()).map(Amount::parse_atomic);
    let Some(actual) = actual else { return Ok(None) };
    let actual = actual.map_err(|_| VaultError::Mismatch("the actual amount"))?;
    if actual >= quote.exposure.amount {
        return Ok(None);
    }
    let (Some(held), Some(asset)) = (quote.exposure_value, tx.shared.registry.asset(&quote.exposure.asset)) else {
        return Ok(None);
    };
    let value = tx.shared.registry.value(asset, actual).map_err(|_| VaultError::Mismatch("the actual amount"))?;
    Ok(value.map(|value| held.saturating_sub(value)).filter(|part| part.0 > 0))
}

/// Gives back a hold, whole or in part.
pub(crate) fn free(tx: &mut Tx<'_>, payment: i64, part: Option<Micro>) -> Result<(), Stop> {
    let whole = part.is_none();
    tx.conn.prepare_cached("INSERT INTO freed (payment, whole, amount) VALUES (?1, ?2, ?3)")?.execute((
        payment,
        whole,
        blob(part.unwrap_or_default()),
    ))?;
    let mut statement = tx.conn.prepare_cached("SELECT budget, key, at, amount FROM hold WHERE payment = ?1")?;
    let holds = statement
        .query_map([payment], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, [u8; 32]>(3)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (budget, key, at, amount) in holds {
        let held = micro(amount)?;
        let back = part.unwrap_or(held).min(held);
        tx.mem.counters.free(&budget, &key, Millis(at), back, whole)?;
        lower(tx, &budget, &key, at, back, whole)?;
    }
    Ok(())
}

/// The cache row follows, if the hold lies in the window it shows.
fn lower(tx: &Tx<'_>, budget: &str, key: &str, at: i64, back: Micro, whole: bool) -> Result<(), Stop> {
    let mut statement =
        tx.conn.prepare_cached("SELECT used FROM budget_use WHERE budget = ?1 AND key = ?2 AND since <= ?3")?;
    let mut rows = statement.query((budget, key, at))?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let used = micro(row.get(0)?)?;
    let left = used.0.checked_sub(back.0).ok_or_else(|| damaged("a counter does not add up"))?;
    tx.conn
        .prepare_cached("UPDATE budget_use SET used = ?3, count = count - ?4 WHERE budget = ?1 AND key = ?2")?
        .execute((budget, key, blob(Micro(left)), whole))?;
    Ok(())
}

/// Remembers whether this purchase is in doubt, for the next request of the same thing.
pub(crate) fn doubt(tx: &Tx<'_>, stored: &Stored) -> Result<(), Stop> {
    let record = &stored.record;
    let Some(cleared) = lifts_doubt(record) else { return Ok(()) };
    tx.conn
        .prepare_cached(
            "INSERT INTO doubt (agent, purchase, payment, cleared) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (agent, purchase, payment) DO UPDATE SET cleared = excluded.cleared",
        )?
        .execute((record.agent.as_str(), fold::purchase(&record.quote).0, stored.n, cleared))?;
    Ok(())
}

/// Whether a payment lifts the doubt about its purchase, or raises it; none where it says nothing about it.
pub(crate) fn lifts_doubt(record: &Record) -> Option<bool> {
    match (record.settlement, record.outcome) {
        (Settlement::Verified, _) => Some(true),
        // The agent's word about a payment it sent itself lifts no doubt about it.
        (Settlement::Claimed, _) if record.quote.payee.claimed => None,
        // Who says that it was paid and does not deliver has said nothing that lifts a doubt.
        (Settlement::Claimed, Some(Outcome::Unknown | Outcome::Failed)) => Some(false),
        (Settlement::Claimed, _) => Some(true),
        (Settlement::Failed | Settlement::Unknown, _) => Some(false),
        // A credential the caller sends itself is authorised, not unknown, however its window ends.
        _ if record.quote.payee.claimed => None,
        (_, Some(Outcome::Unknown | Outcome::Failed)) => Some(false),
        _ if record.status == Status::Unknown && record.outcome.is_none() => Some(false),
        _ => None,
    }
}
