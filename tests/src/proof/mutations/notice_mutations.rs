//! What the mutations of notices make of what `partner-notice` and the shop are told.

use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::mutant::Mutant;
use jiff::{SignedDuration, Timestamp};
use runtime::post::PostOutcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Item;
use store::memory::TableAnswer;
use store::notices::DeliveryState;

/// The clock of `partner-notice`: long after every hold, where a release is to be told early.
pub(crate) fn alter_clock(mutant: Mutant, now: Timestamp) -> Timestamp {
    match mutant {
        Mutant::NotifyEarly => now + SignedDuration::from_hours(24 * 400),
        _ => now,
    }
}

/// What a partner answered: that it accepted, where a failure is to be recorded as a delivery.
pub(crate) fn alter_outcome(mutant: Mutant, outcome: PostOutcome) -> PostOutcome {
    match (mutant, outcome) {
        (Mutant::RecordUndelivered, PostOutcome::Failed { .. }) => PostOutcome::Accepted,
        (_, outcome) => outcome,
    }
}

/// What a process reads.
pub(crate) fn alter_answer(mutant: Mutant, role: ProcessRole, answer: TableAnswer) -> TableAnswer {
    match (mutant, role, answer) {
        (
            Mutant::NotifyTwice,
            ProcessRole::Notice(_),
            TableAnswer::Item(Some(Item::DeliveryState(state))),
        ) => {
            let forgotten = DeliveryState {
                delivered: BTreeMap::new(),
                ..DeliveryState::clone(&state)
            };
            TableAnswer::Item(Some(Item::DeliveryState(Arc::new(forgotten))))
        }
        // Whoever enables an endpoint looks for what it missed, and finds no row.
        (Mutant::EnableWithoutMissed, ProcessRole::Endpoint(_), TableAnswer::Page(mut page)) => {
            page.items.clear();
            TableAnswer::Page(page)
        }
        (_, _, answer) => answer,
    }
}
