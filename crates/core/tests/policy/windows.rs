//! Windows in the policy's time zone: clock changes, month ends, weeks from Monday.

use countersign_core::{Millis, policy::Window};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::world::at;

fn zone(name: &str) -> TimeZone {
    jiff::tz::TimeZoneDatabase::bundled().get(name).unwrap()
}

#[test]
fn calendar_windows_begin_and_end_on_the_local_clock() {
    for (place, window, now, since, resets) in [
        // 23 and 25 hours long.
        ("Europe/Berlin", Window::CalendarDay, "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", Window::CalendarDay, "2026-10-25T00:30:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        // Midnight does not exist in Santiago that day, and comes twice in Havana.
        (
            "America/Santiago",
            Window::CalendarDay,
            "2026-09-06T12:00:00Z",
            "2026-09-06T04:00:00Z",
            "2026-09-07T03:00:00Z",
        ),
        ("America/Havana", Window::CalendarDay, "2026-11-01T05:30:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
        // Already February in Berlin.
        (
            "Europe/Berlin",
            Window::CalendarMonth,
            "2026-01-31T23:30:00Z",
            "2026-01-31T23:00:00Z",
            "2026-02-28T23:00:00Z",
        ),
        ("UTC", Window::CalendarMonth, "2026-01-31T23:30:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("UTC", Window::CalendarMonth, "2028-02-29T23:59:59.999Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("UTC", Window::CalendarMonth, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        // A Sunday's last millisecond, and Monday's first.
        (
            "Europe/Berlin",
            Window::CalendarWeek,
            "2026-11-22T22:59:59.999Z",
            "2026-11-15T23:00:00Z",
            "2026-11-22T23:00:00Z",
        ),
        ("Europe/Berlin", Window::CalendarWeek, "2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z"),
        // The week of the clock change: one hour short.
        ("Europe/Berlin", Window::CalendarWeek, "2026-03-29T21:59:59Z", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Asia/Kathmandu", Window::CalendarDay, "2026-05-05T18:15:00Z", "2026-05-05T18:15:00Z", "2026-05-06T18:15:00Z"),
    ] {
        let (now, zone) = (at(now), zone(place));
        assert_eq!(window.since(now, &zone).map(Millis::rfc3339).as_deref(), Some(since), "{place} {now:?}");
        assert_eq!(window.resets_at(now, &zone).map(Millis::rfc3339).as_deref(), Some(resets), "{place} {now:?}");
    }
}

#[test]
fn rolling_windows_ignore_the_local_clock_and_the_rest_have_no_beginning() {
    let (now, zone) = (at("2026-03-29T10:00:00Z"), zone("Europe/Berlin"));
    for (window, hours_back) in [(Window::Rolling24h, 24), (Window::Rolling7d, 168)] {
        assert_eq!(window.since(now, &zone), Some(Millis(now.0 - hours_back * 3_600_000)));
        assert_eq!(window.resets_at(now, &zone), None);
    }
    assert_eq!(Window::Rolling10m.since(now, &zone), Some(Millis(now.0 - 600_000)));
    for window in [Window::Once, Window::Session, Window::Lifetime] {
        assert_eq!((window.since(now, &zone), window.resets_at(now, &zone)), (None, None));
    }
}

#[test]
fn a_moment_outside_the_calendar_counts_for_ever_and_never_panics() {
    for now in [
        Millis(i64::MIN),
        Millis(i64::MAX),
        Millis(Timestamp::MAX.as_millisecond()),
        Millis(Timestamp::MIN.as_millisecond()),
    ] {
        for window in Window::ALL {
            let since = window.since(now, &zone("Pacific/Apia"));
            assert!(since.is_none_or(|s| s <= now), "{window:?}");
            assert!(window.resets_at(now, &zone("Pacific/Apia")).is_none_or(|r| r > now));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_moment_lies_in_its_window_and_in_no_other(
        ms in 946_684_800_000i64..4_102_444_800_000,
        place in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Santiago", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"]),
        window in prop::sample::select(vec![Window::CalendarDay, Window::CalendarWeek, Window::CalendarMonth]),
    ) {
        let (now, zone) = (Millis(ms), zone(place));
        let (since, resets) = (window.since(now, &zone).unwrap(), window.resets_at(now, &zone).unwrap());
        prop_assert!(since <= now && now < resets);
        for inside in [since, Millis(resets.0 - 1)] {
            prop_assert_eq!(window.since(inside, &zone), Some(since));
            prop_assert_eq!(window.resets_at(inside, &zone), Some(resets));
        }
        prop_assert_eq!(window.since(resets, &zone), Some(resets));
        prop_assert!(window.since(Millis(since.0 - 1), &zone).unwrap() < since);
    }
}
