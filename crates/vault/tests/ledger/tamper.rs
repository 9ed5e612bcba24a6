//! Edits behind our back: noticed, or harmless; never an approval nobody gave.

use countersign_core::status::{Event, Settlement};
use countersign_vault::{Admitted, Health, Note, OpenError, Vault};
use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{Home, wait};

/// A ledger with a bit of everything.
fn busy(home: &Home) {
    let shop = home.open_for(&["a", "b"]);
    let w = shop.waiting("a", "w1", "200000", "/w");
    wait(shop.vault.admit(shop.request_for("a", "w2", shop.quote("200000", "/w")))).unwrap();
    wait(shop.vault.end_waiting(&w.record.id, Event::Declined, "window")).unwrap();
    for n in 0..6 {
        let id = shop.vault.sign(shop.reserved("b", &format!("k{n}"), "30000")).unwrap().record().id.clone();
        let note = Note {
            settlement: Some(Settlement::Claimed),
            detail: vec![("body".into(), vec![n; 100])],
            ..Note::default()
        };
        wait(shop.vault.note(&id, note)).unwrap();
        if n == 0 {
            wait(shop.vault.advance(&id, Event::Dead, Settlement::Failed, serde_json::json!({}))).unwrap();
        }
    }
    assert_eq!(shop.faults(), Vec::<String>::new());
}

/// Whether money could move by itself.
fn pays(home: &Home, vault: Vault) -> Option<Vault> {
    // The whole chain is checked beside the work: wait until it had its say.
    let end = Instant::now() + Duration::from_secs(5);
    while vault.health() == Health::Ok
        && vault.doubts().history.is_none()
        && wait(vault.verify()).is_ok_and(|r| !r.faults.is_empty())
        && Instant::now() < end
    {
        std::thread::yield_now();
    }
    if vault.health() != Health::Ok {
        return None;
    }
    let shop = home.shop(vault, &[]);
    match wait(shop.vault.admit(shop.request("b", "fresh", "10000"))) {
        Ok(Admitted::Reserved(_)) => Some(shop.vault.clone()),
        _ => None,
    }
}

#[test]
fn every_edited_row_is_noticed() {
    let edits = [
        "UPDATE payment SET quote = replace(quote, '30000', '10000')",
        "UPDATE payment SET agent = 'b' WHERE idem = 'w1'",
        "UPDATE entry SET body = replace(body, 'claimed', 'failed') WHERE instr(CAST(body AS TEXT), 'claimed')",
        "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
        "UPDATE hold SET amount = zeroblob(32)",
        "DELETE FROM hold WHERE payment = 3",
        "UPDATE signable SET bytes = replace(bytes, '2222', '3333')",
        "DELETE FROM signable WHERE payment = 3",
        "DELETE FROM freed",
        "INSERT INTO freed SELECT n, 1, zeroblob(32) FROM payment WHERE idem = 'k3'",
        "DELETE FROM alias",
        "UPDATE alias SET payment = 2",
        "UPDATE policy_version SET toml = replace(toml, '0.10', '9.10')",
        "UPDATE head SET state = 'refused' WHERE payment = 3",
        "INSERT INTO known VALUES ('', 'https://evil.example', 'eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', '0x1', 1)",
        "INSERT INTO known SELECT '', 'https://evil.example', 'eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', '0x1', n FROM payment WHERE idem = 'k3'",
        "DELETE FROM denial",
        "INSERT INTO consumed VALUES ('tiles', 3)",
        "DELETE FROM doubt",
        "UPDATE budget_use SET used = zeroblob(32)",
        "UPDATE detail SET body = x'00' WHERE kind = 'url'",
    ];
    for edit in edits {
        let home = Home::new();
        busy(&home);
        let triggers = home.drop_triggers();
        let conn = home.sql();
        conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        // `replace` gives text; a strict column wants a blob.
        let edit = edit.replace(
            "replace(quote, '30000', '10000')",
            "CAST(replace(CAST(quote AS TEXT), '30000', '10000') AS BLOB)",
        );
        let edit = edit.replace(
            "replace(body, 'claimed', 'failed')",
            "CAST(replace(CAST(body AS TEXT), 'claimed', 'failed') AS BLOB)",
        );
        let edit = edit
            .replace("replace(bytes, '2222', '3333')", "CAST(replace(CAST(bytes AS TEXT), '2222', '3333') AS BLOB)");
        assert!(conn.execute(&edit, []).unwrap() > 0, "{edit}");
        conn.execute_batch(&triggers).unwrap();
        drop(conn);
        let vault = home.open();
        let found = wait(vault.verify()).unwrap().faults;
        assert!(!found.is_empty(), "unnoticed: {edit}");
        assert!(found.iter().all(|fault| !fault.contains("schema")), "only the row was edited: {edit}: {found:?}");
        assert!(pays(&home, vault).is_none(), "{edit}");
    }
}

