//! Start: open, check the chain from its last checkpoint, compare with the anchor, end what was waiting. Signs nothing.

use countersign_core::{approval::Said, payment::Digest, policy::Policy, status::Event};
use rusqlite::{Connection, OptionalExtension as _};
use std::{collections::HashMap, sync::Arc};

use super::{
    anchor::{self, Anchor, Names},
    body::Body,
    chain::{self, Head, MacKey},
    db::{Bad, open_writer},
    detail,
    facts::DUPLICATE_MS,
    fold,
    note::{doubt, lifts_doubt},
    place,
    reserve::end,
    shared::{Mark, Mode, Shared, View},
    state,
    time::{Seen, suspicious},
    tx::{Memory, Stop, Tx},
    usage::Counters,
};
use crate::{
    error::OpenError,
    keys::{KeyStoreError, Keys, KeysError, Secret},
    point::point,
};

/// A database open for writing.
pub(crate) struct Started {
    pub conn: Connection,
    pub mem: Memory,
    pub key: MacKey,
    /// The confirmed policy and configuration, as the anchor keeps them.
    pub confirmed: Option<Digest>,
    /// A transaction is open, with these marks written in it.
    pub ahead: Option<Vec<Mark>>,
}

/// What outlives a reopening.
pub(crate) struct Life {
    pub names: Names,
    pub first_policy: Policy,
    /// Why the directory may only be looked at.
    pub loose: Option<String>,
    /// The process life, once it has begun.
    pub epoch: Option<i64>,
    pub clocks: Option<(Seen, Seen)>,
}

/// Opens the ledger. With the key store locked, or the ledger view-only, there is a view but nothing to write with.
///
/// `accept_lost`: a person accepts that the database of an anchored ledger is gone.
pub(crate) fn start(shared: &Arc<Shared>, life: &mut Life, accept_lost: bool) -> Result<(Option<Started>, View), Bad> {
    if let Some(why) = &life.loose {
        return Err(Bad::ViewOnly(why.clone()));
    }
    let missing = std::fs::metadata(&shared.ledger).map_or(true, |m| m.len() == 0);
    let anchored = match anchor::read(&shared.keys, &life.names) {
        Ok(anchored) => anchored,
        Err(error) if missing => return Ok((None, locked(shared, None, &error)?)),
        Err(error) => return Ok((None, locked(shared, Some(()), &error)?)),
    };
    let lost = missing && anchored.as_ref().is_some_and(|a| a.seq > 0);
    if lost && !accept_lost {
        return Err(Bad::ViewOnly("history lost: the ledger's file is gone, but payments were made".into()));
    }
    place::ensure_file(&shared.ledger).map_err(Bad::Refused)?;
    let conn = open_writer(&shared.ledger)?;
    let fresh = state::setting(&conn, "epoch")?.is_none();
    if fresh && !missing && !accept_lost && anchored.as_ref().is_some_and(|a| a.seq > 0) {
        return Err(Bad::ViewOnly("history lost: the ledger's file is empty, but payments were made".into()));
    }
    let key = match mac_key(&shared.keys, &life.names, fresh) {
        Ok(Some(key)) => key,
        Ok(None) => {
            return Err(Bad::ViewOnly(
                "the key that guards the ledger is missing from the key store; is this the same keyring?".into(),
            ));
        }
        Err(error) => return Ok((None, locked(shared, Some(()), &error)?)),
    };
    if let Err(error) = shared.keys.look() {
        return Ok((None, locked(shared, Some(()), &error)?));
    }
    let head = chain::walk::<Bad>(&conn, chain::last_checkpoint::<Bad>(&conn, &key)?, &key, |_| Ok(()))?;
    let gone_back = compare(&conn, head, anchored.as_ref())?;
    let mut mem = memory(&conn, shared, life, head)?;
    begin(
        shared,
        life,
        &conn,
        &mut mem,
        &key,
        Found { fresh, lost: lost || (fresh && accept_lost), gone_back, anchored },
    )?;
    let mut view = state::view(&conn, shared)?;
    view.policy_changed = shared.view().policy_changed || state::setting(&conn, "accepted")?.is_some();
    let confirmed = confirmed(&conn)?;
    Ok((Some(Started { conn, mem, key, confirmed, ahead: None }), view))
}

