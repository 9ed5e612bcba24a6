//! The full check: every entry, every row the chain speaks of, every sum, every rule of the schema. Reads one snapshot, writes nothing.

use countersign_core::{
    Millis,
    money::Micro,
    payment::{Digest, PaymentId},
    status::{Event, Status, next},
};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeMap;

use super::{
    body::Body,
    chain::{self, Broken, Head, Link, MacKey},
    db::{quick_check, schema_changes},
    detail,
    fold::{COLUMNS, PaymentRow},
    hold::{alias_mac, aliases, forms},
    taught,
    tx::{Stop, damaged},
    usage::{micro, sum},
};
use crate::{config::VerifyReport, error::VaultError};

/// No more faults than this are listed.
const MOST: usize = 20;

enum Halt {
    Stop(Stop),
    Broken(Broken),
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Self {
        Self::Stop(Stop::Sql(error))
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Broken> for Halt {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Checks everything; faults are listed, not fixed.
pub(crate) fn whole(conn: &Connection, key: &MacKey) -> Result<VerifyReport, Stop> {
    conn.execute_batch("BEGIN")?;
    let report = check(conn, key);
    conn.execute_batch("COMMIT")?;
    report
}

fn check(conn: &Connection, key: &MacKey) -> Result<VerifyReport, Stop> {
    let mut faults = Vec::new();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let words = quick_check(conn)?;
    if words != "ok" {
        faults.push(format!("the file is damaged: {words}"));
    }
    let mut seen = Seen::default();
    let head = match chain::walk::<Halt>(conn, Head::EMPTY, key, |link| Ok(seen.entry(conn, link, &mut faults)?)) {
        Ok(head) => head,
        Err(Halt::Stop(stop)) => return Err(stop),
        Err(Halt::Broken(broken)) => {
            faults.insert(0, broken.to_string());
            Head { seq: broken.seq, hash: [0; 32] }
        }
    };
    if faults.is_empty() {
        checkpoints(conn, key, &mut faults)?;
        alone(conn, &mut faults)?;
        alias_rows(conn, key, &mut faults)?;
        policies(conn, key, &mut faults)?;
        counters(conn, &mut faults)?;
        taught::check(conn, &mut faults)?;
    }
    faults.extend(schema_changes(conn)?.into_iter().map(|part| format!("the schema was changed: {part}")));
    faults.truncate(MOST);
    Ok(VerifyReport {
        entries: count("SELECT count(*) FROM entry")?,
        payments: count("SELECT count(*) FROM payment")?,
        head: Digest(head.hash),
        faults,
    })
}

/// Where each payment stands as the walk goes by.
#[derive(Default)]
struct Seen {
    at: BTreeMap<String, (i64, Status)>,
}

impl Seen {
    fn entry(&mut self, conn: &Connection, link: &Link, faults: &mut Vec<String>) -> Result<(), Stop> {
        let mut fault = |what: &str| faults.push(format!("entry {}, payment {}: {what}", link.seq, link.payment));
        let (Some(body), Some(to)) = (Body::decode(&link.body), Status::from_word(&link.to_state)) else {
            fault("it cannot be read");
            return Ok(());
        };
        let before = self.at.get(&link.payment).copied();
        if before.map_or(0, |(n, _)| n).checked_add(1) != Some(link.n)
            || next(before.map(|(_, s)| s), body.event) != Some(to)
        {
            fault("it does not follow from the one before it");
        }
        self.at.insert(link.payment.clone(), (link.n, to));
        let id: PaymentId = link.payment.parse().map_err(|_| damaged("id"))?;
        let row = conn
            .prepare_cached(&format!("SELECT {COLUMNS} FROM payment p WHERE p.id = ?1"))?
            .query_row([id.as_str()], |row| Ok(PaymentRow::read(row)))
            .optional()?
            .transpose()?;
        let Some(row) = row else {
            fault("its payment is missing");
            return Ok(());
        };
        if link.n == 1 && body.row != Some(row.digest()) {
            fault("the payment's row was changed");
        }
        if body.event == Event::Reserved {
            reserved(conn, row.n, &body, &mut fault)?;
        }
        if before.is_some_and(|(_, s)| s == Status::Waiting) && body.aliases != Some(aliases(conn, row.n)?) {
            fault("its aliases were changed");
        }
        let freed = freed(conn, row.n)?;
        match body.event {
            Event::NeverSigned | Event::Dead if freed != Some((true, Micro::ZERO)) => {
                fault("its hold was not given back")
            }
            Event::Settled if body.freed.is_some() && freed != body.freed.map(|part| (false, part)) => {
                fault("another amount was given back")
            }
            _ => {}
        }
        for (kind, digest) in &body.detail {
            let kept = conn
                .prepare_cached("SELECT salt, body FROM detail WHERE payment = ?1 AND kind = ?2")?
                .query_row((row.n, kind), |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .optional()?;
            if let Some((salt, kept)) = kept
                && detail::digest(&salt, &kept) != *digest
                && !replaced(conn, row.n, link.n, kind)?
            {
                fault("a kept text was changed");
            }
        }
        Ok(())
    }
}

/// Whether a later entry wrote the same kind again.
fn replaced(conn: &Connection, payment: i64, n: i64, kind: &str) -> Result<bool, Stop> {
    let mut statement = conn.prepare_cached("SELECT body FROM entry WHERE payment = ?1 AND n > ?2")?;
    let later =
        statement.query_map((payment, n), |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(later.iter().filter_map(|b| Body::decode(b)).any(|b| b.detail.contains_key(kind)))
}

/// Holds and forms must be those the entry names, no more and no fewer.
fn reserved(conn: &Connection, payment: i64, body: &Body, fault: &mut impl FnMut(&str)) -> Result<(), Stop> {
    let mut statement =
        conn.prepare_cached("SELECT budget, key, at, amount, epoch FROM hold WHERE payment = ?1 ORDER BY budget, key")?;
    let mut rows = statement.query([payment])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, i64>(2)?,
            micro(row.get(3)?)?,
            row.get::<_, i64>(4)?,
        ));
    }
    let lines = body.decision.as_ref().map(|d| d.budgets.as_slice()).unwrap_or_default();
    let mut named: Vec<_> =
        lines.iter().map(|l| (l.id.clone(), l.key.clone(), body.at.0, l.amount, body.epoch)).collect();
    named.sort();
    if held != named {
        fault("its holds were changed");
    }
    let forms = match forms(conn, payment) {
        Ok(forms) => forms.iter().map(|f| Digest(crate::sign::digest(f).0)).collect::<Vec<_>>(),
        Err(Stop::Told(_)) => Vec::new(),
        Err(stop) => return Err(stop),
    };
    if forms != body.forms {
        fault("what was signed was changed");
    }
    Ok(())
}

fn freed(conn: &Connection, payment: i64) -> Result<Option<(bool, Micro)>, Stop> {
    let row = conn
        .prepare_cached("SELECT whole, amount FROM freed WHERE payment = ?1")?
        .query_row([payment], |row| Ok((row.get::<_, bool>(0)?, row.get::<_, [u8; 32]>(1)?)))
        .optional()?;
    row.map(|(whole, amount)| Ok((whole, micro(amount)?))).transpose()
}

fn checkpoints(conn: &Connection, key: &MacKey, faults: &mut Vec<String>) -> Result<(), Stop> {
    let mut statement = conn.prepare(
        "SELECT c.seq, c.hash, c.mac, e.hash FROM checkpoint c LEFT JOIN entry e ON e.seq = c.seq ORDER BY c.seq",
    )?;
    let mut rows = statement.query([])?;
    let mut count = 0_i64;
    while let Some(row) = rows.next()? {
        count = count.saturating_add(1);
        let (seq, hash): (i64, [u8; 32]) = (row.get(0)?, row.get(1)?);
        let there = row.get::<_, Option<Vec<u8>>>(3)?.as_deref() == Some(&hash);
        if !there || !key.matches("checkpoint", &[&seq.to_be_bytes(), &hash], &row.get::<_, Vec<u8>>(2)?) {
            faults.push(format!("checkpoint {seq} does not match"));
        }
    }
    let entries: i64 = conn.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
    if entries.checked_div(chain::CHECKPOINT_EVERY) != Some(count) {
        faults.push("a checkpoint is missing".into());
    }
    Ok(())
}

/// Rows that no entry speaks of, and caches that say something else than the chain.
fn alone(conn: &Connection, faults: &mut Vec<String>) -> Result<(), Stop> {
    let checks = [
        (
            "SELECT count(*) FROM payment p WHERE NOT EXISTS (SELECT 1 FROM entry WHERE payment = p.n)",
            "payments without an entry",
        ),
        (
            "SELECT count(*) FROM hold h WHERE NOT EXISTS (SELECT 1 FROM entry WHERE payment = h.payment AND to_state = 'reserved')",
            "holds that nobody reserved",
        ),
        (
            "SELECT count(*) FROM signable s WHERE NOT EXISTS (SELECT 1 FROM entry WHERE payment = s.payment AND to_state = 'reserved')",
            "forms that nobody reserved",
        ),
        (
            "SELECT count(*) FROM freed f WHERE NOT EXISTS (SELECT 1 FROM entry WHERE payment = f.payment
               AND to_state = CASE f.whole WHEN 1 THEN 'released' ELSE 'settled' END)",
            "holds given back without evidence",
        ),
        (
            "SELECT count(*) FROM head h WHERE h.state IS NOT (SELECT to_state FROM entry WHERE payment = h.payment ORDER BY n DESC LIMIT 1)",
            "states that differ from the chain",
        ),
        (
            "SELECT count(*) FROM payment p WHERE NOT EXISTS (SELECT 1 FROM head WHERE payment = p.n)",
            "payments without a state",
        ),
        (
            "SELECT count(*) FROM alias a JOIN payment p ON p.agent = a.agent AND p.idem = a.idem",
            "keys that mean two payments",
        ),
        (
            "SELECT count(*) FROM (SELECT 1 FROM payment GROUP BY agent, idem HAVING count(*) > 1)",
            "keys with two payments of their own",
        ),
    ];
    for (sql, what) in checks {
        let found: i64 = conn.query_row(sql, [], |row| row.get(0))?;
        if found > 0 {
            faults.push(format!("{found} {what}"));
        }
    }
    Ok(())
}

fn alias_rows(conn: &Connection, key: &MacKey, faults: &mut Vec<String>) -> Result<(), Stop> {
    let mut statement =
        conn.prepare("SELECT a.agent, a.idem, a.request, p.id, a.mac FROM alias a JOIN payment p ON p.n = a.payment")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (agent, idem): (String, String) = (row.get(0)?, row.get(1)?);
        let id: PaymentId = row.get::<_, String>(3)?.parse().map_err(|_| damaged("id"))?;
        let mac = alias_mac(key, &agent, &idem, &Digest(row.get(2)?), &id);
        if row.get::<_, Vec<u8>>(4)? != mac {
            faults.push(format!("the key {idem} of {agent} was changed"));
        }
    }
    Ok(())
}

