//! Policy, agents, wallets and pauses: read whole into a view, and guarded by one MAC so that an edit made behind our back
//! is noticed.

use countersign_core::{
    Millis,
    approval::Said,
    payment::{AgentName, Digest},
    policy::{Change, Policy, compare},
    text::{clean, whole},
};
use rusqlite::{Connection, OptionalExtension as _, types::ValueRef};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, atomic::AtomicI64},
};

use super::{
    chain::MacKey,
    shared::{AgentRow, Mode, Shared, TokenRow, View},
    tx::{Stop, damaged},
};
use crate::{
    config::{Doubts, Wallet},
    error::VaultError,
};

/// Reads a setting.
pub(crate) fn setting(conn: &Connection, name: &str) -> Result<Option<Vec<u8>>, Stop> {
    Ok(conn
        .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// Reads a setting that is text.
pub(crate) fn setting_text(conn: &Connection, name: &str) -> Result<Option<String>, Stop> {
    setting(conn, name)?.map(|v| String::from_utf8(v).map_err(|_| damaged("a setting"))).transpose()
}

/// Writes a setting, or removes it.
pub(crate) fn set(conn: &Connection, name: &str, value: Option<&[u8]>) -> Result<(), Stop> {
    match value {
        Some(value) => conn
            .prepare_cached("INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")?
            .execute((name, value))?,
        None => conn.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name])?,
    };
    Ok(())
}

/// Reads a doubt; older ledgers kept its words.
fn doubt(conn: &Connection, name: &str) -> Result<Option<Said>, Stop> {
    Ok(setting_text(conn, name)?.map(|kept| Said::read(&kept).unwrap_or(Said::Told { text: kept })))
}

/// Writes a doubt.
pub(crate) fn set_doubt(conn: &Connection, name: &str, why: &Said) -> Result<(), Stop> {
    set(conn, name, Some(&serde_json::to_vec(why)?))
}

/// What is guarded, in a fixed order. When a token was last used is not.
const GUARDED: &[&str] = &[
    "SELECT v, toml, hash, at, by, mac FROM policy_version ORDER BY v",
    "SELECT name, careful, confirmed, created, revoked FROM agent ORDER BY name",
    "SELECT id, agent, hash, created, revoked FROM token ORDER BY id",
    "SELECT address, kind, label, created FROM wallet ORDER BY address",
    "SELECT agent, network, address FROM payer ORDER BY agent, network",
    "SELECT agent, until FROM pause ORDER BY agent",
    "SELECT name, value FROM setting WHERE name IN ('confirmed_policy', 'confirmed_config', 'confirmed_config_text', 'full_until', 'clock_doubt', 'history_doubt', 'state_doubt', 'payees_forgotten', 'payee_labels') ORDER BY name",
];

/// What is guarded and came with a later schema. Nothing is sealed of an empty one, so that older seals hold.
const GUARDED_LATER: &[(&str, &str)] = &[
    ("binding", "SELECT agent, program, at FROM binding ORDER BY agent"),
    ("replaced", "SELECT token, until FROM replaced ORDER BY token"),
    ("unpaid", "SELECT agent, network FROM unpaid ORDER BY agent, network"),
];

/// MAC of everything guarded.
pub(crate) fn seal(conn: &Connection, key: &MacKey) -> Result<[u8; 32], Stop> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for sql in GUARDED {
        parts.extend(guarded(conn, sql)?);
        parts.push(b"end".to_vec());
    }
    for (name, sql) in GUARDED_LATER {
        let rows = guarded(conn, sql)?;
        if !rows.is_empty() {
            parts.push(name.as_bytes().to_vec());
            parts.extend(rows);
            parts.push(b"end".to_vec());
        }
    }
    Ok(key.mac("state", &parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// Every value that a statement reads, with its kind.
fn guarded(conn: &Connection, sql: &str) -> Result<Vec<Vec<u8>>, Stop> {
    let mut statement = conn.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            parts.push(match row.get_ref(column)? {
                ValueRef::Null => b"n".to_vec(),
                ValueRef::Integer(i) => [b"i", i.to_be_bytes().as_slice()].concat(),
                ValueRef::Real(_) => return Err(damaged("a number with a fraction")),
                ValueRef::Text(t) => [b"t", t].concat(),
                ValueRef::Blob(b) => [b"b", b].concat(),
            });
        }
    }
    Ok(parts)
}

