//! Reading a payment back: its immutable row, and its entries folded in order.

use countersign_core::{
    Millis,
    payment::{AgentName, Digest, IdempotencyKey, PaymentId, Quote},
    status::{Event, Settlement, Status},
};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{
    body::Body,
    tx::{Stop, damaged},
};
use crate::record::{Outcome, Record};

/// A payment and where its chain stands.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub n: i64,
    /// Number of its last entry.
    pub entries: i64,
    pub record: Record,
}

/// The immutable row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentRow {
    pub n: i64,
    pub id: PaymentId,
    pub agent: AgentName,
    pub key: IdempotencyKey,
    pub request: Digest,
    pub quote: Vec<u8>,
    pub exposure: [u8; 32],
    pub asset: String,
    pub purchase: Digest,
    pub payee: Digest,
    pub at: Millis,
    pub epoch: i64,
}

pub(crate) const COLUMNS: &str =
    "p.n, p.id, p.agent, p.idem, p.request, p.quote, p.exposure, p.asset, p.purchase, p.payee, p.at, p.epoch";

impl PaymentRow {
    pub fn read(row: &Row<'_>) -> Result<Self, Stop> {
        let text = |i| row.get::<_, String>(i);
        Ok(Self {
            n: row.get(0)?,
            id: text(1)?.parse().map_err(|_| damaged("id"))?,
            agent: text(2)?.parse().map_err(|_| damaged("agent"))?,
            key: text(3)?.parse().map_err(|_| damaged("key"))?,
            request: Digest(row.get(4)?),
            quote: row.get(5)?,
            exposure: row.get(6)?,
            asset: row.get(7)?,
            purchase: Digest(row.get(8)?),
            payee: Digest(row.get(9)?),
            at: Millis(row.get(10)?),
            epoch: row.get(11)?,
        })
    }

    /// What the first entry says of this row.
    pub fn digest(&self) -> Digest {
        Digest::of(&[
            b"countersign payment 1",
            self.id.as_str().as_bytes(),
            self.agent.as_str().as_bytes(),
            self.key.as_str().as_bytes(),
            &self.request.0,
            &self.quote,
            &self.exposure,
            self.asset.as_bytes(),
            &self.purchase.0,
            &self.payee.0,
            &self.at.0.to_be_bytes(),
            &self.epoch.to_be_bytes(),
        ])
    }
}

/// What tells two purchases apart: request, amount, asset and account, whatever the key.
pub(crate) fn purchase(quote: &Quote) -> Digest {
    let amount = quote.exposure.amount.to_be_bytes();
    let asset = quote.exposure.asset.as_str().as_bytes();
    Digest::of(&[b"countersign purchase 1", &quote.resource.request.0, &amount, asset, quote.payee.account.as_bytes()])
}

/// What tells two payees apart.
pub(crate) fn payee(quote: &Quote) -> Digest {
    let asset = quote.exposure.asset.as_str().as_bytes();
    let payee = &quote.payee;
    Digest::of(&[
        b"countersign payee 1",
        payee.origin.as_str().as_bytes(),
        asset,
        payee.account.as_bytes(),
        &[u8::from(payee.claimed)],
    ])
}

/// The payment as its first entry leaves it.
pub(crate) fn begin(row: &PaymentRow, quote: Quote, first: &Body, to: Status) -> Result<Record, Stop> {
    let mut record = Record {
        id: row.id.clone(),
        agent: row.agent.clone(),
        key: row.key.clone(),
        request: row.request,
        quote,
        status: to,
        settlement: Settlement::None,
        outcome: None,
        decision: first.decision.clone().ok_or_else(|| damaged("a payment without a judgement"))?,
        by: None,
        created_at: row.at,
        changed_at: first.at,
        expires_at: None,
        valid_before: None,
        transaction: None,
        refused_as: None,
        watched: true,
        signed: false,
        epoch: row.epoch,
    };
    apply(&mut record, first, to);
    Ok(record)
}

/// One more entry.
pub(crate) fn apply(record: &mut Record, body: &Body, to: Status) {
    record.status = to;
    record.changed_at = body.at;
    if let Some(decision) = &body.decision {
        record.decision = decision.clone();
    }
    if body.by.is_some() {
        record.by.clone_from(&body.by);
    }
    record.settlement = body.settlement.unwrap_or(record.settlement);
    record.outcome = body.outcome.or(record.outcome);
    if body.transaction.is_some() {
        record.transaction.clone_from(&body.transaction);
    }
    record.valid_before = body.valid_before.or(record.valid_before);
    record.watched = body.watched.unwrap_or(record.watched);
    record.refused_as = body.refused_as.or(record.refused_as);
    record.expires_at = if to == Status::Waiting { body.expires_at.or(record.expires_at) } else { None };
    match body.event {
        Event::Signed => record.signed = true,
        Event::WindowOver if record.outcome.is_none() => record.outcome = Some(Outcome::Unknown),
        _ => {}
    }
}

