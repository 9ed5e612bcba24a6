//! Changes of policy, agents, wallets and pauses: each in a commit of its own, each sealed.

use countersign_core::{
    Millis,
    approval::Said,
    payment::AgentName,
    policy::{Change, Policy, compare},
};

use rusqlite::Connection;

use super::{
    state::{add_policy, confirm_config, confirm_policy, current_policy, reseal, set, set_doubt, setting},
    tx::{Stop, Tx},
};
use crate::{
    config::{Confirm, PayerFor, Scope, Set, SetBy},
    error::VaultError,
};

/// Replaces the policy. What a command loosens waits for a person, unless it goes back to what is confirmed;
/// a person was shown all that [`super::state::to_confirm`] lists.
pub(crate) fn set_policy(tx: &mut Tx<'_>, policy: &Policy, by: SetBy) -> Result<Set, Stop> {
    let reference = tx.shared.registry.reference();
    let old = current_policy(tx.conn, reference)?.map(|(_, policy)| policy);
    // What is stored is what will be read back at the next start.
    let policy = Policy::parse(&policy.to_toml(), reference).map_err(|e| VaultError::Refused(e.to_string()))?;
    let change = old.as_ref().map_or(Change::Tighter, |old| compare(old, &policy));
    if change == Change::Same {
        return Ok(Set::Same);
    }
    let confirmed = setting(tx.conn, "confirmed_policy")?;
    let is_confirmed = |policy: &Policy| confirmed.as_deref() == Some(&policy.hash("").0);
    add_policy(tx.conn, tx.key, &policy, word(by), tx.now.at)?;
    let result = match (by, change) {
        (SetBy::Command, _) if is_confirmed(&policy) => Set::InForce,
        (SetBy::Command, Change::Looser(why)) => {
            Set::Unconfirmed(why.iter().map(|what| what.said(reference).to_string()).collect())
        }
        (SetBy::Command, _) if !old.as_ref().is_none_or(is_confirmed) => {
            Set::Unconfirmed(vec!["the policy before it was not confirmed".into()])
        }
        _ => {
            confirm_policy(tx.conn, &policy)?;
            Set::InForce
        }
    };
    if by == SetBy::Person {
        confirm_config(tx.conn, &tx.shared.config_text)?;
    }
    reseal(tx.conn, tx.key)?;
    Ok(result)
}

fn word(by: SetBy) -> &'static str {
    match by {
        SetBy::Person => "person",
        SetBy::Command => "command",
    }
}

/// A person accepts what was found odd.
pub(crate) fn confirm(tx: &mut Tx<'_>, what: Confirm) -> Result<(), Stop> {
    match what {
        Confirm::Policy => {
            if let Some((_, policy)) = current_policy(tx.conn, tx.shared.registry.reference())? {
                confirm_policy(tx.conn, &policy)?;
            }
            confirm_config(tx.conn, &tx.shared.config_text)?;
            set(tx.conn, "state_doubt", None)?;
            tx.conn.execute("UPDATE agent SET confirmed = 1", [])?;
        }
        Confirm::Clock => {
            set(tx.conn, "clock_doubt", None)?;
            set(tx.conn, "clock_trusted", Some(&serde_json::to_vec(&tx.now.seen)?))?;
            set(tx.conn, "clock_trusted_at", Some(tx.mem.head.seq.to_string().as_bytes()))?;
            tx.mem.base = tx.now.seen.clone();
            tx.mem.last = tx.now.seen.clone();
        }
        Confirm::History => {
            set(tx.conn, "history_doubt", None)?;
        }
    }
    reseal(tx.conn, tx.key)
}

/// Notes that the clock is not to be trusted.
pub(crate) fn doubt_clock(tx: &Tx<'_>, why: &Said) -> Result<(), Stop> {
    set_doubt(tx.conn, "clock_doubt", why)?;
    reseal(tx.conn, tx.key)
}

/// What is stored of a token.
pub(crate) struct NewToken {
    pub id: String,
    pub hash: [u8; 32],
}

