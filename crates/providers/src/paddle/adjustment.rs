//! `adjustment.*`: money that goes back, by a refund or by the payer's bank.

use super::wire::Minor;
use crate::draft::{Draft, currency, ids, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Moment, Unclear, id};
use domain::billing::{DisputeSeen, DisputeState, RefundSeen, RefundState};
use domain::reading::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// An adjustment as it is now. Its action says what it is about, its status what came of it.
pub(super) fn seen<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let told: Adjustment = event.data()?;
    let transaction = Some(&told.transaction_id.0);
    let mut draft = event.draft(id(&told.customer_id), &[transaction])?;
    draft.lead(&[transaction, id(&told.subscription_id)]);
    currency(&told.currency_code, "data.currency_code")?;
    let minor = not_negative(told.totals.total.0, "data.totals.total")?;
    let payment = ids(&[transaction]);
    match told.means()? {
        Meaning::Nothing => {}
        Meaning::Refund(state) => draft.tell(Fact::Refund(RefundSeen {
            id: told.id.0,
            payment,
            minor,
            state,
            created_at: told.created_at.0,
        })),
        // A reversal is an adjustment of its own that does not name the first.
        Meaning::Dispute(state) => draft.tell(Fact::Dispute(DisputeSeen {
            id: told.transaction_id.0,
            payment,
            minor,
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
    created_at: Moment,
}

#[derive(Deserialize)]
struct Totals {
    total: Minor,
}

/// What follows from an adjustment.
enum Meaning {
    /// No money moves, or none yet.
    Nothing,
    Refund(RefundState),
    Dispute(DisputeState),
}

impl Adjustment {
    fn means(&self) -> Result<Meaning, Unclear> {
        let status = Status::read(&self.status)?;
        Ok(match (&*self.action, status) {
            // Credit stays with Paddle, for the next transaction.
            ("credit" | "credit_reverse", _) | ("refund", Status::Pending) => Meaning::Nothing,
            ("refund", Status::Approved) => Meaning::Refund(RefundState::Succeeded),
            ("refund", Status::Rejected | Status::Reversed) => Meaning::Refund(RefundState::Failed),
            ("chargeback", Status::Approved) => Meaning::Dispute(DisputeState::Lost),
            ("chargeback", Status::Reversed) | ("chargeback_reverse", Status::Approved) => {
                Meaning::Dispute(DisputeState::Won)
            }
            ("chargeback_warning", Status::Approved) => Meaning::Dispute(DisputeState::Inquiry),
            ("chargeback_warning", Status::Reversed)
            | ("chargeback_warning_reverse", Status::Approved) => {
                Meaning::Dispute(DisputeState::InquiryClosed)
            }
            (action, _) if BY_THE_BANK.contains(&action) => {
                return Err(Unclear::word("data.status", &self.status));
            }
            (action, _) => return Err(Unclear::word("data.action", action)),
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
    fn read(word: &str) -> Result<Self, Unclear> {
        Ok(match word {
            "pending_approval" => Self::Pending,
            "approved" => Self::Approved,
            "rejected" => Self::Rejected,
            "reversed" => Self::Reversed,
            other => return Err(Unclear::word("data.status", other)),
        })
    }
}

/// Nobody approves these: they are, or they were reversed.
const BY_THE_BANK: &[&str] = &[
    "chargeback",
    "chargeback_reverse",
    "chargeback_warning",
    "chargeback_warning_reverse",
];
