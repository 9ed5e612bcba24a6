//! Reading on in the ledger's chain: every payment that an entry names is read whole and its line written again.

use countersign_core::{
    calendar::{Calendar, Day},
    payment::Op,
};
use rusqlite::{Connection, OptionalExtension as _};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{By, Open, Word, search, store};
use crate::{
    ledger::{Stop, reader},
    record::Record,
};

/// Entries that are read in one transaction.
const PIECE: i64 = 1_000;

/// Reads on for about `time`. Returns how many entries are left.
pub(super) fn on(open: &mut Open, word: Word, time: Duration) -> Result<u64, Stop> {
    let begun = Instant::now();
    let last = reader::last(&open.ledger)?;
    loop {
        let seq = store::seq(&open.view)?;
        let left = u64::try_from(last.saturating_sub(seq)).unwrap_or(0);
        if left == 0 || begun.elapsed() >= time {
            return Ok(left);
        }
        let entries = reader::after(&open.ledger, seq, PIECE)?;
        let Some((end, _)) = entries.last().copied() else { return Ok(0) };
        let payments: BTreeSet<i64> = entries.into_iter().map(|(_, payment)| payment).collect();
        let tx = open.view.transaction()?;
        for n in payments {
            write(&tx, n, &reader::payment(&open.ledger, n)?, word, &open.calendar)?;
        }
        store::set(&tx, "seq", &end.to_be_bytes())?;
        store::set(&tx, "hash", &reader::hash_at(&open.ledger, end)?.unwrap_or_default())?;
        tx.commit()?;
    }
}

/// What one line adds to the sums of its day.
struct Share {
    key: [i64; 5],
    value: i64,
    count: i64,
    unknown: i64,
}

fn write(conn: &Connection, n: i64, record: &Record, state: Word, calendar: &Calendar) -> rusqlite::Result<()> {
    let quote = &record.quote;
    let value = quote.exposure_value.and_then(|value| i64::try_from(value.0).ok());
    // What was signed and not given back is spent or may be; what a page brings in is not.
    let counts = record.signed && record.status.holds() && quote.op != Op::ReceiveLink;
    let test = i64::from(quote.testnet);
    let day = calendar.day(record.created_at).number();
    let agent = word(conn, record.agent.as_str())?;
    let payee = word(conn, quote.payee.origin.as_str())?;
    let rail = word(conn, &quote.rail)?;
    let state = word(conn, state(record))?;
    let old = conn
        .prepare_cached("SELECT test, day, agent, payee, rail, counts, value FROM line WHERE n = ?1")?
        .query_row([n], |row| {
            let key = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            Ok(share(key, row.get(5)?, row.get(6)?))
        })
        .optional()?;
    if let Some(old) = old {
        add(conn, &old, -1)?;
    }
    add(conn, &share([test, day, agent, payee, rail], counts, value), 1)?;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO line (n, id, at, day, test, agent, payee, rail, state, rule, counts, value, amount)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute((
        n,
        record.id.as_str(),
        record.created_at.0,
        day,
        test,
        agent,
        payee,
        rail,
        state,
        word(conn, &record.decision.rule)?,
        counts,
        value,
        quote.asset_text(),
    ))?;
    let texts = [
        record.id.as_str(),
        record.agent.as_str(),
        quote.payee.origin.as_str(),
        &quote.payee.account,
        &quote.resource.path,
        record.transaction.as_deref().unwrap_or_default(),
    ];
    let filters = [("test", test), ("agent", agent), ("payee", payee), ("rail", rail), ("state", state)];
    let text = search::text(&texts, &filters);
    conn.prepare_cached("DELETE FROM found WHERE rowid = ?1")?.execute([n])?;
    conn.prepare_cached("INSERT INTO found (rowid, text) VALUES (?1, ?2)")?.execute((n, text))?;
    Ok(())
}

fn share(key: [i64; 5], counts: bool, value: Option<i64>) -> Share {
    let one = i64::from(counts);
    Share {
        key,
        value: value.filter(|_| counts).unwrap_or(0),
        count: one,
        unknown: if value.is_none() { one } else { 0 },
    }
}

fn add(conn: &Connection, share: &Share, sign: i64) -> rusqlite::Result<()> {
    if share.count == 0 {
        return Ok(());
    }
    let [test, day, agent, payee, rail] = share.key;
    let month = Day::numbered(day).month().number();
    let signed = |part: i64| part.saturating_mul(sign);
    let mut total = conn.prepare_cached(
        "INSERT INTO total (test, by, month, day, name, value, count, unknown) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET value = value + excluded.value, count = count + excluded.count, unknown = unknown + excluded.unknown",
    )?;
    for (by, name) in [(By::Agent, agent), (By::Payee, payee), (By::Rail, rail)] {
        for (whole, day) in [(false, day), (true, month)] {
            let (value, count, unknown) = (signed(share.value), signed(share.count), signed(share.unknown));
            total.execute((test, by.number(), whole, day, name, value, count, unknown))?;
        }
    }
    Ok(())
}

/// The number of a text, new if it was never seen.
fn word(conn: &Connection, text: &str) -> rusqlite::Result<i64> {
    let known =
        conn.prepare_cached("SELECT id FROM word WHERE text = ?1")?.query_row([text], |row| row.get(0)).optional()?;
    match known {
        Some(id) => Ok(id),
        None => {
            conn.prepare_cached("INSERT INTO word (text) VALUES (?1)")?.execute([text])?;
            Ok(conn.last_insert_rowid())
        }
    }
}
