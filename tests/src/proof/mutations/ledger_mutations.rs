//! Laws of the ledger broken on purpose: what these mutants make of rows.

use super::mutants::Mutant;
use crate::proof::simulation::model_table::{TableAnswer, TableRequest};
use crate::proof::simulation::scheduler::Simulation;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::program::Reward;
use domain::payment::payments::Payment;
use domain::record::{Effect, Record};
use std::sync::Arc;
use store::{Item, Key};

/// What a mutant makes of a request.
pub(crate) fn alter_request(
    mutant: Mutant,
    world: &Simulation<'_>,
    op: TableRequest,
) -> TableRequest {
    match op {
        TableRequest::Put(Item::Record(record), when) => {
            let mut record = Record::clone(&record);
            alter_record(mutant, world, &mut record);
            TableRequest::Put(Item::Record(Arc::new(record)), when)
        }
        TableRequest::Put(Item::Commission(row), when) if mutant == Mutant::RowByDelivery => {
            let mut row = CommissionRow::clone(&row);
            row.n += world.deliveries * 1_000;
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

/// Changes the rows that this write decides.
fn alter_record(mutant: Mutant, world: &Simulation<'_>, record: &mut Record) {
    let before = match world.table.peek(&Key::record(&record.customer)) {
        Some(Item::Record(there)) => there.clone(),
        _ => Arc::new(Record::new(record.customer.clone())),
    };
    let mut pending = std::mem::take(&mut record.pending);
    let mut number = 0;
    pending.retain_mut(|effect| {
        let Effect::Commission(row) = effect else {
            return true;
        };
        if row.n < before.ledger.next_number {
            return true;
        }
        match mutant {
            Mutant::NumberAnew => {
                row.n = number;
                number += 1;
            }
            Mutant::RoundParts => round_part(&before, record, row),
            Mutant::EarnOnTax => earn_on_tax(record, row),
            _ => {}
        }
        mutant != Mutant::ForgetReversal || row.kind != RowKind::Reversal
    });
    record.pending = pending;
    if mutant == Mutant::NumberAnew {
        record.ledger.next_number = 0;
    }
}

/// What went back is rounded by itself, and not what is left.
fn round_part(before: &Record, record: &Record, row: &mut CommissionRow) {
    let (Some(payment), Some(all)) = (payment(record, row), row.base_minor) else {
        return;
    };
    let known = payment_in(before, payment);
    let so_far = |of: fn(&Payment) -> i64| known.map_or(0, of);
    let part = match row.kind {
        RowKind::Refund => all - so_far(Payment::refunded_minor),
        RowKind::Dispute => all - so_far(Payment::disputed_minor),
        RowKind::Commission | RowKind::Reversal => return,
    };
    let tax = payment.tax_minor().unwrap_or(0);
    if let (Some(Reward::BasisPoints(points)), Some(paid)) = (row.reward, payment.paid()) {
        let top = i64::from(points) * (paid.minor - tax) * part;
        row.amount.minor = -rounded(top, 10_000 * paid.minor);
    }
}

fn earn_on_tax(record: &Record, row: &mut CommissionRow) {
    let paid = payment(record, row).and_then(Payment::paid);
    if let (RowKind::Commission, Some(Reward::BasisPoints(points)), Some(paid)) =
        (row.kind, row.reward, paid)
    {
        row.amount.minor = rounded(i64::from(points) * paid.minor, 10_000);
    }
}

fn payment<'a>(record: &'a Record, row: &CommissionRow) -> Option<&'a Payment> {
    let mut open = record.folded.state.payments.open.iter();
    open.find(|payment| payment.ids.contains(&row.payment))
}

fn payment_in<'a>(record: &'a Record, of: &Payment) -> Option<&'a Payment> {
    let mut open = record.folded.state.payments.open.iter();
    open.find(|payment| !payment.ids.is_disjoint(&of.ids))
}

fn rounded(top: i64, bottom: i64) -> i64 {
    (2 * top + bottom).div_euclid(2 * bottom)
}
