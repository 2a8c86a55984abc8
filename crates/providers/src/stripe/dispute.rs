//! `charge.dispute.*`: a bank asks, takes the money, decides.

use super::facts::{StripeEvent, stated_amount};
use super::wire::{ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{Part, UnclearValue};
use domain::event::Fact;
use domain::ids::ObjectId;
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
    let snapshot = dispute.snapshot(event, own.clone());
    if let Some(fact) = draft.readable(snapshot) {
        draft.add_fact(fact);
    }
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
    balance_transactions: Part<Vec<BalanceTransaction>>,
    #[serde(default)]
    charge: Option<ObjectRef>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    #[serde(default)]
    customer: Option<ObjectRef>,
}

#[derive(Deserialize)]
struct BalanceTransaction {
    amount: i64,
}

impl Dispute {
    fn snapshot(&self, event: &StripeEvent<'_>, own: ObjectId) -> Result<Fact, UnclearValue> {
        Ok(Fact::Dispute(DisputeSnapshot {
            id: own,
            payment: ids(&[id(&self.payment_intent), id(&self.charge)]),
            amount: stated_amount(self.amount, self.currency.as_deref(), "amount")?,
            state: self.state(event)?,
        }))
    }

    fn state(&self, event: &StripeEvent<'_>) -> Result<DisputeState, UnclearValue> {
        Ok(match &*self.status {
            "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
            "warning_closed" => DisputeState::InquiryClosed,
            // Nobody answers the second any more; the bank has not decided.
            "needs_response" | "response_disabled" | "under_review" => DisputeState::Open,
            // Settled before it came to a decision: by the bank's rules, for the payer.
            "prevented" if self.funds_are_withdrawn(event)? => DisputeState::Lost,
            // The shop refunded the charge, which is told by itself.
            "won" | "prevented" | "charge_refunded" => DisputeState::Won,
            "lost" => DisputeState::Lost,
            other => return Err(UnclearValue::unknown_word("data.object.status", other)),
        })
    }

    /// Whether the money was taken, and not given back.
    fn funds_are_withdrawn(&self, event: &StripeEvent<'_>) -> Result<bool, UnclearValue> {
        let place = "data.object.balance_transactions";
        let moved = self.balance_transactions.as_ref().read(place)?;
        let sum = moved.filter(|moved| !moved.is_empty()).map(|moved| {
            let amounts = moved.iter().map(|one| one.amount);
            amounts.fold(0, i64::saturating_add)
        });
        Ok(match sum {
            Some(sum) => sum < 0,
            None => event.kind == "charge.dispute.funds_withdrawn",
        })
    }
}