fn policies(conn: &Connection, key: &MacKey, faults: &mut Vec<String>) -> Result<(), Stop> {
    let mut statement = conn.prepare("SELECT v, toml, hash, at, by, mac FROM policy_version ORDER BY v")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (v, toml, hash, at, by): (i64, String, [u8; 32], i64, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        let mac = key.mac("policy", &[&v.to_be_bytes(), toml.as_bytes(), &hash, &at.to_be_bytes(), by.as_bytes()]);
        if row.get::<_, Vec<u8>>(5)? != mac {
            faults.push(format!("policy version {v} was changed"));
        }
    }
    Ok(())
}

/// Every counter's cache against the sum of its holds.
fn counters(conn: &Connection, faults: &mut Vec<String>) -> Result<(), Stop> {
    let mut statement = conn.prepare("SELECT budget, key, since, used, count FROM budget_use")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (budget, key): (String, String) = (row.get(0)?, row.get(1)?);
        let used = sum(conn, &budget, &key, Some(Millis(row.get(2)?)), None)?;
        let count = i64::try_from(used.count).map_err(|_| VaultError::Storage("a count is too large".into()))?;
        if micro(row.get(3)?)? != used.amount || row.get::<_, i64>(4)? != count {
            faults.push(format!("budget {budget} ({key}) does not add up"));
        }
    }
    Ok(())
}
