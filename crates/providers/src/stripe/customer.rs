//! `customer.*`: who the customer is.

use super::facts::{Discount, StripeEvent, discounts, read_discounts};
use super::wire::{Expandable, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, whole_profile};
use crate::wire::{AddressCountry, Metadata, Part, UnclearValue};
use domain::event::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// `customer.created`, `customer.updated`.
pub(super) fn snapshot<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.object()?;
    let mut draft = event.draft_for(Some(&customer.id.0), &[])?;
    // An empty list says that there is none, as null does.
    let locale = customer.preferred_locales.map(|all| all.into_iter().next());
    let country = customer.address.map(|address| address.country);
    draft.readable(customer.email.as_ref().read("data.object.email"));
    draft.readable(customer.name.as_ref().read("data.object.name"));
    draft.readable(locale.as_ref().read("data.object.preferred_locales"));
    draft.readable(country.as_ref().read("data.object.address"));
    draft.add_fact(Fact::Profile(whole_profile(
        customer.email.stated(),
        customer.name.stated(),
        locale.stated().map(Option::flatten),
        country.stated().map(Option::flatten),
    )));
    let metadata = draft.readable(customer.metadata.read("data.object.metadata"));
    draft.read_metadata(metadata.flatten().as_ref());
    let discount = draft.readable(customer.discount.read("data.object.discount"));
    let listed = draft.readable(customer.discounts.read("data.object.discounts"));
    read_discounts(&mut draft, &discounts(discount.flatten(), listed.flatten()));
    Ok(draft)
}

/// `customer.deleted`.
pub(super) fn deleted<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let customer: Customer<'_> = event.object()?;
    let mut draft = event.draft_for(Some(&customer.id.0), &[])?;
    draft.add_fact(Fact::CustomerDeleted);
    Ok(draft)
}

/// `customer.discount.*`: a discount was given to a customer, or for one purchase. Elsewhere a
/// discount is often named by an id of its own, which says nothing of its promotion code.
pub(super) fn discounted<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let given: DiscountOwner = event.object()?;
    let names = [
        id(&given.subscription),
        id(&given.invoice),
        id(&given.checkout_session),
    ];
    let mut draft = event.draft_by_reference(id(&given.customer), &names)?;
    let discount: Discount = event.object()?;
    read_discounts(&mut draft, &discounts(Some(discount), None));
    Ok(draft)
}

/// Whose a discount is.
#[derive(Deserialize)]
struct DiscountOwner {
    #[serde(default)]
    customer: Option<ObjectRef>,
    #[serde(default)]
    subscription: Option<ObjectRef>,
    #[serde(default)]
    invoice: Option<ObjectRef>,
    #[serde(default)]
    checkout_session: Option<ObjectRef>,
}

#[derive(Deserialize)]
struct Customer<'a> {
    id: ObjectRef,
    #[serde(default)]
    email: Part<Arc<str>>,
    #[serde(default)]
    name: Part<Arc<str>>,
    #[serde(default)]
    address: Part<AddressCountry>,
    #[serde(default)]
    preferred_locales: Part<Vec<Arc<str>>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(default)]
    discount: Part<Discount>,
    #[serde(default)]
    discounts: Part<Vec<Expandable<Discount>>>,
}
