//! From journal to record: one conditional write decides, and what follows from it is put by
//! whoever sees it.

use crate::support::{
    at, at_once, customer, empty, ended, entry, event_of, ingest, naming, object, on_trial, record,
    subscribed,
};
use domain::letter::Letter;
use domain::record::Entry;
use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use store::audit::walk;
use store::folding::{FoldStatus, fold, fold_or_leave, read_journal, read_record, replan};
use store::ingest::{append_or_park, ingest_entries};
use store::items::RECORD;
use store::letters::{LetterRow, LetterState};
use store::memory::{Crash, Fault, MemoryTable, TableRequest};
use store::{Key, StoreError, Table};

/// Appends an entry and does not fold it.
async fn append(table: &MemoryTable, n: usize, moment: i64) -> Arc<Entry> {
    let entry = entry(empty(n, moment), "r");
    append_or_park(table, &entry).await.unwrap();
    entry
}

/// A process before whose n-th writes of a record, for n up to `times`, another event comes.
fn contended(table: &MemoryTable, times: u32) -> MemoryTable {
    let (process, other) = (table.process(), table.process());
    let count = AtomicU32::new(0);
    process.set_faults(move |request| {
        let is_record =
            matches!(request, TableRequest::Put(item, _) if &*item.key().sort == RECORD);
        if is_record {
            let n = count.fetch_add(1, Relaxed);
            if n < times {
                at_once(ingest(&other, empty(1, 100 + i64::from(n))));
            }
        }
        Fault::None
    });
    process
}

#[tokio::test]
async fn a_new_event_on_top_costs_a_read_and_a_write() {
    let table = MemoryTable::default();
    ingest(&table, empty(1, 1)).await;
    let new = append(&table, 1, 2).await;
    table.take_requests();
    let status = fold(&table, &customer(1), vec![new], at(3)).await;
    assert_eq!(status, Ok(FoldStatus::Done));
    assert_eq!(table.take_requests(), ["get", "put"]);
}

#[tokio::test]
async fn what_is_folded_already_costs_a_read() {
    let table = MemoryTable::default();
    ingest(&table, empty(1, 1)).await;
    let known = read_journal(&table, &customer(1)).await.unwrap();
    table.take_requests();
    fold(&table, &customer(1), known, at(3)).await.unwrap();
    assert_eq!(table.take_requests(), ["get"]);
}

#[tokio::test]
async fn an_event_out_of_order_reads_the_journal_after_the_record() {
    let table = MemoryTable::with_page(0);
    ingest(&table, empty(1, 5)).await;
    let new = append(&table, 1, 2).await;
    table.take_requests();
    fold(&table, &customer(1), vec![new], at(6)).await.unwrap();
    assert_eq!(table.take_requests(), ["get", "query", "put"]);
    assert_eq!(record(&table, 1).await.folded.count, 2);
}

#[tokio::test]
async fn with_nothing_given_the_whole_journal_is_folded() {
    let table = MemoryTable::with_page(2);
    for n in 0..5 {
        append(&table, 1, n).await;
    }
    fold(&table, &customer(1), vec![], at(6)).await.unwrap();
    assert_eq!(record(&table, 1).await.folded.count, 5);
}

#[tokio::test]
async fn every_order_of_appending_makes_the_same_record() {
    let mut records = Vec::new();
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let table = MemoryTable::default();
        for n in order {
            let event = [empty(1, 1), subscribed(1), ended(1)][n].clone();
            ingest(&table, event).await;
        }
        records.push(record(&table, 1).await.folded.clone());
    }
    assert!(records.iter().all(|record| *record == records[0]));
}

#[tokio::test]
async fn a_lost_race_begins_again_from_what_stands() {
    let table = MemoryTable::with_page(0);
    let process = contended(&table, 1);
    let new = append(&table, 1, 1).await;
    let status = fold(&process, &customer(1), vec![new], at(3)).await;
    assert_eq!(status, Ok(FoldStatus::Done));
    assert_eq!(record(&table, 1).await.folded.count, 2);
    // It lost against a record that holds a later event: so it reads the journal.
    assert_eq!(
        process.take_requests(),
        ["get", "put", "get", "query", "put"]
    );
}

