//! Payees a person said yes to: listed, named and forgotten.
//!
//! The rows themselves are written once and stand in the chain; what is forgotten is noted beside them, under the seal, until the
//! next yes to the same payee.

use countersign_core::{
    Millis,
    origin::Origin,
    payment::{AgentName, Quote},
    policy::{Facts, Past},
};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

use super::{
    body::Body,
    facts::known_by,
    state::{reseal, set, setting},
    tx::{Stop, Tx, damaged},
};
use crate::{
    config::{KnownPayee, PayeeKey},
    error::VaultError,
};

const FORGOTTEN: &str = "payees_forgotten";
const LABELS: &str = "payee_labels";
/// Longest label, in characters.
const LONGEST_LABEL: usize = 60;

type Key = (String, String, String, String);
type Labels = BTreeMap<String, String>;

fn forgotten(conn: &Connection) -> Result<BTreeSet<Key>, Stop> {
    let kept = setting(conn, FORGOTTEN)?;
    kept.map_or_else(|| Ok(BTreeSet::new()), |json| serde_json::from_slice(&json).map_err(|_| damaged("a setting")))
}

fn labels(conn: &Connection) -> Result<Labels, Stop> {
    let kept = setting(conn, LABELS)?;
    kept.map_or_else(|| Ok(Labels::new()), |json| serde_json::from_slice(&json).map_err(|_| damaged("a setting")))
}

/// Whether a person wants this payee forgotten.
pub(crate) fn is_forgotten(conn: &Connection, quote: &Quote, agent: &AgentName) -> Result<bool, Stop> {
    Ok(forgotten(conn)?.contains(&key(quote, agent)))
}

/// Whether every payee known at this origin is forgotten.
pub(crate) fn origin_forgotten(conn: &Connection, by: &str, origin: &str) -> Result<bool, Stop> {
    let gone = forgotten(conn)?;
    if gone.is_empty() {
        return Ok(false);
    }
    let mut statement = conn.prepare_cached("SELECT asset, account FROM known WHERE agent = ?1 AND origin = ?2")?;
    let rows = statement.query_map((by, origin), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (asset, account) = row?;
        if !gone.contains(&(by.to_owned(), origin.to_owned(), asset, account)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A new yes: whatever was forgotten of this payee is known again.
pub(crate) fn remember(tx: &Tx<'_>, quote: &Quote, agent: &AgentName) -> Result<(), Stop> {
    let mut gone = forgotten(tx.conn)?;
    if !gone.remove(&key(quote, agent)) {
        return Ok(());
    }
    keep(tx.conn, FORGOTTEN, &gone, gone.is_empty())?;
    reseal(tx.conn, tx.key)
}

fn key(quote: &Quote, agent: &AgentName) -> Key {
    let to = &quote.payee;
    let text = |t: &str| t.to_owned();
    (text(known_by(quote, agent)), text(to.origin.as_str()), text(quote.exposure.asset.as_str()), to.account.clone())
}

fn keep(conn: &Connection, name: &str, value: &impl serde::Serialize, empty: bool) -> Result<(), Stop> {
    let json = serde_json::to_vec(value)?;
    set(conn, name, Some(json.as_slice()).filter(|_| !empty))
}

/// Every payee a person said yes to and did not forget, the newest first.
pub(crate) fn list(conn: &Connection) -> Result<Vec<KnownPayee>, Stop> {
    let (gone, labels) = (forgotten(conn)?, labels(conn)?);
    let mut statement = conn.prepare(
        "SELECT k.agent, k.origin, k.asset, k.account, p.at FROM known k JOIN payment p ON p.n = k.payment ORDER BY p.n DESC",
    )?;
    let rows = statement.query_map([], |row| {
        let key: Key = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok((key, row.get::<_, i64>(4)?))
    })?;
    let mut all = Vec::new();
    for row in rows {
        let (key, at) = row?;
        if gone.contains(&key) {
            continue;
        }
        let (agent, origin, asset, account) = key;
        let agent = Some(agent).filter(|a| !a.is_empty()).map(|a| a.parse()).transpose();
        let label = labels.get(&origin).cloned();
        let key = PayeeKey {
            agent: agent.map_err(|_| damaged("a known payee's agent"))?,
            origin: origin.parse().map_err(|_| damaged("a known payee's origin"))?,
            asset: asset.parse().map_err(|_| damaged("a known payee's asset"))?,
            account,
        };
        all.push(KnownPayee { key, since: Millis(at), label });
    }
    Ok(all)
}

/// The person's names for origins.
pub(crate) fn names(conn: &Connection) -> Result<BTreeMap<Origin, String>, Stop> {
    let known = labels(conn)?.into_iter().filter_map(|(origin, label)| Some((origin.parse().ok()?, label)));
    Ok(known.collect())
}

/// Forgets one payee, until the next yes to it.
pub(crate) fn forget(tx: &mut Tx<'_>, payee: &PayeeKey) -> Result<(), Stop> {
    let agent = payee.agent.as_ref().map_or("", AgentName::as_str);
    let key: Key = (agent.to_owned(), payee.origin.to_string(), payee.asset.as_str().to_owned(), payee.account.clone());
    let found = "SELECT 1 FROM known WHERE agent = ?1 AND origin = ?2 AND asset = ?3 AND account = ?4";
    if !tx.conn.prepare_cached(found)?.exists((&key.0, &key.1, &key.2, &key.3))? {
        return Err(VaultError::NotFound.into());
    }
    let mut gone = forgotten(tx.conn)?;
    gone.insert(key);
    keep(tx.conn, FORGOTTEN, &gone, false)?;
    reseal(tx.conn, tx.key)
}

/// Names an origin in the person's words; none takes the name away.
pub(crate) fn label(tx: &mut Tx<'_>, origin: &str, label: Option<&str>) -> Result<(), Stop> {
    let mut all = labels(tx.conn)?;
    match label.map(countersign_core::text::clean).filter(|text| !text.is_empty()) {
        Some(text) if text.chars().count() > LONGEST_LABEL => {
            return Err(
                VaultError::Refused(format!("a name for a payee has at most {LONGEST_LABEL} characters")).into()
            );
        }
        Some(text) => drop(all.insert(origin.to_owned(), text)),
        None => drop(all.remove(origin)),
    }
    keep(tx.conn, LABELS, &all, all.is_empty())?;
    reseal(tx.conn, tx.key)
}

/// What was judged since a moment, oldest first, and whether that is all of it: at most `most` payments are read.
pub(crate) fn past(conn: &Connection, since: Millis, most: usize) -> Result<(Vec<Past>, bool), Stop> {
    let mut statement = conn.prepare(
        "SELECT p.id, p.at, e.body, h.state FROM payment p JOIN head h ON h.payment = p.n
         JOIN entry e ON e.payment = p.n AND e.n = 1 ORDER BY p.n DESC",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    let mut whole = true;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? < since.0 {
            break;
        }
        if all.len() >= most {
            whole = false;
            break;
        }
        let payment = row.get::<_, String>(0)?.parse().map_err(|_| damaged("a payment has no name"))?;
        let body = Body::decode(&row.get::<_, Vec<u8>>(2)?).ok_or_else(|| damaged("an entry"))?;
        let facts: Facts = body.facts.ok_or_else(|| damaged("a payment without facts"))?;
        let paid = !matches!(row.get::<_, String>(3)?.as_str(), "refused" | "waiting" | "released");
        all.push(Past { payment, facts, paid });
    }
    all.reverse();
    Ok((all, whole))
}
