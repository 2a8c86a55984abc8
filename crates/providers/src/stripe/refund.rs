//! `refund.*` and `charge.refunded`: money that goes back, one by one and in sum.

use super::charge::{Charge, Refund};
use super::facts::{StripeEvent, stated_amount};
use super::wire::id;
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::UnclearValue;
use domain::event::Fact;

/// `refund.created`, `refund.updated`, `refund.failed`, and `charge.refund.updated`, as the
/// last two were called.
pub(super) fn refund<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let refund: Refund = event.object()?;
    let (intent, charge) = (id(&refund.payment_intent), id(&refund.charge));
    let mut draft = event.draft_by_reference(id(&refund.customer), &[intent, charge])?;
    draft.add_references(&[intent, charge]);
    draft.add_fact(refund.snapshot(event, ids(&[intent, charge]))?);
    Ok(draft)
}

/// `charge.refunded`: how much of a charge has gone back so far, and in old shapes each refund.
pub(super) fn charge<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let charge: Charge<'_> = event.object()?;
    let mut draft = charge.draft(event)?;
    let (refunded, code) = (charge.amount_refunded, Some(&*charge.currency));
    draft.add_fact(Fact::CumulativeRefund {
        ids: charge.ids(),
        amount: stated_amount(refunded, code, "amount_refunded")?,
        released_minor: 0,
    });
    for refund in charge.refunds.iter().flat_map(|list| &list.data) {
        draft.add_fact(refund.snapshot(event, charge.ids())?);
    }
    Ok(draft)
}
