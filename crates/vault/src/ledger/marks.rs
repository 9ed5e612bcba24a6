//! Marks: bookkeeping that rides along with the next commit. Nobody waits for them, and each is written at most once.

use countersign_core::{
    payment::PaymentId,
    status::{Event, Status},
};

use super::{
    fold,
    note::free,
    reserve::end,
    shared::Mark,
    tx::{Stop, Tx, damaged},
};

/// Writes one mark, if the payment still stands where the mark belongs.
pub(crate) fn write(tx: &mut Tx<'_>, mark: &Mark) -> Result<(), Stop> {
    match mark {
        Mark::Signed(id) => step(tx, id, Status::Reserved, Event::Signed),
        Mark::Delivered(id) => {
            step(tx, id, Status::Reserved, Event::Signed)?;
            step(tx, id, Status::Signed, Event::Delivered)
        }
        Mark::NeverSigned(id) => never_signed(tx, id),
        Mark::NeverAsked(id) => {
            if let Some(mut stored) = fold::by_id(tx.conn, id)?
                && stored.record.status == Status::Waiting
            {
                end(tx, &mut stored, Event::Expired, "start")?;
            }
            Ok(())
        }
        Mark::Used(token, at) => {
            tx.conn.execute("UPDATE token SET used = max(used, ?2) WHERE id = ?1", (token, at.0))?;
            Ok(())
        }
    }
}

fn step(tx: &mut Tx<'_>, id: &PaymentId, from: Status, event: Event) -> Result<(), Stop> {
    if let Some((payment, entries, status)) = fold::stand(tx.conn, id)?
        && status == from
    {
        let n = entries.checked_add(1).ok_or_else(|| damaged("too many entries"))?;
        let entry = tx.body(event);
        tx.append(payment, id, n, Some(from), &entry)?;
    }
    Ok(())
}

/// Only this process life can know that it never signed what it reserved, and only while nothing followed the reservation:
/// a repeat that was answered with the same signature has left an entry first.
fn never_signed(tx: &mut Tx<'_>, id: &PaymentId) -> Result<(), Stop> {
    let Some(mut stored) = fold::by_id(tx.conn, id)? else { return Ok(()) };
    if stored.record.status != Status::Reserved || !just_reserved(tx, stored.n)? {
        return Ok(());
    }
    let entry = tx.body(Event::NeverSigned);
    tx.advance_chain(&mut stored, Some(Status::Reserved), &entry)?;
    free(tx, stored.n, None)
}

/// Whether the last entry is the reservation itself, made in this process life.
fn just_reserved(tx: &Tx<'_>, payment: i64) -> Result<bool, Stop> {
    let mut last = false;
    fold::each_entry(tx.conn, payment, |_, _, body| {
        last = body.event == Event::Reserved && body.epoch == tx.mem.epoch;
        Ok(())
    })?;
    Ok(last)
}
