//! Normalizes Paddle's events: the envelope, the reader for each type, and who the customer is.

use super::wire::metadata;
use super::{adjustment, subscription, transaction};
use crate::customer_object::CustomerObject;
use crate::draft::NormalizedEventDraft;
use crate::envelope::{CustomerFields, Envelope, Event, EventSchema, fields, read};
use crate::fetch::FetchStep;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::wire::{Id, Part, UnclearValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Normalizes one verified body.
pub(super) fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    read(item, &SCHEMA)
}

/// The handled types, in the order they take within one instant.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const SCHEMA: EventSchema = EventSchema {
    open,
    event_types: &[
        ("customer.created", 10, customer),
        ("customer.imported", 11, customer),
        ("customer.updated", 12, customer),
        ("subscription.imported", 29, subscription::snapshot),
        ("subscription.created", 30, subscription::snapshot),
        ("subscription.trialing", 32, subscription::snapshot),
        ("subscription.activated", 34, subscription::snapshot),
        ("subscription.updated", 36, subscription::snapshot),
        ("subscription.past_due", 37, subscription::snapshot),
        ("subscription.paused", 38, subscription::snapshot),
        ("subscription.resumed", 39, subscription::snapshot),
        ("transaction.payment_failed", 50, transaction::snapshot),
        ("transaction.past_due", 51, transaction::snapshot),
        ("transaction.canceled", 53, transaction::snapshot),
        ("transaction.paid", 56, transaction::snapshot),
        ("transaction.completed", 57, transaction::snapshot),
        ("adjustment.created", 70, adjustment::snapshot),
        ("adjustment.updated", 72, adjustment::snapshot),
        ("subscription.canceled", 90, subscription::snapshot),
    ],
    customer_fields: &[
        ("customer.", CustomerFields { customer: "id", references: &[] }),
        (
            "adjustment.",
            CustomerFields { customer: "customer_id", references: &["transaction_id"] },
        ),
        ("", CustomerFields { customer: "customer_id", references: &["id"] }),
    ],
};

fn open<'a>(item: &WireItem<'a, '_>, text: &'a str) -> Result<Envelope<'a>, UnclearValue> {
    let envelope: PaddleEnvelope<'a> = fields(text)?;
    let id = envelope.event_id.0;
    Ok(Envelope {
        id: item.account.event(&id),
        kind: envelope.event_type,
        at: ("event.occurred_at", envelope.occurred_at),
        live: id.as_str().starts_with(SIMULATED).then_some(false),
        data: envelope.data,
    })
}

#[derive(Deserialize)]
struct PaddleEnvelope<'a> {
    event_id: Id,
    event_type: Arc<str>,
    #[serde(borrow, default)]
    occurred_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// `customer.created`, `customer.imported`, `customer.updated`. An archived customer is still one.
fn customer<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.id.0), &[])?;
    draft.read_metadata(metadata(customer.custom_data).as_ref());
    let said = CustomerObject {
        email: customer.email,
        name: customer.name,
        locale: customer.locale,
        ..CustomerObject::default()
    };
    said.add_to(&mut draft);
    Ok(draft)
}

#[derive(Deserialize)]
struct Customer<'a> {
    id: Id,
    #[serde(default)]
    email: Part<Arc<str>>,
    #[serde(default)]
    name: Part<Arc<str>>,
    #[serde(default)]
    locale: Part<Arc<str>>,
    #[serde(borrow, default)]
    custom_data: Option<&'a RawValue>,
}

const SIMULATED: &str = "ntfsimevt_";
