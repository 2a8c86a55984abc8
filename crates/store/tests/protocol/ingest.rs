//! From an authentic event to a journal entry: appended once, or parked until somebody knows
//! whose it is, wherever a process crashes.

use crate::support::{about, at, customer, empty, entry, event_of, naming, object, record};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::Reference;
use std::slice::from_ref;
use store::folding::{read_journal, read_record};
use store::ingest::{AppendOutcome, ingest_entries, retry_parked};
use store::items::{PARKED, ParkedEntry, reference_partition};
use store::memory::{Crash, Fault, MemoryTable};
use store::{StoreError, Table};

async fn deliver(
    table: &MemoryTable,
    event: NormalizedEvent,
    receipt: &str,
) -> Result<AppendOutcome, StoreError> {
    let verdicts = ingest_entries(table, &[entry(event, receipt)], at(1)).await?;
    Ok(verdicts[0])
}

async fn journal(table: &MemoryTable, n: usize) -> Vec<String> {
    let entries = read_journal(table, &customer(n)).await.unwrap();
    entries
        .iter()
        .map(|entry| entry.event.id.to_string())
        .collect()
}

async fn parked(table: &MemoryTable, reference: &Reference) -> usize {
    let partition = reference_partition(reference);
    let rows: Vec<ParkedEntry> = table.query_rows(&partition, PARKED).await.unwrap();
    rows.len()
}

#[tokio::test]
async fn an_event_is_appended_once_however_often_it_comes() {
    let table = MemoryTable::default();
    let mut verdicts = Vec::new();
    for receipt in ["1", "2", "3"] {
        verdicts.push(deliver(&table, empty(1, 1), receipt).await.unwrap());
    }
    assert_eq!(
        verdicts,
        [
            AppendOutcome::Appended,
            AppendOutcome::Repeated,
            AppendOutcome::Repeated
        ]
    );
    assert_eq!(journal(&table, 1).await.len(), 1);
    assert_eq!(record(&table, 1).await.folded.count, 1);
}

#[tokio::test]
async fn a_retry_of_an_append_whose_answer_was_lost_is_new() {
    let table = MemoryTable::default();
    let process = table.process();
    process.set_faults(|_| Fault::LoseAnswer);
    assert!(deliver(&process, empty(1, 1), "1").await.is_err());
    let again = deliver(&table, empty(1, 1), "1").await;
    assert_eq!(again, Ok(AppendOutcome::Appended), "by its receipt");
    assert_eq!(record(&table, 1).await.folded.count, 1);
}

#[tokio::test]
async fn what_may_not_be_durable_is_an_error() {
    let table = MemoryTable::default();
    table.set_faults(|_| Fault::Fail(StoreError::Throttled));
    let answer = deliver(&table, empty(1, 1), "1").await;
    assert_eq!(answer, Err(StoreError::Throttled));
    assert!(table.items().is_empty());
}

#[tokio::test]
async fn once_it_is_durable_a_fold_that_fails_is_no_error() {
    let table = MemoryTable::default();
    let process = table.process();
    let crash = Crash {
        after: 1,
        answer_lost: false,
    };
    process.set_faults(crash.faults());
    let answer = deliver(&process, empty(1, 1), "1").await;
    assert_eq!(answer, Ok(AppendOutcome::Appended));
    assert_eq!(read_record(&table, &customer(1)).await, Ok(None));
}

#[tokio::test]
async fn each_entry_of_a_request_has_its_verdict_in_order() {
    let table = MemoryTable::default();
    deliver(&table, empty(1, 2), "0").await.unwrap();
    let parked = about(empty(9, 3), &[&object("in_9")]);
    let events = [empty(1, 1), empty(1, 2), parked, empty(2, 4)];
    let entries = events.map(|event| entry(event, "1"));
    let verdicts = ingest_entries(&table, &entries, at(1)).await.unwrap();
    let expected = [
        AppendOutcome::Appended,
        AppendOutcome::Repeated,
        AppendOutcome::Parked,
        AppendOutcome::Appended,
    ];
    assert_eq!(verdicts, expected);
    assert_eq!(record(&table, 1).await.folded.count, 2);
    assert_eq!(record(&table, 2).await.folded.count, 1);
}

#[tokio::test]
async fn what_names_nobody_we_know_is_parked_under_all_that_it_names() {
    let table = MemoryTable::default();
    let (one, other) = (object("in_1"), object("sub_1"));
    let event = about(empty(1, 1), &[&one, &other]);
    for (receipt, verdict) in [("1", AppendOutcome::Parked), ("2", AppendOutcome::Repeated)] {
        assert_eq!(deliver(&table, event.clone(), receipt).await, Ok(verdict));
        assert_eq!(parked(&table, &one).await, 1);
        assert_eq!(parked(&table, &other).await, 1);
    }
}

#[tokio::test]
async fn what_names_an_object_we_know_goes_to_its_customer_and_is_not_parked() {
    let table = MemoryTable::default();
    let invoice = object("in_1");
    deliver(&table, naming(empty(1, 1), &[&invoice]), "1")
        .await
        .unwrap();
    table.take_requests();
    let event = about(empty(1, 2), &[&invoice]);
    assert_eq!(
        deliver(&table, event, "2").await,
        Ok(AppendOutcome::Appended)
    );
    assert_eq!(table.take_requests(), ["query", "put", "get", "put"]);
    assert_eq!(
        (
            journal(&table, 1).await.len(),
            parked(&table, &invoice).await
        ),
        (2, 0)
    );
}

