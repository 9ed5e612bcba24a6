//! Totals, bars and ranking, drawn from sums of days.

use countersign_core::{
    Millis,
    calendar::{Calendar, Day},
};
use countersign_vault::{
    VaultError,
    activity::{By, Choices, Period, Spent, Sums},
};
use std::collections::HashMap;

use super::view::{Bar, BarPart, Overview, OverviewAsked, Ranked, Span, SpentView, SumsBy, grouped, number};

/// Parts that are named; what comes after them is one more.
const NAMED: usize = 5;
const PAYEES: usize = 8;

/// The head of the page at `now`. `read` gives the sums of a period.
pub fn of(
    asked: &OverviewAsked,
    calendar: &Calendar,
    now: Millis,
    reference: &str,
    behind: u64,
    choices: Choices,
    read: impl Fn(Period, By) -> Result<Sums, VaultError>,
) -> Result<Overview, VaultError> {
    let today = calendar.day(now);
    let sum = |from: Day| read(Period { from, to: today }, By::Rail).map(|sums| SpentView::of(sums.all, reference));
    let starts = starts(asked.span, today);
    let period = Period { from: starts.first().copied().unwrap_or(today), to: today };
    let by = match asked.by {
        SumsBy::Agent => By::Agent,
        SumsBy::Payee => By::Payee,
        SumsBy::Rail => By::Rail,
    };
    let sums = read(period, by)?;
    let payees = read(period, By::Payee)?;
    let columns = columns(&sums, &starts)?;
    let highest = columns.iter().map(|column| column.all.value).max().filter(|highest| *highest > 0);
    Ok(Overview {
        today: sum(today)?,
        week: sum(today.week())?,
        month: sum(today.month())?,
        span: SpentView::of(sums.all, reference),
        zone: calendar.name().to_owned(),
        year: today.to_string().chars().take(4).collect(),
        highest: highest.map(|value| money(value, reference)),
        bars: columns.iter().map(|column| column.bar(highest.unwrap_or(1), reference)).collect(),
        parts: ranking(&sums.names, NAMED, true, reference)?,
        payees: ranking(&payees.names, PAYEES, false, reference)?,
        behind: number(behind),
        agents: choices.agents,
        rails: choices.rails,
        states: choices.states,
        has_real: choices.real,
        has_test: choices.test,
    })
}

fn money(value: u128, reference: &str) -> String {
    grouped(&format!("{} {reference}", countersign_core::money::Micro(value)))
}

/// The first day of every bar, oldest first.
fn starts(span: Span, today: Day) -> Vec<Day> {
    match span {
        Span::Days => (0..30).rev().map(|back: i64| today.plus(back.saturating_neg())).collect(),
        Span::Weeks => (0..12).rev().map(|back: i64| today.week().plus(back.saturating_mul(-7))).collect(),
        Span::Months => (0..12).rev().map(|back: i32| today.plus_months(back.saturating_neg())).collect(),
    }
}

/// One bar: what was spent in it, and on which part.
struct Column {
    first: Day,
    all: Spent,
    parts: [Spent; NAMED + 1],
}

fn columns(sums: &Sums, starts: &[Day]) -> Result<Vec<Column>, VaultError> {
    let places: HashMap<&str, usize> =
        sums.names.iter().take(NAMED).enumerate().map(|(place, (name, _))| (name.as_str(), place)).collect();
    let mut columns: Vec<Column> =
        starts.iter().map(|first| Column { first: *first, all: Spent::default(), parts: Default::default() }).collect();
    for (day, names) in &sums.days {
        let Some(column) = columns.iter_mut().rev().find(|column| column.first <= *day) else { continue };
        for (name, spent) in names {
            let place = places.get(name.as_str()).copied().unwrap_or(NAMED);
            column.all = column.all.plus(*spent).ok_or_else(too_much)?;
            if let Some(part) = column.parts.get_mut(place) {
                *part = part.plus(*spent).ok_or_else(too_much)?;
            }
        }
    }
    Ok(columns)
}

fn too_much() -> VaultError {
    VaultError::Storage("the sums of the activity are out of range".into())
}

/// `value` in thousandths of `whole`, rounded down; whatever is not nothing is at least one.
fn share(value: u128, whole: u128) -> u32 {
    let exact = value.saturating_mul(1000).checked_div(whole).unwrap_or(0).min(1000);
    u32::try_from(exact).unwrap_or(1000).max(u32::from(value > 0))
}

impl Column {
    fn bar(&self, highest: u128, reference: &str) -> Bar {
        let mut parts = Vec::new();
        let mut below = 0u128;
        for (place, spent) in self.parts.iter().enumerate().filter(|(_, spent)| spent.value > 0) {
            let from = below.saturating_mul(1000).checked_div(highest).unwrap_or(0);
            parts.push(BarPart {
                part: u32::try_from(place).unwrap_or(u32::MAX),
                from: u32::try_from(from).unwrap_or(1000),
                height: share(spent.value, highest),
                value: money(spent.value, reference),
            });
            below = below.saturating_add(spent.value);
        }
        Bar {
            day: self.first.to_string(),
            value: money(self.all.value, reference),
            count: number(self.all.count),
            parts,
        }
    }
}

