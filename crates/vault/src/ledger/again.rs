//! A repeat of a key inside the window: the same bytes again, never a second authorisation.

use countersign_core::{
    payment::PaymentId,
    policy::By,
    signable::Signable,
    status::{Event, Status},
};

use super::{
    admit::find,
    detail,
    hold::{forms, window_open},
    tx::{Stop, Tx},
};
use crate::record::Record;

/// What a repeated delivery needs.
pub(crate) struct Again {
    pub record: Record,
    pub forms: Vec<Signable>,
    pub offer: String,
}

/// Notes the repeat and answers what to sign; none outside the window, where nothing was ever reserved, or where policy, clock
/// or history are in doubt and no person said yes to this payment.
pub(crate) fn again(tx: &mut Tx<'_>, id: &PaymentId) -> Result<Option<Again>, Stop> {
    let mut stored = find(tx, id)?;
    tx.view.may_pay(&stored.record.agent, tx.now.seen.wall)?;
    let from = stored.record.status;
    if !matches!(from, Status::Reserved | Status::Signed | Status::Delivered | Status::Settled) {
        return Ok(None);
    }
    if tx.view.doubts.any() && !matches!(stored.record.by, Some(By::Person(_))) {
        return Ok(None);
    }
    let forms = forms(tx.conn, stored.n)?;
    if !window_open(&forms, tx.now.seen.wall) {
        return Ok(None);
    }
    let Some(offer) = detail::text(tx.conn, stored.n, "offer")? else { return Ok(None) };
    let mut entry = tx.body(Event::Noted);
    entry.why = Some("again".to_owned());
    tx.advance_chain(&mut stored, Some(from), &entry)?;
    Ok(Some(Again { record: stored.record, forms, offer }))
}
