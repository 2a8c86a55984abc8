//! `billing_requests.fulfilled`: a customer went through a form, which made a mandate, a
//! payment, or both. What the shop wrote on the form is seen nowhere else.

use super::event::Event;
use crate::draft::Draft;
use crate::thin::Short;
use crate::wire::{Id, Metadata, Unclear, id};
use serde::Deserialize;

/// The form, and what it made. The money is told of by the payment's own events.
pub(super) fn fulfilled<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let request: BillingRequest<'_> =
        event.object("billing_requests", &event.links.billing_request)?;
    let links = &request.links;
    let customer = links.customer.as_ref().or(event.links.customer.as_ref());
    let customer = customer.ok_or_else(|| Unclear::absent("billing_requests.links.customer"))?;
    let mut draft = event.draft_of(Some(customer), None)?;
    draft.read_metadata(request.metadata.as_ref());
    draft.lead(&[
        Some(&request.id.0),
        id(&links.mandate_request_mandate),
        id(&links.payment_request_payment),
    ]);
    Ok(draft)
}

#[derive(Deserialize)]
struct BillingRequest<'a> {
    id: Id,
    links: Made,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Made {
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    mandate_request_mandate: Option<Id>,
    #[serde(default)]
    payment_request_payment: Option<Id>,
}
