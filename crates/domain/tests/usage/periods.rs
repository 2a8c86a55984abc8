//! Periods: days of 23 and 25 hours, and anchors at the end of a month.

use domain::usage::periods::{PeriodUnit, anchored_period, calendar_period, zone};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_calendar_day_in_paris_has_23_24_or_25_hours() {
    let paris = zone("Europe/Paris").unwrap();
    for (moment, start, end, hours) in [
        (
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
            23,
        ),
        (
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
            25,
        ),
        (
            "2026-06-01T21:59:59Z",
            "2026-05-31T22:00:00Z",
            "2026-06-01T22:00:00Z",
            24,
        ),
        (
            "2026-06-01T22:00:00Z",
            "2026-06-01T22:00:00Z",
            "2026-06-02T22:00:00Z",
            24,
        ),
    ] {
        let day = calendar_period(PeriodUnit::Day, &paris, at(moment)).unwrap();
        assert_eq!((day.start, day.end), (at(start), at(end)), "{moment}");
        assert_eq!(
            day.start.duration_until(day.end),
            SignedDuration::from_hours(hours)
        );
    }
    let march = calendar_period(PeriodUnit::Month, &paris, at("2026-03-31T21:59:59Z")).unwrap();
    assert_eq!(march.start, at("2026-02-28T23:00:00Z"));
    assert_eq!(march.end, at("2026-03-31T22:00:00Z"));
    let week = calendar_period(PeriodUnit::Week, &paris, at("2026-03-29T21:00:00Z")).unwrap();
    assert_eq!(
        (week.start, week.end),
        (at("2026-03-22T23:00:00Z"), at("2026-03-29T22:00:00Z"))
    );
    let year = calendar_period(PeriodUnit::Year, &TimeZone::UTC, at("2024-02-29T00:00:00Z"));
    let year = year.unwrap();
    assert_eq!(
        (year.start, year.end),
        (at("2024-01-01T00:00:00Z"), at("2025-01-01T00:00:00Z"))
    );
    // In Beirut the clock jumps at midnight: there is none that day.
    let beirut = zone("Asia/Beirut").unwrap();
    let day = calendar_period(PeriodUnit::Day, &beirut, at("2026-03-29T12:00:00Z")).unwrap();
    assert_eq!(
        day.start.duration_until(day.end),
        SignedDuration::from_hours(23)
    );
    assert_eq!(zone("Europe/Atlantis"), None);
}

#[test]
fn an_anchor_on_the_31st_stays_there() {
    let anchor = at("2026-01-31T10:00:00Z");
    let monthly = (1, PeriodUnit::Month);
    let of = |text: &str| anchored_period(anchor, monthly, &TimeZone::UTC, at(text)).unwrap();
    for (moment, start, end) in [
        (
            "2026-01-31T10:00:00Z",
            "2026-01-31T10:00:00Z",
            "2026-02-28T10:00:00Z",
        ),
        (
            "2026-02-28T09:59:59Z",
            "2026-01-31T10:00:00Z",
            "2026-02-28T10:00:00Z",
        ),
        (
            "2026-02-28T10:00:00Z",
            "2026-02-28T10:00:00Z",
            "2026-03-31T10:00:00Z",
        ),
        (
            "2026-04-15T00:00:00Z",
            "2026-03-31T10:00:00Z",
            "2026-04-30T10:00:00Z",
        ),
        (
            "2028-02-29T11:00:00Z",
            "2028-02-29T10:00:00Z",
            "2028-03-31T10:00:00Z",
        ),
        (
            "2025-12-31T09:00:00Z",
            "2025-11-30T10:00:00Z",
            "2025-12-31T10:00:00Z",
        ),
        (
            "2099-12-31T10:00:00Z",
            "2099-12-31T10:00:00Z",
            "2100-01-31T10:00:00Z",
        ),
    ] {
        let period = of(moment);
        assert_eq!((period.start, period.end), (at(start), at(end)), "{moment}");
    }
    let leap = at("2024-02-29T00:00:00Z");
    let yearly = anchored_period(
        leap,
        (1, PeriodUnit::Year),
        &TimeZone::UTC,
        at("2027-06-01T00:00:00Z"),
    );
    let yearly = yearly.unwrap();
    assert_eq!(
        (yearly.start, yearly.end),
        (at("2027-02-28T00:00:00Z"), at("2028-02-29T00:00:00Z"))
    );
    let none = anchored_period(leap, (0, PeriodUnit::Day), &TimeZone::UTC, leap);
    assert_eq!(none, None, "periods of nothing");
}

proptest! {
    #[test]
    fn periods_leave_no_gap_and_do_not_overlap(
        anchor in 0..4_000_000_000_i64,
        moment in 0..4_000_000_000_i64,
        every in 1..14_u16,
        unit in prop::sample::select(vec![
            PeriodUnit::Day, PeriodUnit::Week, PeriodUnit::Month, PeriodUnit::Year,
        ]),
        name in prop::sample::select(vec!["UTC", "Europe/Paris", "Asia/Beirut", "America/Lima"]),
    ) {
        let second = |second| Timestamp::from_second(second).unwrap();
        let (anchor, moment, zone) = (second(anchor), second(moment), zone(name).unwrap());
        let anchored = |moment| anchored_period(anchor, (every, unit), &zone, moment).unwrap();
        let calendar = |moment| calendar_period(unit, &zone, moment).unwrap();
        for period_of in [&anchored as &dyn Fn(Timestamp) -> _, &calendar] {
            let period = period_of(moment);
            prop_assert!(period.start <= moment && moment < period.end);
            prop_assert_eq!(period_of(period.start), period);
            prop_assert_eq!(period_of(period.end).start, period.end);
            let before = period.start - SignedDuration::from_nanos(1);
            prop_assert_eq!(period_of(before).end, period.start);
        }
    }
}
