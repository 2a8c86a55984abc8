//! Effects and clearing: what follows from a record is put from it as written, by whoever sees
//! it, and cleared afterwards.

use crate::actors::{now, replans, seam, sends};
use crate::seam::{ALL_WHOLE, SENDER_KEEPS, Seam, explore};
use crate::support::{
    at, at_once, customer, empty, entry, naming, object, paid, refunded, report, subscribed,
};
use domain::event::NormalizedEvent;
use store::ingest::ingest_entries;
use store::memory::{Fault, MemoryTable, TableRequest, TableState};
use store::{Item, StoreError};

pub(crate) fn seams() -> Vec<Seam> {
    let first = naming(subscribed(1), &[&object("in_1"), &object("sub_1")]);
    let earns = || owing(&[report(1)], &paid(1, 1));
    vec![
        Seam {
            nets: ALL_WHOLE.to_vec(),
            together: ALL_WHOLE.to_vec(),
            ..seam(
                "a letter and two aliases, and two who put them",
                owing(&[], &first),
                vec![
                    replans("stream", customer(1)),
                    replans("audit", customer(1)),
                ],
            )
        },
        Seam {
            nets: ALL_WHOLE.to_vec(),
            together: ALL_WHOLE.to_vec(),
            ..seam(
                "rows of a partner's ledger, and two who put them",
                earns(),
                vec![
                    replans("stream", customer(1)),
                    replans("audit", customer(1)),
                ],
            )
        },
        Seam {
            nets: SENDER_KEEPS.to_vec(),
            together: SENDER_KEEPS.to_vec(),
            ..seam(
                "rows of a partner's ledger, and an event that makes more",
                earns(),
                vec![
                    replans("stream", customer(1)),
                    sends("refunds", &[refunded(1, 1, 400)]),
                ],
            )
        },
        Seam {
            nets: SENDER_KEEPS.to_vec(),
            together: SENDER_KEEPS.to_vec(),
            ..seam(
                "two payments that earn, one of them late",
                owing(&[report(1), empty(1, 9)], &paid(1, 1)),
                vec![
                    sends("pays", &[paid(1, 2)]),
                    sends("refunds", &[refunded(1, 1, 400)]),
                ],
            )
        },
    ]
}

/// After these events, and one of which the record was written and no more.
fn owing(before: &[NormalizedEvent], last: &NormalizedEvent) -> TableState {
    let table = MemoryTable::without_attributes();
    for event in before {
        let entries = [entry(event.clone(), "before")];
        at_once(ingest_entries(&table, &entries, at(1))).unwrap();
    }
    let dies = table.process();
    let mut is_written = false;
    dies.set_faults(move |request| {
        if is_written {
            return Fault::Fail(StoreError::NoAnswer("the process crashed".into()));
        }
        is_written = matches!(request, TableRequest::Put(Item::Record(_), _));
        Fault::None
    });
    let entries = [entry(last.clone(), "last")];
    at_once(ingest_entries(&dies, &entries, now())).unwrap();
    let state = table.state();
    let owes = |item: &Item| matches!(item, Item::Record(record) if record.owes());
    assert!(state.items().any(owes), "it was to owe something");
    state
}

#[test]
fn what_a_record_owes_is_put_before_it_is_cleared_and_once() {
    explore("effects", &seams());
}