#[tokio::test]
async fn a_race_that_is_lost_five_times_is_left_to_the_stream() {
    let table = MemoryTable::default();
    let process = contended(&table, 99);
    let new = append(&table, 1, 1).await;
    let status = fold(&process, &customer(1), vec![new.clone()], at(3)).await;
    assert_eq!(
        status,
        Ok(FoldStatus::Contended),
        "no error, and no throttling"
    );
    let written = process
        .take_requests()
        .into_iter()
        .filter(|name| *name == "put");
    assert_eq!(written.count(), 5);
    // The others read the journal on their way, or the stream does.
    fold_or_leave(&table, &customer(1), vec![new], at(3)).await;
    assert_eq!(record(&table, 1).await.folded.count, 6);
}

#[tokio::test]
async fn a_table_that_fails_is_told_of_as_it_failed() {
    let table = MemoryTable::default();
    let new = append(&table, 1, 1).await;
    table.set_faults(|_| Fault::Fail(StoreError::Throttled));
    let status = fold(&table, &customer(1), vec![new], at(3)).await;
    assert_eq!(status, Err(StoreError::Throttled));
}

#[tokio::test]
async fn what_follows_is_decided_with_the_record_then_put_then_cleared() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    let row: Option<Arc<LetterRow>> = table.get_row(key.clone()).await.unwrap();
    assert_eq!(row.unwrap().state, LetterState::Due);
    let writes: Vec<(String, usize)> = table
        .changes(0)
        .into_iter()
        .filter_map(|change| match change.item.unwrap() {
            Some(store::Item::Record(record)) => Some(("record".into(), record.pending.len())),
            Some(item) => Some((item.key().sort.to_string(), 0)),
            None => None,
        })
        .collect();
    let names: Vec<(&str, usize)> = writes.iter().map(|(k, n)| (&**k, *n)).collect();
    let expected = [
        ("journal#stripe/test/evt_sub_1", 0),
        ("record", 1),
        (&*key.sort, 0),
        ("record", 0),
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn what_a_crash_left_pending_is_put_by_the_next_who_looks() {
    for after in 2..6 {
        for answer_lost in [false, true] {
            let table = MemoryTable::default();
            let process = table.process();
            process.set_faults(Crash { after, answer_lost }.faults());
            ingest(&process, subscribed(1)).await;
            let Some(_) = read_record(&table, &customer(1)).await.unwrap() else {
                continue;
            };
            assert_eq!(
                replan(&table, &customer(1), at(1)).await,
                Ok(FoldStatus::Done)
            );
            assert!(
                record(&table, 1).await.pending.is_empty(),
                "{after} {answer_lost}"
            );
            let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
            assert!(
                table.get(key).await.unwrap().is_some(),
                "{after} {answer_lost}"
            );
        }
    }
}

#[tokio::test]
async fn a_customer_without_a_record_has_nothing_to_plan() {
    let table = MemoryTable::default();
    assert_eq!(
        replan(&table, &customer(1), at(1)).await,
        Ok(FoldStatus::Done)
    );
    assert_eq!(table.take_requests(), ["get"]);
}

#[tokio::test]
async fn what_was_planned_is_not_planned_again_before_its_moment() {
    let table = MemoryTable::default();
    ingest(&table, on_trial(1)).await;
    let before = record(&table, 1).await;
    assert!(before.next_due_at.is_some());
    table.take_requests();
    replan(&table, &customer(1), at(2)).await.unwrap();
    assert_eq!(table.take_requests(), ["get"]);
    assert_eq!(record(&table, 1).await, before);
}

#[tokio::test]
async fn a_record_that_was_lost_is_folded_again_to_the_same() {
    let table = MemoryTable::default();
    for event in [
        subscribed(1),
        ended(1),
        naming(empty(1, 3), &[&object("in_1")]),
    ] {
        ingest(&table, event).await;
    }
    let before = record(&table, 1).await;
    table.delete(Key::record(&customer(1))).await.unwrap();
    fold(&table, &customer(1), vec![], at(3)).await.unwrap();
    assert_eq!(record(&table, 1).await.folded, before.folded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deliveries_at_once_to_one_customer_end_in_one_record() {
    let table = MemoryTable::default().yielding();
    let deliveries = (0..30).map(|n| {
        let table = table.clone();
        tokio::spawn(async move {
            let event = event_of(1, format!("stripe/test/evt_{n}"), at(n % 7), vec![]);
            let entry = entry(event, "r");
            ingest_entries(&table, from_ref(&entry), at(9))
                .await
                .unwrap();
        })
    });
    for delivery in deliveries.collect::<Vec<_>>() {
        delivery.await.unwrap();
    }
    walk(&table, 9, at(9)).await.unwrap();
    let journal = read_journal(&table, &customer(1)).await.unwrap();
    let record = record(&table, 1).await;
    assert_eq!((journal.len(), record.folded.count), (30, 30));
}
