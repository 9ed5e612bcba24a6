//! Which payments fit: filters, search and pages. What bounds a query most drives it, so that none walks the whole ledger needlessly.

use countersign_core::{Millis, money::Micro, payment::PaymentId};
use rusqlite::{Connection, OptionalExtension as _, types::Value};

use super::{Open, search};
use crate::{
    error::VaultError,
    ledger::{Stop, reader},
    record::Record,
};

/// Which payments are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Find {
    /// Play money instead of real money.
    pub test: bool,
    /// Only this agent's.
    pub agent: Option<String>,
    /// Only to this origin.
    pub payee: Option<String>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only through this protocol.
    pub rail: Option<String>,
    /// Only of this value or more.
    pub min: Option<Micro>,
    /// Only of this value or less.
    pub max: Option<Micro>,
    /// Only from this moment on.
    pub since: Option<Millis>,
    /// Only before this moment.
    pub until: Option<Millis>,
    /// Words, or beginnings of words, that all have to occur.
    pub text: String,
    /// Where the last page ended.
    pub cursor: Option<i64>,
    /// Most lines of a page.
    pub limit: u32,
}

/// One payment, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub id: PaymentId,
    /// When it was asked for.
    pub at: Millis,
    /// By whom.
    pub agent: String,
    /// Who is paid.
    pub payee: String,
    /// Exactly how much, with its symbol.
    pub amount: String,
    /// The most it can cost, in the reference currency.
    pub value: Option<Micro>,
    /// How it stands.
    pub state: String,
    /// What decided it.
    pub rule: String,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The lines, newest first.
    pub lines: Vec<Line>,
    /// Where the next page starts; none at the end.
    pub next: Option<i64>,
}

/// What can be chosen in a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Agents that asked.
    pub agents: Vec<String>,
    /// Protocols that were used.
    pub rails: Vec<String>,
    /// States that occur.
    pub states: Vec<String>,
    /// Whether there are payments with real money, and with play money.
    pub real: bool,
    /// The same for play money.
    pub test: bool,
}

/// Fewer hits than this are sorted; more are met soon enough when walking from the newest.
const FEW: i64 = 5_000;
const MOST: u32 = 500;
/// A query that the index of words drives.
const FOUND: &str = "found f CROSS JOIN line l ON l.n = f.rowid";
/// Payments that an export reads at once.
const PIECE: u32 = 200;

pub(super) fn page(view: &Connection, find: &Find) -> Result<Found, Stop> {
    let limit = find.limit.clamp(1, MOST);
    let Some(query) = Query::of(view, find)? else { return Ok(Found { lines: Vec::new(), next: None }) };
    let sql = query.sql(
        "l.n, l.id, l.at, a.text, p.text, l.amount, l.value, s.text, r.text",
        "JOIN word a ON a.id = l.agent JOIN word p ON p.id = l.payee JOIN word s ON s.id = l.state JOIN word r ON r.id = l.rule",
        limit,
    );
    let mut statement = view.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(&query.values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(1)?;
        let value: Option<i64> = row.get(6)?;
        let line = Line {
            id: id.parse().map_err(|_| VaultError::Storage("a line has no name".into()))?,
            at: Millis(row.get(2)?),
            agent: row.get(3)?,
            payee: row.get(4)?,
            amount: row.get(5)?,
            value: value.and_then(|v| u128::try_from(v).ok()).map(Micro),
            state: row.get(7)?,
            rule: row.get(8)?,
        };
        found.push((row.get::<_, i64>(0)?, line));
    }
    let next = after(&mut found, limit);
    Ok(Found { lines: found.into_iter().map(|(_, line)| line).collect(), next })
}

pub(super) fn records(open: &Open, find: &Find, cursor: Option<i64>) -> Result<(Vec<Record>, Option<i64>), Stop> {
    let find = Find { cursor, ..find.clone() };
    let Some(query) = Query::of(&open.view, &find)? else { return Ok((Vec::new(), None)) };
    let sql = query.sql("l.n, 0", "", PIECE);
    let mut statement = open.view.prepare_cached(&sql)?;
    let mut numbers = statement
        .query_map(rusqlite::params_from_iter(&query.values), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let next = after(&mut numbers, PIECE);
    let records = numbers.into_iter().map(|(n, _)| reader::payment(&open.ledger, n)).collect::<Result<_, Stop>>()?;
    Ok((records, next))
}

/// Cuts the one row too many off and says where the next page starts.
fn after<T>(found: &mut Vec<(i64, T)>, limit: u32) -> Option<i64> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    found.last().filter(|_| more).map(|(n, _)| *n)
}

