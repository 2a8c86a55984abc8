//! `adjustment.*`: money that goes back, by a refund or by the payer's bank.

use super::transaction::EXPONENTS;
use super::wire::MinorUnits;
use crate::draft::{NormalizedEventDraft, ids, money, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, id};
use domain::event::Fact;
use domain::money::Money;
use domain::payment::snapshot::{DisputeSnapshot, DisputeState, RefundSnapshot, RefundState};
use serde::Deserialize;
use std::sync::Arc;

/// An adjustment as it is now. Its action says what it is about, its status what came of it.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let adjustment: Adjustment = event.data()?;
    let transaction = Some(&adjustment.transaction_id.0);
    let mut draft = event.draft(id(&adjustment.customer_id), &[transaction])?;
    draft.add_references(&[transaction, id(&adjustment.subscription_id)]);
    let effect = draft.readable(adjustment.effect());
    let amount = draft.readable(adjustment.amount());
    let tax_minor = draft.readable(adjustment.tax_minor()).flatten();
    let (Some(effect), Some(amount)) = (effect, amount) else {
        return Ok(draft);
    };
    let payment = ids(&[transaction]);
    match effect {
        MoneyEffect::Nothing => {}
        MoneyEffect::Refund(state) => draft.add_fact(Fact::Refund(RefundSnapshot {
            id: adjustment.id.0,
            payment,
            amount: amount.into(),
            tax_minor: tax_minor.filter(|tax| *tax <= amount.minor),
            state,
            created_at: adjustment.created_at.0,
        })),
        // A reversal is an adjustment of its own that does not name the first.
        MoneyEffect::Dispute(state) => draft.add_fact(Fact::Dispute(DisputeSnapshot {
            id: adjustment.transaction_id.0,
            payment,
            amount: amount.into(),
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
    #[serde(default)]
    currency_code: Part<Arc<str>>,
    #[serde(default)]
    totals: Part<Totals>,
    created_at: Rfc3339Time,
}

#[derive(Deserialize)]
struct Totals {
    #[serde(default)]
    total: Part<MinorUnits>,
    #[serde(default)]
    tax: Part<MinorUnits>,
}

/// What follows from an adjustment.
enum MoneyEffect {
    /// No money moves, or none yet.
    Nothing,
    Refund(RefundState),
    Dispute(DisputeState),
}

impl Adjustment {
    fn amount(&self) -> Result<Money, UnclearValue> {
        let place = "data.totals.total";
        let total = self.totals.as_ref().require(place)?.total.require(place)?;
        let minor = not_negative(total.0, place)?;
        let place = "data.currency_code";
        let code = self.currency_code.as_ref().require(place)?;
        money(minor, code, place, EXPONENTS)
    }

    /// The tax within it: all of it where only tax goes back.
    fn tax_minor(&self) -> Result<Option<i64>, UnclearValue> {
        let place = "data.totals.tax";
        let totals = self.totals.as_ref().read(place)?;
        let tax = totals.map(|totals| totals.tax.read(place)).transpose()?;
        let tax = tax.flatten();
        tax.map(|tax| not_negative(tax.0, place)).transpose()
    }

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