#[test]
fn every_rule_of_the_schema_that_is_gone_or_new_is_noticed() {
    let new = "CREATE TRIGGER extra AFTER INSERT ON hold BEGIN UPDATE budget_use SET used = zeroblob(32); END";
    for part in ["trigger budget_update", "table payment", "trigger hold_delete", "trigger extra"] {
        let home = Home::new();
        drop(home.open_for(&["b"]));
        match part {
            "trigger budget_update" => drop(home.drop_triggers()),
            "table payment" => home.let_keys_repeat(),
            "trigger extra" => home.sql().execute_batch(new).unwrap(),
            gone => home.sql().execute_batch(&format!("DROP {gone}")).unwrap(),
        }
        let vault = home.open();
        let found = wait(vault.verify()).unwrap().faults;
        assert!(found.contains(&format!("the schema was changed: {part}")), "{part}: {found:?}");
        assert!(pays(&home, vault).is_none(), "{part}");
    }
}

#[test]
fn a_policy_or_agent_changed_from_outside_makes_everything_ask() {
    for edit in [
        "INSERT INTO policy_version SELECT v + 1, replace(toml, '1.00', '9.00'), hash, at, by, mac FROM policy_version",
        "UPDATE agent SET careful = 0",
        "INSERT INTO agent VALUES ('c', 0, 1, 1, NULL)",
        "UPDATE token SET hash = zeroblob(32)",
        "UPDATE payer SET agent = 'x'",
        "UPDATE setting SET value = zeroblob(32) WHERE name = 'confirmed_policy'",
        "DELETE FROM setting WHERE name = 'state_mac'",
        "DELETE FROM pause",
    ] {
        let home = Home::new();
        let shop = home.open_for(&["a"]);
        wait(shop.vault.add_agent(&"careful".parse().unwrap(), true, countersign_vault::SetBy::Person)).unwrap();
        wait(shop.vault.pause(countersign_vault::Scope::Agent(shop.name("careful")), None)).unwrap();
        drop(shop);
        assert!(home.sql().execute(edit, []).unwrap() > 0, "{edit}");
        let accept = Vault::open(countersign_vault::Open { accept_unconfirmed: true, ..home.settings() }).unwrap();
        assert!(accept.doubts().policy.is_some(), "{edit}");
        let shop = home.shop(accept, &[]);
        match wait(shop.vault.admit(shop.request("a", "k1", "10000"))) {
            Ok(Admitted::Waiting(w)) => assert_eq!(w.record.decision.rule, "builtin:policy-unconfirmed"),
            Err(_) if matches!(shop.vault.health(), Health::ViewOnly(_)) => {}
            other => panic!("{edit}: {other:?}"),
        }
        wait(shop.vault.pause(countersign_vault::Scope::All, None)).ok();
        drop(shop);
        let again = home.open();
        assert!(again.doubts().policy.is_some(), "a later change of ours does not hide it: {edit}");
    }
}

#[test]
fn every_detail_may_be_forgotten_and_the_chain_stays_sound() {
    let home = Home::new();
    busy(&home);
    let conn = home.sql();
    assert!(conn.execute("DELETE FROM detail", []).unwrap() > 20);
    drop(conn);
    let shop = home.open_for(&[]);
    assert_eq!(shop.faults(), Vec::<String>::new());
    let text: i64 = home
        .sql()
        .query_row(
            "SELECT count(*) FROM (SELECT CAST(quote AS TEXT) AS t FROM payment UNION ALL SELECT CAST(body AS TEXT) FROM entry)
             WHERE t LIKE '%secret=1%' OR t LIKE '%I need it%' OR t LIKE '%buy this%'",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(text, 0, "nothing of agent or seller is left");
}

#[test]
fn flipped_bytes_are_noticed_or_harmless() {
    let home = Home::new();
    busy(&home);
    let good = fs::read(home.file()).unwrap();
    let (mut noticed, mut tried) = (0, 0);
    // Every 331st byte: a prime, so that pages are hit at different places.
    for at in (0..good.len()).step_by(331) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(home.file(), &bad).unwrap();
        for name in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
            fs::remove_file(home.path().join(name)).ok();
        }
        tried += 1;
        match home.try_open() {
            Err(OpenError::Newer { .. } | OpenError::Foreign(_) | OpenError::Database(_)) => noticed += 1,
            Err(other) => panic!("byte {at}: {other}"),
            Ok(vault) => match pays(&home, vault) {
                None => noticed += 1,
                Some(vault) => assert_eq!(wait(vault.verify()).unwrap().faults, Vec::<String>::new(), "byte {at}"),
            },
        }
    }
    assert!(noticed > tried / 4, "{noticed} of {tried}: most bytes of a small file carry something");
}
