//! The time a budget counts over. A payment belongs to the moment it was held.
//!
//! A rolling window of W holds `[now − W, now]`, both ends in: a hold leaves it one millisecond after it is W old. A calendar
//! window begins with the day, the week (Monday) or the month in the policy's time zone, also when the clocks change.

use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::Millis;

/// Over which time a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// One payment.
    Once,
    /// One session.
    Session,
    /// Ten minutes back.
    Rolling10m,
    /// A day back.
    Rolling24h,
    /// Seven days back.
    Rolling7d,
    /// The day.
    CalendarDay,
    /// The week, from Monday.
    CalendarWeek,
    /// The month.
    CalendarMonth,
    /// For ever.
    Lifetime,
}

impl Window {
    /// Every window.
    pub const ALL: [Self; 9] = [
        Self::Once,
        Self::Session,
        Self::Rolling10m,
        Self::Rolling24h,
        Self::Rolling7d,
        Self::CalendarDay,
        Self::CalendarWeek,
        Self::CalendarMonth,
        Self::Lifetime,
    ];

    /// The text in policy files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Session => "session",
            Self::Rolling10m => "rolling:10m",
            Self::Rolling24h => "rolling:24h",
            Self::Rolling7d => "rolling:7d",
            Self::CalendarDay => "calendar:day",
            Self::CalendarWeek => "calendar:week",
            Self::CalendarMonth => "calendar:month",
            Self::Lifetime => "lifetime",
        }
    }

    pub(super) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == text)
    }

    /// The first moment inside the window; none for a counter without a beginning. A moment outside the calendar counts for ever.
    pub fn since(self, now: Millis, zone: &TimeZone) -> Option<Millis> {
        let back = |ms: i64| Some(Millis(now.0.saturating_sub(ms)));
        match self {
            Self::Once | Self::Session | Self::Lifetime => None,
            Self::Rolling10m => back(10 * 60 * 1000),
            Self::Rolling24h => back(24 * 60 * 60 * 1000),
            Self::Rolling7d => back(7 * 24 * 60 * 60 * 1000),
            Self::CalendarDay | Self::CalendarWeek | Self::CalendarMonth => {
                self.begin(&local(now, zone)?).map(|z| Millis(z.timestamp().as_millisecond()))
            }
        }
    }

    /// When a calendar window begins again; none for the others.
    pub fn resets_at(self, now: Millis, zone: &TimeZone) -> Option<Millis> {
        let here = local(now, zone)?;
        let first = self.begin(&here)?.date();
        let next = match self {
            Self::CalendarDay => first.tomorrow().ok()?,
            Self::CalendarWeek => first.checked_add(jiff::Span::new().days(7)).ok()?,
            Self::CalendarMonth => first.checked_add(jiff::Span::new().months(1)).ok()?,
            _ => return None,
        };
        let begin = next.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
        Some(Millis(begin.timestamp().as_millisecond()))
    }

    fn begin(self, here: &Zoned) -> Option<Zoned> {
        let day = match self {
            Self::CalendarDay => here.date(),
            Self::CalendarWeek => {
                let days = i64::from(here.weekday().to_monday_zero_offset());
                here.date().checked_sub(jiff::Span::new().days(days)).ok()?
            }
            Self::CalendarMonth => here.date().first_of_month(),
            _ => return None,
        };
        day.to_zoned(here.time_zone().clone()).ok()?.start_of_day().ok()
    }

    /// Whether it ends with the caller's connection or with the payment.
    pub(super) const fn is_short_lived(self) -> bool {
        matches!(self, Self::Once | Self::Session)
    }
}

fn local(now: Millis, zone: &TimeZone) -> Option<Zoned> {
    let moment = Timestamp::from_millisecond(now.0).ok()?;
    Some(moment.to_zoned(zone.clone()))
}
