//! The bare parts a payment cannot do without: one durable commit of the same rows, one EIP-712 signature.

use alloy::{
    primitives::{Address, B256, U256},
    signers::{SignerSync as _, local::PrivateKeySigner},
    sol,
    sol_types::{Eip712Domain, SolStruct as _},
};
use rusqlite::{Connection, OpenFlags, types::Value};
use std::{
    path::Path,
    time::{Duration, Instant},
};

sol! {
    struct TransferWithAuthorization { address from; address to; uint256 value; uint256 validAfter; uint256 validBefore; bytes32 nonce; }
}

/// Tables, indexes and settings of the ledger, without its triggers; the rows come from a real payment.
pub struct BareLedger {
    conn: Connection,
    rows: Vec<Row>,
    n: i64,
}

/// A row that one payment writes: its table, and its values by column.
struct Row {
    table: &'static str,
    values: Vec<Value>,
    columns: Vec<String>,
}

const SCHEMA: &str = include_str!("../../crates/vault/migrations/0001_ledger.sql");

/// What one payment's transaction writes: its own rows, and the two entries that followed the payment before it.
const WRITES: &[(&str, &str)] = &[
    ("payment", "WHERE n = ?1"),
    ("detail", "WHERE payment = ?1"),
    ("hold", "WHERE payment = ?1"),
    ("budget_use", "WHERE ?1 LIMIT 1"),
    ("signable", "WHERE payment = ?1"),
    ("entry", "WHERE payment = ?1 ORDER BY n"),
    ("head", "WHERE payment = ?1"),
];

impl BareLedger {
    /// Beside the ledger of a service that has paid at least twice; the rows are those of its second payment.
    pub fn beside(dir: &Path) -> Self {
        let ledger = Connection::open_with_flags(dir.join("ledger.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY)
            .expect("the service's ledger");
        let rows: Vec<Row> = WRITES.iter().flat_map(|(table, which)| rows_of(&ledger, table, which)).collect();
        assert_eq!(rows.iter().filter(|row| row.table == "entry").count(), 3, "reserved, signed, delivered");
        let conn = Connection::open(dir.join("bare.db")).expect("a database");
        conn.execute_batch(
            "PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=OFF; PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=8000;",
        )
        .expect("settings");
        conn.execute_batch(SCHEMA).expect("a schema");
        let triggers: Vec<String> = conn
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
            .expect("a list of triggers");
        triggers.iter().for_each(|name| conn.execute_batch(&format!("DROP TRIGGER {name}")).expect("no trigger"));
        conn.set_prepared_statement_cache_capacity(64);
        Self { conn, rows, n: 0 }
    }

    /// One commit of one payment's rows.
    pub fn commit(&mut self) -> Duration {
        self.n += 1;
        let rows: Vec<Vec<Value>> = self.rows.iter().enumerate().map(|(i, row)| renewed(row, self.n, i)).collect();
        let began = Instant::now();
        let tx = self.conn.transaction().expect("a transaction");
        for (row, values) in self.rows.iter().zip(&rows) {
            let marks = vec!["?"; values.len()].join(",");
            tx.prepare_cached(&format!("INSERT OR REPLACE INTO {} VALUES({marks})", row.table))
                .and_then(|mut insert| insert.execute(rusqlite::params_from_iter(values)))
                .expect("a row");
        }
        tx.commit().expect("a commit");
        began.elapsed()
    }
}

fn rows_of(ledger: &Connection, table: &'static str, which: &str) -> Vec<Row> {
    let mut statement = ledger.prepare(&format!("SELECT * FROM {table} {which}")).expect("a table");
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let read =
        statement.query_map([2], |row| (0..columns.len()).map(|i| row.get(i)).collect::<Result<Vec<Value>, _>>());
    let rows = read.and_then(Iterator::collect::<Result<Vec<_>, _>>).expect("the rows of a payment");
    rows.into_iter().map(|values| Row { table, values, columns: columns.clone() }).collect()
}

/// The same row for another payment: as long, and unique where it has to be.
fn renewed(row: &Row, n: i64, i: usize) -> Vec<Value> {
    let fresh = |column: &str, old: &Value| match (column, old) {
        ("seq", Value::Integer(_)) => Value::Integer(n * 16 + i as i64),
        ("n", Value::Integer(_)) if row.table == "payment" => Value::Integer(n),
        ("payment", Value::Integer(_)) => Value::Integer(n),
        ("id" | "idem", Value::Text(text)) => Value::Text(format!("{n:0width$}", width = text.len())),
        ("digest" | "nonce" | "hash" | "request" | "purchase", Value::Blob(_)) => {
            Value::Blob([&[i as u8; 8][..], &n.to_be_bytes(), &[0xab; 16]].concat())
        }
        _ => old.clone(),
    };
    row.columns.iter().zip(&row.values).map(|(column, old)| fresh(column, old)).collect()
}

/// One typed-data signature, hashed and signed.
pub fn sign(signer: &PrivateKeySigner, n: u64) -> Duration {
    let began = Instant::now();
    let domain = Eip712Domain::new(
        Some("USDC".into()),
        Some("2".into()),
        Some(U256::from(84532)),
        Some(Address::repeat_byte(3)),
        None,
    );
    let form = TransferWithAuthorization {
        from: signer.address(),
        to: Address::repeat_byte(2),
        value: U256::from(10_000),
        validAfter: U256::ZERO,
        validBefore: U256::from(1_800_000_000_u64),
        nonce: B256::from(U256::from(n)),
    };
    let signature = signer.sign_hash_sync(&form.eip712_signing_hash(&domain)).expect("a signature");
    std::hint::black_box(signature);
    began.elapsed()
}
