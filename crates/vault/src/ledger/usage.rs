//! What each budget's counter holds: sums of holds that were not freed, exact for any window.
//!
//! A counter remembers the sum since one moment. Moving the moment reads only the holds in between, so a judgement costs the
//! same whether the ledger has ten payments or a million.

use countersign_core::{
    Millis,
    money::{Amount, Micro},
    policy::{Usage, Used},
};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::HashMap;

use super::tx::{Stop, damaged};
use crate::error::VaultError;

/// More counters than this are forgotten and read again when asked for.
const MOST: usize = 20_000;

type Name = (String, String);

#[derive(Debug, Clone, Copy)]
struct Counter {
    since: Option<Millis>,
    used: Used,
}

/// The counters seen so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    known: HashMap<Name, Counter>,
    touched: Vec<Name>,
    /// A counter that holds and their cache disagree about: the file was changed behind our back.
    pub broken: Option<String>,
}

impl Counters {
    /// What a counter holds since `since`, inclusive; none = for ever.
    pub fn used(&mut self, conn: &Connection, budget: &str, key: &str, since: Option<Millis>) -> Result<Used, Stop> {
        let name = (budget.to_owned(), key.to_owned());
        let moved = match (self.known.get(&name), since) {
            (Some(c), _) if c.since == since => return Ok(c.used),
            (Some(Counter { since: Some(from), used }), Some(to)) if *from < to => {
                let gone = sum(conn, budget, key, Some(*from), Some(to))?;
                let amount = used.amount.0.checked_sub(gone.amount.0);
                amount
                    .zip(used.count.checked_sub(gone.count))
                    .map(|(amount, count)| Used { amount: Micro(amount), count })
            }
            _ => None,
        };
        let used = match moved {
            Some(used) => used,
            None => sum(conn, budget, key, since, None)?,
        };
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.touched.push(name.clone());
        self.known.insert(name, Counter { since, used });
        Ok(used)
    }

    /// The same for a judgement: a counter not seen before must agree with the sum that was kept when it was last used.
    pub fn checked(&mut self, conn: &Connection, budget: &str, key: &str, since: Option<Millis>) -> Result<Used, Stop> {
        if !self.known.contains_key(&(budget.to_owned(), key.to_owned())) && !adds_up(conn, budget, key)? {
            let why = format!("the chain of the ledger is broken: the holds of budget {budget} do not add up");
            self.broken = Some(why.clone());
            return Err(VaultError::ViewOnly(why).into());
        }
        self.used(conn, budget, key, since)
    }

    /// Counts a hold that was just written.
    pub fn add(&mut self, budget: &str, key: &str, at: Millis, amount: Micro) -> Result<(), Stop> {
        self.change(budget, key, at, |used| {
            Some(Used { amount: used.amount.checked_add(amount)?, count: used.count.checked_add(1)? })
        })
    }

    /// Takes back what was freed of a hold.
    pub fn free(&mut self, budget: &str, key: &str, at: Millis, amount: Micro, whole: bool) -> Result<(), Stop> {
        self.change(budget, key, at, |used| {
            let count = used.count.checked_sub(u64::from(whole))?;
            Some(Used { amount: Micro(used.amount.0.checked_sub(amount.0)?), count })
        })
    }

    fn change(
        &mut self,
        budget: &str,
        key: &str,
        at: Millis,
        with: impl FnOnce(Used) -> Option<Used>,
    ) -> Result<(), Stop> {
        let name = (budget.to_owned(), key.to_owned());
        if let Some(counter) = self.known.get_mut(&name)
            && counter.since.is_none_or(|since| at >= since)
        {
            counter.used = with(counter.used).ok_or_else(|| damaged("a counter does not add up"))?;
        }
        self.touched.push(name);
        Ok(())
    }

    /// The changes since the last call stand.
    pub fn keep(&mut self) {
        self.touched.clear();
    }

