//! One request inside the writer's transaction: what it may read, and the one way to append to the chain.

use countersign_core::{
    Millis,
    payment::{AgentName, PaymentId},
    status::{Event, Status, next},
};
use rusqlite::Connection;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::{
    body::Body,
    chain::{self, CHECKPOINT_EVERY, Head, MacKey},
    shared::{Shared, View},
    time::{Now, Seen},
    usage::Counters,
};
use crate::error::VaultError;

/// Why a request ends without effect.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The caller is told; only its own savepoint is rolled back.
    Told(VaultError),
    /// The database failed; if it is more than a refused row, the whole batch is.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<VaultError> for Stop {
    fn from(error: VaultError) -> Self {
        Self::Told(error)
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        damaged(&error.to_string())
    }
}

/// A row that cannot be read back: the file was changed behind our back.
pub(crate) fn damaged(what: &str) -> Stop {
    Stop::Told(VaultError::Storage(format!("a row of the ledger is damaged: {what}")))
}

/// What the writer remembers between transactions. Everything in it can be read back from the database.
pub(crate) struct Memory {
    pub head: Head,
    pub epoch: i64,
    pub counters: Counters,
    pub prompts: HashMap<AgentName, VecDeque<Millis>>,
    /// Where the clock was last trusted, and last seen.
    pub base: Seen,
    pub last: Seen,
    /// Questions put in this batch.
    pub asked: Vec<PaymentId>,
    /// Whether there is room on the disk, and when that was last looked at.
    pub room: bool,
}

/// One request's turn.
pub(crate) struct Tx<'a> {
    pub conn: &'a Connection,
    pub mem: &'a mut Memory,
    pub shared: &'a Arc<Shared>,
    pub view: Arc<View>,
    pub key: &'a MacKey,
    pub now: Now,
}

impl Tx<'_> {
    /// The start of an entry.
    pub fn body(&self, event: Event) -> Body {
        Body {
            event,
            at: self.now.at,
            wall: self.now.seen.wall,
            boot: self.now.seen.boot,
            boot_id: self.now.seen.boot_id.clone(),
            epoch: self.mem.epoch,
            row: None,
            facts: None,
            decision: None,
            by: None,
            forms: Vec::new(),
            valid_before: None,
            expires_at: None,
            aliases: None,
            refused_as: None,
            settlement: None,
            outcome: None,
            transaction: None,
            watched: None,
            why: None,
            evidence: None,
            freed: None,
            detail: std::collections::BTreeMap::new(),
        }
    }

    /// Appends the `n`-th entry of a payment. The state after it is what the table says, never what the caller says.
    pub fn append(
        &mut self,
        payment: i64,
        id: &PaymentId,
        n: i64,
        from: Option<Status>,
        body: &Body,
    ) -> Result<Status, Stop> {
        let to = next(from, body.event).ok_or_else(|| {
            Stop::Told(VaultError::Illegal { from: from.unwrap_or(Status::Refused), event: body.event })
        })?;
        let bytes = body.encode()?;
        let prev = self.mem.head.hash;
        let seq = self.mem.head.seq.checked_add(1).ok_or_else(|| damaged("the chain is full"))?;
        let hash = chain::hash(&prev, seq, id.as_str(), n, to.as_str(), &bytes);
        let mac = self.key.mac("entry", &[&hash]);
        self.conn
            .prepare_cached("INSERT INTO entry (seq, payment, n, to_state, body, prev, hash, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
            .execute((seq, payment, n, to.as_str(), bytes, prev, hash, mac))?;
        if seq.checked_rem(CHECKPOINT_EVERY) == Some(0) {
            let mac = self.key.mac("checkpoint", &[&seq.to_be_bytes(), &hash]);
            self.conn.execute("INSERT INTO checkpoint (seq, hash, mac) VALUES (?1, ?2, ?3)", (seq, hash, mac))?;
        }
        self.mem.head = Head { seq, hash };
        Ok(to)
    }

    /// Refuses new payments when the disk is nearly full.
    pub fn room(&self) -> Result<(), Stop> {
        if self.mem.room { Ok(()) } else { Err(VaultError::Storage("the disk is nearly full".into()).into()) }
    }
}