/// A view for a ledger whose guard key cannot be read yet.
fn locked(shared: &Shared, there: Option<()>, error: &KeysError) -> Result<View, Bad> {
    tracing::warn!(%error, "ledger.keys_locked");
    let mut view = View::closed(Mode::Ready);
    if there.is_some() {
        super::db::probe(&shared.ledger)?;
        if let Ok(conn) = super::db::open_reader(&shared.ledger) {
            view = state::view(&conn, shared)?;
        }
    }
    view.locked = true;
    Ok(view)
}

/// The guard key; made once, for a fresh ledger.
fn mac_key(keys: &Keys, names: &Names, fresh: bool) -> Result<Option<MacKey>, KeysError> {
    if let Some(secret) = keys.secret(&names.key)? {
        return Ok(MacKey::new(secret.expose()));
    }
    if !fresh {
        return Ok(None);
    }
    let secret = Secret::random(32)?;
    let key = MacKey::new(secret.expose());
    let copy = Secret::copy_of(secret.expose());
    keys.set(&names.key, copy)?;
    point("start.key_kept");
    if keys.secret(&names.key)?.is_none_or(|back| back != secret) {
        return Err(KeyStoreError::Failed("it does not keep what it is given".into()).into());
    }
    Ok(key)
}

/// Compares the chain with the anchor: the same entry there, or the reason why the history went back.
fn compare(conn: &Connection, head: Head, anchored: Option<&Anchor>) -> Result<Option<Said>, Bad> {
    let Some(anchor) = anchored.filter(|a| a.seq > 0) else { return Ok(None) };
    if head.seq < anchor.seq {
        return Ok(Some(Said::DoubtHistory { end: head.seq.to_string(), written: anchor.seq.to_string() }));
    }
    let hash: Option<[u8; 32]> =
        conn.query_row("SELECT hash FROM entry WHERE seq = ?1", [anchor.seq], |row| row.get(0)).optional()?;
    if hash != Some(anchor.hash.0) {
        return Err(Bad::ViewOnly(format!(
            "the chain of the ledger is broken: entry {} is not the one that was written",
            anchor.seq
        )));
    }
    Ok(None)
}

fn memory(conn: &Connection, shared: &Shared, life: &Life, head: Head) -> Result<Memory, Bad> {
    let now = shared.seen();
    let (base, last) = match &life.clocks {
        Some(clocks) => clocks.clone(),
        None => {
            let seen = last_seen(conn, shared)?.unwrap_or_else(|| now.clone());
            (seen.clone(), seen)
        }
    };
    Ok(Memory {
        head,
        epoch: life.epoch.unwrap_or(0),
        counters: Counters::default(),
        prompts: HashMap::new(),
        base,
        last,
        asked: Vec::new(),
        room: true,
    })
}

