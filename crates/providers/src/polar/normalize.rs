//! From Polar's words to ours: the one reader each type has, and who the customer is.

use super::{order, subscription};
use crate::draft::{Draft, profile};
use crate::envelope::{Event, Names, Vocabulary, read};
use crate::provider::WireItem;
use crate::standard::open;
use crate::wire::{Address, Id, Metadata, Unclear};
use crate::{Outcome, Step};
use domain::reading::{Fact, Profile};
use serde::Deserialize;
use std::sync::Arc;

/// What one verified body says.
pub(super) fn normalize(item: &WireItem<'_, '_>) -> Step<Outcome> {
    read(item, &VOCABULARY)
}

/// The types acted upon, in the order they take within one instant. Every change of a
/// subscription or an order is also told as `.updated`, with the same object.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const VOCABULARY: Vocabulary = Vocabulary {
    open,
    rows: &[
        ("customer.created", 10, exists),
        ("customer.updated", 12, exists),
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
        ("order.created", 50, order::seen),
        ("order.updated", 55, order::seen),
        ("order.paid", 57, order::seen),
        ("refund.created", 70, order::refund),
        ("order.refunded", 71, order::seen),
        ("refund.updated", 72, order::refund),
        ("subscription.revoked", 90, subscription::seen),
        ("customer.deleted", 99, deleted),
    ],
    names: &[
        ("customer.", Names { customer: "id", behind: &[] }),
        ("refund.", Names { customer: "customer_id", behind: &["order_id", "subscription_id"] }),
        ("", Names { customer: "customer_id", behind: &["id"] }),
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
    billing_address: Option<Address>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

impl Customer<'_> {
    /// What is said of the person, and who else leads there.
    pub(super) fn describe(self, draft: &mut Draft<'_>, whole: bool) {
        draft.read_metadata(self.metadata.as_ref());
        if let Some(id) = &self.external_id {
            draft.lead_shop(id.trim());
        }
        let country = self.billing_address.and_then(|address| address.country);
        draft.tell_profile(Profile {
            whole,
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
    draft: &mut Draft<'_>,
    discount: Option<&Discount>,
    fields: Option<&Metadata<'_>>,
) {
    if let Some(discount) = discount {
        draft.tell_code(&discount.id);
        if let Some(code) = &discount.code {
            draft.tell_code(code);
        }
    }
    if let Some(code) = fields.and_then(Metadata::code) {
        draft.tell_code(&code);
    }
}

/// `customer.created`, `customer.updated`.
fn exists<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.id.0), &[])?;
    customer.describe(&mut draft, true);
    Ok(draft)
}

/// `customer.deleted`.
fn deleted<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.id.0), &[])?;
    draft.tell(Fact::CustomerDeleted);
    Ok(draft)
}