/// The first `most` names; all others as one nameless part, if wanted.
fn ranking(names: &[(String, Spent)], most: usize, rest: bool, reference: &str) -> Result<Vec<Ranked>, VaultError> {
    let first = names.first().map_or(0, |(_, spent)| spent.value);
    let ranked = |name: &str, spent: Spent| Ranked {
        name: name.to_owned(),
        value: money(spent.value, reference),
        count: number(spent.count),
        share: share(spent.value, first),
    };
    let mut list: Vec<Ranked> = names.iter().take(most).map(|(name, spent)| ranked(name, *spent)).collect();
    if rest && names.len() > most {
        let mut all = Spent::default();
        for (_, spent) in names.iter().skip(most) {
            all = all.plus(*spent).ok_or_else(too_much)?;
        }
        list.push(ranked("", all));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn spent(value: u128) -> Spent {
        Spent { value, count: 1, unknown: 0 }
    }

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn choices() -> Choices {
        Choices { agents: vec![], rails: vec![], states: vec![], real: true, test: false }
    }

    fn overview(span: Span, days: &[(&str, &str, u128)]) -> Overview {
        let read = |period: Period, _| {
            let mut sums = Sums::default();
            let mut names: BTreeMap<String, Spent> = BTreeMap::new();
            for (at, name, value) in days {
                let at = day(at);
                if at < period.from || at > period.to {
                    continue;
                }
                sums.all = sums.all.plus(spent(*value)).ok_or_else(too_much)?;
                for sum in [
                    names.entry((*name).to_owned()).or_default(),
                    sums.days.entry(at).or_default().entry((*name).to_owned()).or_default(),
                ] {
                    *sum = sum.plus(spent(*value)).ok_or_else(too_much)?;
                }
            }
            sums.names = names.into_iter().collect();
            sums.names.sort_by_key(|(_, spent)| std::cmp::Reverse(spent.value));
            Ok(sums)
        };
        let now = "2026-05-04T12:00:00Z".parse::<countersign_core::Rfc3339>().unwrap().0;
        let asked = OverviewAsked { test: false, by: SumsBy::Agent, span };
        of(&asked, &Calendar::of("UTC"), now, "USD", 0, choices(), read).unwrap()
    }

    #[test]
    fn totals_are_of_today_this_week_from_monday_and_this_month() {
        let seen = overview(
            Span::Days,
            &[("2026-05-04", "a", 1_000_000), ("2026-05-03", "a", 20_000_000), ("2026-04-30", "a", 300_000_000)],
        );
        let values = [&seen.today, &seen.week, &seen.month, &seen.span].map(|sum| sum.value.as_str());
        assert_eq!(values, ["1.00 USD", "1.00 USD", "21.00 USD", "321.00 USD"]);
        assert_eq!((seen.bars.len(), seen.bars[29].day.as_str()), (30, "2026-05-04"));
        assert_eq!(seen.highest.as_deref(), Some("300.00 USD"));
    }

    #[test]
    fn a_bar_is_stacked_without_gaps_and_the_sixth_part_is_the_rest() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let days: Vec<_> =
            names.iter().enumerate().map(|(at, name)| ("2026-05-01", *name, 1_000_000 * (10 - at as u128))).collect();
        let seen = overview(Span::Weeks, &days);
        assert_eq!(seen.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d", "e", ""]);
        assert_eq!(seen.parts[5].value, "9.00 USD");
        let bar = &seen.bars[10];
        assert_eq!((bar.day.as_str(), bar.value.as_str(), bar.count), ("2026-04-27", "49.00 USD", 7));
        let mut at = 0;
        for part in &bar.parts {
            assert!(part.from.abs_diff(at) <= 6, "{part:?} starts away from {at}");
            at = part.from + part.height;
        }
        assert!((995..=1000).contains(&at), "{at}");
    }

    #[test]
    fn nothing_spent_is_drawn_as_nothing_and_months_begin_on_the_first() {
        let seen = overview(Span::Months, &[]);
        assert_eq!(
            (seen.highest, seen.bars[0].day.as_str(), seen.bars[11].day.as_str()),
            (None, "2025-06-01", "2026-05-01")
        );
        assert!(seen.bars.iter().all(|bar| bar.parts.is_empty()) && seen.parts.is_empty());
    }

    #[test]
    fn sums_past_every_bound_are_an_error_and_no_number() {
        let read = |_, _| {
            let names = vec![("a".to_owned(), spent(u128::MAX)), ("b".to_owned(), spent(1))];
            let days = BTreeMap::from([(day("2026-05-04"), names.iter().cloned().collect())]);
            Ok(Sums { all: spent(u128::MAX), names, days })
        };
        let asked = OverviewAsked { test: false, by: SumsBy::Agent, span: Span::Days };
        let now = Millis(1_777_900_000_000);
        assert!(of(&asked, &Calendar::of("UTC"), now, "USD", 0, choices(), read).is_err());
    }
}
