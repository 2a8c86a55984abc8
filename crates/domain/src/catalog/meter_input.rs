//! Meters, as the catalog file has them.
//!
//! ```toml
//! [meters.requests]
//! name = "Requests"
//! prices = ["price_requests"]     # items of the provider's that are paid by use, if there are
//! kind = "sum"                    # left out, nothing is counted here
//! value = "tokens"                # a property; left out, the quantity
//! filter = { region = ["eu", "uk"] }
//! negative = false
//! starts_at = "2026-03-01T00:00:00Z"
//! period = { calendar = "month", zone = "Europe/Paris" }   # or "subscription"
//! late = "3 days"
//! price = { currency = "eur", model = "per_unit", unit = "0.002" }
//! ```

use crate::catalog::calendar_duration::CalendarDuration;
use crate::catalog::product_name::ProductName;
use crate::ids::PriceId;
use crate::usage::meter::{Meter, MeterKind};
use crate::usage::periods::{PeriodRule, PeriodUnit, zone};
use crate::usage::price::UsagePrice;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A meter as the file has it: being paid by use, it gives no feature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeterInput {
    pub(super) name: ProductName,
    #[serde(default)]
    pub(super) tier: u32,
    #[serde(default)]
    pub(super) prices: Vec<PriceId>,
    kind: Option<MeterKind>,
    value: Option<Arc<str>>,
    #[serde(default)]
    filter: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    #[serde(default)]
    negative: bool,
    starts_at: Option<Timestamp>,
    period: Option<PeriodInput>,
    late: Option<CalendarDuration>,
    price: Option<UsagePrice>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PeriodInput {
    Named(PeriodName),
    Calendar { calendar: PeriodUnit, zone: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PeriodName {
    Subscription,
}

/// A meter that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMeter {
    /// Nothing is counted, and yet it says how.
    #[error("it says how it counts and not what; write kind = \"sum\", or another kind")]
    NoKind,
    /// The zone is not known.
    #[error("`{0}` is no time zone; write one as \"Europe/Paris\" or \"UTC\"")]
    Zone(String),
    /// A field that this kind has no use for.
    #[error("count takes no `value`, and `negative` is for sum, max and last")]
    Field,
    /// A name that no event could have.
    #[error("a meter's key has 1 to 64 letters, digits, `_`, `-` or `.`")]
    Name,
}

impl MeterInput {
    /// How it counts; none where nothing is counted here.
    ///
    /// # Errors
    /// [`BadMeter`].
    pub(super) fn meter(&self) -> Result<Option<Meter>, BadMeter> {
        let Some(kind) = self.kind else {
            let is_silent = self.value.is_none()
                && self.filter.is_empty()
                && !self.negative
                && self.starts_at.is_none()
                && self.period.is_none()
                && self.late.is_none()
                && self.price.is_none();
            return is_silent.then_some(None).ok_or(BadMeter::NoKind);
        };
        let takes_negative = match kind {
            MeterKind::Sum | MeterKind::Max | MeterKind::Last => true,
            MeterKind::Count | MeterKind::Unique | MeterKind::Weighted | MeterKind::Counter => {
                false
            }
        };
        let counts_value = kind != MeterKind::Count;
        if (self.negative && !takes_negative) || (self.value.is_some() && !counts_value) {
            return Err(BadMeter::Field);
        }
        let epoch = Timestamp::UNIX_EPOCH;
        let late = self.late.map(|late| late.after(epoch));
        let period = match &self.period {
            None | Some(PeriodInput::Named(PeriodName::Subscription)) => PeriodRule::Subscription,
            Some(PeriodInput::Calendar {
                calendar,
                zone: name,
            }) => {
                let bad = || BadMeter::Zone(name.chars().take(MAX_SHOWN).collect());
                PeriodRule::Calendar(*calendar, zone(name).ok_or_else(bad)?)
            }
        };
        Ok(Some(Meter {
            kind,
            value: self.value.clone(),
            filters: self.filter.clone(),
            negative: self.negative,
            starts_at: self.starts_at,
            period,
            late: late.map_or(LATE, |late| epoch.duration_until(late)),
            price: self.price.clone(),
        }))
    }
}

/// How long a period stays open, unless the catalog says otherwise.
const LATE: SignedDuration = SignedDuration::from_hours(72);

const MAX_SHOWN: usize = 40;
