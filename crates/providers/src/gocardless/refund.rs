//! `refunds.*`: money that goes back.

use super::event::{Event, Links, money};
use super::payment::Payment;
use crate::draft::Draft;
use crate::thin::Short;
use crate::wire::{Id, Metadata, Moment};
use domain::billing::{RefundSeen, RefundState};
use domain::reading::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// `refunds.created`.
pub(super) fn created<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    seen(event, RefundState::Pending)
}

/// `refunds.paid`, `refunds.refund_settled`.
pub(super) fn paid<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    seen(event, RefundState::Succeeded)
}

/// `refunds.failed`, `refunds.funds_returned`: the money stayed, or came back.
pub(super) fn failed<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    seen(event, RefundState::Failed)
}

#[derive(Deserialize)]
struct Refund<'a> {
    id: Id,
    amount: i64,
    currency: Arc<str>,
    created_at: Moment,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    links: Links,
}

/// One that was made on a mandate, not on a payment, lowers nothing that was paid.
fn seen<'a>(event: &Event<'a, '_>, state: RefundState) -> Result<Draft<'a>, Short> {
    let refund: Refund<'_> = event.object("refunds", &event.links.refund)?;
    let (payment, mut draft) = match refund.links.payment() {
        Some(_) => {
            let (payment, draft) = Payment::named(event, &refund.links.payment)?;
            (Some(payment.id.0), draft)
        }
        None => (None, event.draft(refund.links.mandate.as_ref(), None)?),
    };
    draft.read_metadata(refund.metadata.as_ref());
    let minor = money(refund.amount, &refund.currency, "refunds")?.minor;
    if let Some(payment) = payment {
        draft.tell(Fact::Refund(RefundSeen {
            id: refund.id.0,
            payment: vec![payment],
            minor,
            state,
            created_at: refund.created_at.0,
        }));
    }
    Ok(draft)
}
