//! A payment that some events tell of without its customer, and others with it: whatever comes
//! first, and whoever dies in between, it is one payment of the customer's.

use crate::support::{acme, at, customer, disputed, entry, naming, object, paid, refunded, report};
use domain::event::{About, NormalizedEvent};
use domain::ids::CustomerKey;
use domain::partner::ledger::CommissionRow;
use domain::payment::snapshot::DisputeState;
use domain::record::{Entry, Record};
use std::sync::Arc;
use store::Table;
use store::audit::walk;
use store::folding::{read_journal, read_record};
use store::ingest::ingest_entries;
use store::items::{COMMISSION, ledger_partition};
use store::memory::{Crash, MemoryTable};

fn guest() -> CustomerKey {
    CustomerKey::parse("stripe/test/pi_1").unwrap()
}

/// As a guest's: its partition is the payment.
fn of_guest(event: NormalizedEvent) -> NormalizedEvent {
    NormalizedEvent {
        about: About::Customer(guest()),
        ..naming(event, &[&object("ch_1"), &object("pi_1")])
    }
}

/// The payment, the refund of it, and a later event that names the customer and the payment.
fn events() -> Vec<Arc<Entry>> {
    let mut again = naming(paid(1, 1), &[&object("pi_1"), &object("cs_1")]);
    again.id = domain::ids::EventId::parse("stripe/test/evt_cs_1").unwrap();
    [
        of_guest(paid(1, 1)),
        of_guest(refunded(1, 1, 400)),
        again,
        disputed(1, 1, DisputeState::Open),
        report(1),
    ]
    .map(|event| entry(event, "r"))
    .to_vec()
}

async fn settle(table: &MemoryTable) {
    for _ in 0..2 {
        walk(table, 99, at(9)).await.unwrap();
    }
    let found = walk(table, 99, at(9)).await.unwrap();
    assert_eq!((found.repaired, found.passed_over.count), (0, 0));
}

async fn read(table: &MemoryTable, of: &CustomerKey) -> Option<Arc<Record>> {
    read_record(table, of).await.unwrap()
}

async fn earned(table: &MemoryTable) -> i64 {
    let partition = ledger_partition(&acme());
    let rows: Vec<Arc<CommissionRow>> = table.query_rows(&partition, COMMISSION).await.unwrap();
    rows.iter().map(|row| row.amount.minor).sum()
}

async fn assert_one_payment(table: &MemoryTable, why: &str) {
    let record = read(table, &customer(1)).await.expect("a record");
    let payments = &record.folded.state.payments.open;
    assert_eq!(payments.len(), 1, "{why}");
    assert_eq!(payments[0].refunded_minor(), 400, "{why}");
    assert_eq!(payments[0].disputed_minor(), 1_000, "{why}");
    assert_eq!(
        read_journal(table, &customer(1)).await.unwrap().len(),
        5,
        "{why}"
    );
    assert_eq!(earned(table).await, 0, "{why}");
    let Some(guest) = read(table, &guest()).await else {
        panic!("{why}: the guest has a journal");
    };
    assert!(guest.folded.state.payments.open.is_empty(), "{why}");
    let known: Vec<&CustomerKey> = guest.folded.state.identified_as.iter().collect();
    assert_eq!(known, [&customer(1)], "{why}");
}

fn orders(of: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![vec![]];
    for n in 0..of {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |place| {
                    let mut order = order.clone();
                    order.insert(place, n);
                    order
                })
            })
            .collect();
    }
    orders
}

#[tokio::test]
async fn in_every_order_it_is_one_payment_refunded_and_disputed() {
    let events = events();
    for order in orders(events.len()) {
        let table = MemoryTable::without_attributes();
        for n in &order {
            ingest_entries(&table, &[events[*n].clone()], at(3))
                .await
                .unwrap();
        }
        assert_one_payment(&table, &format!("{order:?}")).await;
        settle(&table).await;
        assert_one_payment(&table, &format!("{order:?}, audited")).await;
    }
}

#[tokio::test]
async fn whoever_dies_at_whichever_request_the_audit_ends_it() {
    let events = events();
    let mut deaths = 0;
    for order in [[0, 1, 4, 2, 3], [2, 3, 4, 0, 1], [0, 2, 1, 3, 4]] {
        for after in 0..60 {
            let table = MemoryTable::without_attributes();
            let dying = table.process();
            dying.set_faults(
                Crash {
                    after,
                    answer_lost: after % 2 == 0,
                }
                .faults(),
            );
            let mut died = false;
            for n in order {
                let process = if died { &table } else { &dying };
                let taken = ingest_entries(process, &[events[n].clone()], at(3)).await;
                if taken.is_err() {
                    died = true;
                    // The sender tries again.
                    ingest_entries(&table, &[events[n].clone()], at(3))
                        .await
                        .unwrap();
                }
            }
            deaths += u32::from(died);
            settle(&table).await;
            assert_one_payment(&table, &format!("{order:?} {after}")).await;
        }
    }
    println!("{deaths} deaths before an answer");
    assert!(deaths > 30);
}

#[tokio::test]
async fn two_at_once_who_name_it_differently_end_alike() {
    let events = events();
    let table = MemoryTable::without_attributes().yielding();
    let (one, other) = (table.process(), table.process());
    let (with, without) = (
        ingest_entries(&one, &events[2..], at(3)),
        ingest_entries(&other, &events[..2], at(3)),
    );
    let (with, without) = tokio::join!(with, without);
    with.unwrap();
    without.unwrap();
    settle(&table).await;
    assert_one_payment(&table, "two at once").await;
}

#[tokio::test]
async fn a_guest_who_stays_one_costs_what_any_customer_does() {
    let table = MemoryTable::with_page(0);
    let events = events();
    ingest_entries(&table, &[events[0].clone()], at(3))
        .await
        .unwrap();
    let requests = table.take_requests();
    // Two references, each with its alias and what waits under it.
    assert_eq!(
        requests,
        ["put", "get", "put", "put", "query", "put", "query", "put"]
    );
    ingest_entries(&table, &[events[1].clone()], at(3))
        .await
        .unwrap();
    assert_eq!(table.take_requests(), ["put", "get", "put"]);
}