/// Both clocks at the last entry, or when a person last trusted them; window time starts no earlier than the last entry's.
fn last_seen(conn: &Connection, shared: &Shared) -> Result<Option<Seen>, Bad> {
    let last: Option<(i64, Vec<u8>)> = conn
        .query_row("SELECT seq, body FROM entry ORDER BY seq DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let entry = last.as_ref().and_then(|(_, body)| Body::decode(body));
    if let Some(body) = &entry {
        shared.last.fetch_max(body.at.0, std::sync::atomic::Ordering::SeqCst);
    }
    let trusted_at = state::setting_text(conn, "clock_trusted_at")?.and_then(|t| t.parse::<i64>().ok());
    let later = last.map_or(0, |(seq, _)| seq);
    if trusted_at.is_some_and(|at| at >= later)
        && let Some(seen) = state::setting(conn, "clock_trusted")?.and_then(|json| serde_json::from_slice(&json).ok())
    {
        return Ok(Some(seen));
    }
    Ok(entry.map(|body| Seen { wall: body.wall, boot: body.boot, boot_id: body.boot_id }))
}

struct Found {
    fresh: bool,
    lost: bool,
    gone_back: Option<Said>,
    anchored: Option<Anchor>,
}

/// What a new process life writes first, in one transaction. A reopening within a life writes nothing.
fn begin(
    shared: &Arc<Shared>,
    life: &mut Life,
    conn: &Connection,
    mem: &mut Memory,
    key: &MacKey,
    found: Found,
) -> Result<(), Bad> {
    if life.epoch.is_some() && !found.fresh {
        return Ok(());
    }
    let epoch = state::setting_text(conn, "epoch")?.and_then(|t| t.parse::<i64>().ok()).unwrap_or(0).saturating_add(1);
    mem.epoch = epoch;
    let now = shared.now();
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let mut tx = Tx { conn, mem, shared, view: shared.view(), key, now };
    let result = (|| {
        state::set(conn, "epoch", Some(epoch.to_string().as_bytes()))?;
        state::set(conn, "accepted", None)?;
        if found.fresh {
            fill(&tx, life, found.lost)?;
        } else {
            follow_reference(&tx)?;
            look_over(&mut tx, &found)?;
        }
        end_waiting(&mut tx)?;
        doubt_unfinished(&tx)?;
        detail::forget_old(conn, tx.now.seen.wall)?;
        Ok::<(), Stop>(())
    })();
    if let Err(stop) = result {
        conn.execute_batch("ROLLBACK").ok();
        return Err(stop.into());
    }
    point("start.written");
    conn.execute_batch("COMMIT")?;
    mem.base = now_trusted(&mem.base, shared);
    life.clocks = Some((mem.base.clone(), mem.last.clone()));
    life.epoch = Some(epoch);
    Ok(())
}

/// Drift is measured from this start on, unless the boot is the same as before.
fn now_trusted(base: &Seen, shared: &Shared) -> Seen {
    let now = shared.seen();
    if base.boot_id == now.boot_id { base.clone() } else { now }
}

/// A fresh ledger: the first policy needs no confirmation.
fn fill(tx: &Tx<'_>, life: &Life, lost: bool) -> Result<(), Stop> {
    state::add_policy(tx.conn, tx.key, &life.first_policy, "first", tx.now.at)?;
    state::confirm_policy(tx.conn, &life.first_policy)?;
    state::confirm_config(tx.conn, &tx.shared.config_text)?;
    if lost {
        state::set(tx.conn, "full_until", Some(tx.now.at.0.to_string().as_bytes()))?;
    }
    state::reseal(tx.conn, tx.key)
}

/// The policy in the configuration's currency: converted at the person's rate, or one that asks about everything. Nobody has
/// confirmed it either way.
fn follow_reference(tx: &Tx<'_>) -> Result<(), Stop> {
    let registry = &tx.shared.registry;
    let Some((reference, policy)) = state::policy_elsewhere(tx.conn, registry.reference())? else { return Ok(()) };
    let converted = registry.rate(&reference).and_then(|rate| policy.converted(registry.reference(), rate).ok());
    let Some(new) = converted.or_else(|| Policy::preset("careful", registry.reference())) else { return Ok(()) };
    tracing::warn!(from = reference, to = registry.reference(), "the policy follows the reference currency");
    state::add_policy(tx.conn, tx.key, &new, state::BY_REFERENCE, tx.now.at)
}

/// An existing ledger: was it changed behind our back, did the history or the clock go back?
fn look_over(tx: &mut Tx<'_>, found: &Found) -> Result<(), Stop> {
    let conn = tx.conn;
    if !state::sealed(conn, tx.key)? {
        state::set_doubt(conn, "state_doubt", &Said::DoubtBehind {})?;
    }
    if let Some(anchor) = &found.anchored
        && anchor.confirmed.is_some()
        && anchor.confirmed != confirmed(conn)?
    {
        state::set_doubt(conn, "state_doubt", &Said::DoubtAnchor {})?;
    }
    if let Some(why) = &found.gone_back {
        state::set_doubt(conn, "history_doubt", why)?;
    }
    if let Some(why) = suspicious(&tx.mem.base, &tx.mem.last, &tx.now.seen) {
        state::set_doubt(conn, "clock_doubt", &why)?;
    }
    if tx.shared.accept_unconfirmed && state::setting(conn, "state_doubt")?.is_none() {
        accept(tx)?;
    }
    state::reseal(conn, tx.key)
}

/// `serve` accepts what our own commands changed while nothing ran. A change of `config.toml` is nobody's command.
fn accept(tx: &Tx<'_>) -> Result<(), Stop> {
    let Some((_, policy)) = state::current_policy(tx.conn, tx.shared.registry.reference())? else { return Ok(()) };
    if state::last_by(tx.conn)?.as_deref() == Some(state::BY_REFERENCE) {
        return Ok(());
    }
    let hash = policy.hash("").0;
    if state::setting(tx.conn, "confirmed_policy")?.as_deref() != Some(&hash) {
        state::confirm_policy(tx.conn, &policy)?;
        state::set(tx.conn, "accepted", Some(b"policy"))?;
    }
    let added = tx.conn.execute("UPDATE agent SET confirmed = 1 WHERE confirmed = 0", [])?;
    if added > 0 {
        tracing::warn!(added, "agents were added by a command while Countersign was not running; they may pay");
    }
    Ok(())
}

/// The confirmed policy and configuration, as one digest.
pub(crate) fn confirmed(conn: &Connection) -> Result<Option<Digest>, Stop> {
    let policy = state::setting(conn, "confirmed_policy")?;
    let config = state::setting(conn, "confirmed_config")?;
    Ok(policy.zip(config).map(|(policy, config)| Digest::of(&[&policy, &config])))
}

/// Nobody is looking at questions of an earlier life.
fn end_waiting(tx: &mut Tx<'_>) -> Result<(), Stop> {
    for mut stored in super::admit::waiting(tx)? {
        end(tx, &mut stored, Event::Expired, "start")?;
    }
    Ok(())
}

/// A recent payment of an earlier life without an outcome puts the same purchase in doubt.
fn doubt_unfinished(tx: &Tx<'_>) -> Result<(), Stop> {
    let since = tx.now.at.0.saturating_sub(DUPLICATE_MS);
    for state in ["reserved", "signed", "delivered"] {
        for n in recent(tx.conn, state, since)? {
            let mut stored = fold::by_n(tx.conn, n)?;
            // What its seller claimed before the end of that life still stands.
            if stored.record.outcome.is_none() && lifts_doubt(&stored.record).is_none() {
                stored.record.outcome = Some(crate::record::Outcome::Unknown);
                doubt(tx, &stored)?;
            }
        }
    }
    Ok(())
}

/// Payments in this state from `since` on, without those whose payee is only the caller's word. Stops at the first older one: times
/// never fall from one payment to the next.
fn recent(conn: &Connection, state: &str, since: i64) -> Result<Vec<i64>, Stop> {
    let mut statement = conn.prepare(
        "SELECT p.n, p.at, json_extract(p.quote, '$.payee.claimed') FROM head h JOIN payment p ON p.n = h.payment
         WHERE h.state = ?1 ORDER BY h.payment DESC",
    )?;
    let mut rows = statement.query([state])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()?
        && row.get::<_, i64>(1)? >= since
    {
        if !row.get::<_, bool>(2)? {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// What a vault that cannot be used at all is told.
pub(crate) fn refused(bad: Bad) -> Result<Mode, OpenError> {
    match bad {
        Bad::Refused(error) => Err(error),
        other => Ok(other.mode()),
    }
}
