//! A letter's claim: one owner at most, on a plan that still stands, and never twice.

use crate::support::{at, at_once, customer, empty, ended, ingest, subscribed};
use domain::letter::Letter;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use store::letters::{ClaimOutcome, LEASE, LetterRow, LetterState, SendTask, claim, transition};
use store::memory::{Crash, Fault, MemoryTable, TableRequest};
use store::{Key, StoreError, Table};

async fn row(table: &MemoryTable) -> Arc<LetterRow> {
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    table.get_row(key).await.unwrap().unwrap()
}

async fn due() -> (MemoryTable, SendTask) {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let task = SendTask::of(&*row(&table).await);
    (table, task)
}

/// In one word.
async fn outcome(table: &MemoryTable, task: &SendTask, owner: &str, now: Timestamp) -> String {
    match claim(table, task, owner, now).await.unwrap() {
        ClaimOutcome::Claimed { .. } => "claimed".into(),
        ClaimOutcome::Busy => "busy".into(),
        ClaimOutcome::Done(state) => state.name().into(),
    }
}

#[tokio::test]
async fn a_due_letter_is_claimed_in_two_reads_and_a_transaction() {
    let (table, task) = due().await;
    table.take_requests();
    let claimed = claim(&table, &task, "one", at(1)).await.unwrap();
    assert_eq!(table.take_requests(), ["get", "get", "transact"]);
    let ClaimOutcome::Claimed {
        row: claimed,
        record,
    } = claimed
    else {
        panic!("it was due");
    };
    assert_eq!(claimed, row(&table).await);
    assert_eq!(record.customer, customer(1));
    let state = LetterState::Claimed {
        owner: "one".into(),
        claimed_at: at(1),
    };
    assert_eq!(claimed.state, state);
}

#[tokio::test]
async fn what_one_has_claimed_is_nobody_elses() {
    let (table, task) = due().await;
    assert_eq!(outcome(&table, &task, "one", at(1)).await, "claimed");
    assert_eq!(outcome(&table, &task, "other", at(1)).await, "busy");
    assert_eq!(
        outcome(&table, &task, "one", at(1)).await,
        "busy",
        "a queue may repeat itself"
    );
}

#[tokio::test]
async fn of_many_at_once_one_claims() {
    let (table, task) = due().await;
    let table = table.yielding();
    let claims = (0..20).map(|n| {
        let (table, task) = (table.clone(), task.clone());
        tokio::spawn(async move { outcome(&table, &task, &n.to_string(), at(1)).await })
    });
    let mut claimed = 0;
    for claim in claims.collect::<Vec<_>>() {
        claimed += u32::from(claim.await.unwrap() == "claimed");
    }
    assert_eq!(claimed, 1);
}

#[tokio::test]
async fn a_claim_outlives_its_lease_by_nothing_and_is_never_sent_again() {
    let (table, task) = due().await;
    outcome(&table, &task, "one", at(1)).await;
    let last = at(1) + LEASE - jiff::SignedDuration::from_secs(1);
    assert_eq!(outcome(&table, &task, "other", last).await, "busy");
    assert_eq!(
        outcome(&table, &task, "other", at(1) + LEASE).await,
        "unknown"
    );
    assert_eq!(outcome(&table, &task, "other", at(2)).await, "unknown");
}

#[tokio::test]
async fn a_letter_that_nobody_asked_for_is_withdrawn_in_one_read() {
    let (table, mut task) = due().await;
    task.cause = "sub_9".into();
    table.take_requests();
    assert_eq!(outcome(&table, &task, "one", at(1)).await, "withdrawn");
    assert_eq!(table.take_requests(), ["get"]);
}

#[tokio::test]
async fn a_letter_whose_reason_is_gone_is_withdrawn() {
    let (table, task) = due().await;
    ingest(&table, ended(1)).await;
    assert_eq!(outcome(&table, &task, "one", at(2)).await, "withdrawn");
    assert_eq!(row(&table).await.state.name(), "withdrawn");
}

#[tokio::test]
async fn a_letter_whose_window_closed_is_withdrawn() {
    let (table, task) = due().await;
    assert_eq!(outcome(&table, &task, "one", at(8 * 24)).await, "withdrawn");
}

