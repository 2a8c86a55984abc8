//! `CUSTOMER.DISPUTE.*`: a buyer complains, and the money is held or taken.

use super::event::PaypalEvent;
use super::wire::{PaypalAmount, unknown_word};
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, Part, UnclearValue};
use domain::event::Fact;
use domain::ids::ObjectId;
use domain::money::Money;
use domain::payment::snapshot::{DisputeSnapshot, DisputeState};
use serde::Deserialize;
use std::sync::Arc;

/// A dispute as it is now, for each payment it is about.
pub(super) fn snapshot<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let dispute: Dispute = event.resource()?;
    let payments: Vec<&ObjectId> = dispute.payments().collect();
    if payments.is_empty() {
        return Err(UnclearValue::missing("resource.disputed_transactions").into());
    }
    let mut draft = event.draft_by_reference(&payments);
    if let Some(state) = dispute.state(&mut draft) {
        draft.readable(dispute.check_division(state));
        for transaction in &dispute.disputed_transactions {
            let named = transaction.seller_transaction_id.as_ref();
            let named = draft.readable(named.require("resource.disputed_transactions"));
            let amount = draft.readable(dispute.amount(transaction, state));
            if let (Some(payment), Some(amount)) = (named, amount) {
                draft.add_fact(fact(&payment.0, amount, state));
            }
        }
    }
    Ok(draft)
}

/// What follows from a reversal: it is a lost dispute. A reversal names no dispute and a dispute no
/// reversal, but both the payment.
pub(super) fn reversed_payment(payment: &ObjectId, amount: Money) -> Fact {
    fact(payment, amount, DisputeState::Lost)
}

fn fact(payment: &ObjectId, amount: Money, state: DisputeState) -> Fact {
    Fact::Dispute(DisputeSnapshot {
        id: payment.clone(),
        payment: vec![payment.clone()],
        amount: amount.into(),
        state,
    })
}

#[derive(Deserialize)]
struct Dispute {
    #[serde(default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    disputed_transactions: Vec<Transaction>,
    #[serde(default)]
    dispute_amount: Part<PaypalAmount>,
    #[serde(default)]
    dispute_life_cycle_stage: Part<Arc<str>>,
    #[serde(default)]
    dispute_outcome: Part<DisputeOutcome>,
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(default)]
    seller_transaction_id: Part<Id>,
    #[serde(default)]
    gross_amount: Part<PaypalAmount>,
}

#[derive(Deserialize)]
struct DisputeOutcome {
    #[serde(default)]
    outcome_code: Part<Arc<str>>,
    #[serde(default)]
    amount_refunded: Part<PaypalAmount>,
}

impl Dispute {
    fn payments(&self) -> impl Iterator<Item = &ObjectId> {
        let all = self.disputed_transactions.iter();
        all.filter_map(|one| one.seller_transaction_id.as_ref().readable())
            .map(|payment| &payment.0)
    }

    /// How it stands. A stage or an outcome that can't be read does not hide that it is over.
    fn state(&self, draft: &mut NormalizedEventDraft<'_>) -> Option<DisputeState> {
        let word = draft.readable(self.status.as_ref().require(STATUS))?;
        let inquiry = draft.readable(self.is_inquiry());
        match &**word {
            "OPEN"
            | "WAITING_FOR_BUYER_RESPONSE"
            | "WAITING_FOR_SELLER_RESPONSE"
            | "UNDER_REVIEW"
            | "OTHER" => Some(if inquiry? {
                DisputeState::Inquiry
            } else {
                DisputeState::Open
            }),
            // What buyer and shop settle between them is a refund, with an event of its own.
            "RESOLVED" if inquiry == Some(true) => Some(DisputeState::InquiryClosed),
            "RESOLVED" => {
                let outcome = draft.readable(self.outcome());
                Some(outcome.unwrap_or(DisputeState::Closed))
            }
            other => {
                draft.add_unclear(unknown_word(STATUS, other));
                None
            }
        }
    }

