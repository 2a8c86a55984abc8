//! What the mutations of the ledger make of rows.

use crate::proof::simulation::mutant::Mutant;
use crate::proof::simulation::state::Simulation;
use domain::partner::ledger::CommissionRow;
use domain::record::{Effect, Record};
use std::sync::Arc;
use store::memory::{TableAnswer, TableRequest};
use store::{Item, Key};

/// What a mutant makes of a request.
pub(crate) fn alter_request(
    mutant: Mutant,
    simulation: &Simulation<'_>,
    op: TableRequest,
) -> TableRequest {
    match op {
        TableRequest::Put(Item::Record(record), when) if mutant == Mutant::NumberAnew => {
            let mut record = Record::clone(&record);
            number_anew(simulation, &mut record);
            TableRequest::Put(Item::Record(Arc::new(record)), when)
        }
        TableRequest::Put(Item::Commission(row), when) if mutant == Mutant::RowByDelivery => {
            let mut row = CommissionRow::clone(&row);
            row.n += simulation.deliveries * 1_000;
            TableRequest::Put(Item::Commission(Arc::new(row)), when)
        }
        op => op,
    }
}

/// What a mutant makes of an answer.
pub(crate) fn alter_answer(mutant: Mutant, answer: TableAnswer) -> TableAnswer {
    match answer {
        TableAnswer::Page(mut page) if mutant == Mutant::RowsUnread => {
            page.items
                .retain(|item| !matches!(item, Item::Commission(_)));
            TableAnswer::Page(page)
        }
        answer => answer,
    }
}

/// Numbers the rows that this write decides from the beginning.
fn number_anew(simulation: &Simulation<'_>, record: &mut Record) {
    let next_number = match simulation.table.peek(&Key::record(&record.customer)) {
        Some(Item::Record(before)) => before.ledger.next_number,
        _ => Record::new(record.customer.clone()).ledger.next_number,
    };
    let mut number = 0;
    for effect in &mut record.pending {
        if let Effect::Commission(row) = effect
            && row.n >= next_number
        {
            row.n = number;
            number += 1;
        }
    }
    record.ledger.next_number = 0;
}
