//! `customer.*`: who the customer is.

use super::facts::{Discount, Event, discounts, profile, read_discounts};
use super::wire::{Expandable, Ref, id};
use crate::draft::Draft;
use crate::wire::{Address, Metadata, Unclear};
use domain::reading::{Fact, Profile};
use serde::Deserialize;
use std::sync::Arc;

/// `customer.created`, `customer.updated`.
pub(super) fn exists<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let customer: Customer<'_> = event.object()?;
    let mut draft = event.draft_of(Some(&customer.id.0), &[])?;
    let locales = customer.preferred_locales.unwrap_or_default();
    draft.tell(Fact::Profile(Profile {
        whole: true,
        locale: locales.into_iter().next(),
        ..profile(customer.email, customer.name, customer.address)
    }));
    draft.read_metadata(customer.metadata.as_ref());
    read_discounts(
        &mut draft,
        &discounts(customer.discount, customer.discounts),
    );
    Ok(draft)
}

/// `customer.deleted`.
pub(super) fn deleted<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let customer: Customer<'_> = event.object()?;
    let mut draft = event.draft_of(Some(&customer.id.0), &[])?;
    draft.tell(Fact::CustomerDeleted);
    Ok(draft)
}

/// `customer.discount.*`: a discount was given to a customer, or for one purchase. Elsewhere a
/// discount is often named by an id of its own, which says nothing of its promotion code.
pub(super) fn discounted<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let given: Given = event.object()?;
    let names = [
        id(&given.subscription),
        id(&given.invoice),
        id(&given.checkout_session),
    ];
    let mut draft = event.draft_behind(id(&given.customer), &names)?;
    let discount: Discount = event.object()?;
    read_discounts(&mut draft, &discounts(Some(discount), None));
    Ok(draft)
}

/// Whose a discount is.
#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    customer: Option<Ref>,
    #[serde(default)]
    subscription: Option<Ref>,
    #[serde(default)]
    invoice: Option<Ref>,
    #[serde(default)]
    checkout_session: Option<Ref>,
}

#[derive(Deserialize)]
struct Customer<'a> {
    id: Ref,
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    address: Option<Address>,
    #[serde(default)]
    preferred_locales: Option<Vec<Arc<str>>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(default)]
    discounts: Option<Vec<Expandable<Discount>>>,
}
