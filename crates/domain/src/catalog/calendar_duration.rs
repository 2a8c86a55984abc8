//! Lengths of time as people write them: `7 days`, `24 months`.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;

/// A whole number of hours, days, weeks, months or years. Months and years follow the calendar in
/// UTC: a month from 31 January ends on the last day of February.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarDuration {
    /// How many.
    count: u16,
    /// Of what.
    unit: CalendarUnit,
}

/// What a length of time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CalendarUnit {
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

impl CalendarDuration {
    /// Seven days.
    pub const WEEK: Self = Self {
        count: 1,
        unit: CalendarUnit::Weeks,
    };

    /// The moment so long after another; the last moment there is where that is beyond it.
    pub fn after(self, start: Timestamp) -> Timestamp {
        let count = i64::from(self.count);
        let span = match self.unit {
            CalendarUnit::Hours => Span::new().try_hours(count),
            CalendarUnit::Days => Span::new().try_days(count),
            CalendarUnit::Weeks => Span::new().try_weeks(count),
            CalendarUnit::Months => Span::new().try_months(count),
            CalendarUnit::Years => Span::new().try_years(count),
        };
        let end = span.and_then(|span| start.to_zoned(TimeZone::UTC).checked_add(span));
        end.map_or(Timestamp::MAX, |end| end.timestamp())
    }
}

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no length of time; write a whole number and a unit, as in `7 days` or `24 months`"
)]
pub struct BadDuration(String);

impl FromStr for CalendarDuration {
    type Err = BadDuration;

    fn from_str(text: &str) -> Result<Self, BadDuration> {
        let bad = || BadDuration(text.chars().take(MAX_SHOWN).collect());
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = trimmed.split_at_checked(digits).ok_or_else(bad)?;
        let unit = match unit.trim() {
            "h" | "hour" | "hours" => CalendarUnit::Hours,
            "d" | "day" | "days" => CalendarUnit::Days,
            "w" | "week" | "weeks" => CalendarUnit::Weeks,
            "month" | "months" => CalendarUnit::Months,
            "y" | "year" | "years" => CalendarUnit::Years,
            _ => return Err(bad()),
        };
        let count = count.parse().ok().filter(|count| *count > 0);
        let count = count.ok_or_else(bad)?;
        Ok(Self { count, unit })
    }
}

impl<'de> Deserialize<'de> for CalendarDuration {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for CalendarDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            CalendarUnit::Hours => "hours",
            CalendarUnit::Days => "days",
            CalendarUnit::Weeks => "weeks",
            CalendarUnit::Months => "months",
            CalendarUnit::Years => "years",
        };
        write!(f, "{} {unit}", self.count)
    }
}

const MAX_SHOWN: usize = 40;
