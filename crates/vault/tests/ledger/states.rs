//! States move along the table only, in Rust and in SQL; rows that were written stay as they are.

use countersign_core::status::{Event, Settlement, Status, next};
use countersign_vault::{Note, VaultError};

use crate::support::{Home, Shop, wait};

/// A payment in every state that has rows, by name.
fn one_of_each(home: &Home) -> (Shop, Vec<(Status, countersign_core::payment::PaymentId)>) {
    let shop = home.open_for(&["a"]);
    let reserved = shop.reserved("a", "reserved", "10000");
    let id = reserved.record().id.clone();
    std::mem::forget(reserved);
    let mut all = vec![(Status::Reserved, id)];
    let signed = |key: &str| shop.vault.sign(shop.reserved("a", key, "10000")).unwrap().record().id.clone();
    let advance =
        |id: &_, event| wait(shop.vault.advance(id, event, Settlement::None, serde_json::Value::Null)).unwrap();
    all.push((Status::Signed, signed("signed")));
    let delivered = signed("delivered");
    shop.vault.mark_delivered(&delivered);
    all.push((Status::Delivered, delivered));
    let settled = signed("settled");
    advance(&settled, Event::Settled);
    all.push((Status::Settled, settled));
    let released = signed("released");
    advance(&released, Event::Dead);
    all.push((Status::Released, released));
    let unknown = signed("unknown");
    home.clock.advance_ms(61_000);
    advance(&unknown, Event::WindowOver);
    all.push((Status::Unknown, unknown));
    let refused = shop.waiting("a", "refused", "200000", "/refused").record.id;
    wait(shop.vault.end_waiting(&refused, Event::Cancelled, "agent")).unwrap();
    all.push((Status::Refused, refused));
    all.push((Status::Waiting, shop.waiting("a", "waiting", "200000", "/waiting").record.id));
    for (status, id) in &all {
        assert_eq!(shop.record(id).status, *status);
    }
    (shop, all)
}

#[test]
fn every_event_in_every_state_does_what_the_table_says() {
    for event in [Event::Settled, Event::WindowOver, Event::Dead] {
        let home = Home::new();
        let (shop, all) = one_of_each(&home);
        for (status, id) in all {
            let result = wait(shop.vault.advance(&id, event, Settlement::None, serde_json::Value::Null));
            match next(Some(status), event) {
                Some(to) => assert_eq!(result.unwrap().status, to, "{status:?} {event:?}"),
                None => assert_eq!(result, Err(VaultError::Illegal { from: status, event })),
            }
        }
        assert_eq!(shop.faults(), Vec::<String>::new());
    }
    let home = Home::new();
    let (shop, all) = one_of_each(&home);
    for (status, id) in all {
        let result = wait(shop.vault.note(&id, Note::default()));
        assert_eq!(result.is_ok(), next(Some(status), Event::Noted).is_some(), "{status:?}");
        for event in [Event::Signed, Event::Reserved, Event::NeverSigned] {
            let other = wait(shop.vault.advance(&id, event, Settlement::None, serde_json::Value::Null));
            assert!(matches!(other, Err(VaultError::Illegal { .. })), "{event:?} is not evidence");
        }
    }
}

#[test]
fn the_table_in_sql_is_the_table_in_rust() {
    let home = Home::new();
    drop(home.open());
    let conn = home.sql();
    let mut sql: Vec<(String, String)> = conn
        .prepare("SELECT from_state, to_state FROM transition")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut rust = Vec::new();
    for from in std::iter::once(None).chain(Status::ALL.iter().copied().map(Some)) {
        for event in Event::ALL {
            if let Some(to) = next(from, *event) {
                rust.push((from.map_or(String::new(), |s| s.as_str().to_owned()), to.as_str().to_owned()));
            }
        }
    }
    sql.sort();
    rust.sort();
    rust.dedup();
    assert_eq!(sql, rust);
}

