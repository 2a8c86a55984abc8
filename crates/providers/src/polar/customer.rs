//! `customer.*`: who the customer is, and the codes of a purchase.

use crate::draft::{NormalizedEventDraft, profile};
use crate::envelope::Event;
use crate::wire::{AddressCountry, Id, Metadata, UnclearValue};
use domain::event::Fact;
use domain::person::Profile;
use serde::Deserialize;
use std::sync::Arc;

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
