//! Meters: what is counted of a customer's events, and how.

use super::meter_event::MeterEvent;
use super::page::{PageEntry, UsagePage};
use super::periods::PeriodRule;
use super::price::UsagePrice;
use super::quantity::{BadQuantity, Quantity};
use crate::subscription::terms::Period;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A meter as the catalog defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// What is made of the events.
    pub kind: MeterKind,
    /// The property that is counted; none: the quantity.
    pub value: Option<Arc<str>>,
    /// By property, which values count; an event without it does not.
    pub filters: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Whether there may be less than nothing of it, as corrections are.
    pub negative: bool,
    /// From when on it counts.
    pub starts_at: Option<Timestamp>,
    /// From when to when it is added up.
    pub period: PeriodRule,
    /// How long after its end a period stays open.
    pub late: SignedDuration,
    /// What it costs, where that is known here.
    pub price: Option<UsagePrice>,
}

/// What a meter makes of a period's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterKind {
    /// How many there are.
    Count,
    /// The sum.
    Sum,
    /// The largest.
    Max,
    /// The last.
    Last,
    /// How many different ones there are, always exact.
    Unique,
    /// Each is the level from its moment on, as of seats or storage: level times hours.
    Weighted,
    /// Each is the reading of a counter that may begin again from nothing: by how much it rose.
    Counter,
}

/// Why an event can't be counted by its meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMeterValue {
    /// The property that the meter counts is missing.
    #[error("the property that its meter counts is missing")]
    Missing,
    /// The property is no number.
    #[error("the property that its meter counts can't be read: {0}")]
    Unreadable(#[from] BadQuantity),
    /// Less than nothing.
    #[error("its meter takes no number below zero")]
    Negative,
    /// More than can be added up.
    #[error("it is {MAX_VALUE} or more, of which too few can be added up")]
    TooLarge,
}

/// What a customer used in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeteredUsage {
    /// How much.
    pub quantity: Quantity,
    /// How many events it comes from.
    pub events: u64,
}

impl Meter {
    /// A meter of this kind that counts everything there is.
    pub fn of_kind(kind: MeterKind) -> Self {
        Self {
            kind,
            value: None,
            filters: BTreeMap::new(),
            negative: false,
            starts_at: None,
            period: PeriodRule::Subscription,
            late: SignedDuration::ZERO,
            price: None,
        }
    }

    /// Whether the filters let an event count.
    pub fn matches(&self, event: &MeterEvent) -> bool {
        let mut filters = self.filters.iter();
        filters.all(|(name, allowed)| {
            let value = event.properties.get(name);
            value.is_some_and(|value| allowed.contains(value))
        })
    }

    /// What a page keeps of an event.
    ///
    /// # Errors
    /// [`BadMeterValue`].
    pub fn entry(&self, event: &MeterEvent) -> Result<PageEntry, BadMeterValue> {
        let value = match self.matches(event) {
            true => Some(self.read(event)?),
            false => None,
        };
        Ok(PageEntry {
            millisecond: event.millisecond(),
            value,
            content: event.content(),
        })
    }

    fn read(&self, event: &MeterEvent) -> Result<Quantity, BadMeterValue> {
        let property = match &self.value {
            None => None,
            Some(name) => Some(event.properties.get(name).ok_or(BadMeterValue::Missing)?),
        };
        let number = || -> Result<Quantity, BadMeterValue> {
            match property {
                Some(text) => Ok(text.parse()?),
                None => Ok(event.amount()),
            }
        };
        match self.kind {
            MeterKind::Count => Ok(Quantity::ONE),
            MeterKind::Unique => {
                let text = property.map_or_else(|| event.amount().to_string().into(), Arc::clone);
                Ok(hash_of(&text))
            }
            MeterKind::Sum
            | MeterKind::Max
            | MeterKind::Last
            | MeterKind::Weighted
            | MeterKind::Counter => bounded(number()?, self.negative),
        }
    }