/// Statements that nobody may run on a ledger with a payment in every state, and that no rule of the database refuses.
fn got_through(home: &Home) -> Vec<String> {
    let conn = home.sql();
    let mut through = Vec::new();
    let mut tried = |sql: &str, rules: &[&str]| {
        conn.execute_batch("SAVEPOINT s").unwrap();
        match conn.execute(sql, []) {
            Err(error) if rules.is_empty() || rules.iter().any(|rule| error.to_string().contains(rule)) => {}
            _ => through.push(sql.to_owned()),
        }
        conn.execute_batch("ROLLBACK TO s; RELEASE s").unwrap();
    };
    for table in ["payment", "hold", "signable", "entry", "freed", "policy_version"] {
        let column: String = conn
            .query_row(&format!("SELECT name FROM pragma_table_info('{table}') LIMIT 1"), [], |r| r.get(0))
            .unwrap();
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"),
        ] {
            tried(&sql, &["append only", "out of order", "illegal", "still held"]);
        }
    }
    for sql in [
        "DELETE FROM budget_use",
        "UPDATE budget_use SET used = x'ff' || zeroblob(31), soft = 0",
        "UPDATE budget_use SET used = x'ff' || zeroblob(31), soft = 1, by_human = 0",
        "UPDATE budget_use SET count = max_count, max_count = 0, soft = 0",
        "UPDATE budget_use SET used = 'text'",
        "INSERT INTO transition VALUES ('refused', 'reserved')",
        "UPDATE transition SET to_state = 'reserved'",
        "DELETE FROM transition",
        "INSERT INTO alias SELECT agent, idem, request, n, zeroblob(32) FROM payment LIMIT 1",
        "INSERT INTO alias SELECT agent, 'free', request, n, zeroblob(32) FROM payment WHERE idem = 'settled'",
        "INSERT INTO freed SELECT n, 1, zeroblob(32) FROM payment WHERE idem = 'signed'",
        "INSERT INTO payment SELECT NULL, 'pay_x', agent, idem, request, quote, exposure, asset, purchase, payee, at, epoch FROM payment LIMIT 1",
        "INSERT INTO signable SELECT payment, 1, wallet, nonce, valid_from, valid_until, bytes, zeroblob(32) FROM signable LIMIT 1",
    ] {
        tried(sql, &[]);
    }
    through
}

#[test]
fn every_illegal_statement_is_refused_by_the_database() {
    let home = Home::new();
    let (shop, _) = one_of_each(&home);
    wait(shop.vault.clone().shutdown());
    assert_eq!(got_through(&home), Vec::<String>::new());
}

/// Must fail: the same statements without triggers, and without the rule that a key means one payment.
#[test]
fn a_database_with_fewer_rules_is_caught() {
    let home = Home::new();
    wait(one_of_each(&home).0.vault.shutdown());
    drop(home.drop_triggers());
    let through = got_through(&home);
    println!("{} statements got through without triggers", through.len());
    assert!(through.len() > 15, "{through:?}");

    let home = Home::new();
    drop(home.open());
    home.let_keys_repeat();
    let conn = home.sql();
    conn.execute_batch(
        "INSERT INTO payment VALUES (1, 'pay_1', 'a', 'k', zeroblob(32), x'', zeroblob(32), '', zeroblob(32), zeroblob(32), 0, 1)",
    )
    .unwrap();
    let through = got_through(&home);
    assert!(through.iter().any(|sql| sql.starts_with("INSERT INTO payment")), "{through:?}");
}

#[test]
fn every_illegal_entry_is_refused_by_a_trigger() {
    let home = Home::new();
    let (shop, _) = one_of_each(&home);
    wait(shop.vault.clone().shutdown());
    let conn = home.sql();
    let states: Vec<(i64, i64, String)> = conn
        .prepare("SELECT payment, max(n), to_state FROM entry GROUP BY payment")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let (seq, hash): (i64, Vec<u8>) = conn
        .query_row("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    let insert = |seq: i64, payment: i64, n: i64, to: &str, prev: &[u8]| {
        let sql = "INSERT INTO entry (seq, payment, n, to_state, body, prev, hash, mac) VALUES (?1, ?2, ?3, ?4, x'7b7d', ?5, randomblob(32), zeroblob(32))";
        conn.execute_batch("SAVEPOINT s").unwrap();
        let done = conn.execute(sql, (seq, payment, n, to, prev)).is_ok();
        conn.execute_batch("ROLLBACK TO s; RELEASE s").unwrap();
        done
    };
    let legal: Vec<(String, String)> = conn
        .prepare("SELECT from_state, to_state FROM transition")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut allowed = 0;
    for (payment, n, from) in &states {
        for to in Status::ALL {
            let may = legal.contains(&(from.clone(), to.as_str().to_owned()));
            assert_eq!(insert(seq + 1, *payment, n + 1, to.as_str(), &hash), may, "{from} -> {}", to.as_str());
            allowed += usize::from(may);
            assert!(!insert(seq + 1, *payment, n + 2, to.as_str(), &hash), "entry number skipped");
            assert!(!insert(seq + 2, *payment, n + 1, to.as_str(), &hash), "position skipped");
            assert!(!insert(seq + 1, *payment, n + 1, to.as_str(), &[0; 32]), "another predecessor");
        }
    }
    assert!(allowed > 10, "the legal ones went through");
}
