//! `charge.dispute.*`: a bank asks, takes the money, decides.

use super::facts::{StripeEvent, stated_amount};
use super::wire::{ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::UnclearValue;
use domain::event::Fact;
use domain::payment::snapshot::{DisputeSnapshot, DisputeState};
use serde::Deserialize;
use std::sync::Arc;

/// A dispute as it is now. Its state is what it says, not what the event is called: the events
/// about funds come in either order.
pub(super) fn snapshot<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let dispute: Dispute = event.object()?;
    let (intent, charge) = (id(&dispute.payment_intent), id(&dispute.charge));
    let own = id(&dispute.id)
        .or(charge)
        .ok_or_else(|| UnclearValue::missing("data.object.id"))?;
    let mut draft = event.draft_by_reference(id(&dispute.customer), &[intent, charge])?;
    draft.add_references(&[intent, charge]);
    draft.add_fact(Fact::Dispute(DisputeSnapshot {
        id: own.clone(),
        payment: ids(&[intent, charge]),
        amount: stated_amount(dispute.amount, dispute.currency.as_deref(), "amount")?,
        state: state(&dispute.status)?,
    }));
    Ok(draft)
}

#[derive(Deserialize)]
struct Dispute {
    // The oldest had none: a charge had one dispute, and lent it its name.
    #[serde(default)]
    id: Option<ObjectRef>,
    amount: i64,
    #[serde(default)]
    currency: Option<Arc<str>>,
    status: Arc<str>,
    #[serde(default)]
    charge: Option<ObjectRef>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    #[serde(default)]
    customer: Option<ObjectRef>,
}

fn state(word: &str) -> Result<DisputeState, UnclearValue> {
    Ok(match word {
        "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
        "warning_closed" => DisputeState::InquiryClosed,
        "needs_response" | "under_review" => DisputeState::Open,
        "won" | "prevented" => DisputeState::Won,
        "lost" => DisputeState::Lost,
        other => return Err(UnclearValue::unknown_word("data.object.status", other)),
    })
}