    /// The changes since the last [`Self::keep`] were rolled back: those counters are read again when asked for.
    pub fn forget_touched(&mut self) {
        for name in self.touched.drain(..) {
            self.known.remove(&name);
        }
    }
}

/// Whether the holds of a counter are those its cache was written from; true where there is no cache yet.
fn adds_up(conn: &Connection, budget: &str, key: &str) -> Result<bool, Stop> {
    let kept = conn
        .prepare_cached("SELECT since, used, count FROM budget_use WHERE budget = ?1 AND key = ?2")?
        .query_row((budget, key), |row| Ok((row.get(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, i64>(2)?)))
        .optional()?;
    let Some((since, used, count)) = kept else { return Ok(true) };
    let held = sum(conn, budget, key, Some(Millis(since)), None)?;
    Ok(micro(used)? == held.amount && u64::try_from(count) == Ok(held.count))
}

/// The sum of holds not freed, in `[from, to)`.
pub(crate) fn sum(
    conn: &Connection,
    budget: &str,
    key: &str,
    from: Option<Millis>,
    to: Option<Millis>,
) -> Result<Used, Stop> {
    let mut statement = conn.prepare_cached(
        "SELECT h.amount, f.whole, f.amount FROM hold h LEFT JOIN freed f ON f.payment = h.payment
         WHERE h.budget = ?1 AND h.key = ?2 AND h.at >= ?3 AND h.at < ?4",
    )?;
    let (from, to) = (from.map_or(i64::MIN, |m| m.0), to.map_or(i64::MAX, |m| m.0));
    let mut rows = statement.query((budget, key, from, to))?;
    let mut used = Used::default();
    let over = || damaged("a sum of holds is too large");
    while let Some(row) = rows.next()? {
        let held = micro(row.get(0)?)?;
        let left = match row.get::<_, Option<bool>>(1)? {
            None => held,
            Some(true) => continue,
            Some(false) => held.saturating_sub(micro(row.get(2)?)?),
        };
        used.amount = used.amount.checked_add(left).ok_or_else(over)?;
        used.count = used.count.checked_add(1).ok_or_else(over)?;
    }
    Ok(used)
}

/// Millionths as the ledger stores them: 32 bytes big-endian.
pub(crate) fn blob(amount: Micro) -> [u8; 32] {
    let mut bytes = [0; 32];
    if let Some(low) = bytes.last_chunk_mut() {
        *low = amount.0.to_be_bytes();
    }
    bytes
}

/// Reads [`blob`] back.
pub(crate) fn micro(bytes: [u8; 32]) -> Result<Micro, Stop> {
    let units = Amount::from_be_bytes(bytes).units();
    u128::try_from(units).map(Micro).map_err(|_| damaged("a value is too large"))
}

/// The counters as policy reads them, inside one transaction.
pub(crate) struct Fresh<'a> {
    pub conn: &'a Connection,
    pub counters: &'a mut Counters,
    /// Windows that began before this moment count as fully used.
    pub full_until: Option<Millis>,
}

impl Usage for Fresh<'_> {
    type Error = Stop;

    fn used(&mut self, id: &str, key: &str, since: Option<Millis>) -> Result<Used, Stop> {
        let used = self.counters.checked(self.conn, id, key, since)?;
        match self.full_until {
            Some(until) if since.is_none_or(|since| since <= until) => Ok(FULL),
            _ => Ok(used),
        }
    }

    fn consumed(&mut self, id: &str) -> Result<u64, Stop> {
        let count: i64 = self
            .conn
            .prepare_cached("SELECT count(*) FROM consumed WHERE rule = ?1")?
            .query_row([id], |row| row.get(0))?;
        u64::try_from(count).map_err(|_| damaged("a count is negative"))
    }
}

/// More than any cap, and far from overflowing.
const FULL: Used = Used { amount: Micro(u64::MAX as u128), count: u32::MAX as u64 };
