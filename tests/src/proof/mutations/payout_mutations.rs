//! What the mutations of payouts make of what a payout reads.

use crate::proof::simulation::mutant::Mutant;
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::Payout;
use jiff::{Timestamp, ToSpan};
use std::sync::Arc;
use store::Item;
use store::memory::TableAnswer;

/// What a process that pays reads.
pub(crate) fn alter_answer(mutant: Mutant, answer: TableAnswer) -> TableAnswer {
    match answer {
        TableAnswer::Page(mut page) => {
            for item in &mut page.items {
                alter_item(mutant, item);
            }
            TableAnswer::Page(page)
        }
        answer => answer,
    }
}

fn alter_item(mutant: Mutant, item: &mut Item) {
    match (mutant, item) {
        (Mutant::PayUnreleased, Item::Commission(row)) => {
            let mut released = CommissionRow::clone(row);
            released.releases_at = Timestamp::UNIX_EPOCH;
            *row = Arc::new(released);
        }
        (Mutant::PaySuspected, Item::Commission(row)) => {
            let mut cleared = CommissionRow::clone(row);
            cleared.self_referral_signal = None;
            *row = Arc::new(cleared);
        }
        // Each payout seems to be of the day before, and to have paid nothing.
        (Mutant::PayDayAgain, Item::Payout(payout)) => {
            let mut earlier = Payout::clone(payout);
            earlier.date = earlier.date.saturating_sub(1.day());
            earlier.amounts.clear();
            *payout = Arc::new(earlier);
        }
        _ => {}
    }
}
