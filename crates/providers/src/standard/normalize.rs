//! Normalizes events of the shop's own billing; the vocabulary is nearly the same.

use super::{money, subscription};
use crate::customer_object::CustomerObject;
use crate::draft::NormalizedEventDraft;
use crate::envelope::{CustomerFields, Envelope, Event, EventSchema, fields, read};
use crate::fetch::FetchStep;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::wire::{Id, Metadata, Part, UnclearValue};
use domain::event::Fact;
use domain::ids::ObjectId;
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
        ("customer.created", 10, customer_snapshot),
        ("customer.updated", 12, customer_snapshot),
        ("subscription.created", 30, subscription::snapshot),
        ("subscription.updated", 36, subscription::snapshot),
        ("payment.failed", 50, money::failed),
        ("payment.action_required", 51, money::failed),
        ("payment.abandoned", 52, money::failed),
        ("payment.voided", 53, money::failed),
        ("payment.succeeded", 57, money::paid),
        ("refund.created", 70, money::refund),
        ("refund.updated", 72, money::refund),
        ("dispute.created", 80, money::dispute),
        ("dispute.updated", 82, money::dispute),
        ("subscription.ended", 90, subscription::snapshot),
        ("customer.deleted", 99, deleted),
    ],
    customer_fields: &[("", CustomerFields {
        customer: "customer",
        references: &["payment", "invoice", "subscription"],
    })],
};

/// `{"type", "timestamp", "data"}`, as all senders of Standard Webhooks are advised to write it;
/// the id is the one that was signed.
pub(crate) fn open<'a>(
    item: &WireItem<'a, '_>,
    text: &'a str,
) -> Result<Envelope<'a>, UnclearValue> {
    let envelope: StandardEnvelope<'a> = fields(text)?;
    let id = ObjectId::parse(item.message_id.unwrap_or_default());
    let id = id.map_err(|_| UnclearValue::invalid_id("webhook-id"))?;
    Ok(Envelope {
        id: item.account.event(&id),
        kind: envelope.kind,
        at: ("event.timestamp", envelope.timestamp),
        live: envelope.livemode,
        data: envelope.data,
    })
}

#[derive(Deserialize)]
struct StandardEnvelope<'a> {
    #[serde(rename = "type")]
    kind: Arc<str>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(default)]
    livemode: Option<bool>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// `customer.created`, `customer.updated`.
fn customer_snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.customer.0), &[])?;
    draft.add_shop_reference(customer.customer.0.as_str());
    draft.read_metadata(customer.metadata.as_ref().readable());
    let said = CustomerObject {
        email: customer.email,
        name: customer.name,
        locale: customer.locale,
        country: customer.country,
    };
    said.add_to(&mut draft);
    Ok(draft)
}

/// `customer.deleted`.
fn deleted<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.customer.0), &[])?;
    draft.add_fact(Fact::CustomerDeleted);
    Ok(draft)
}

#[derive(Deserialize)]
struct Customer<'a> {
    customer: Id,
    #[serde(default)]
    email: Part<Arc<str>>,
    #[serde(default)]
    name: Part<Arc<str>>,
    #[serde(default)]
    locale: Part<Arc<str>>,
    #[serde(default)]
    country: Part<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
}
