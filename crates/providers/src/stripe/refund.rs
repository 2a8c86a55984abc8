//! `refund.*` and `charge.refunded`: money that goes back, one by one and in sum.

use super::facts::{StripeEvent, not_negative};
use super::payment::Charge;
use super::wire::{ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{UnclearValue, UnixSeconds, to_timestamp};
use domain::event::Fact;
use domain::ids::ObjectId;
use domain::payment::snapshot::{RefundSnapshot, RefundState};
use serde::Deserialize;
use std::sync::Arc;

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
    draft.add_fact(Fact::CumulativeRefund {
        ids: charge.ids(),
        minor: not_negative(charge.amount_refunded, "amount_refunded")?,
    });
    for refund in charge.refunds.iter().flat_map(|list| &list.data) {
        draft.add_fact(refund.snapshot(event, charge.ids())?);
    }
    Ok(draft)
}

/// One refund.
#[derive(Deserialize)]
pub(super) struct Refund {
    id: ObjectRef,
    amount: i64,
    status: Arc<str>,
    #[serde(default)]
    created: Option<UnixSeconds>,
    #[serde(default)]
    charge: Option<ObjectRef>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    #[serde(default)]
    customer: Option<ObjectRef>,
}

impl Refund {
    fn snapshot(
        &self,
        event: &StripeEvent<'_>,
        payment: Vec<ObjectId>,
    ) -> Result<Fact, UnclearValue> {
        let state = match &*self.status {
            "pending" | "requires_action" => RefundState::Pending,
            "succeeded" => RefundState::Succeeded,
            "failed" | "canceled" => RefundState::Failed,
            other => return Err(UnclearValue::unknown_word("data.object.status", other)),
        };
        Ok(Fact::Refund(RefundSnapshot {
            id: self.id.0.clone(),
            payment,
            minor: not_negative(self.amount, "amount")?,
            state,
            created_at: to_timestamp(self.created).unwrap_or(event.created),
        }))
    }
}
