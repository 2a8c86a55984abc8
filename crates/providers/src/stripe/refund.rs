//! `refund.*` and `charge.refunded`: money that goes back, one by one and in sum.

use super::charge::{Charge, Refund};
use super::facts::StripeEvent;
use super::wire::id;
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::UnclearValue;

/// `refund.created`, `refund.updated`, `refund.failed`, and `charge.refund.updated`, as the
/// last two were called.
pub(super) fn refund<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let refund: Refund = event.object()?;
    let (intent, charge) = (id(&refund.payment_intent), id(&refund.charge));
    let mut draft = event.draft_by_reference(id(&refund.customer), &[intent, charge])?;
    draft.add_references(&[intent, charge]);
    let snapshot = refund.snapshot(event, ids(&[intent, charge]));
    if let Some(fact) = draft.readable(snapshot) {
        draft.add_fact(fact);
    }
    Ok(draft)
}

/// `charge.refunded`: how much of a charge has gone back so far, and in old shapes each refund.
pub(super) fn charge<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let mut charge: Charge<'_> = event.object()?;
    let mut draft = charge.draft(event)?;
    charge.add_refunds(event, &mut draft);
    Ok(draft)
}
