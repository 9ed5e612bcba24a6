//! Sums of days. They are added up here and not in SQL, with checks.

use countersign_core::{calendar::Day, money::Micro};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};

use crate::{error::VaultError, ledger::Stop};

/// What the sums are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Who asked.
    Agent,
    /// Who was paid.
    Payee,
    /// Through which protocol.
    Rail,
}

impl By {
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Agent => 0,
            Self::Payee => 1,
            Self::Rail => 2,
        }
    }
}

/// Days up to today, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub from: Day,
    /// The last.
    pub to: Day,
}

/// What was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// In the reference currency.
    pub value: u128,
    /// Payments.
    pub count: u64,
    /// Of those, the ones without a value in the reference currency.
    pub unknown: u64,
}

impl Spent {
    /// The value as money.
    pub const fn micro(self) -> Micro {
        Micro(self.value)
    }

    /// The sum of both.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            value: self.value.checked_add(other.value)?,
            count: self.count.checked_add(other.count)?,
            unknown: self.unknown.checked_add(other.unknown)?,
        })
    }
}

/// Sums over a period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// All of it.
    pub all: Spent,
    /// For each name, most spent first.
    pub names: Vec<(String, Spent)>,
    /// For each day with a payment and each name; of a period of whole months, the first of each.
    pub days: BTreeMap<Day, HashMap<String, Spent>>,
}

pub(super) fn over(conn: &Connection, test: bool, period: Period, by: By) -> Result<Sums, Stop> {
    // Nothing is paid in the future, so a period from the first of a month is made of whole months.
    let months = period.from == period.from.month() && period.to > period.from.plus_months(2);
    let mut statement = conn.prepare_cached(
        "SELECT day, name, value, count, unknown FROM total
         WHERE test = ?1 AND by = ?2 AND month = ?3 AND day BETWEEN ?4 AND ?5",
    )?;
    let mut rows = statement.query((test, by.number(), months, period.from.number(), period.to.number()))?;
    let too_much = || Stop::Told(VaultError::Storage("the sums of the activity are out of range".into()));
    let mut all = Spent::default();
    let mut parts: BTreeMap<(i64, i64), Spent> = BTreeMap::new();
    let mut totals: HashMap<i64, Spent> = HashMap::new();
    while let Some(row) = rows.next()? {
        let number = |i| row.get::<_, i64>(i);
        let spent = Spent {
            value: u128::try_from(number(2)?).map_err(|_| too_much())?,
            count: u64::try_from(number(3)?).map_err(|_| too_much())?,
            unknown: u64::try_from(number(4)?).map_err(|_| too_much())?,
        };
        if spent.count == 0 {
            continue;
        }
        let (day, name) = (number(0)?, number(1)?);
        all = all.plus(spent).ok_or_else(too_much)?;
        for sum in [parts.entry((day, name)).or_default(), totals.entry(name).or_default()] {
            *sum = sum.plus(spent).ok_or_else(too_much)?;
        }
    }
    let mut texts = HashMap::new();
    let mut text = conn.prepare_cached("SELECT text FROM word WHERE id = ?1")?;
    for name in totals.keys() {
        texts.insert(*name, text.query_row([name], |row| row.get::<_, String>(0))?);
    }
    let named = |name: i64| texts.get(&name).cloned().unwrap_or_default();
    let mut names: Vec<_> = totals.into_iter().map(|(name, spent)| (named(name), spent)).collect();
    names.sort_by(|(a, x), (b, y)| (y.value, y.count).cmp(&(x.value, x.count)).then_with(|| a.cmp(b)));
    let mut days: BTreeMap<Day, HashMap<String, Spent>> = BTreeMap::new();
    for ((day, name), spent) in parts {
        days.entry(Day::numbered(day)).or_default().insert(named(name), spent);
    }
    Ok(Sums { all, names, days })
}