/// Pairs an agent, or gives a revoked one a new life.
pub(crate) fn add_agent(
    tx: &mut Tx<'_>,
    name: &AgentName,
    careful: bool,
    by: SetBy,
    token: &NewToken,
) -> Result<(), Stop> {
    let exists = tx.view.agents.get(name);
    if exists.is_some_and(|a| a.revoked.is_none()) {
        return Err(VaultError::Refused(format!("there is an agent {name} already; revoke it first")).into());
    }
    let at = tx.now.seen.wall.0;
    tx.conn.execute(
        "INSERT INTO agent (name, careful, confirmed, created) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET careful = excluded.careful, confirmed = excluded.confirmed, created = excluded.created, revoked = NULL",
        (name.as_str(), careful, by == SetBy::Person, at),
    )?;
    tx.conn.execute("DELETE FROM binding WHERE agent = ?1", [name.as_str()])?;
    keep_token(tx, name, token)
}

/// Gives an agent another token. The ones before it end soon; one that was ending already ends no later.
pub(crate) fn rotate_agent(
    tx: &mut Tx<'_>,
    name: &AgentName,
    by: SetBy,
    token: &NewToken,
    until: Millis,
) -> Result<(), Stop> {
    loosened(tx, name, by)?;
    let at = tx.now.seen.wall.0;
    tx.conn.execute(
        "UPDATE token SET revoked = ?2 WHERE agent = ?1 AND revoked IS NULL
         AND id IN (SELECT token FROM replaced WHERE until <= ?3)",
        (name.as_str(), at, tx.now.at.0),
    )?;
    tx.conn.execute(
        "INSERT INTO replaced (token, until) SELECT id, ?2 FROM token WHERE agent = ?1 AND revoked IS NULL
         ON CONFLICT DO NOTHING",
        (name.as_str(), until.0),
    )?;
    keep_token(tx, name, token)
}

/// Gives an agent that lives one more token; those before it stay as they are.
pub(crate) fn renew_token(tx: &mut Tx<'_>, name: &AgentName, token: &NewToken) -> Result<(), Stop> {
    if tx.view.agents.get(name).is_none_or(|agent| agent.revoked.is_some()) {
        return Err(VaultError::Refused(format!("there is no agent {name}")).into());
    }
    keep_token(tx, name, token)
}

fn keep_token(tx: &mut Tx<'_>, name: &AgentName, token: &NewToken) -> Result<(), Stop> {
    tx.conn.execute(
        "INSERT INTO token (id, agent, hash, created, used) VALUES (?1, ?2, ?3, ?4, ?4)",
        (&token.id, name.as_str(), token.hash, tx.now.seen.wall.0),
    )?;
    reseal(tx.conn, tx.key)
}

/// Binds an agent to the program it is first seen in; one that is bound stays as it is.
pub(crate) fn bind_agent(tx: &mut Tx<'_>, name: &AgentName, program: &str) -> Result<(), Stop> {
    tx.conn.execute(
        "INSERT INTO binding (agent, program, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        (name.as_str(), program, tx.now.seen.wall.0),
    )?;
    reseal(tx.conn, tx.key)
}

/// Lets an agent be bound again, to the program it is seen in next.
pub(crate) fn rebind_agent(tx: &mut Tx<'_>, name: &AgentName, by: SetBy) -> Result<(), Stop> {
    loosened(tx, name, by)?;
    tx.conn.execute("DELETE FROM binding WHERE agent = ?1", [name.as_str()])?;
    reseal(tx.conn, tx.key)
}

/// An agent that lives. What a command did to it while nobody could be asked waits for a person.
fn loosened(tx: &Tx<'_>, name: &AgentName, by: SetBy) -> Result<(), Stop> {
    let seen = by == SetBy::Person;
    let sql = "UPDATE agent SET confirmed = confirmed AND ?2 WHERE name = ?1 AND revoked IS NULL";
    if tx.conn.execute(sql, (name.as_str(), seen))? == 0 {
        return Err(VaultError::NotFound.into());
    }
    Ok(())
}

