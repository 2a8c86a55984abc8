//! Days without a time, as charges are scheduled. Each begins at midnight UTC.

use crate::wire::UnclearValue;
use domain::subscription::pricing::{BillingInterval, IntervalUnit};
use domain::subscription::terms::Period;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::sync::Arc;

/// A day: `2026-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(Date);

impl Day {
    /// Its first instant.
    pub(crate) fn start(self) -> Result<Timestamp, UnclearValue> {
        let beginning = self.0.to_zoned(TimeZone::UTC);
        let unclear = |_| UnclearValue("a day is out of reach".to_owned());
        Ok(beginning.map_err(unclear)?.timestamp())
    }
}

impl Day {
    /// Its day of the month.
    pub(crate) fn of_month(self) -> DayOfMonth {
        DayOfMonth::Day(self.0.day())
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = Arc::<str>::deserialize(reader)?;
        let is_other_length = text.len() != DAY.len();
        let day = text.parse().ok().filter(|_| !is_other_length);
        day.map(Self).ok_or_else(|| D::Error::custom("not a day"))
    }
}

/// The time between charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    /// How many units.
    pub(crate) count: u32,
    /// The unit.
    pub(crate) unit: CalendarUnit,
}

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CalendarUnit {
    Day,
    Week,
    Month,
    Year,
}

/// The day of the month on which charges fall due. A month that has no such day has its last one
/// instead, and the next month has this one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayOfMonth {
    /// This one.
    Day(i8),
    /// The last one.
    Last,
}

impl DayOfMonth {
    /// The day in the month of that date.
    fn in_month_of(self, date: Date) -> Date {
        let last = date.last_of_month();
        match self {
            Self::Day(day) if day < last.day() => date.with().day(day).build().unwrap_or(last),
            Self::Day(_) | Self::Last => last,
        }
    }

    /// The due date that was charged on that date: a charge moves to a business day, forward from
    /// a day and backward from the last one. `None` where neither explains the date.
    fn due_date(self, charge: Date) -> Option<Date> {
        let here = self.in_month_of(charge);
        let due = match self {
            Self::Last => here,
            Self::Day(_) if here <= charge => here,
            Self::Day(_) => self.in_month_of(charge.first_of_month().yesterday().ok()?),
        };
        let moved = due.until(charge).ok()?.get_days().unsigned_abs();
        (moved <= LONGEST_MOVE).then_some(due)
    }

    /// The due date so many months before the one that was charged on that date.
    fn months_before(self, charge: Date, months: i64) -> Option<Date> {
        let span = Span::new().try_months(months).ok()?;
        let month = self
            .due_date(charge)?
            .first_of_month()
            .checked_sub(span)
            .ok()?;
        Some(self.in_month_of(month))
    }
}

impl Interval {
    /// The same as a price has it; none where there is no time between charges.
    pub(crate) fn billing(self) -> Option<BillingInterval> {
        let unit = match self.unit {
            CalendarUnit::Day => IntervalUnit::Day,
            CalendarUnit::Week => IntervalUnit::Week,
            CalendarUnit::Month => IntervalUnit::Month,
            CalendarUnit::Year => IntervalUnit::Year,
        };
        let count = self.count;
        (count > 0).then_some(BillingInterval { unit, count })
    }

    /// The period that ends with the charge of that day. Before the first charge there is none.
    /// Months and years keep `due`, the day of the month on which charges fall due.
    pub(crate) fn period_before(
        self,
        charge: Day,
        first: Option<Day>,
        due: Option<DayOfMonth>,
    ) -> Result<Option<Period>, UnclearValue> {
        let unclear = || UnclearValue("an interval is out of reach".to_owned());
        let count = i64::from(self.count);
        let (span, months) = match self.unit {
            CalendarUnit::Day => (Span::new().try_days(count), None),
            CalendarUnit::Week => (Span::new().try_weeks(count), None),
            CalendarUnit::Month => (Span::new().try_months(count), Some(count)),
            CalendarUnit::Year => (Span::new().try_years(count), count.checked_mul(12)),
        };
        let anchored = due
            .zip(months)
            .and_then(|(due, months)| due.months_before(charge.0, months));
        let start = match anchored {
            Some(start) => start,
            None => span
                .and_then(|span| charge.0.checked_sub(span))
                .map_err(|_| unclear())?,
        };
        if self.count == 0 || first.is_some_and(|first| charge <= first) {
            return Ok(None);
        }
        Ok(Some(Period {
            // The day that is due before the first charge lies before the subscription.
            start: Day(start).max(first.unwrap_or(Day(start))).start()?,
            end: charge.start()?,
        }))
    }
}

/// A week-end and holidays around it, in days.
const LONGEST_MOVE: u32 = 6;
const DAY: &str = "2026-01-31";
