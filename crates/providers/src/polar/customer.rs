//! `customer.*`: who the customer is, and the codes of a purchase.

use crate::customer_object::CustomerObject;
use crate::draft::NormalizedEventDraft;
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Part, UnclearValue};
use domain::event::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// A customer, by itself or within an order or a subscription.
#[derive(Deserialize)]
pub(super) struct Customer<'a> {
    pub(super) id: Id,
    #[serde(default)]
    external_id: Part<Arc<str>>,
    #[serde(default)]
    email: Part<Arc<str>>,
    #[serde(default)]
    name: Part<Arc<str>>,
    #[serde(default)]
    locale: Part<Arc<str>>,
    #[serde(default)]
    billing_address: Part<Address>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
}

impl Customer<'_> {
    /// What is said of the person, and who else leads there. `whole` where it is the customer's own
    /// event: what stands in an order or a subscription only fills gaps.
    pub(super) fn describe(self, draft: &mut NormalizedEventDraft<'_>, whole: bool) {
        draft.read_metadata(self.metadata.as_ref().readable());
        if let Some(id) = self.external_id.as_ref().readable() {
            draft.add_shop_reference(id.trim());
        }
        let country = match self.billing_address {
            Part::Present(address) => address.country,
            Part::Null => Part::Null,
            Part::Absent => Part::Absent,
            Part::Unreadable => Part::Unreadable,
        };
        let said = CustomerObject {
            email: self.email,
            name: self.name,
            locale: self.locale,
            country,
        };
        if whole {
            said.add_to(draft);
        } else {
            said.fill_gaps(draft);
        }
    }
}

/// Of an address the country alone.
#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    country: Part<Arc<str>>,
}

/// A discount of an order or a subscription.
#[derive(Deserialize)]
pub(super) struct Discount {
    id: Arc<str>,
    #[serde(default)]
    code: Part<Arc<str>>,
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
        if let Some(code) = discount.code.as_ref().readable() {
            draft.add_code(code);
        }
    }
    if let Some(code) = fields.and_then(Metadata::code) {
        draft.add_code(&code);
    }
}

/// `customer.created`, `customer.updated`.
pub(super) fn customer_snapshot<'a>(
    event: &Event<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.id.0), &[])?;
    customer.describe(&mut draft, true);
    Ok(draft)
}

/// `customer.deleted`.
pub(super) fn deleted<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&customer.id.0), &[])?;
    draft.add_fact(Fact::CustomerDeleted);
    Ok(draft)
}