/// Ends every token of an agent.
pub(crate) fn revoke_agent(tx: &mut Tx<'_>, name: &AgentName) -> Result<(), Stop> {
    let at = tx.now.seen.wall.0;
    let changed =
        tx.conn.execute("UPDATE agent SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL", (name.as_str(), at))?;
    if changed == 0 {
        return Err(VaultError::NotFound.into());
    }
    tx.conn.execute("UPDATE token SET revoked = ?2 WHERE agent = ?1 AND revoked IS NULL", (name.as_str(), at))?;
    reseal(tx.conn, tx.key)
}

fn scoped(scope: &Scope) -> &str {
    match scope {
        Scope::All => "",
        Scope::Agent(name) => name.as_str(),
    }
}

/// Stops payments. A pause that is there already is never made shorter.
pub(crate) fn pause(tx: &mut Tx<'_>, scope: &Scope, until: Option<Millis>) -> Result<(), Stop> {
    stop(tx.conn, scoped(scope), until.map(|m| m.0))?;
    reseal(tx.conn, tx.key)
}

pub(crate) fn stop(conn: &Connection, agent: &str, until: Option<i64>) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO pause (agent, until) VALUES (?1, ?2) ON CONFLICT (agent) DO UPDATE SET until = \
         CASE WHEN pause.until IS NULL OR excluded.until IS NULL THEN NULL ELSE max(pause.until, excluded.until) END",
        (agent, until),
    )?;
    Ok(())
}

/// Lets payments go on.
pub(crate) fn resume(tx: &mut Tx<'_>, scope: &Scope) -> Result<(), Stop> {
    tx.conn.execute("DELETE FROM pause WHERE agent = ?1", [scoped(scope)])?;
    reseal(tx.conn, tx.key)
}

/// Notes a wallet whose key the store holds; the first one pays everywhere.
pub(crate) fn add_wallet(tx: &mut Tx<'_>, address: &str, label: &str) -> Result<(), Stop> {
    if tx.view.wallets.iter().any(|w| w.address == address) {
        return Err(VaultError::Refused(format!("there is a wallet {address} already")).into());
    }
    tx.conn.execute(
        "INSERT INTO wallet (address, kind, label, created) VALUES (?1, 'secp256k1', ?2, ?3)",
        (address, label, tx.now.seen.wall.0),
    )?;
    tx.conn
        .execute("INSERT INTO payer (agent, network, address) VALUES ('', '', ?1) ON CONFLICT DO NOTHING", [address])?;
    reseal(tx.conn, tx.key)
}

/// Forgets a wallet, and that it pays. One that has payments in the ledger stays readable there. For an agent whose own
/// it was nothing pays then: everybody's wallet does not take its place unasked.
pub(crate) fn remove_wallet(tx: &mut Tx<'_>, address: &str) -> Result<(), Stop> {
    tx.conn.execute(
        "INSERT INTO unpaid (agent, network) SELECT agent, network FROM payer WHERE address = ?1 AND agent != ''",
        [address],
    )?;
    tx.conn.execute("DELETE FROM payer WHERE address = ?1", [address])?;
    if tx.conn.execute("DELETE FROM wallet WHERE address = ?1", [address])? == 0 {
        return Err(VaultError::NotFound.into());
    }
    reseal(tx.conn, tx.key)
}

/// Says who pays.
pub(crate) fn set_payer(tx: &mut Tx<'_>, who: &PayerFor, address: &str) -> Result<(), Stop> {
    if !tx.view.wallets.iter().any(|w| w.address == address) {
        return Err(VaultError::NotFound.into());
    }
    let agent = who.agent.as_ref().map_or("", AgentName::as_str);
    let network = who.network.as_ref().map_or("", |n| n.as_str());
    tx.conn.execute("DELETE FROM unpaid WHERE agent = ?1 AND network = ?2", (agent, network))?;
    tx.conn.execute(
        "INSERT INTO payer (agent, network, address) VALUES (?1, ?2, ?3) ON CONFLICT (agent, network) DO UPDATE SET address = excluded.address",
        (agent, network, address),
    )?;
    reseal(tx.conn, tx.key)
}
