//! Long journals: checkpoint and index of what left the record are written before the record
//! that rests on them.

use crate::actors::{now, seam, sends};
use crate::seam::{SENDER_KEEPS, Seam, explore};
use crate::support::{at, at_once, customer, entry, event_of, paid};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::ObjectId;
use domain::payment::snapshot::{RefundSnapshot, RefundState};
use domain::record::closed_objects::LONG_JOURNAL;
use domain::record::{Entry, Record};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::folding::fold;
use store::ingest::append_or_park;
use store::items::CLOSED;
use store::memory::{MemoryTable, Paging, TableState};
use store::{Item, Key};

pub(crate) fn seams() -> Vec<Seam> {
    let told = |case, base: TableState, senders| Seam {
        nets: SENDER_KEEPS.to_vec(),
        law: index_names_what_left,
        most_runs: 40,
        ..seam(case, base, senders)
    };
    let count = LONG_JOURNAL as usize + 12;
    let one_more = paid(1, count + 1);
    vec![
        told(
            "one more payment, and one a little late",
            long(count),
            vec![
                sends("one more", std::slice::from_ref(&one_more)),
                sends("late", &[late(count)]),
            ],
        ),
        told(
            "two payments at once",
            long(count),
            vec![
                sends("one more", &[one_more]),
                sends("another", &[paid(1, count + 2)]),
            ],
        ),
        told(
            "the one with which a journal becomes long",
            long(LONG_JOURNAL as usize - 1),
            vec![sends("one more", &[paid(1, count)])],
        ),
        told(
            "a refund of what left long ago",
            long(count),
            vec![sends("refunds", &[refund_of(3)])],
        ),
    ]
}

/// A customer who paid so often, in order, all of it folded.
fn long(count: usize) -> TableState {
    let table = MemoryTable::new(TableState::with_paging(Paging::AtMost(100)));
    for n in 0..count {
        at_once(append_or_park(&table, &entry(paid(1, n), "before"))).unwrap();
    }
    at_once(fold(&table, &customer(1), vec![], now())).unwrap();
    let mut state = table.state();
    state.changes.clear();
    state
}

/// A payment a few seconds before the last ones.
fn late(count: usize) -> NormalizedEvent {
    let mut late = paid(1, count - 3);
    late.id = domain::ids::EventId::parse("stripe/test/evt_late").unwrap();
    if let Some(Fact::Payment(paid)) = late.facts.first_mut() {
        paid.ids = vec![ObjectId::parse("pi_late").unwrap()];
    }
    late
}

fn refund_of(n: usize) -> NormalizedEvent {
    let seen = RefundSnapshot {
        id: ObjectId::parse("re_1").unwrap(),
        payment: vec![ObjectId::parse(format!("pi_{n}")).unwrap()],
        amount: domain::money::StatedAmount::in_currency_of_payment(400),
        tax_minor: None,
        state: RefundState::Succeeded,
        created_at: at(1),
    };
    event_of(
        1,
        "stripe/test/evt_re".into(),
        at(1),
        vec![Fact::Refund(seen)],
    )
}

/// Where a record says that the index is whole, it names all payments that left the record.
fn index_names_what_left(_: &TableState, table: &TableState) -> Result<(), String> {
    let Some(Item::Record(record)) = table.peek(&Key::record(&customer(1))) else {
        return Err("no record".into());
    };
    if !record.closed_index {
        return Ok(());
    }
    let partition = Key::record(&customer(1)).partition;
    let named: BTreeSet<u64> = table
        .with_prefix(&partition, CLOSED)
        .flat_map(|item| match item {
            Item::ClosedBucket(bucket) => bucket.hashes.clone(),
            _ => BTreeSet::new(),
        })
        .collect();
    let journal: Vec<Arc<Entry>> = table
        .with_prefix(&partition, "journal#")
        .filter_map(|item| match item {
            Item::Entry(_, entry) => Some(entry.clone()),
            _ => None,
        })
        .filter(|entry| is_folded(record, entry))
        .collect();
    let left = record.objects_left(record, &journal);
    match left
        .iter()
        .find(|object| !named.contains(&object.short_hash()))
    {
        Some(object) => Err(format!("{object} left the record and is not in the index")),
        None => Ok(()),
    }
}

/// Whether the record has it: those that it may not have came last.
fn is_folded(record: &Record, entry: &Entry) -> bool {
    record.remembers(entry.digest) || entry.receipt == "before".into()
}

#[test]
fn a_long_journal_is_never_folded_on_what_is_not_written_yet() {
    explore("long journals", &seams());
}
