//! Periods: from when to when usage is added up. A period is two instants, so a day of a shop's
//! zone has 23, 24 or 25 hours.

use crate::subscription::terms::Period;
use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};
use serde::Deserialize;

/// Which periods a meter has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeriodRule {
    /// Those of the customer's subscription.
    Subscription,
    /// Those of the calendar in a zone.
    Calendar(PeriodUnit, TimeZone),
}

/// How long a period of the calendar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last day of a month.
    Month,
    /// From January to December.
    Year,
}

/// The zone of this name, as `Europe/Paris`; the rules are those that this program was built with.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The period of the calendar that a moment is in. `None` at the ends of time.
pub fn calendar_period(unit: PeriodUnit, zone: &TimeZone, moment: Timestamp) -> Option<Period> {
    let date = moment.to_zoned(zone.clone()).date();
    let (first, span) = match unit {
        PeriodUnit::Day => (date, Span::new().days(1)),
        PeriodUnit::Week => (monday(date)?, Span::new().days(7)),
        PeriodUnit::Month => (date.first_of_month(), Span::new().months(1)),
        PeriodUnit::Year => (date.first_of_year(), Span::new().years(1)),
    };
    let midnight = |date: Date| {
        let midnight = date
            .to_zoned(zone.clone())
            .and_then(|day| day.start_of_day());
        midnight.map(|day| day.timestamp()).ok()
    };
    let next = first.checked_add(span).ok()?;
    Some(Period {
        start: midnight(first)?,
        end: midnight(next)?,
    })
}

/// The period that a moment is in, of those that repeat `every` so many units from an anchor on,
/// and before it. Each is counted from the anchor, so that of the 31st ends on the 28th of February
/// and on the 31st of March. `None` at the ends of time, and for none of a unit.
pub fn anchored_period(
    anchor: Timestamp,
    (every, unit): (u16, PeriodUnit),
    zone: &TimeZone,
    moment: Timestamp,
) -> Option<Period> {
    let start = anchor.to_zoned(zone.clone());
    let nth = |n: i64| {
        let count = n.checked_mul(i64::from(every))?;
        let span = match unit {
            PeriodUnit::Day => Span::new().try_days(count),
            PeriodUnit::Week => Span::new().try_weeks(count),
            PeriodUnit::Month => Span::new().try_months(count),
            PeriodUnit::Year => Span::new().try_years(count),
        };
        let nth = start.checked_add(span.ok()?).ok()?;
        Some(nth.timestamp())
    };
    // At least as long as a period can be shorter than it is on average, so that the first guess is
    // at most a few off.
    let hours = match unit {
        PeriodUnit::Day => 24_i64,
        PeriodUnit::Week => 168,
        PeriodUnit::Month => 730,
        PeriodUnit::Year => 8766,
    };
    let length = hours.checked_mul(i64::from(every))?.checked_mul(3600)?;
    let passed = moment.as_second().checked_sub(anchor.as_second())?;
    let mut n = passed.checked_div_euclid(length)?;
    while nth(n)? > moment {
        n = n.checked_sub(1)?;
    }
    loop {
        let end = nth(n.checked_add(1)?)?;
        if end > moment {
            return Some(Period {
                start: nth(n)?,
                end,
            });
        }
        n = n.checked_add(1)?;
    }
}

fn monday(date: Date) -> Option<Date> {
    let since = date.weekday().since(Weekday::Monday);
    date.checked_sub(Span::new().days(i64::from(since))).ok()
}
