//! Days as a person counts them: in one time zone, weeks from Monday.

use jiff::{
    Span, Timestamp,
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};
use std::fmt;

use crate::Millis;

/// A calendar day, shown as `2026-05-04`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// Reads `2026-05-04` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 10).then(|| text.parse().ok().map(Self)).flatten()
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i64 {
        let zero = Date::constant(1970, 1, 1);
        self.0.since(zero).map_or(0, |span| i64::from(span.get_days()))
    }

    /// The day of that number; the last one there is beyond the calendar's end.
    pub fn numbered(number: i64) -> Self {
        let days = i32::try_from(number.clamp(-719_000, 2_932_000)).unwrap_or(0);
        Self(Date::constant(1970, 1, 1).checked_add(Span::new().days(days)).unwrap_or(Date::MAX))
    }

    /// So many days later.
    pub fn plus(self, days: i64) -> Self {
        Self::numbered(self.number().saturating_add(days))
    }

    /// The Monday of its week.
    pub fn week(self) -> Self {
        self.plus(i64::from(self.0.weekday().to_monday_zero_offset()).saturating_neg())
    }

    /// The first of its month.
    pub fn month(self) -> Self {
        Self(self.0.first_of_month())
    }

    /// The first of the month so many months later.
    pub fn plus_months(self, months: i32) -> Self {
        Self(self.0.first_of_month().checked_add(Span::new().months(months)).unwrap_or(self.0))
    }

    /// The first of January of a year.
    pub fn year(year: i16) -> Option<Self> {
        Date::new(year, 1, 1).ok().map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The days of one time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    name: String,
}

impl Calendar {
    /// The zone of this name, such as `Europe/Berlin`; UTC where there is none of that name.
    pub fn of(name: &str) -> Self {
        TimeZoneDatabase::bundled().get(name).map_or_else(
            |_| Self { zone: TimeZone::UTC, name: "UTC".to_owned() },
            |zone| Self { zone, name: name.to_owned() },
        )
    }

    /// The zone's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day in which this moment lies.
    pub fn day(&self, at: Millis) -> Day {
        Day(Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone()).date())
    }

    /// The moment at which a day begins.
    pub fn begins(&self, day: Day) -> Millis {
        Millis(day.0.to_zoned(self.zone.clone()).map_or(i64::MAX, |begins| begins.timestamp().as_millisecond()))
    }

    /// A moment as the zone's clocks show it, with what they differ from UTC: `2026-05-04T16:03:00+02:00`.
    pub fn local(&self, at: Millis) -> String {
        let Ok(moment) = Timestamp::from_millisecond(at.0) else { return at.0.to_string() };
        moment.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rfc3339;

    fn at(text: &str) -> Millis {
        text.parse::<Rfc3339>().unwrap().0
    }

    #[test]
    fn a_day_is_the_zones_and_begins_when_its_clocks_say_so() {
        for (zone, moment, day, begins) in [
            ("UTC", "2026-05-04T23:30:00Z", "2026-05-04", "2026-05-04T00:00:00Z"),
            ("Asia/Shanghai", "2026-05-04T23:30:00Z", "2026-05-05", "2026-05-04T16:00:00Z"),
            ("Asia/Kathmandu", "2026-05-04T18:14:59Z", "2026-05-04", "2026-05-03T18:15:00Z"),
            // The day the clocks go forward, and the one on which midnight does not exist.
            ("Europe/Berlin", "2026-03-29T21:59:00Z", "2026-03-29", "2026-03-28T23:00:00Z"),
            ("Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-24", "2026-04-23T22:00:00Z"),
        ] {
            let calendar = Calendar::of(zone);
            assert_eq!(calendar.day(at(moment)).to_string(), day, "{zone}");
            assert_eq!(calendar.begins(Day::parse(day).unwrap()), at(begins), "{zone}");
        }
        assert_eq!(Calendar::of("Europe/Berlin").local(at("2026-05-04T14:03:00Z")), "2026-05-04T16:03:00+02:00");
        assert_eq!(Calendar::of("Nowhere/Land").name(), "UTC");
    }

    #[test]
    fn weeks_begin_on_monday_and_numbers_lead_back() {
        let day = |text| Day::parse(text).unwrap();
        assert_eq!(day("2026-05-03").week(), day("2026-04-27"));
        assert_eq!(day("2026-05-04").week(), day("2026-05-04"));
        assert_eq!(
            (day("2026-05-31").month(), day("2026-01-31").plus_months(1)),
            (day("2026-05-01"), day("2026-02-01"))
        );
        for text in ["1970-01-01", "2024-02-29", "2026-05-04"] {
            assert_eq!(Day::numbered(day(text).number()), day(text));
        }
        for nonsense in ["", "2026-5-4", "2026-02-30", "2026-05-04T00:00", "=1+1", "٢٠٢٦-05-04"] {
            assert_eq!(Day::parse(nonsense), None, "{nonsense}");
        }
    }
}