/// The payment in this row, with its entries.
pub(crate) fn load(conn: &Connection, row: &PaymentRow) -> Result<Stored, Stop> {
    let quote: Quote = serde_json::from_slice(&row.quote)?;
    let mut quote = Some(quote);
    let mut record: Option<Record> = None;
    let mut entries = 0;
    each_entry(conn, row.n, |n, to, body| {
        entries = n;
        match (&mut record, quote.take()) {
            (Some(record), _) => apply(record, &body, to),
            (none, Some(quote)) => *none = Some(begin(row, quote, &body, to)?),
            (None, None) => {}
        }
        Ok(())
    })?;
    let record = record.ok_or_else(|| damaged("a payment without entries"))?;
    Ok(Stored { n: row.n, entries, record })
}

/// Calls `each` on every entry of a payment, in order.
pub(crate) fn each_entry(
    conn: &Connection,
    payment: i64,
    mut each: impl FnMut(i64, Status, Body) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut statement = conn.prepare_cached("SELECT n, to_state, body FROM entry WHERE payment = ?1 ORDER BY n")?;
    let mut rows = statement.query([payment])?;
    while let Some(row) = rows.next()? {
        let to = Status::from_word(row.get_ref(1)?.as_str().map_err(|_| damaged("state"))?)
            .ok_or_else(|| damaged("state"))?;
        let body = row.get_ref(2)?.as_blob().ok().and_then(Body::decode).ok_or_else(|| damaged("entry"))?;
        each(row.get(0)?, to, body)?;
    }
    Ok(())
}

fn one(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Option<PaymentRow>, Stop> {
    let row = conn.prepare_cached(sql)?.query_row(params, |row| Ok(PaymentRow::read(row))).optional()?;
    row.transpose()
}

/// The row of this id.
pub(crate) fn row_by_id(conn: &Connection, id: &PaymentId) -> Result<Option<PaymentRow>, Stop> {
    one(conn, &format!("SELECT {COLUMNS} FROM payment p WHERE p.id = ?1"), [id.as_str()])
}

/// Where a payment stands, without its story: its number, its last entry's number, and the state after that.
pub(crate) fn stand(conn: &Connection, id: &PaymentId) -> Result<Option<(i64, i64, Status)>, Stop> {
    let last = conn
        .prepare_cached(
            "SELECT p.n, e.n, e.to_state FROM payment p JOIN entry e ON e.payment = p.n WHERE p.id = ?1 ORDER BY e.n DESC LIMIT 1",
        )?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .optional()?;
    let Some((payment, entries, state)) = last else { return Ok(None) };
    Ok(Some((payment, entries, Status::from_word(&state).ok_or_else(|| damaged("state"))?)))
}

/// The payment of this id.
pub(crate) fn by_id(conn: &Connection, id: &PaymentId) -> Result<Option<Stored>, Stop> {
    row_by_id(conn, id)?.map(|row| load(conn, &row)).transpose()
}

/// The payment with this number.
pub(crate) fn by_n(conn: &Connection, n: i64) -> Result<Stored, Stop> {
    let row = one(conn, &format!("SELECT {COLUMNS} FROM payment p WHERE p.n = ?1"), [n])?;
    load(conn, &row.ok_or_else(|| damaged("a missing payment"))?)
}

/// The payment an agent's key means, its own or an alias's, and the request the key came with.
pub(crate) fn by_key(
    conn: &Connection,
    agent: &AgentName,
    key: &IdempotencyKey,
) -> Result<Option<(Digest, Stored)>, Stop> {
    let own = one(
        conn,
        &format!("SELECT {COLUMNS} FROM payment p WHERE p.agent = ?1 AND p.idem = ?2"),
        [agent.as_str(), key.as_str()],
    )?;
    if let Some(row) = own {
        return Ok(Some((row.request, load(conn, &row)?)));
    }
    let alias = conn
        .prepare_cached("SELECT request, payment FROM alias WHERE agent = ?1 AND idem = ?2")?
        .query_row([agent.as_str(), key.as_str()], |row| Ok((Digest(row.get(0)?), row.get::<_, i64>(1)?)))
        .optional()?;
    alias.map(|(request, n)| Ok((request, by_n(conn, n)?))).transpose()
}
