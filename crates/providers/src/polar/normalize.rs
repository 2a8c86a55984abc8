//! From Polar's words to ours: the one reader each type has, and who the customer is.

use super::{order, subscription};
use crate::draft::{NormalizedEventDraft, profile};
use crate::envelope::{CustomerFields, Event, EventSchema, read};
use crate::provider::WireItem;
use crate::standard::open;
use crate::wire::{AddressCountry, Id, Metadata, UnclearValue};
use crate::{FetchStep, ItemOutcome};
use domain::event::Fact;
use domain::person::Profile;
use serde::Deserialize;
use std::sync::Arc;

/// What one verified body says.
pub(super) fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    read(item, &SCHEMA)
}

/// The types acted upon, in the order they take within one instant. Every change of a
/// subscription or an order is also told as `.updated`, with the same object.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const SCHEMA: EventSchema = EventSchema {
    open,
    event_types: &[
        ("customer.created", 10, customer_snapshot),
        ("customer.updated", 12, customer_snapshot),
        ("subscription.created", 30, subscription::seen),
        ("subscription.migrated", 31, subscription::seen),
        ("subscription.cycled", 34, subscription::seen),
        ("subscription.updated", 36, subscription::seen),
        ("subscription.active", 37, subscription::seen),
        ("subscription.past_due", 38, subscription::seen),
        ("subscription.paused", 39, subscription::seen),
        ("subscription.resumed", 40, subscription::seen),
        ("subscription.canceled", 41, subscription::seen),
        ("subscription.uncanceled", 42, subscription::seen),
        ("order.created", 50, order::snapshot),
        ("order.updated", 55, order::snapshot),
        ("order.paid", 57, order::snapshot),
        ("refund.created", 70, order::refund),
        ("order.refunded", 71, order::snapshot),
        ("refund.updated", 72, order::refund),
        ("subscription.revoked", 90, subscription::seen),
        ("customer.deleted", 99, deleted),
    ],
    customer_fields: &[
        ("customer.", CustomerFields { customer: "id", references: &[] }),
        ("refund.", CustomerFields { customer: "customer_id", references: &["order_id", "subscription_id"] }),
        ("", CustomerFields { customer: "customer_id", references: &["id"] }),
    ],
};

/// A customer, by itself or within an order or a subscription.
#[derive(Deserialize)]
pub(super) struct Customer<'a> {
    pub(super) id: Id,
    #[serde(default)]
    external_id: Option<Arc<str>>,
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    locale: Option<Arc<str>>,
    #[serde(default)]
    billing_address: Option<AddressCountry>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

impl Customer<'_> {
    /// What is said of the person, and who else leads there.
    pub(super) fn describe(self, draft: &mut NormalizedEventDraft<'_>, whole: bool) {
        draft.read_metadata(self.metadata.as_ref());
        if let Some(id) = &self.external_id {
            draft.add_shop_reference(id.trim());
        }
        let country = self.billing_address.and_then(|address| address.country);
        draft.add_profile(Profile {
            complete: whole,
            locale: self.locale,
            ..profile(self.email, self.name, country)
        });
    }
}

/// A discount of an order or a subscription.
#[derive(Deserialize)]
pub(super) struct Discount {
    id: Arc<str>,
    #[serde(default)]
    code: Option<Arc<str>>,
}

/// The codes of a purchase. Its fields are filled in by the buyer, whose word for a customer id
/// of the shop's is no proof of one.
pub(super) fn read_codes(
    draft: &mut NormalizedEventDraft<'_>,
    discount: Option<&Discount>,
    fields: Option<&Metadata<'_>>,
) {
    if let Some(discount) = discount {
        draft.add_code(&discount.id);
        if let Some(code) = &discount.code {
            draft.add_code(code);
        }
    }
    if let Some(code) = fields.and_then(Metadata::code) {
        draft.add_code(&code);
    }
}

/// `customer.created`, `customer.updated`.
fn customer_snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.id.0), &[])?;
    customer.describe(&mut draft, true);
    Ok(draft)
}

/// `customer.deleted`.
fn deleted<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.id.0), &[])?;
    draft.add_fact(Fact::CustomerDeleted);
    Ok(draft)
}
