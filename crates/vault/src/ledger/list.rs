//! Reading payments back: lists, bodies, what is still open, and why.

use countersign_core::{
    payment::{Digest, PaymentId},
    signable::Signable,
    status::Status,
};
use rusqlite::{Connection, types::Value};

use super::{
    fold::{self, COLUMNS, PaymentRow},
    hold::forms,
    tx::{Stop, damaged},
};
use crate::{
    config::PolicyVersion,
    error::VaultError,
    record::{Explained, Filter, Page, Record, Step},
};

const USUAL: u32 = 50;
const MOST: u32 = 500;

/// One page, newest first.
pub(crate) fn page(conn: &Connection, filter: &Filter) -> Result<Page, Stop> {
    let limit = if filter.limit == 0 { USUAL } else { filter.limit.min(MOST) };
    let mut sql = format!("SELECT {COLUMNS} FROM payment p JOIN head h ON h.payment = p.n WHERE 1");
    let mut values: Vec<Value> = Vec::new();
    let mut add = |clause: &str, value: Value| {
        values.push(value);
        sql.push_str(clause);
        sql.push_str(&values.len().to_string());
    };
    if let Some(agent) = &filter.agent {
        add(" AND p.agent = ?", agent.as_str().to_owned().into());
    }
    if let Some(since) = filter.since {
        add(" AND p.at >= ?", since.0.into());
    }
    if let Some(cursor) = &filter.cursor {
        let before = cursor.parse::<i64>().map_err(|_| VaultError::Refused("not a cursor".into()))?;
        add(" AND p.n < ?", before.into());
    }
    if !filter.status.is_empty() {
        let words: Vec<String> = filter.status.iter().map(|s| format!("'{}'", s.as_str())).collect();
        sql.push_str(&format!(" AND h.state IN ({})", words.join(", ")));
    }
    sql.push_str(&format!(" ORDER BY p.n DESC LIMIT {}", limit.saturating_add(1)));
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(PaymentRow::read(row)?);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|row| row.n.to_string());
    let payments = found.iter().map(|row| Ok(fold::load(conn, row)?.record)).collect::<Result<Vec<Record>, Stop>>()?;
    Ok(Page { payments, next_cursor })
}

/// Payments that may still move, oldest first, with what was signed.
pub(crate) fn open(conn: &Connection) -> Result<Vec<(Record, Vec<Signable>)>, Stop> {
    let mut statement = conn.prepare_cached(
        "SELECT payment FROM head WHERE state IN ('reserved', 'signed', 'delivered', 'unknown') ORDER BY payment",
    )?;
    let all = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    all.into_iter().map(|n| Ok((fold::by_n(conn, n)?.record, forms(conn, n)?))).collect()
}

/// Names of payments that may still move, with the end of their window in Unix seconds; `unknown` ones only if wanted.
pub(crate) fn open_ids(conn: &Connection, unknown: bool) -> Result<Vec<(PaymentId, u64)>, Stop> {
    let mut statement = conn.prepare_cached(
        "SELECT p.id, max(s.valid_until) FROM head h JOIN payment p ON p.n = h.payment JOIN signable s ON s.payment = p.n
         WHERE h.state IN ('reserved', 'signed', 'delivered', CASE ?1 WHEN 1 THEN 'unknown' ELSE 'signed' END) GROUP BY p.n",
    )?;
    let rows = statement.query_map([unknown], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let mut open = Vec::new();
    for row in rows {
        let (id, end) = row?;
        let id = id.parse().map_err(|_| damaged("a payment has no name"))?;
        open.push((id, u64::try_from(end).unwrap_or(0)));
    }
    Ok(open)
}

/// One payment that may still move, with what was signed.
pub(crate) fn open_one(conn: &Connection, id: &PaymentId) -> Result<Option<(Record, Vec<Signable>)>, Stop> {
    match fold::by_id(conn, id)? {
        Some(stored) if stored.record.status.holds() && stored.record.status != Status::Settled => {
            Ok(Some((stored.record, forms(conn, stored.n)?)))
        }
        _ => Ok(None),
    }
}

/// A kept body of a payment.
pub(crate) fn detail(conn: &Connection, id: &PaymentId, kind: &str) -> Result<Option<Vec<u8>>, Stop> {
    match fold::row_by_id(conn, id)? {
        Some(row) => super::detail::read(conn, row.n, kind),
        None => Ok(None),
    }
}

/// Facts, judgements and steps.
pub(crate) fn explain(conn: &Connection, id: &PaymentId) -> Result<Option<Explained>, Stop> {
    let Some(stored) = fold::by_id(conn, id)? else { return Ok(None) };
    let mut facts = None;
    let mut steps = Vec::new();
    let mut seqs = conn
        .prepare_cached("SELECT seq FROM entry WHERE payment = ?1 ORDER BY n")?
        .query_map([stored.n], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?
        .into_iter();
    fold::each_entry(conn, stored.n, |_, status: Status, body| {
        if facts.is_none() {
            facts = body.facts;
        }
        let evidence = body.evidence.or_else(|| body.why.map(serde_json::Value::String));
        steps.push(Step {
            seq: seqs.next().unwrap_or(0),
            event: body.event,
            status,
            at: body.at,
            decision: body.decision,
            evidence,
        });
        Ok(())
    })?;
    let facts = facts.ok_or_else(|| damaged("a payment without facts"))?;
    Ok(Some(Explained { record: stored.record, facts, steps }))
}

/// Every policy there was, newest first.
pub(crate) fn policies(conn: &Connection) -> Result<Vec<PolicyVersion>, Stop> {
    let mut statement = conn.prepare("SELECT v, at, by, toml, hash FROM policy_version ORDER BY v DESC")?;
    let versions = statement.query_map([], |row| {
        Ok(PolicyVersion {
            version: row.get(0)?,
            at: countersign_core::Millis(row.get(1)?),
            by: row.get(2)?,
            toml: row.get(3)?,
            hash: Digest(row.get(4)?),
        })
    })?;
    Ok(versions.collect::<rusqlite::Result<Vec<_>>>()?)
}
