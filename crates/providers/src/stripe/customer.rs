//! `customer.*`: who the customer is.

use super::facts::{Discount, StripeEvent, discounts, read_discounts};
use super::wire::{Expandable, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, whole_profile};
use crate::wire::{AddressCountry, Metadata, UnclearValue, present};
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
    let first = |locales: Option<Vec<_>>| locales.into_iter().flatten().next();
    let country = |address: Option<AddressCountry>| address.and_then(|address| address.country);
    draft.add_fact(Fact::Profile(whole_profile(
        customer.email,
        customer.name,
        customer.preferred_locales.map(first),
        customer.address.map(country),
    )));
    draft.read_metadata(customer.metadata.as_ref());
    read_discounts(
        &mut draft,
        &discounts(customer.discount, customer.discounts),
    );
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
    #[serde(default, deserialize_with = "present")]
    email: Option<Option<Arc<str>>>,
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<Arc<str>>>,
    #[serde(default, deserialize_with = "present")]
    address: Option<Option<AddressCountry>>,
    #[serde(default, deserialize_with = "present")]
    preferred_locales: Option<Option<Vec<Arc<str>>>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(default)]
    discounts: Option<Vec<Expandable<Discount>>>,
}
