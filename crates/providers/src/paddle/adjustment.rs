//! `adjustment.*`: money that goes back, by a refund or by the payer's bank.

use super::transaction::EXPONENTS;
use super::wire::MinorUnits;
use crate::draft::{NormalizedEventDraft, ids, money, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Rfc3339Time, UnclearValue, id};
use domain::event::Fact;
use domain::payment::snapshot::{DisputeSnapshot, DisputeState, RefundSnapshot, RefundState};
use serde::Deserialize;
use std::sync::Arc;

/// An adjustment as it is now. Its action says what it is about, its status what came of it.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let adjustment: Adjustment = event.data()?;
    let transaction = Some(&adjustment.transaction_id.0);
    let mut draft = event.draft(id(&adjustment.customer_id), &[transaction])?;
    draft.add_references(&[transaction, id(&adjustment.subscription_id)]);
    let minor = not_negative(adjustment.totals.total.0, "data.totals.total")?;
    let amount = money(
        minor,
        &adjustment.currency_code,
        "data.currency_code",
        EXPONENTS,
    )?
    .into();
    let payment = ids(&[transaction]);
    match adjustment.effect()? {
        MoneyEffect::Nothing => {}
        MoneyEffect::Refund(state) => draft.add_fact(Fact::Refund(RefundSnapshot {
            id: adjustment.id.0,
            payment,
            amount,
            tax_minor: None,
            state,
            created_at: adjustment.created_at.0,
        })),
        // A reversal is an adjustment of its own that does not name the first.
        MoneyEffect::Dispute(state) => draft.add_fact(Fact::Dispute(DisputeSnapshot {
            id: adjustment.transaction_id.0,
            payment,
            amount,
            state,
        })),
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Adjustment {
    id: Id,
    action: Arc<str>,
    status: Arc<str>,
    transaction_id: Id,
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    subscription_id: Option<Id>,
    currency_code: Arc<str>,
    totals: Totals,
    created_at: Rfc3339Time,
}

#[derive(Deserialize)]
struct Totals {
    total: MinorUnits,
}

/// What follows from an adjustment.
enum MoneyEffect {
    /// No money moves, or none yet.
    Nothing,
    Refund(RefundState),
    Dispute(DisputeState),
}

impl Adjustment {
    fn effect(&self) -> Result<MoneyEffect, UnclearValue> {
        let status = Status::read(&self.status)?;
        Ok(match (&*self.action, status) {
            // Credit stays with Paddle, for the next transaction.
            ("credit" | "credit_reverse", _) | ("refund", Status::Pending) => MoneyEffect::Nothing,
            ("refund", Status::Approved) => MoneyEffect::Refund(RefundState::Succeeded),
            ("refund", Status::Rejected | Status::Reversed) => {
                MoneyEffect::Refund(RefundState::Failed)
            }
            ("chargeback", Status::Approved) => MoneyEffect::Dispute(DisputeState::Lost),
            ("chargeback", Status::Reversed) | ("chargeback_reverse", Status::Approved) => {
                MoneyEffect::Dispute(DisputeState::Won)
            }
            ("chargeback_warning", Status::Approved) => MoneyEffect::Dispute(DisputeState::Inquiry),
            ("chargeback_warning", Status::Reversed)
            | ("chargeback_warning_reverse", Status::Approved) => {
                MoneyEffect::Dispute(DisputeState::InquiryClosed)
            }
            (action, _) if BANK_ACTIONS.contains(&action) => {
                return Err(UnclearValue::unknown_word("data.status", &self.status));
            }
            (action, _) => return Err(UnclearValue::unknown_word("data.action", action)),
        })
    }
}

#[derive(Clone, Copy)]
enum Status {
    Pending,
    Approved,
    Rejected,
    Reversed,
}

impl Status {
    fn read(word: &str) -> Result<Self, UnclearValue> {
        Ok(match word {
            "pending_approval" => Self::Pending,
            "approved" => Self::Approved,
            "rejected" => Self::Rejected,
            "reversed" => Self::Reversed,
            other => return Err(UnclearValue::unknown_word("data.status", other)),
        })
    }
}

/// Nobody approves these: they are, or they were reversed.
const BANK_ACTIONS: &[&str] = &[
    "chargeback",
    "chargeback_reverse",
    "chargeback_warning",
    "chargeback_warning_reverse",
];
