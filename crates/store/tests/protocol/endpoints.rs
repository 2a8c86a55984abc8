//! Partners' notice endpoints: where they are, under which secrets, and how they go.

use crate::support::{acme, at, at_once, ingest, paid, report};
use domain::notice::GIVE_UP_AFTER;
use std::sync::Arc;
use store::due_scan::scan_due;
use store::memory::{Fault, MemoryTable, TableRequest};
use store::notice_endpoints::{
    DisabledReason, KEY_OVERLAP, NoticeEndpoint, enable, read_endpoint, record_disabled,
    record_failure, record_success, remove, rotate, set,
};

const URL: &str = "https://acme.example/";

async fn endpoint(table: &MemoryTable) -> Arc<NoticeEndpoint> {
    read_endpoint(table, &acme()).await.unwrap().unwrap()
}

async fn configured() -> MemoryTable {
    let table = MemoryTable::default();
    set(&table, &acme(), URL, at(1)).await.unwrap().unwrap();
    table
}

#[tokio::test]
async fn there_is_none_before_it_is_set() {
    let table = MemoryTable::default();
    assert_eq!(read_endpoint(&table, &acme()).await, Ok(None));
    assert_eq!(enable(&table, &acme(), at(1)).await, Ok(None));
    assert_eq!(rotate(&table, &acme(), at(1)).await, Ok(None));
    assert_eq!(remove(&table, &acme()).await, Ok(true));
    assert!(table.items().is_empty());
}

#[tokio::test]
async fn one_that_is_moved_is_told_what_it_was_not_told_before() {
    let table = configured().await;
    set(&table, &acme(), "https://other.example/", at(5))
        .await
        .unwrap();
    let moved = endpoint(&table).await;
    assert_eq!(
        (&*moved.url, moved.since, moved.key),
        ("https://other.example/", at(1), 1)
    );
}

#[tokio::test]
async fn one_that_is_taken_away_counts_on_when_it_comes_back() {
    let table = configured().await;
    rotate(&table, &acme(), at(2)).await.unwrap();
    assert_eq!(remove(&table, &acme()).await, Ok(true));
    assert_eq!(read_endpoint(&table, &acme()).await, Ok(None));
    set(&table, &acme(), URL, at(5)).await.unwrap();
    let back = endpoint(&table).await;
    assert_eq!(
        (back.key, back.since),
        (2, at(5)),
        "what came meanwhile is not told"
    );
}

#[tokio::test]
async fn both_secrets_sign_for_a_day_after_a_rotation_the_newest_first() {
    let table = configured().await;
    rotate(&table, &acme(), at(2)).await.unwrap();
    let keys = async |now| endpoint(&table).await.keys(now).collect::<Vec<_>>();
    assert_eq!(keys(at(2)).await, [2, 1]);
    assert_eq!(keys(at(2) + KEY_OVERLAP).await, [2]);
    rotate(&table, &acme(), at(3)).await.unwrap();
    assert_eq!(keys(at(3)).await, [3, 2], "never three");
}

#[tokio::test]
async fn a_success_costs_nothing_unless_it_ends_a_failure() {
    let table = configured().await;
    table.take_requests();
    record_success(&table, &*endpoint(&table).await)
        .await
        .unwrap();
    assert_eq!(table.take_requests(), ["get"]);
    record_failure(&table, &*endpoint(&table).await, at(2))
        .await
        .unwrap();
    table.take_requests();
    record_success(&table, &*endpoint(&table).await)
        .await
        .unwrap();
    assert_eq!(table.take_requests(), ["get", "put"]);
    assert_eq!(endpoint(&table).await.failing_since, None);
}

#[tokio::test]
async fn the_first_failure_is_noted_and_the_next_are_not() {
    let table = configured().await;
    for hour in [2, 3, 4] {
        let failed = record_failure(&table, &*endpoint(&table).await, at(hour)).await;
        assert_eq!(failed, Ok(false));
    }
    let failing = endpoint(&table).await;
    assert_eq!((failing.failing_since, failing.version), (Some(at(2)), 2));
}

#[tokio::test]
async fn one_that_fails_for_three_days_is_disabled_once() {
    let table = configured().await;
    record_failure(&table, &*endpoint(&table).await, at(2))
        .await
        .unwrap();
    let seen = endpoint(&table).await;
    let now = at(2) + GIVE_UP_AFTER;
    assert_eq!(record_failure(&table, &seen, now).await, Ok(true));
    let disabled = endpoint(&table).await.disabled.unwrap();
    assert_eq!(
        (disabled.at, disabled.reason),
        (now, DisabledReason::Failing)
    );
    // Another delivery that read it before has lost its race, or says the same.
    assert_eq!(record_failure(&table, &seen, at(999)).await, Ok(false));
}

#[tokio::test]
async fn one_that_is_gone_is_disabled_at_once_unless_somebody_saw_to_it() {
    let table = configured().await;
    let seen = endpoint(&table).await;
    enable(&table, &acme(), at(2)).await.unwrap();
    assert_eq!(record_disabled(&table, &seen, at(3)).await, Ok(false));
    assert_eq!(endpoint(&table).await.disabled, None);
    let seen = endpoint(&table).await;
    assert_eq!(record_disabled(&table, &seen, at(3)).await, Ok(true));
    assert_eq!(
        endpoint(&table).await.disabled.unwrap().reason,
        DisabledReason::Gone
    );
}

#[tokio::test]
async fn one_that_is_enabled_again_is_owed_what_it_missed() {
    let table = configured().await;
    record_disabled(&table, &*endpoint(&table).await, at(2))
        .await
        .unwrap();
    ingest(&table, report(1)).await;
    ingest(&table, paid(1, 1)).await;
    let due = async || scan_due(&table, 9, at(3)).await.unwrap().due_notices.len();
    assert_eq!(due().await, 0);
    let enabled = enable(&table, &acme(), at(3)).await.unwrap().unwrap();
    assert_eq!((enabled.disabled, enabled.failing_since), (None, None));
    assert!(due().await > 0);
    let before = table.state();
    enable(&table, &acme(), at(3)).await.unwrap();
    let changed = |item: &store::Item| matches!(item, store::Item::DeliveryState(_));
    let states = |state: &store::memory::TableState| -> Vec<_> {
        state
            .items()
            .filter(|item| changed(item))
            .cloned()
            .collect()
    };
    assert_eq!(states(&table.state()), states(&before), "marked once");
}

#[tokio::test]
async fn who_loses_the_race_for_an_endpoint_is_told_so() {
    let table = configured().await;
    let (process, other) = (table.process(), table.process());
    let mut raced = false;
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Put(..)) && !std::mem::replace(&mut raced, true) {
            at_once(rotate(&other, &acme(), at(2))).unwrap();
        }
        Fault::None
    });
    assert_eq!(
        set(&process, &acme(), "https://x.example/", at(3)).await,
        Ok(None)
    );
    assert_eq!(
        (&*endpoint(&table).await.url, endpoint(&table).await.key),
        (URL, 2)
    );
}

#[tokio::test]
async fn its_address_is_no_part_of_what_is_logged() {
    let table = configured().await;
    let logged = format!("{:?}", endpoint(&table).await);
    assert!(!logged.contains("acme.example"), "{logged}");
}