/// Seals what a change of ours left behind.
pub(crate) fn reseal(conn: &Connection, key: &MacKey) -> Result<(), Stop> {
    let mac = seal(conn, key)?;
    set(conn, "state_mac", Some(&mac))
}

/// Whether everything guarded is as we left it.
pub(crate) fn sealed(conn: &Connection, key: &MacKey) -> Result<bool, Stop> {
    let stored = setting(conn, "state_mac")?.unwrap_or_default();
    Ok(subtle::ConstantTimeEq::ct_eq(seal(conn, key)?.as_slice(), stored.as_slice()).into())
}

/// The policy in force, with its version; none before the first.
pub(crate) fn current_policy(conn: &Connection, reference: &str) -> Result<Option<(i64, Policy)>, Stop> {
    let row = conn
        .query_row("SELECT v, toml FROM policy_version ORDER BY v DESC LIMIT 1", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let Some((v, toml)) = row else { return Ok(None) };
    let policy = Policy::parse(&toml, reference)
        .map_err(|e| VaultError::Storage(format!("the stored policy cannot be read: {e}")))?;
    Ok(Some((v, policy)))
}

/// Who brought a version that followed the reference currency.
pub(crate) const BY_REFERENCE: &str = "reference";

/// Who brought the policy in force.
pub(crate) fn last_by(conn: &Connection) -> Result<Option<String>, Stop> {
    Ok(conn.query_row("SELECT by FROM policy_version ORDER BY v DESC LIMIT 1", [], |row| row.get(0)).optional()?)
}

/// The policy in force and its currency, if that is not `reference` and it can be read in its own.
pub(crate) fn policy_elsewhere(conn: &Connection, reference: &str) -> Result<Option<(String, Policy)>, Stop> {
    let toml: Option<String> =
        conn.query_row("SELECT toml FROM policy_version ORDER BY v DESC LIMIT 1", [], |row| row.get(0)).optional()?;
    let Some(toml) = toml else { return Ok(None) };
    let Some(own) = Policy::reference_of(&toml).filter(|own| own != reference) else { return Ok(None) };
    Ok(Policy::parse(&toml, &own).ok().map(|policy| (own, policy)))
}

/// Adds a version.
pub(crate) fn add_policy(conn: &Connection, key: &MacKey, policy: &Policy, by: &str, at: Millis) -> Result<(), Stop> {
    let toml = policy.to_toml();
    let hash = policy.hash("");
    let v: i64 = conn.query_row("SELECT coalesce(max(v), 0) + 1 FROM policy_version", [], |row| row.get(0))?;
    let mac = key.mac("policy", &[&v.to_be_bytes(), toml.as_bytes(), &hash.0, &at.0.to_be_bytes(), by.as_bytes()]);
    conn.execute(
        "INSERT INTO policy_version (v, toml, hash, at, by, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (v, toml, hash.0, at.0, by, mac),
    )?;
    Ok(())
}

/// Notes that a person confirmed this policy.
pub(crate) fn confirm_policy(conn: &Connection, policy: &Policy) -> Result<(), Stop> {
    set(conn, "confirmed_policy", Some(&policy.hash("").0))
}

/// Notes that a person confirmed this configuration, and what it said.
pub(crate) fn confirm_config(conn: &Connection, config: &str) -> Result<(), Stop> {
    set(conn, "confirmed_config", Some(&config_digest(config).0))?;
    set(conn, "confirmed_config_text", Some(config.as_bytes()))
}

/// What a person would confirm: everything looser than what was confirmed last, in policy (or in `draft`) and configuration.
pub(crate) fn to_confirm(conn: &Connection, shared: &Shared, draft: Option<&Policy>) -> Result<Vec<Said>, Stop> {
    let reference = shared.registry.reference();
    let current = current_policy(conn, reference)?.map(|(_, policy)| policy);
    let mut lines = Vec::new();
    if let Some(new) = draft.or(current.as_ref()) {
        let hash = setting(conn, "confirmed_policy")?.unwrap_or_default();
        let toml: Option<String> = conn
            .query_row("SELECT toml FROM policy_version WHERE hash = ?1 ORDER BY v DESC LIMIT 1", [hash], |row| {
                row.get(0)
            })
            .optional()?;
        match toml.and_then(|toml| Policy::parse(&toml, reference).ok()).map(|old| compare(&old, new)) {
            Some(Change::Looser(reasons)) => lines.extend(reasons.iter().map(|what| what.said(reference))),
            Some(Change::Same | Change::Tighter) => {}
            None => lines.push(Said::WholePolicy {}),
        }
    }
    let before = setting_text(conn, "confirmed_config_text")?.unwrap_or_default();
    lines.extend(config_changes(&before, &shared.config_text));
    Ok(lines)
}

/// Each leaf of the configuration that is not as it was confirmed.
fn config_changes(before: &str, now: &str) -> Vec<Said> {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut lines = Vec::new();
    leaves(String::new(), &read(before), &read(now), &mut lines);
    lines
}

/// Goes down into tables and lists to what differs itself.
fn leaves(key: String, was: &Value, now: &Value, lines: &mut Vec<Said>) {
    let below = |name: &str| if key.is_empty() { clean(name) } else { format!("{key}.{}", clean(name)) };
    let said = |value: &Value| whole(&value.to_string());
    match (was, now) {
        (was, now) if was == now => {}
        (Value::Object(_) | Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null) => {
            let names = [was, now].into_iter().filter_map(Value::as_object).flat_map(|table| table.keys());
            for name in names.collect::<BTreeSet<_>>() {
                leaves(below(name), &was[name], &now[name], lines);
            }
        }
        (Value::Array(old), Value::Array(new))
            if !(old.iter().all(|one| new.contains(one)) && old.len() == new.len()) =>
        {
            let gone = old.iter().filter(|one| !new.contains(one));
            lines.extend(gone.map(|one| Said::ConfigGone { key: key.clone(), was: said(one) }));
            for one in new.iter().filter(|one| !old.contains(one)) {
                leaves(key.clone(), &Value::Null, one, lines);
            }
        }
        (Value::Null, now) => lines.push(Said::ConfigNew { key, now: said(now) }),
        (was, Value::Null) => lines.push(Said::ConfigGone { key, was: said(was) }),
        (was, now) => lines.push(Said::Config { key, now: said(now), was: said(was) }),
    }
}

/// Digest of the configuration a person confirmed with the policy.
pub(crate) fn config_digest(config: &str) -> Digest {
    Digest::of(&[b"countersign config 1", config.as_bytes()])
}

/// Everything that is not a payment.
pub(crate) fn view(conn: &Connection, shared: &Shared) -> Result<View, Stop> {
    let mut view = View::closed(Mode::Ready);
    let mut doubts = Doubts {
        policy: doubt(conn, "state_doubt")?,
        clock: doubt(conn, "clock_doubt")?,
        history: doubt(conn, "history_doubt")?,
    };
    match current_policy(conn, shared.registry.reference()) {
        Ok(Some((_, policy))) => {
            if doubts.policy.is_none() {
                doubts.policy = unconfirmed(conn, &policy, &shared.config_text)?;
            }
            let policy = policy.bound_to(&shared.config_text);
            view.careful = Some(Arc::new(policy.narrowed_to_ask().bound_to(&shared.config_text)));
            view.policy = Some(Arc::new(policy));
        }
        Ok(None) => {}
        Err(Stop::Told(VaultError::Storage(why))) => view.mode = Mode::ViewOnly(why),
        Err(other) => return Err(other),
    }
    view.full_until = match &doubts.history {
        Some(_) => Some(Millis(i64::MAX)),
        None => setting_text(conn, "full_until")?.and_then(|t| t.parse().ok()).map(Millis),
    };
    view.doubts = doubts;
    (view.agents, view.tokens) = agents(conn)?;
    view.wallets = wallets(conn)?;
    view.payers =
        rows(conn, "SELECT agent, network, address FROM payer UNION ALL SELECT agent, network, '' FROM unpaid", |r| {
            Ok(((r.get(0)?, r.get(1)?), r.get(2)?))
        })?
        .into_iter()
        .collect();
    view.pauses =
        rows(conn, "SELECT agent, until FROM pause", |r| Ok((r.get(0)?, r.get::<_, Option<i64>>(1)?.map(Millis))))?
            .into_iter()
            .collect();
    for wallet in &mut view.wallets {
        wallet.default = view.payers.get(&(String::new(), String::new())) == Some(&wallet.address);
    }
    Ok(view)
}

/// Why policy and configuration are not the confirmed ones, if they are not.
fn unconfirmed(conn: &Connection, policy: &Policy, config: &str) -> Result<Option<Said>, Stop> {
    let confirmed = |name: &str, now: Digest| Ok::<_, Stop>(setting(conn, name)?.as_deref() == Some(&now.0));
    if !confirmed("confirmed_policy", policy.hash(""))? {
        return Ok(Some(Said::DoubtPolicy {}));
    }
    if !confirmed("confirmed_config", config_digest(config))? {
        return Ok(Some(Said::DoubtConfig {}));
    }
    Ok(None)
}

fn rows<T>(
    conn: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Stop> {
    Ok(conn.prepare_cached(sql)?.query_map([], read)?.collect::<rusqlite::Result<Vec<T>>>()?)
}

type Agents = (BTreeMap<AgentName, AgentRow>, HashMap<String, Arc<TokenRow>>);

fn agents(conn: &Connection) -> Result<Agents, Stop> {
    let name = |text: String| text.parse::<AgentName>().map_err(|_| damaged("an agent's name"));
    let mut all = BTreeMap::new();
    let sql = "SELECT name, careful, confirmed, created, revoked, program FROM agent LEFT JOIN binding ON binding.agent = name";
    let listed = rows(conn, sql, |r| {
        let row = AgentRow {
            careful: r.get(1)?,
            confirmed: r.get(2)?,
            created: Millis(r.get(3)?),
            revoked: r.get::<_, Option<i64>>(4)?.map(Millis),
            program: r.get(5)?,
        };
        Ok((r.get::<_, String>(0)?, row))
    })?;
    for (agent, row) in listed {
        all.insert(name(agent)?, row);
    }
    let mut tokens = HashMap::new();
    let sql = "SELECT id, agent, hash, created, used, until FROM token LEFT JOIN replaced ON replaced.token = id WHERE revoked IS NULL";
    let live = rows(conn, sql, |r| {
        Ok((
            r.get::<_, String>(0)?,
            r.get::<_, String>(1)?,
            r.get::<_, [u8; 32]>(2)?,
            r.get::<_, i64>(3)?,
            r.get::<_, i64>(4)?,
            r.get::<_, Option<i64>>(5)?,
        ))
    })?;
    for (id, agent, hash, created, used, until) in live {
        let agent = name(agent)?;
        if all.get(&agent).is_some_and(|a: &AgentRow| a.revoked.is_none()) {
            let (created, used, until) = (Millis(created), AtomicI64::new(used), until.map(Millis));
            tokens.insert(id, Arc::new(TokenRow { agent, hash, created, used, until }));
        }
    }
    Ok((all, tokens))
}

fn wallets(conn: &Connection) -> Result<Vec<Wallet>, Stop> {
    rows(conn, "SELECT address, kind, label, created FROM wallet ORDER BY created, address", |r| {
        Ok(Wallet {
            address: r.get(0)?,
            kind: r.get(1)?,
            label: r.get(2)?,
            created_at: Millis(r.get(3)?),
            default: false,
        })
    })
}