    fn is_inquiry(&self) -> Result<bool, UnclearValue> {
        let place = "resource.dispute_life_cycle_stage";
        match self.dispute_life_cycle_stage.as_ref().read(place)? {
            Some(word) => match &**word {
                "INQUIRY" => Ok(true),
                "CHARGEBACK" | "PRE_ARBITRATION" | "ARBITRATION" => Ok(false),
                other => Err(unknown_word(place, other)),
            },
            None => Ok(false),
        }
    }

    /// What came of it. PayPal may say that it is over and not how.
    fn outcome(&self) -> Result<DisputeState, UnclearValue> {
        let place = "resource.dispute_outcome.outcome_code";
        let outcome = self.dispute_outcome.as_ref().read(place)?;
        let code = outcome.map(|outcome| outcome.outcome_code.as_ref().read(place));
        match code.transpose()?.flatten().map(|code| &**code) {
            Some(
                "RESOLVED_SELLER_FAVOUR" | "RESOLVED_WITH_PAYOUT" | "CANCELED_BY_BUYER" | "DENIED",
            ) => Ok(DisputeState::Won),
            Some("RESOLVED_BUYER_FAVOUR" | "ACCEPTED") => Ok(DisputeState::Lost),
            Some("NONE" | "") | None => Ok(DisputeState::Closed),
            Some(other) => Err(unknown_word(place, other)),
        }
    }

    /// The part of this payment that is held or was taken. Of one payment that is told; of several,
    /// only what each was and what went back of all of them together.
    fn amount(
        &self,
        transaction: &Transaction,
        state: DisputeState,
    ) -> Result<Money, UnclearValue> {
        let gross_place = "resource.disputed_transactions.gross_amount";
        let gross = transaction.gross_amount.as_ref();
        if self.disputed_transactions.len() > 1 {
            return gross.require(gross_place)?.money(gross_place);
        }
        let disputed = self.dispute_amount.as_ref();
        let whole = match disputed.read(AMOUNT)? {
            Some(disputed) => disputed.money(AMOUNT)?,
            None => gross.require(AMOUNT)?.money(gross_place)?,
        };
        let taken = match state {
            DisputeState::Lost => self.refunded()?,
            DisputeState::Inquiry
            | DisputeState::InquiryClosed
            | DisputeState::Open
            | DisputeState::Closed
            | DisputeState::Won => None,
        };
        Ok(taken.unwrap_or(whole))
    }

    /// What went back of several payments together is said of none of them, unless it is all.
    fn check_division(&self, state: DisputeState) -> Result<(), UnclearValue> {
        let several = self.disputed_transactions.len() > 1;
        let Some(refunded) = self.refunded()?.filter(|_| several) else {
            return Ok(());
        };
        let amounts = self.disputed_transactions.iter();
        let amounts = amounts.map(|transaction| self.amount(transaction, state));
        let gross: i64 = amounts
            .map(|amount| Ok::<_, UnclearValue>(amount?.minor))
            .try_fold(0_i64, |sum, minor| {
                Ok::<_, UnclearValue>(sum.saturating_add(minor?))
            })?;
        if state == DisputeState::Lost && refunded.minor != gross {
            let what = "`resource.dispute_outcome.amount_refunded` is not said of each payment";
            return Err(UnclearValue(what.into()));
        }
        Ok(())
    }

    /// What went back to the buyer: less than what was disputed where it was settled in part.
    fn refunded(&self) -> Result<Option<Money>, UnclearValue> {
        let place = "resource.dispute_outcome.amount_refunded";
        let outcome = self.dispute_outcome.as_ref().read(place)?;
        let amount = outcome.map(|outcome| outcome.amount_refunded.as_ref().read(place));
        let amount = amount.transpose()?.flatten();
        amount.map(|amount| amount.refunded(place)).transpose()
    }
}

const STATUS: &str = "resource.status";
const AMOUNT: &str = "resource.dispute_amount";
