//! Faults are what they are called, each process's own.

use crate::support::acme;
use domain::ids::PartnerId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::memory::{Crash, Fault, MemoryTable};
use store::partners::{add, list};
use store::{Key, StoreError, Table};

async fn partners(table: &MemoryTable) -> usize {
    list(table).await.unwrap().len()
}

#[tokio::test]
async fn a_request_that_fails_is_not_done() {
    let table = MemoryTable::default();
    let process = table.process();
    process.set_faults(|_| Fault::Fail(StoreError::Throttled));
    assert_eq!(add(&process, &acme()).await, Err(StoreError::Throttled));
    assert_eq!(partners(&table).await, 0);
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_done() {
    let table = MemoryTable::default();
    let process = table.process();
    process.set_faults(|_| Fault::LoseAnswer);
    let answer = add(&process, &acme()).await;
    assert!(matches!(answer, Err(StoreError::NoAnswer(_))));
    assert_eq!(partners(&table).await, 1);
}

#[tokio::test]
async fn a_delayed_request_is_done_after_so_many_others() {
    for requests in 0..3 {
        let table = MemoryTable::default();
        let process = table.process();
        process.set_faults(move |_| Fault::Delay(requests));
        assert!(add(&process, &acme()).await.is_err());
        for later in 0..requests {
            let found = table.get(Key::partner(&acme())).await.unwrap();
            assert!(found.is_none(), "{later} of {requests}");
        }
        assert_eq!(partners(&table).await, 1, "after {requests}");
    }
}

#[tokio::test]
async fn what_is_delayed_can_be_done_at_will_and_is_done_once() {
    let table = MemoryTable::default();
    let process = table.process();
    process.set_faults(|_| Fault::Delay(1_000));
    assert!(add(&process, &acme()).await.is_err());
    assert_eq!(partners(&table).await, 0);
    table.apply_delayed();
    assert_eq!(partners(&table).await, 1);
    table.delete(Key::partner(&acme())).await.unwrap();
    table.apply_delayed();
    assert_eq!(partners(&table).await, 0);
}

#[tokio::test]
async fn a_late_write_is_still_bound_by_its_condition() {
    let table = MemoryTable::default();
    let process = table.process();
    process.set_faults(|_| Fault::Delay(1_000));
    assert!(add(&process, &acme()).await.is_err());
    assert!(add(&table, &acme()).await.unwrap());
    let before = table.state();
    table.apply_delayed();
    assert_eq!(table.state(), before);
    assert_eq!(table.changes(0).len(), 1);
}

#[tokio::test]
async fn a_process_that_crashed_makes_no_request_any_more() {
    for after in 0..4 {
        for answer_lost in [false, true] {
            let table = MemoryTable::default();
            let process = table.process();
            process.set_faults(Crash { after, answer_lost }.faults());
            let names = ["a", "b", "c", "d", "e"].map(|name| PartnerId::parse(name).unwrap());
            let mut answered = 0;
            for name in &names {
                answered += usize::from(add(&process, name).await.is_ok());
            }
            assert_eq!(answered, after);
            assert_eq!(partners(&table).await, after + usize::from(answer_lost));
        }
    }
}

#[tokio::test]
async fn a_question_who_is_due_is_no_step_towards_a_crash() {
    let table = MemoryTable::default();
    let crash = Crash {
        after: 1,
        answer_lost: false,
    };
    table.set_faults(crash.faults());
    for shard in 0..8 {
        assert!(
            table
                .query_due(shard, crate::support::at(1), 9)
                .await
                .is_ok()
        );
    }
    assert!(add(&table, &acme()).await.is_ok());
    assert!(add(&table, &acme()).await.is_err());
}

#[tokio::test]
async fn faults_and_requests_are_each_processs_own() {
    let table = MemoryTable::default();
    let (one, other) = (table.process(), table.process());
    one.set_faults(|_| Fault::Fail(StoreError::Throttled));
    assert!(add(&one, &acme()).await.is_err());
    assert!(add(&other, &acme()).await.unwrap());
    assert_eq!(one.take_requests(), ["put"]);
    assert_eq!(other.take_requests(), ["put"]);
    assert!(table.take_requests().is_empty());
    one.clear_faults();
    assert_eq!(list(&one).await.unwrap().len(), 1);
    assert_eq!(one.take_requests(), ["query"]);
    assert!(one.take_requests().is_empty());
}

#[tokio::test]
async fn a_yielding_handle_lets_others_go_first() {
    let table = MemoryTable::default();
    let order = Arc::new(AtomicU32::new(0));
    let slow = table.yielding();
    let slow_order = order.clone();
    let first = tokio::spawn(async move {
        add(&slow, &acme()).await.unwrap();
        slow_order.fetch_add(1, Ordering::Relaxed)
    });
    let second = tokio::spawn(async move { order.fetch_add(1, Ordering::Relaxed) });
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 0));
}
