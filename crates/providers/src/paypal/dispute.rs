//! `CUSTOMER.DISPUTE.*` and `PAYMENT.….REVERSED`: a buyer complains, and the money is taken.

use super::event::PaypalEvent;
use super::sale::SaleAmount;
use super::wire::{Link, PaypalAmount, linked_id, unknown_word};
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, UnclearValue};
use domain::event::Fact;
use domain::money::Money;
use domain::payment::snapshot::{DisputeSnapshot, DisputeState};
use serde::Deserialize;
use std::sync::Arc;

/// A dispute as it is now, for each payment it is about.
pub(super) fn snapshot<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let dispute: Dispute = event.resource()?;
    let state = dispute.state()?;
    let payments = &dispute.disputed_transactions;
    let ids: Vec<_> = payments
        .iter()
        .map(|one| &one.seller_transaction_id.0)
        .collect();
    if ids.is_empty() {
        return Err(UnclearValue::missing("resource.disputed_transactions").into());
    }
    let mut draft = event.draft_by_reference(&ids);
    for payment in payments {
        // Of one payment the part in dispute is told, of several only what each was.
        let (amount, place) = match payments.as_slice() {
            [_] => (dispute.dispute_amount.as_ref(), "resource.dispute_amount"),
            _ => (
                payment.gross_amount.as_ref(),
                "resource.disputed_transactions.gross_amount",
            ),
        };
        let amount = amount.ok_or_else(|| UnclearValue::missing(place))?;
        let amount = amount.money(place)?;
        draft.add_fact(fact(&payment.seller_transaction_id, amount, state));
    }
    Ok(draft)
}

/// A sale that PayPal took back.
pub(super) fn sale_reversed<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let reversal: SaleReversal = event.resource()?;
    let itself = || linked_id(&reversal.links, "self", "/sale/");
    let sale = reversal.sale_id.clone().or_else(itself);
    let amount = reversal.amount.refunded()?;
    reversed(event, sale, "resource.sale_id", amount)
}

/// A capture that PayPal took back.
pub(super) fn capture_reversed<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let reversal: CaptureReversal = event.resource()?;
    let links = &reversal.links;
    let itself = || linked_id(links, "self", "/captures/");
    let capture = linked_id(links, "up", "/captures/").or_else(itself);
    let amount = reversal.amount.refunded("resource.amount")?;
    reversed(event, capture, "resource.links.up", amount)
}

fn reversed<'a>(
    event: &PaypalEvent<'a, '_>,
    payment: Option<Id>,
    place: &str,
    amount: Money,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let payment = payment.ok_or_else(|| UnclearValue::missing(place))?;
    let mut draft = event.draft_by_reference(&[&payment.0]);
    draft.add_fact(fact(&payment, amount, DisputeState::Lost));
    Ok(draft)
}

/// A reversal names no dispute and a dispute no reversal, but both the payment.
fn fact(payment: &Id, amount: Money, state: DisputeState) -> Fact {
    Fact::Dispute(DisputeSnapshot {
        id: payment.0.clone(),
        payment: vec![payment.0.clone()],
        amount: amount.into(),
        state,
    })
}

#[derive(Deserialize)]
struct Dispute {
    status: Arc<str>,
    #[serde(default)]
    disputed_transactions: Vec<Transaction>,
    #[serde(default)]
    dispute_amount: Option<PaypalAmount>,
    #[serde(default)]
    dispute_life_cycle_stage: Option<Arc<str>>,
    #[serde(default)]
    dispute_outcome: Option<DisputeOutcome>,
}

#[derive(Deserialize)]
struct Transaction {
    seller_transaction_id: Id,
    #[serde(default)]
    gross_amount: Option<PaypalAmount>,
}

#[derive(Deserialize)]
struct DisputeOutcome {
    outcome_code: Arc<str>,
}

#[derive(Deserialize)]
struct SaleReversal {
    amount: SaleAmount,
    #[serde(default)]
    sale_id: Option<Id>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct CaptureReversal {
    amount: PaypalAmount,
    #[serde(default)]
    links: Vec<Link>,
}

impl Dispute {
    fn state(&self) -> Result<DisputeState, UnclearValue> {
        let inquiry = match self.dispute_life_cycle_stage.as_deref() {
            Some("INQUIRY") => true,
            Some("CHARGEBACK" | "PRE_ARBITRATION" | "ARBITRATION") | None => false,
            Some(other) => return Err(unknown_word("resource.dispute_life_cycle_stage", other)),
        };
        match &*self.status {
            "OPEN"
            | "WAITING_FOR_BUYER_RESPONSE"
            | "WAITING_FOR_SELLER_RESPONSE"
            | "UNDER_REVIEW"
            | "OTHER" => Ok(if inquiry {
                DisputeState::Inquiry
            } else {
                DisputeState::Open
            }),
            // What buyer and shop settle between them is a refund, with an event of its own.
            "RESOLVED" if inquiry => Ok(DisputeState::InquiryClosed),
            "RESOLVED" => self.resolved_state(),
            other => Err(unknown_word("resource.status", other)),
        }
    }

    fn resolved_state(&self) -> Result<DisputeState, UnclearValue> {
        let place = "resource.dispute_outcome.outcome_code";
        let outcome = self.dispute_outcome.as_ref();
        match &*outcome
            .ok_or_else(|| UnclearValue::missing(place))?
            .outcome_code
        {
            "RESOLVED_SELLER_FAVOUR" | "RESOLVED_WITH_PAYOUT" | "CANCELED_BY_BUYER" | "DENIED" => {
                Ok(DisputeState::Won)
            }
            "RESOLVED_BUYER_FAVOUR" | "ACCEPTED" => Ok(DisputeState::Lost),
            other => Err(unknown_word(place, other)),
        }
    }
}
