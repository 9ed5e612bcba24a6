//! What comparing a payment with the payees and prices of the past finds odd. A finding warns and can be a rule's fact.

use countersign_core::{
    asset::AssetId,
    lookalike,
    origin::Origin,
    payment::{AgentName, Quote},
    policy::{Policy, Risk},
};
use rusqlite::Connection;
use std::collections::BTreeSet;

use super::{fold::payee, tx::Stop};

/// How many earlier payments to this payee are searched for the same thing.
const PRICES: i64 = 8;

/// Everything odd; a known payee is compared by price only.
pub(crate) fn odd(
    conn: &Connection,
    policy: Option<&Policy>,
    agent: &AgentName,
    quote: &Quote,
    known: bool,
) -> Result<BTreeSet<Risk>, Stop> {
    let mut risks = BTreeSet::new();
    if dearer(conn, agent, quote)? {
        risks.insert(Risk::PriceUp);
    }
    if !known {
        among_payees(conn, policy, agent, quote, &mut risks)?;
    }
    Ok(risks)
}

/// Whether the last payment of this agent for the same thing to the same payee was cheaper.
fn dearer(conn: &Connection, agent: &AgentName, quote: &Quote) -> Result<bool, Stop> {
    let exposure = quote.exposure.amount.to_be_bytes();
    // Reading what each of them was for costs more: first, whether any was cheaper at all.
    let cheaper = conn
        .prepare_cached(
            "SELECT 1 FROM (SELECT p.exposure AS paid FROM payment p JOIN head h ON h.payment = p.n
               WHERE p.agent = ?1 AND p.payee = ?2 AND h.state NOT IN ('refused', 'waiting', 'released')
               ORDER BY p.n DESC LIMIT ?3)
             WHERE paid < ?4",
        )?
        .exists((agent.as_str(), payee(quote).0, PRICES, exposure))?;
    if !cheaper {
        return Ok(false);
    }
    let mut statement = conn.prepare_cached(
        "SELECT json_extract(p.quote, '$.resource.path'), json_extract(p.quote, '$.resource.method'), p.exposure
         FROM payment p JOIN head h ON h.payment = p.n
         WHERE p.agent = ?1 AND p.payee = ?2 AND h.state NOT IN ('refused', 'waiting', 'released')
         ORDER BY p.n DESC LIMIT ?3",
    )?;
    let mut rows = statement.query((agent.as_str(), payee(quote).0, PRICES))?;
    while let Some(row) = rows.next()? {
        let (path, method) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        if path == quote.resource.path && method == quote.resource.method {
            return Ok(exposure > row.get::<_, [u8; 32]>(2)?);
        }
    }
    Ok(false)
}

fn among_payees(
    conn: &Connection,
    policy: Option<&Policy>,
    agent: &AgentName,
    quote: &Quote,
    risks: &mut BTreeSet<Risk>,
) -> Result<(), Stop> {
    let mut networks = BTreeSet::new();
    let mut compare = |origin: &Origin, account: &str, asset: &AssetId| {
        if lookalike::host_looks_like(&quote.payee.origin, origin) {
            risks.insert(Risk::LookalikeHost);
        }
        if lookalike::account_looks_like(&quote.payee.account, account) {
            risks.insert(Risk::LookalikeAddress);
        }
        if *origin == quote.payee.origin {
            networks.insert(asset.network());
        }
    };
    for known in policy.map_or(&[][..], Policy::known) {
        compare(&known.origin, &known.account, &known.asset);
    }
    let mut statement =
        conn.prepare_cached("SELECT DISTINCT origin, account, asset FROM known WHERE agent IN ('', ?1)")?;
    let mut rows = statement.query([agent.as_str()])?;
    while let Some(row) = rows.next()? {
        let (origin, account, asset) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        if let (Ok(origin), Ok(asset)) = (origin.parse(), asset.parse()) {
            compare(&origin, &account, &asset);
        }
    }
    if !networks.is_empty() && !networks.contains(&quote.network) {
        risks.insert(Risk::NetworkChanged);
    }
    Ok(())
}