#[tokio::test]
async fn what_was_parked_under_an_object_is_handed_over_when_the_object_is_known() {
    let table = MemoryTable::default();
    let (invoice, charge) = (object("in_1"), object("ch_1"));
    let event = about(empty(1, 2), &[&invoice, &charge]);
    deliver(&table, event, "1").await.unwrap();
    deliver(&table, naming(empty(1, 1), &[&charge]), "2")
        .await
        .unwrap();
    assert_eq!(journal(&table, 1).await.len(), 2);
    assert_eq!(record(&table, 1).await.folded.count, 2);
    assert_eq!(
        (
            parked(&table, &invoice).await,
            parked(&table, &charge).await
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn parked_entries_bring_along_what_is_parked_under_what_they_name() {
    let table = MemoryTable::default();
    let chain: Vec<Reference> = (0..6).map(|n| object(&format!("o_{n}"))).collect();
    for n in (0..5_usize).rev() {
        let event = naming(
            about(empty(1, 2 + n as i64), &[&chain[n]]),
            &[&chain[n + 1]],
        );
        deliver(&table, event, "1").await.unwrap();
    }
    deliver(&table, naming(empty(1, 1), &[&chain[0]]), "2")
        .await
        .unwrap();
    assert_eq!(record(&table, 1).await.folded.count, 6);
}

#[tokio::test]
async fn who_came_first_an_event_or_its_alias_makes_no_difference() {
    let invoice = object("in_1");
    let known = naming(empty(1, 1), &[&invoice]);
    let told = about(empty(1, 2), &[&invoice]);
    let mut records = Vec::new();
    for order in [[known.clone(), told.clone()], [told, known]] {
        let table = MemoryTable::default();
        for event in order {
            deliver(&table, event, "1").await.unwrap();
        }
        records.push(record(&table, 1).await.folded.clone());
    }
    assert_eq!(records[0], records[1]);
}

#[tokio::test]
async fn what_names_a_shared_reference_reaches_all_behind_it_and_stays_for_later_ones() {
    let table = MemoryTable::default();
    let code = Reference::code("spring").unwrap();
    for n in 1..3 {
        deliver(&table, naming(empty(n, n as i64), &[&code]), "1")
            .await
            .unwrap();
    }
    let event = about(empty(9, 9), &[&code]);
    assert_eq!(
        deliver(&table, event.clone(), "2").await,
        Ok(AppendOutcome::Appended)
    );
    deliver(&table, naming(empty(3, 3), &[&code]), "3")
        .await
        .unwrap();
    for n in 1..4 {
        assert_eq!(record(&table, n).await.folded.count, 2, "customer {n}");
    }
    assert_eq!(parked(&table, &code).await, 1);
    assert_eq!(
        deliver(&table, event, "4").await,
        Ok(AppendOutcome::Repeated)
    );
}

#[tokio::test]
async fn what_waits_for_an_api_is_handed_to_nobody() {
    let table = MemoryTable::default();
    let waiting = object("waiting");
    deliver(&table, naming(empty(1, 1), &[&waiting]), "1")
        .await
        .unwrap();
    let fact = Fact::Waiting {
        what: "a payment".into(),
    };
    let event = about(
        event_of(1, "stripe/test/w".into(), at(2), vec![fact]),
        &[&waiting],
    );
    let entry = entry(event, "2");
    table.take_requests();
    assert_eq!(retry_parked(&table, &entry).await, Ok(vec![]));
    assert!(table.take_requests().is_empty());
}

#[tokio::test]
async fn a_parked_entry_is_offered_again_and_handed_over_once() {
    let table = MemoryTable::default();
    let invoice = object("in_1");
    let late = entry(about(empty(1, 2), &[&invoice]), "1");
    ingest_entries(&table, from_ref(&late), at(1))
        .await
        .unwrap();
    assert_eq!(retry_parked(&table, &late).await, Ok(vec![]));
    // Its customer names it, and dies after the alias: nobody looked for what is parked.
    let process = table.process();
    let crash = Crash {
        after: 4,
        answer_lost: false,
    };
    process.set_faults(crash.faults());
    deliver(&process, naming(empty(1, 1), &[&invoice]), "2")
        .await
        .unwrap();
    assert_eq!(parked(&table, &invoice).await, 1);
    assert_eq!(retry_parked(&table, &late).await, Ok(vec![customer(1)]));
    assert_eq!(retry_parked(&table, &late).await, Ok(vec![]));
    assert_eq!(
        (
            journal(&table, 1).await.len(),
            parked(&table, &invoice).await
        ),
        (2, 0)
    );
}

#[tokio::test]
async fn wherever_a_receiver_crashes_a_retry_ends_as_if_it_had_not() {
    let invoice = object("in_1");
    let told = about(empty(1, 2), &[&invoice]);
    let known = naming(empty(1, 1), &[&invoice]);
    let whole = MemoryTable::default();
    for event in [&told, &known] {
        deliver(&whole, event.clone(), "1").await.unwrap();
    }
    let mut crashes = 0;
    for after in 0..40 {
        for answer_lost in [false, true] {
            let table = MemoryTable::default();
            let process = table.process();
            process.set_faults(Crash { after, answer_lost }.faults());
            for event in [&told, &known] {
                crashes += u32::from(deliver(&process, event.clone(), "1").await.is_err());
            }
            for event in [&told, &known] {
                deliver(&table, event.clone(), "1").await.unwrap();
            }
            // What was durable and not folded is the audit's.
            store::audit::walk(&table, 9, at(2)).await.unwrap();
            let folded = record(&table, 1).await;
            assert_eq!(
                folded.folded,
                record(&whole, 1).await.folded,
                "{after} {answer_lost}"
            );
            assert!(folded.pending.is_empty());
            assert_eq!(parked(&table, &invoice).await, 0, "{after} {answer_lost}");
        }
    }
    assert!(crashes > 5);
}
