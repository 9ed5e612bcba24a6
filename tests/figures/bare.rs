//! The bare parts a payment cannot do without: one durable commit of the same rows, one EIP-712 signature.

use alloy::{
    primitives::{Address, B256, U256},
    signers::{SignerSync as _, local::PrivateKeySigner},
    sol,
    sol_types::{Eip712Domain, SolStruct as _},
};
use rusqlite::Connection;
use std::{
    path::Path,
    time::{Duration, Instant},
};

sol! {
    struct TransferWithAuthorization { address from; address to; uint256 value; uint256 validAfter; uint256 validBefore; bytes32 nonce; }
}

/// A database with the settings of the ledger and tables of the same widths, without judgement, chain or triggers.
pub struct BareLedger(Connection, u64);

impl BareLedger {
    /// In this directory.
    pub fn open(dir: &Path) -> Self {
        let conn = Connection::open(dir.join("bare.db")).expect("a database");
        conn.execute_batch(
            "PRAGMA synchronous=EXTRA; PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;
             CREATE TABLE payment(id TEXT PRIMARY KEY, agent TEXT, idem TEXT, request BLOB, quote TEXT, exposure BLOB, asset TEXT, UNIQUE(agent, idem)) STRICT;
             CREATE TABLE hold(payment TEXT, budget TEXT, key TEXT, at INTEGER, amount BLOB, epoch INTEGER, PRIMARY KEY(payment, budget, key)) STRICT;
             CREATE TABLE signable(payment TEXT, i INTEGER, wallet TEXT, nonce BLOB, bytes BLOB, digest BLOB UNIQUE, PRIMARY KEY(payment, i)) STRICT;
             CREATE TABLE entry(seq INTEGER PRIMARY KEY, payment TEXT, n INTEGER, to_state TEXT, body TEXT, prev BLOB, hash BLOB UNIQUE, mac BLOB, UNIQUE(payment, n)) STRICT;
             CREATE TABLE detail(payment TEXT, kind TEXT, salt BLOB, body BLOB, until INTEGER, PRIMARY KEY(payment, kind)) STRICT;",
        )
        .expect("a schema");
        Self(conn, 0)
    }

    /// One commit of one payment's rows.
    pub fn commit(&mut self) -> Duration {
        self.1 += 1;
        let id = format!("pay_{:032x}", self.1);
        let wide = "x".repeat(1200);
        let began = Instant::now();
        let tx = self.0.transaction().expect("a transaction");
        let digest = |salt: u8| [&self.1.to_be_bytes()[..], &[salt; 24]].concat();
        tx.prepare_cached("INSERT INTO payment VALUES(?1,'agent',?1,?2,?3,?2,'asset')")
            .unwrap()
            .execute((&id, digest(1), &wide))
            .unwrap();
        tx.prepare_cached("INSERT INTO hold VALUES(?1,'cap','',0,?2,1)").unwrap().execute((&id, digest(2))).unwrap();
        tx.prepare_cached("INSERT INTO signable VALUES(?1,0,'wallet',?2,?3,?4)")
            .unwrap()
            .execute((&id, digest(3), &wide.as_bytes()[..400], digest(4)))
            .unwrap();
        tx.prepare_cached(
            "INSERT INTO entry(payment,n,to_state,body,prev,hash,mac) VALUES(?1,1,'reserved',?2,?3,?4,?3)",
        )
        .unwrap()
        .execute((&id, &wide, digest(5), digest(6)))
        .unwrap();
        tx.prepare_cached("INSERT INTO detail VALUES(?1,'offer',?2,?3,0)")
            .unwrap()
            .execute((&id, digest(7), wide.as_bytes()))
            .unwrap();
        tx.commit().expect("a commit");
        began.elapsed()
    }
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