    /// What was used in a period, up to `until` where it still runs. Earlier events say how a level
    /// or a reading stood when it began. `None` where it is more than a quantity can be.
    pub fn usage(
        &self,
        page: &UsagePage,
        period: Period,
        until: Timestamp,
    ) -> Option<MeteredUsage> {
        let start = self.starts_at.unwrap_or(period.start).max(period.start);
        let end = period.end.min(until.max(start));
        let (start, end) = (start.as_millisecond(), end.as_millisecond());
        let last = period.end.as_millisecond();
        let mut readings: Vec<(i64, [u8; 12], Quantity)> = page
            .counted()
            .filter_map(|(hash, entry)| Some((entry.millisecond, hash.0, entry.value?)))
            .filter(|(at, ..)| *at < last)
            .collect();
        readings.sort();
        let earlier = readings.partition_point(|(at, ..)| *at < start);
        let (earlier, inside) = readings.split_at_checked(earlier)?;
        let before = earlier.last().map(|(_, _, value)| *value);
        let values = || inside.iter().map(|(_, _, value)| *value);
        let quantity = match self.kind {
            MeterKind::Count => count(inside.len()),
            MeterKind::Sum => Quantity::sum(values())?,
            MeterKind::Max => values().max().unwrap_or_default(),
            MeterKind::Last => values().next_back().unwrap_or_default(),
            MeterKind::Unique => count(values().collect::<BTreeSet<_>>().len()),
            MeterKind::Weighted => weighted(before, inside, (start, end))?,
            MeterKind::Counter => rises(before, values())?,
        };
        Some(MeteredUsage {
            quantity,
            events: u64::try_from(inside.len()).unwrap_or(u64::MAX),
        })
    }
}

/// What a page keeps of an event whose meter the catalog does not define: nothing of it counts.
pub fn uncounted(event: &MeterEvent) -> PageEntry {
    PageEntry {
        millisecond: event.millisecond(),
        value: None,
        content: event.content(),
    }
}

/// Levels times hours, rounded once to the last digit of a quantity, a half upwards.
fn weighted(
    before: Option<Quantity>,
    inside: &[(i64, [u8; 12], Quantity)],
    (start, end): (i64, i64),
) -> Option<Quantity> {
    let mut level = before.unwrap_or_default();
    let (mut since, mut sum) = (start, 0_i128);
    let steps = inside.iter().map(|(at, _, next)| (*at, Some(*next)));
    for (at, next) in steps.chain([(end, None)]) {
        let at = at.min(end);
        let lasted = i128::from(at.checked_sub(since)?);
        sum = sum.checked_add(level.parts().checked_mul(lasted)?)?;
        since = at;
        level = next.unwrap_or(level);
    }
    let doubled = sum.checked_mul(2)?.checked_add(HOUR)?;
    let hours = doubled.checked_div_euclid(HOUR.checked_mul(2)?)?;
    Quantity::from_parts(hours).plus(Quantity::ZERO)
}

/// By how much a counter rose: a reading below the one before began from nothing.
fn rises(before: Option<Quantity>, readings: impl Iterator<Item = Quantity>) -> Option<Quantity> {
    let (mut previous, mut sum) = (before, Quantity::ZERO);
    for reading in readings {
        let rise = match previous {
            Some(previous) if reading >= previous => reading.minus(previous)?,
            Some(_) => reading,
            // What it stood at when it was first read is nobody's usage.
            None => Quantity::ZERO,
        };
        sum = sum.plus(rise)?;
        previous = Some(reading);
    }
    Some(sum)
}

fn bounded(value: Quantity, negative: bool) -> Result<Quantity, BadMeterValue> {
    if value.is_negative() && !negative {
        return Err(BadMeterValue::Negative);
    }
    let largest = Quantity::whole(MAX_VALUE);
    let is_small = value < largest && largest.plus(value) > Some(Quantity::ZERO);
    is_small.then_some(value).ok_or(BadMeterValue::TooLarge)
}

/// Different texts as different numbers: the first 80 bits of a hash.
fn hash_of(text: &str) -> Quantity {
    let hash = Sha256::digest(text.as_bytes());
    let first = hash.first_chunk::<10>().copied().unwrap_or_default();
    let number = first
        .iter()
        .fold(0_i128, |sum, byte| (sum << 8) | i128::from(*byte));
    Quantity::from_parts(number)
}

fn count(number: usize) -> Quantity {
    Quantity::whole(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Of what one event says, a hundred million can be added up.
const MAX_VALUE: u64 = 1_000_000_000_000_000_000;

/// In milliseconds.
const HOUR: i128 = 3_600_000;
