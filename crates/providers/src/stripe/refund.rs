//! `refund.*` and `charge.refunded`: money that goes back, one by one and in sum.

use super::facts::{Event, not_negative};
use super::payment::Charge;
use super::wire::{Ref, id};
use crate::draft::{Draft, ids};
use crate::wire::{Unclear, Unix, at};
use domain::billing::{RefundSeen, RefundState};
use domain::ids::ObjectId;
use domain::reading::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// `refund.created`, `refund.updated`, `refund.failed`, and `charge.refund.updated`, as the
/// last two were called.
pub(super) fn refund<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let refund: Refund = event.object()?;
    let (intent, charge) = (id(&refund.payment_intent), id(&refund.charge));
    let mut draft = event.draft_behind(id(&refund.customer), &[intent, charge])?;
    draft.lead(&[intent, charge]);
    draft.tell(refund.seen(event, ids(&[intent, charge]))?);
    Ok(draft)
}

/// `charge.refunded`: how much of a charge has gone back so far, and in old shapes each refund.
pub(super) fn charge<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let charge: Charge<'_> = event.object()?;
    let mut draft = charge.draft(event)?;
    draft.tell(Fact::RefundedSoFar {
        ids: charge.ids(),
        minor: not_negative(charge.amount_refunded, "amount_refunded")?,
    });
    for refund in charge.refunds.iter().flat_map(|list| &list.data) {
        draft.tell(refund.seen(event, charge.ids())?);
    }
    Ok(draft)
}

/// One refund.
#[derive(Deserialize)]
pub(super) struct Refund {
    id: Ref,
    amount: i64,
    status: Arc<str>,
    #[serde(default)]
    created: Option<Unix>,
    #[serde(default)]
    charge: Option<Ref>,
    #[serde(default)]
    payment_intent: Option<Ref>,
    #[serde(default)]
    customer: Option<Ref>,
}

impl Refund {
    fn seen(&self, event: &Event<'_>, payment: Vec<ObjectId>) -> Result<Fact, Unclear> {
        let state = match &*self.status {
            "pending" | "requires_action" => RefundState::Pending,
            "succeeded" => RefundState::Succeeded,
            "failed" | "canceled" => RefundState::Failed,
            other => return Err(Unclear::word("data.object.status", other)),
        };
        Ok(Fact::Refund(RefundSeen {
            id: self.id.0.clone(),
            payment,
            minor: not_negative(self.amount, "amount")?,
            state,
            created_at: at(self.created).unwrap_or(event.created),
        }))
    }
}
