//! `charge.dispute.*`: a bank asks, takes the money, decides.

use super::facts::{Event, not_negative};
use super::wire::{Ref, id};
use crate::draft::{Draft, ids};
use crate::wire::Unclear;
use domain::billing::{DisputeSeen, DisputeState};
use domain::reading::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// A dispute as it is now. Its state is what it says, not what the event is called: the events
/// about funds come in either order.
pub(super) fn seen<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let dispute: Dispute = event.object()?;
    let (intent, charge) = (id(&dispute.payment_intent), id(&dispute.charge));
    let own = id(&dispute.id)
        .or(charge)
        .ok_or_else(|| Unclear::absent("data.object.id"))?;
    let mut draft = event.draft_behind(id(&dispute.customer), &[intent, charge])?;
    draft.lead(&[intent, charge]);
    draft.tell(Fact::Dispute(DisputeSeen {
        id: own.clone(),
        payment: ids(&[intent, charge]),
        minor: not_negative(dispute.amount, "amount")?,
        state: state(&dispute.status)?,
    }));
    Ok(draft)
}

#[derive(Deserialize)]
struct Dispute {
    // The oldest had none: a charge had one dispute, and lent it its name.
    #[serde(default)]
    id: Option<Ref>,
    amount: i64,
    status: Arc<str>,
    #[serde(default)]
    charge: Option<Ref>,
    #[serde(default)]
    payment_intent: Option<Ref>,
    #[serde(default)]
    customer: Option<Ref>,
}

fn state(word: &str) -> Result<DisputeState, Unclear> {
    Ok(match word {
        "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
        "warning_closed" => DisputeState::InquiryClosed,
        "needs_response" | "under_review" => DisputeState::Open,
        "won" | "prevented" => DisputeState::Won,
        "lost" => DisputeState::Lost,
        other => return Err(Unclear::word("data.object.status", other)),
    })
}
