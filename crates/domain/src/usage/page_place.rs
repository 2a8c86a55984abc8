//! In which page an event stands: that of its month, unless that page is full; then that of its
//! day, its hour, its minute, its second, and at last one by the hash of its id. What decides is
//! the event alone, and pages that are full never change. So an event that is told again meets the
//! page it stands in, whenever that is, and a customer who uses much gets more pages by itself.

use super::meter_event::EventHash;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;

/// The name of a page among those of a customer's meter: `2026-03`, `2026-03-14`, `2026-03-14T10`,
/// `2026-03-14T10:05`, `2026-03-14T10:05:07`, `2026-03-14T10:05:07#a`, `…#a3`, all in UTC. The
/// pages of a month begin with that of the month.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PagePlace(String);

impl PagePlace {
    /// The page of an event at a level, of which the first is 0. `None` below the last.
    pub fn of(millisecond: i64, hash: EventHash, level: usize) -> Option<Self> {
        let format = TIME_FORMATS.get(level).or(TIME_FORMATS.last())?;
        let moment = Timestamp::from_millisecond(millisecond).unwrap_or_default();
        let time = moment.to_zoned(TimeZone::UTC).strftime(format).to_string();
        let last = TIME_FORMATS.len().saturating_sub(1);
        let digits = level.saturating_sub(last);
        if digits == 0 {
            return Some(Self(time));
        }
        let hash: String = hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Self(format!("{time}#{}", hash.get(..digits)?)))
    }

    /// The place of this name; `None` if no page has it.
    pub fn parse(name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-:#".contains(&byte);
        let is_place = (7..=48).contains(&name.len()) && name.bytes().all(is_allowed);
        is_place.then(|| Self(name.to_owned()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The months that have a moment between these two in them, each by what the names of its pages
    /// begin with.
    pub fn months(start: Timestamp, end: Timestamp) -> Vec<String> {
        let month = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).date().first_of_month();
        let (mut next, last) = (month(start), month(end));
        let mut months = Vec::new();
        while next <= last {
            months.push(next.strftime("%Y-%m").to_string());
            match next.checked_add(jiff::Span::new().months(1)) {
                Ok(later) => next = later,
                Err(_) => break,
            }
        }
        months
    }
}

impl fmt::Display for PagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const TIME_FORMATS: [&str; 5] = [
    "%Y-%m",
    "%Y-%m-%d",
    "%Y-%m-%dT%H",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
];

/// A page of so many bytes is full: whoever writes it so says it, and from then on nobody writes
/// it. With the rest of its item it takes up to two write units where events come one by one.
pub const FULL_PAGE_BYTES: usize = 1024;
