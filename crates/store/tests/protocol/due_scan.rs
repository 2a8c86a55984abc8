//! The scan of who is due: the index says whom to read, and the record says what is due.

use crate::support::{acme, at, customer, ended, ingest, on_trial, paid, record, report};
use domain::event::Fact;
use domain::letter::Letter;
use store::due_scan::scan_due;
use store::memory::{Fault, MemoryTable, TableRequest};
use store::notice_endpoints::set;
use store::notices::clear_due;
use store::port::query_all;
use store::{Key, StoreError, Table};

/// A day before a trial of thirty days ends its letter is due, at the latest.
const ENDING: i64 = 29 * 24;

async fn letters(table: &MemoryTable, n: usize) -> usize {
    let key = Key::letter(&customer(n), Letter::TrialEnding, "");
    let letters = query_all(table, &key.partition, "letter#trial_ending");
    letters.await.unwrap().len()
}

#[tokio::test]
async fn a_moment_that_has_not_come_costs_a_question_in_each_shard() {
    let table = MemoryTable::default();
    ingest(&table, on_trial(1)).await;
    table.take_requests();
    let report = scan_due(&table, 9, at(2)).await.unwrap();
    assert_eq!((report.customers, report.complete), (0, true));
    assert_eq!(table.take_requests(), ["due"; 8]);
}

#[tokio::test]
async fn what_falls_due_by_time_alone_is_put_when_its_moment_comes() {
    let table = MemoryTable::default();
    ingest(&table, on_trial(1)).await;
    assert_eq!(letters(&table, 1).await, 0);
    let report = scan_due(&table, 9, at(ENDING)).await.unwrap();
    assert_eq!((report.customers, report.passed_over.count), (1, 0));
    assert_eq!(letters(&table, 1).await, 1);
    let again = scan_due(&table, 9, at(ENDING)).await.unwrap();
    assert_eq!(again.customers, 0, "it has left the index");
}

#[tokio::test]
async fn whoever_ended_before_is_not_written_to() {
    let table = MemoryTable::default();
    ingest(&table, on_trial(1)).await;
    ingest(&table, ended(1)).await;
    scan_due(&table, 9, at(ENDING)).await.unwrap();
    assert_eq!(letters(&table, 1).await, 0);
}

#[tokio::test]
async fn a_hint_that_is_out_of_date_comes_to_nothing() {
    let table = MemoryTable::default();
    ingest(&table, on_trial(1)).await;
    let stale = record(&table, 1).await;
    ingest(&table, ended(1)).await;
    let behind = table.process();
    let key = Key::record(&stale.customer);
    // What the index named before it caught up: the customer is read, and nothing follows.
    let before = record(&table, 1).await;
    store::folding::replan(&behind, &stale.customer, at(ENDING))
        .await
        .unwrap();
    assert_eq!(letters(&table, 1).await, 0);
    assert_eq!(record(&table, 1).await, before);
    assert!(table.get(key).await.unwrap().is_some());
}

#[tokio::test]
async fn a_scan_is_bounded_and_says_that_there_is_more() {
    let table = MemoryTable::default();
    for n in 0..40 {
        ingest(&table, on_trial(n)).await;
    }
    let mut customers = 0;
    for _ in 0..40 {
        let report = scan_due(&table, 1, at(ENDING)).await.unwrap();
        customers += report.customers;
        assert!(report.customers <= 8);
        if report.complete {
            break;
        }
    }
    assert_eq!(customers, 40);
    for n in 0..40 {
        assert_eq!(letters(&table, n).await, 1);
    }
}

#[tokio::test]
async fn one_whose_record_others_keep_writing_stays_due_and_stops_nobody() {
    let table = MemoryTable::default();
    for n in 0..3 {
        ingest(&table, on_trial(n)).await;
    }
    let process = table.process();
    let other = table.process();
    let busy = Key::record(&customer(1));
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Put(item, _) if item.key() == busy) {
            crate::support::at_once(ingest(&other, crate::support::empty(1, 1)));
        }
        Fault::None
    });
    let report = scan_due(&process, 9, at(ENDING)).await.unwrap();
    assert_eq!((report.customers, report.passed_over.count), (3, 1));
    assert_eq!((letters(&table, 0).await, letters(&table, 2).await), (1, 1));
}

#[tokio::test]
async fn a_table_that_does_not_answer_ends_the_scan_and_leaves_the_rest_due() {
    let table = MemoryTable::default();
    for n in 0..9 {
        ingest(&table, on_trial(n)).await;
    }
    let process = table.process();
    process.set_faults(|request| match request {
        TableRequest::Get(_) => Fault::Fail(StoreError::Throttled),
        _ => Fault::None,
    });
    let scanned = scan_due(&process, 9, at(ENDING)).await;
    assert_eq!(scanned, Err(StoreError::Throttled));
    let asked = process.take_requests();
    let reads = asked.iter().filter(|request| **request == "get").count();
    assert_eq!(reads, 5, "so many failures in a row are enough");
    assert_eq!(scan_due(&table, 9, at(ENDING)).await.unwrap().customers, 9);
}

#[tokio::test]
async fn a_row_with_more_to_tell_is_named_until_it_was_handed_over() {
    let table = MemoryTable::default();
    ingest(&table, report(1)).await;
    ingest(&table, paid(1, 1)).await;
    set(&table, &acme(), "https://acme.example/", at(0))
        .await
        .unwrap();
    for _ in 0..2 {
        let due = scan_due(&table, 9, at(2)).await.unwrap().due_notices;
        assert_eq!(
            due.len(),
            2,
            "what the partner earned, and how its report stands"
        );
    }
    for state in scan_due(&table, 9, at(2)).await.unwrap().due_notices {
        clear_due(&table, &state).await.unwrap();
    }
    assert!(
        scan_due(&table, 9, at(2))
            .await
            .unwrap()
            .due_notices
            .is_empty()
    );
}

#[tokio::test]
async fn a_record_asks_to_be_looked_at_for_the_first_of_its_moments() {
    let table = MemoryTable::default();
    ingest(&table, on_trial(1)).await;
    let mut later = on_trial(2);
    later.about = on_trial(1).about;
    for fact in &mut later.facts {
        if let Fact::Subscription(seen) = fact {
            seen.terms.trial.as_mut().unwrap().end = at(60 * 24);
        }
    }
    ingest(&table, later).await;
    let first = Some(at(27 * 24));
    assert_eq!(record(&table, 1).await.next_due_at, first);
}