#[tokio::test]
async fn a_letter_without_a_record_waits_for_one() {
    let (table, task) = due().await;
    table.delete(Key::record(&customer(1))).await.unwrap();
    assert_eq!(outcome(&table, &task, "one", at(1)).await, "busy");
    assert_eq!(row(&table).await.state, LetterState::Due);
}

#[tokio::test]
async fn every_final_state_is_told_and_changes_no_more() {
    let finals = [
        LetterState::Sent {
            at: at(1),
            message_id: "m".into(),
        },
        LetterState::Withdrawn {
            at: at(1),
            reason: "r".into(),
        },
        LetterState::Failed {
            at: at(1),
            reason: "r".into(),
        },
        LetterState::Unknown { at: at(1) },
    ];
    for state in finals {
        let (table, task) = due().await;
        assert!(
            transition(&table, &*row(&table).await, state.clone())
                .await
                .unwrap()
        );
        table.take_requests();
        assert_eq!(outcome(&table, &task, "one", at(2)).await, state.name());
        assert_eq!(table.take_requests(), ["get"]);
        assert!(state.is_final());
    }
}

#[tokio::test]
async fn a_row_that_has_changed_since_it_was_read_does_not_move() {
    let (table, _) = due().await;
    let read = row(&table).await;
    let unknown = LetterState::Unknown { at: at(1) };
    assert!(transition(&table, &read, unknown.clone()).await.unwrap());
    let sent = LetterState::Sent {
        at: at(1),
        message_id: "m".into(),
    };
    assert!(!transition(&table, &read, sent).await.unwrap());
    assert_eq!(row(&table).await.state, unknown);
    assert!(
        transition(&table, &read, unknown).await.unwrap(),
        "a repetition of ours"
    );
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_known_by_its_row() {
    let (table, task) = due().await;
    let process = table.process();
    process.set_faults(|request| match request {
        TableRequest::Transact(_) => Fault::LoseAnswer,
        _ => Fault::None,
    });
    assert_eq!(outcome(&process, &task, "one", at(1)).await, "claimed");
    assert_eq!(row(&table).await.version, 2);
}

#[tokio::test]
async fn a_claim_that_comes_late_keeps_others_from_it_until_its_lease_is_over() {
    let (table, task) = due().await;
    let process = table.process();
    let crash = Crash {
        after: 2,
        answer_lost: true,
    };
    process.set_faults(crash.faults());
    assert!(claim(&process, &task, "one", at(1)).await.is_err());
    assert_eq!(outcome(&table, &task, "other", at(1)).await, "busy");
    assert_eq!(
        outcome(&table, &task, "other", at(1) + LEASE).await,
        "unknown"
    );
}

#[tokio::test]
async fn a_record_that_changes_in_between_is_looked_at_again() {
    let (table, task) = due().await;
    let (process, other) = (table.process(), table.process());
    let count = AtomicU32::new(0);
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Transact(_)) && count.fetch_add(1, Relaxed) == 0 {
            at_once(ingest(&other, ended(1)));
        }
        Fault::None
    });
    assert_eq!(outcome(&process, &task, "one", at(2)).await, "withdrawn");
}

#[tokio::test]
async fn a_record_that_changes_all_the_while_is_come_back_to() {
    let (table, task) = due().await;
    let (process, other) = (table.process(), table.process());
    let count = AtomicU32::new(1);
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Transact(_)) {
            let n = count.fetch_add(1, Relaxed);
            at_once(ingest(&other, empty(1, n.into())));
        }
        Fault::None
    });
    assert_eq!(outcome(&process, &task, "one", at(9)).await, "busy");
    assert_eq!(row(&table).await.state, LetterState::Due);
}

#[tokio::test]
async fn throttling_is_told_as_such() {
    let (table, task) = due().await;
    table.set_faults(|request| match request {
        TableRequest::Transact(_) => Fault::Fail(StoreError::Throttled),
        _ => Fault::None,
    });
    let claimed = claim(&table, &task, "one", at(1)).await;
    assert!(matches!(claimed, Err(StoreError::Throttled)));
}

#[test]
fn a_task_says_whose_letter_it_is_and_nothing_of_its_state() {
    let (_, task) = at_once(due());
    let expected = r#"{"customer":"stripe/test/cus_1","letter":"welcome","cause":"sub_1"}"#;
    assert_eq!(task.to_text(), expected);
}
