//! `billing_requests.fulfilled`: a customer went through a form, which made a mandate, a
//! payment, or both. What the shop wrote on the form is seen nowhere else.

use super::event::GocardlessEvent;
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, Metadata, Part, UnclearValue, id};
use serde::Deserialize;

/// The form, and what it made. The money is told of by the payment's own events.
pub(super) fn fulfilled<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let request: BillingRequest<'_> =
        event.object("billing_requests", &event.links.billing_request)?;
    let links = &request.links;
    let customer = links.customer.as_ref().or(event.links.customer.as_ref());
    let customer =
        customer.ok_or_else(|| UnclearValue::missing("billing_requests.links.customer"))?;
    let mut draft = event.draft_for(Some(customer), None)?;
    draft.read_metadata(request.metadata.as_ref().readable());
    draft.add_references(&[
        Some(&request.id.0),
        id(&links.mandate_request_mandate),
        id(&links.payment_request_payment),
    ]);
    Ok(draft)
}

#[derive(Deserialize)]
struct BillingRequest<'a> {
    id: Id,
    links: FulfilledLinks,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
}

#[derive(Deserialize)]
struct FulfilledLinks {
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    mandate_request_mandate: Option<Id>,
    #[serde(default)]
    payment_request_payment: Option<Id>,
}
