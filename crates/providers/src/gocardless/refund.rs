//! `refunds.*`: money that goes back.

use super::event::{GocardlessEvent, Links, money};
use super::payment::Payment;
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, Metadata, Part, Rfc3339Time, to_timestamp};
use domain::event::Fact;
use domain::payment::snapshot::{RefundSnapshot, RefundState};
use serde::Deserialize;
use std::sync::Arc;

/// `refunds.created`.
pub(super) fn created<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    snapshot(event, RefundState::Pending)
}

/// `refunds.paid`, `refunds.refund_settled`.
pub(super) fn paid<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    snapshot(event, RefundState::Succeeded)
}

/// `refunds.failed`, `refunds.funds_returned`: the money stayed, or came back.
pub(super) fn failed<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    snapshot(event, RefundState::Failed)
}

#[derive(Deserialize)]
struct Refund<'a> {
    id: Id,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    created_at: Part<Rfc3339Time>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    links: Links,
}

/// One that was made on a mandate, not on a payment, lowers nothing that was paid.
fn snapshot<'a>(
    event: &GocardlessEvent<'a, '_>,
    state: RefundState,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let refund: Refund<'_> = event.object("refunds", &event.links.refund)?;
    let (payment, mut draft) = match refund.links.payment() {
        Some(_) => {
            let (payment, draft) = Payment::fetch_with_draft(event, &refund.links.payment)?;
            (Some(payment.id.0), draft)
        }
        None => (None, event.draft(refund.links.mandate.as_ref(), None)?),
    };
    draft.read_metadata(refund.metadata.as_ref().readable());
    let amount = draft.readable(money(refund.amount, &refund.currency, "refunds"));
    let created_at = draft.readable(refund.created_at.read("refunds.created_at"));
    if let (Some(payment), Some(amount)) = (payment, amount) {
        draft.add_fact(Fact::Refund(RefundSnapshot {
            id: refund.id.0,
            payment: vec![payment],
            amount: amount.into(),
            tax_minor: None,
            state,
            created_at: to_timestamp(created_at.flatten()).unwrap_or(event.at),
        }));
    }
    Ok(draft)
}
