//! The check of what answers taught: payees known, refusals remembered, rules used up, purchases in doubt. The chain says it all
//! again, so a row that was added, changed or removed behind our back is found.

use countersign_core::{policy::By, status::Event};
use rusqlite::Connection;
use std::collections::BTreeSet;

use super::{
    facts::known_by,
    fold::{self, payee, purchase},
    note::lifts_doubt,
    reserve::NOT_A_PERSON,
    tx::Stop,
};

/// Compares each of those tables with what the entries say it must hold.
pub(crate) fn check(conn: &Connection, faults: &mut Vec<String>) -> Result<(), Stop> {
    let (mut known, mut denied, mut used, mut doubted) = (Rows::new(), Rows::new(), Rows::new(), Rows::new());
    let mut statement = conn.prepare(&format!("SELECT {} FROM payment p ORDER BY p.n", fold::COLUMNS))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let row = fold::PaymentRow::read(row)?;
        let stored = fold::load(conn, &row)?;
        let (n, record) = (row.n.to_string(), &stored.record);
        let quote = &record.quote;
        if let Some(By::Person(_)) = record.by {
            let origin = quote.payee.origin.as_str();
            let asset = quote.exposure.asset.as_str();
            known
                .insert([known_by(quote, &row.agent), origin, asset, &quote.payee.account].map(str::to_owned).to_vec());
        }
        if let Some(cleared) = lifts_doubt(record) {
            doubted.insert(vec![
                row.agent.to_string(),
                purchase(quote).to_string(),
                n.clone(),
                u8::from(cleared).to_string(),
            ]);
        }
        fold::each_entry(conn, row.n, |_, _, body| {
            let person = body.why.as_deref().is_some_and(|through| !NOT_A_PERSON.contains(&through));
            if body.event == Event::Declined && person {
                denied.insert(vec![n.clone(), row.agent.to_string(), payee(quote).to_string(), body.at.0.to_string()]);
            }
            if let (Event::Reserved, Some(rule)) = (body.event, body.decision.and_then(|d| d.consumes)) {
                used.insert(vec![rule, n.clone()]);
            }
            Ok(())
        })?;
    }
    let compare = [
        ("SELECT agent, origin, asset, account FROM known", &known, "known payees"),
        ("SELECT payment, agent, lower(hex(payee)), at FROM denial", &denied, "refusals"),
        ("SELECT rule, payment FROM consumed", &used, "used-up rules"),
    ];
    for (sql, said, what) in compare {
        if read(conn, sql)? != *said {
            faults.push(format!("the {what} are not those the chain speaks of"));
        }
    }
    // A payment that says nothing more about its purchase leaves the row it made before.
    if !doubted.is_subset(&read(conn, "SELECT agent, lower(hex(purchase)), payment, cleared FROM doubt")?) {
        faults.push("the purchases in doubt are not those the chain speaks of".into());
    }
    Ok(())
}

type Rows = BTreeSet<Vec<String>>;

/// Every row, each value as text.
fn read(conn: &Connection, sql: &str) -> Result<Rows, Stop> {
    let mut statement = conn.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut all = Rows::new();
    while let Some(row) = rows.next()? {
        let texts = (0..columns).map(|column| match row.get_ref(column)? {
            rusqlite::types::ValueRef::Integer(i) => Ok(i.to_string()),
            other => Ok(String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned()),
        });
        all.insert(texts.collect::<rusqlite::Result<_>>()?);
    }
    Ok(all)
}