pub(super) fn choices(conn: &Connection) -> Result<Choices, Stop> {
    // Each step jumps over all lines of one word, so this takes as long as there are words.
    let words = |column: &str| {
        conn.prepare_cached(&format!(
            "WITH RECURSIVE seen (test, id) AS (
               SELECT t.v, (SELECT min({column}) FROM line WHERE test = t.v) FROM (SELECT 0 AS v UNION SELECT 1) t
               UNION
               SELECT test, (SELECT min({column}) FROM line WHERE test = seen.test AND {column} > seen.id) FROM seen WHERE id IS NOT NULL)
             SELECT DISTINCT w.text FROM seen JOIN word w ON w.id = seen.id ORDER BY w.text LIMIT 200"
        ))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()
    };
    let any = |test: i64| {
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM line WHERE test = ?1)")?.query_row([test], |row| row.get(0))
    };
    Ok(Choices {
        agents: words("agent")?,
        rails: words("rail")?,
        states: words("state")?,
        real: any(0)?,
        test: any(1)?,
    })
}

/// The conditions of one query, and the index that drives it.
struct Query {
    from: String,
    wheres: Vec<String>,
    values: Vec<Value>,
}

impl Query {
    /// None if nothing can fit.
    fn of(conn: &Connection, find: &Find) -> Result<Option<Self>, Stop> {
        let mut query = Self { from: "line l NOT INDEXED".to_owned(), wheres: Vec::new(), values: Vec::new() };
        let test = i64::from(find.test);
        query.and("l.test = ?", test.into());
        let mut marks = vec![search::mark("test", test)];
        // The best index so far, and how many lines it gives.
        let mut best = ("line_test", i64::MAX);
        for (column, index, wanted) in [
            ("agent", "line_agent", &find.agent),
            ("payee", "line_payee", &find.payee),
            ("state", "line_state", &find.state),
            ("rail", "line_rail", &find.rail),
        ] {
            let Some(text) = wanted else { continue };
            let id: Option<i64> = conn
                .prepare_cached("SELECT id FROM word WHERE text = ?1")?
                .query_row([text], |row| row.get(0))
                .optional()?;
            let Some(id) = id else { return Ok(None) };
            query.and(&format!("l.{column} = ?"), id.into());
            marks.push(search::mark(column, id));
            let count = few(conn, &format!("test = ?1 AND {column} = ?2"), &[test.into(), id.into()])?;
            if count < best.1 {
                best = (index, count);
            }
        }
        if find.min.is_some() || find.max.is_some() {
            let end =
                |value: Option<Micro>, other: i64| value.map_or(other, |v| i64::try_from(v.0).unwrap_or(i64::MAX));
            let (min, max) = (end(find.min, 0), end(find.max, i64::MAX));
            query.and("l.value >= ?", min.into());
            query.and("l.value <= ?", max.into());
            let count = few(conn, "test = ?1 AND value BETWEEN ?2 AND ?3", &[test.into(), min.into(), max.into()])?;
            if count < FEW && count < best.1 {
                best = ("line_value", count);
            }
        }
        // Payments are numbered in the order of their time.
        for (moment, bound, sql) in [
            (find.since, "{n} >= ?", "SELECT min(n) FROM (SELECT n FROM line WHERE at >= ?1 ORDER BY at LIMIT 1)"),
            (
                find.until,
                "{n} <= ?",
                "SELECT max(n) FROM (SELECT n FROM line WHERE at < ?1 ORDER BY at DESC, n DESC LIMIT 1)",
            ),
        ] {
            let Some(moment) = moment else { continue };
            let n: Option<i64> = conn.prepare_cached(sql)?.query_row([moment.0], |row| row.get(0))?;
            let Some(n) = n else { return Ok(None) };
            query.and(bound, n.into());
        }
        if let Some(cursor) = find.cursor {
            query.and("{n} < ?", cursor.into());
        }
        let words = search::words(conn, &find.text)?;
        query.from = format!("line l INDEXED BY {}", best.0);
        if best.1 < FEW {
            if let Some(words) = words {
                query.and("EXISTS (SELECT 1 FROM found WHERE found MATCH ? AND rowid = l.n)", words.into());
            }
        } else if words.is_some() || marks.len() > 2 {
            // Several long lists: the index of words leaps from one to the next.
            query.from = FOUND.to_owned();
            query.and("f.found MATCH ?", words.into_iter().chain(marks).collect::<Vec<_>>().join(" AND ").into());
        }
        Ok(Some(query))
    }

    fn and(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        self.wheres.push(condition.replace('?', &format!("?{}", self.values.len())));
    }

    fn sql(&self, columns: &str, joins: &str, limit: u32) -> String {
        let order = if self.from == FOUND { "f.rowid" } else { "l.n" };
        let wheres = self.wheres.join(" AND ").replace("{n}", order);
        let limit = limit.saturating_add(1);
        format!("SELECT {columns} FROM {} {joins} WHERE {wheres} ORDER BY {order} DESC LIMIT {limit}", self.from)
    }
}

/// How many lines fit, at most [`FEW`].
fn few(conn: &Connection, condition: &str, values: &[Value]) -> rusqlite::Result<i64> {
    conn.prepare_cached(&format!("SELECT count(*) FROM (SELECT 1 FROM line WHERE {condition} LIMIT {FEW})"))?
        .query_row(rusqlite::params_from_iter(values), |row| row.get(0))
}

#[cfg(test)]
mod tests;
