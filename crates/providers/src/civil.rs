//! Days without a time, as charges are scheduled. Each begins at midnight UTC.

use crate::wire::UnclearValue;
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

impl Interval {
    /// The period that ends with the charge of that day. Before the first charge there is none.
    pub(crate) fn period_before(
        self,
        charge: Day,
        first: Option<Day>,
    ) -> Result<Option<Period>, UnclearValue> {
        let count = i64::from(self.count);
        let span = Span::new();
        let span = match self.unit {
            CalendarUnit::Day => span.try_days(count),
            CalendarUnit::Week => span.try_weeks(count),
            CalendarUnit::Month => span.try_months(count),
            CalendarUnit::Year => span.try_years(count),
        };
        let start = span.and_then(|span| charge.0.checked_sub(span)).map(Day);
        let start = start.map_err(|_| UnclearValue("an interval is out of reach".to_owned()))?;
        if self.count == 0 || first.is_some_and(|first| charge <= first) {
            return Ok(None);
        }
        Ok(Some(Period {
            start: start.start()?,
            end: charge.start()?,
        }))
    }
}

const DAY: &str = "2026-01-31";
