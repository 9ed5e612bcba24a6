//! The hash chain: each entry names the one before it, and each hash carries a MAC of a key that is not in the database.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Entries between two checkpoints.
pub(crate) const CHECKPOINT_EVERY: i64 = 1000;

/// The key that guards chain, aliases, policy versions and the agent list.
#[derive(Clone)]
pub(crate) struct MacKey(Zeroizing<[u8; 32]>);

impl MacKey {
    pub fn new(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// MAC of labelled parts, each with its length before it.
    pub fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes a key of any length, so this cannot fail; an empty MAC would match nothing.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&*self.0) else { return [0; 32] };
        for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    pub fn matches(&self, label: &str, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.mac(label, parts).ct_eq(mac).into()
    }
}

/// Where the chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub seq: i64,
    pub hash: [u8; 32],
}

impl Head {
    pub const EMPTY: Self = Self { seq: 0, hash: [0; 32] };
}

/// One entry as stored.
pub(crate) struct Link {
    pub seq: i64,
    pub payment: String,
    pub n: i64,
    pub to_state: String,
    pub body: Vec<u8>,
    pub prev: Vec<u8>,
    pub hash: Vec<u8>,
    pub mac: Vec<u8>,
}

/// `SHA-256(prev, seq, payment, n, to_state, body)`, lengths included.
pub(crate) fn hash(prev: &[u8], seq: i64, payment: &str, n: i64, to_state: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let (seq, n) = (seq.to_be_bytes(), n.to_be_bytes());
    for part in [b"countersign entry 1", prev, &seq, payment.as_bytes(), &n, to_state.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Why the chain is broken, and where first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub(crate) struct Broken {
    pub seq: i64,
    pub what: &'static str,
}

/// Checks one link against the head before it.
pub(crate) fn follow(head: Head, link: &Link, key: &MacKey) -> Result<Head, Broken> {
    let broken = |what| Broken { seq: link.seq, what };
    if Some(link.seq) != head.seq.checked_add(1) {
        return Err(broken("an entry is missing before it"));
    }
    if link.prev != head.hash {
        return Err(broken("it does not follow the entry before it"));
    }
    let hash = hash(&link.prev, link.seq, &link.payment, link.n, &link.to_state, &link.body);
    if link.hash != hash {
        return Err(broken("its content was changed"));
    }
    if !key.matches("entry", &[&hash], &link.mac) {
        return Err(broken("it was not written by this ledger's owner"));
    }
    Ok(Head { seq: link.seq, hash })
}

const LINKS: &str = "SELECT e.seq, p.id, e.n, e.to_state, e.body, e.prev, e.hash, e.mac
    FROM entry e LEFT JOIN payment p ON p.n = e.payment WHERE e.seq > ?1 ORDER BY e.seq";

/// Follows every entry after `from`, calling `each` on it.
pub(crate) fn walk<E: From<rusqlite::Error> + From<Broken>>(
    conn: &Connection,
    from: Head,
    key: &MacKey,
    mut each: impl FnMut(&Link) -> Result<(), E>,
) -> Result<Head, E> {
    let mut head = from;
    let mut statement = conn.prepare(LINKS)?;
    let mut rows = statement.query([from.seq])?;
    while let Some(row) = rows.next()? {
        let payment: Option<String> = row.get(1)?;
        let link = Link {
            seq: row.get(0)?,
            payment: payment.unwrap_or_default(),
            n: row.get(2)?,
            to_state: row.get(3)?,
            body: row.get(4)?,
            prev: row.get(5)?,
            hash: row.get(6)?,
            mac: row.get(7)?,
        };
        head = follow(head, &link, key)?;
        each(&link)?;
    }
    Ok(head)
}

/// The last checkpoint, if its MAC holds and the entry it names is there.
pub(crate) fn last_checkpoint<E: From<rusqlite::Error> + From<Broken>>(
    conn: &Connection,
    key: &MacKey,
) -> Result<Head, E> {
    let row = conn
        .query_row(
            "SELECT c.seq, c.hash, c.mac, e.hash FROM checkpoint c LEFT JOIN entry e ON e.seq = c.seq ORDER BY c.seq DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, Option<Vec<u8>>>(3)?)),
        )
        .optional()?;
    let Some((seq, hash, mac, entry)) = row else { return Ok(Head::EMPTY) };
    if !key.matches("checkpoint", &[&seq.to_be_bytes(), &hash], &mac) || entry.as_deref() != Some(&hash) {
        return Err(Broken { seq, what: "its checkpoint does not match" }.into());
    }
    Ok(Head { seq, hash })
}
