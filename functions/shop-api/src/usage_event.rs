//! One event of usage, as the shop's code writes it.

use crate::route::MAX_REFERENCE;
use domain::ids::{MeterEventId, MeterName};
use domain::usage::meter::BadMeterValue;
use domain::usage::meter_event::MeterEvent;
use domain::usage::quantity::{BadQuantity, Quantity};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An event as the body has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "UsageEvent"))]
pub(crate) struct UsageEventInput {
    /// Its own id, the same however often it is told: 1 to 400 bytes.
    id: String,
    /// Any reference to one customer.
    customer: String,
    /// The meter's key in the catalog.
    meter: String,
    /// How much was used, as decimal text: at most 12 digits after the point. Left out, one.
    #[serde(default)]
    quantity: Option<String>,
    /// When it was used, not when it is told: RFC 3339, to the millisecond.
    occurred_at: Timestamp,
    /// Whatever else is known of it: at most 50, names of at most 64 bytes, values of at most 500.
    #[serde(default)]
    properties: BTreeMap<Arc<str>, Arc<str>>,
}

/// An event and of whom it tells.
pub(crate) struct UsageEvent {
    /// Any reference to its customer.
    pub(crate) customer: String,
    /// The event.
    pub(crate) told: MeterEvent,
}

/// Why an event is not kept. Nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadEvent {
    #[error(
        "it has not the fields of an event: `id`, `customer`, `meter`, `occurred_at` as RFC 3339, \
         and `quantity` and `properties` as text"
    )]
    Unreadable,
    #[error("its id is empty, has more than 400 bytes, or has characters that no id has")]
    Id,
    #[error("its customer is empty, or has more than 1000 bytes")]
    Customer,
    #[error("its quantity can't be taken: {0}")]
    Quantity(#[from] BadQuantity),
    #[error("it happened more than five minutes from now; is the clock right?")]
    InTheFuture,
    #[error("it happened before the year 2000; is the clock right?")]
    TooOld,
    #[error("it has more than 50 properties, or longer ones than 64 and 500 bytes")]
    Properties,
    #[error("the catalog counts no meter of that name")]
    NoMatchingMeter,
    #[error("it can't be counted: {0}")]
    Value(#[from] BadMeterValue),
}

impl BadEvent {
    /// A short, stable word for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Id => "invalid_id",
            Self::Customer => "invalid_customer",
            Self::Quantity(_) => "invalid_quantity",
            Self::InTheFuture => "in_the_future",
            Self::TooOld => "too_old",
            Self::Properties => "too_many_properties",
            Self::NoMatchingMeter => "no_matching_meter",
            Self::Value(bad) => match bad {
                BadMeterValue::Missing => "missing_property",
                BadMeterValue::Unreadable(_) => "invalid_property",
                BadMeterValue::Negative => "negative",
                BadMeterValue::TooLarge => "too_large",
            },
        }
    }
}

/// Reads one event.
///
/// # Errors
/// [`BadEvent`].
pub(crate) fn read_event(json: &str, now: Timestamp) -> Result<UsageEvent, BadEvent> {
    let input: UsageEventInput = serde_json::from_str(json).map_err(|_| BadEvent::Unreadable)?;
    if !(1..=MAX_REFERENCE).contains(&input.customer.len()) {
        return Err(BadEvent::Customer);
    }
    if input.occurred_at.duration_since(now) > AHEAD {
        return Err(BadEvent::InTheFuture);
    }
    if input.occurred_at.as_second() < FIRST_SECOND {
        return Err(BadEvent::TooOld);
    }
    let fits = |(name, value): (&Arc<str>, &Arc<str>)| {
        (1..=MAX_NAME).contains(&name.len()) && value.len() <= MAX_VALUE
    };
    if input.properties.len() > MAX_PROPERTIES || !input.properties.iter().all(fits) {
        return Err(BadEvent::Properties);
    }
    let quantity = input.quantity.map(|text| text.parse::<Quantity>());
    let told = MeterEvent {
        id: MeterEventId::parse(input.id).map_err(|_| BadEvent::Id)?,
        meter: MeterName::parse(input.meter).map_err(|_| BadEvent::NoMatchingMeter)?,
        quantity: quantity.transpose()?,
        occurred_at: input.occurred_at,
        properties: input.properties,
    };
    Ok(UsageEvent {
        customer: input.customer,
        told,
    })
}

/// So far ahead a sender's clock may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The beginning of the year 2000.
const FIRST_SECOND: i64 = 946_684_800;

const MAX_PROPERTIES: usize = 50;
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 500;
