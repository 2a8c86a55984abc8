//! What a partner is told of a row: planned from endpoint, row and what it was told, and
//! written down after it was taken.

use crate::support::{acme, at, ingest, paid, report};
use domain::notice::Addressee;
use domain::partner::ledger::CommissionRow;
use jiff::Timestamp;
use std::sync::Arc;
use store::due_scan::scan_due;
use store::memory::MemoryTable;
use store::notice_endpoints::{read_endpoint, record_disabled, set};
use store::notices::{
    DeliveryPlan, DeliveryState, NoticeTask, PendingDelivery, clear_due, plan_delivery,
    save_delivered,
};
use store::partners::ledger;
use store::{Item, Key, Table};

/// A hold ends thirty days after the payment.
const RELEASED: i64 = 31 * 24;

async fn earned(since: i64) -> (MemoryTable, NoticeTask) {
    let table = MemoryTable::default();
    ingest(&table, report(1)).await;
    ingest(&table, paid(1, 1)).await;
    set(&table, &acme(), "https://acme.example/", at(since))
        .await
        .unwrap();
    let row: CommissionRow = ledger(&table, &acme()).await.unwrap().remove(0);
    let task = NoticeTask::of(&Item::from(row)).unwrap();
    (table, task)
}

async fn pending(table: &MemoryTable, task: &NoticeTask, now: Timestamp) -> Box<PendingDelivery> {
    match plan_delivery(table, task, now).await.unwrap() {
        DeliveryPlan::Deliver(pending) => pending,
        other => panic!("{other:?}"),
    }
}

/// As the function does once the partner has taken them.
async fn deliver(table: &MemoryTable, task: &NoticeTask, now: Timestamp) -> Vec<&'static str> {
    let pending = pending(table, task, now).await;
    let mut state = pending.state;
    for notice in &pending.due {
        state.delivered.insert(notice.kind.into(), now);
    }
    state.next_due_at = pending.next_due_at;
    assert!(save_delivered(table, state).await.unwrap());
    pending.due.iter().map(|notice| notice.kind).collect()
}

async fn is_all_delivered(table: &MemoryTable, task: &NoticeTask, now: Timestamp) -> bool {
    matches!(
        plan_delivery(table, task, now).await.unwrap(),
        DeliveryPlan::AllDelivered
    )
}

#[tokio::test]
async fn a_row_is_told_when_it_is_there_and_again_when_its_hold_ends() {
    let (table, task) = earned(0).await;
    assert_eq!(deliver(&table, &task, at(2)).await, ["commission.created"]);
    assert!(is_all_delivered(&table, &task, at(3)).await);
    assert_eq!(
        deliver(&table, &task, at(RELEASED)).await,
        ["commission.released"]
    );
    assert!(is_all_delivered(&table, &task, at(RELEASED + 99)).await);
}

#[tokio::test]
async fn the_end_of_a_hold_stands_in_the_index() {
    let (table, task) = earned(0).await;
    for state in scan_due(&table, 9, at(2)).await.unwrap().due_notices {
        clear_due(&table, &state).await.unwrap();
    }
    deliver(&table, &task, at(2)).await;
    let due = async |hour| scan_due(&table, 9, at(hour)).await.unwrap().due_notices;
    assert!(due(3).await.is_empty());
    let named = due(RELEASED).await;
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].row, task.row);
    assert!(named[0].task().due_at.is_some());
}

#[tokio::test]
async fn a_moment_that_the_index_named_has_come_whatever_the_clock_says() {
    let (table, task) = earned(0).await;
    deliver(&table, &task, at(2)).await;
    let named = scan_due(&table, 9, at(RELEASED)).await.unwrap().due_notices;
    let state = named.iter().find(|state| state.row == task.row).unwrap();
    let due = pending(&table, &state.task(), at(2)).await.due;
    let kinds: Vec<_> = due.iter().map(|notice| notice.kind).collect();
    assert_eq!(kinds, ["commission.released"]);
}

#[tokio::test]
async fn without_an_endpoint_nobody_is_told_in_one_read() {
    let table = MemoryTable::default();
    ingest(&table, report(1)).await;
    ingest(&table, paid(1, 1)).await;
    let row = ledger(&table, &acme()).await.unwrap().remove(0);
    let task = NoticeTask::of(&Item::from(row)).unwrap();
    table.take_requests();
    let plan = plan_delivery(&table, &task, at(2)).await.unwrap();
    assert!(matches!(plan, DeliveryPlan::NoRecipient));
    assert_eq!(table.take_requests(), ["get"]);
}

#[tokio::test]
async fn a_row_that_is_not_there_is_told_to_nobody() {
    let (table, mut task) = earned(0).await;
    task.row = "commission#none".into();
    let plan = plan_delivery(&table, &task, at(2)).await.unwrap();
    assert!(matches!(plan, DeliveryPlan::NoRecipient));
}

#[tokio::test]
async fn while_an_endpoint_is_disabled_a_row_waits() {
    let (table, task) = earned(0).await;
    let endpoint = read_endpoint(&table, &acme()).await.unwrap().unwrap();
    record_disabled(&table, &endpoint, at(2)).await.unwrap();
    let plan = plan_delivery(&table, &task, at(3)).await.unwrap();
    assert!(matches!(plan, DeliveryPlan::Disabled));
}

#[tokio::test]
async fn what_came_before_an_endpoint_is_not_told_to_it() {
    let (table, task) = earned(RELEASED + 99).await;
    assert!(is_all_delivered(&table, &task, at(RELEASED + 100)).await);
}

#[tokio::test]
async fn of_two_who_tell_at_once_one_writes_it_down() {
    let (table, task) = earned(0).await;
    let one = pending(&table, &task, at(2)).await;
    let other = pending(&table, &task, at(2)).await;
    let save = async |pending: PendingDelivery, now| {
        let mut state = pending.state;
        state.delivered.insert(pending.due[0].kind.into(), now);
        state.next_due_at = pending.next_due_at;
        save_delivered(&table, state).await.unwrap()
    };
    assert!(save(*one.clone(), at(2)).await);
    assert!(!save(*other, at(3)).await, "it looks again");
    assert!(save(*one, at(2)).await, "a repetition of ours");
}

#[tokio::test]
async fn handing_over_takes_the_mark_off_and_forgets_nothing_told() {
    let (table, task) = earned(0).await;
    deliver(&table, &task, at(2)).await;
    let key = Key::delivery_state(&acme(), &task.row);
    let state: Option<Arc<DeliveryState>> = table.get_row(key.clone()).await.unwrap();
    let state = state.unwrap();
    assert!(state.next_due_at.is_some());
    clear_due(&table, &state).await.unwrap();
    let cleared: Option<Arc<DeliveryState>> = table.get_row(key).await.unwrap();
    let cleared = cleared.unwrap();
    assert_eq!(
        (cleared.next_due_at, &cleared.delivered),
        (None, &state.delivered)
    );
}

#[test]
fn kinds_that_no_partner_hears_of_make_no_task() {
    let row = store::partners::PartnerRow::new(acme());
    assert_eq!(NoticeTask::of(&Item::from(row)), None);
}

#[test]
fn a_task_says_whom_as_it_always_did_and_the_shop_is_whom_no_partner_is_named_for() {
    let task = NoticeTask {
        addressee: (&acme()).into(),
        row: "payout#1".into(),
        due_at: None,
    };
    let text = r#"{"partner":"acme","row":"payout#1"}"#;
    assert_eq!(task.to_text(), text);
    assert_eq!(serde_json::from_str::<NoticeTask>(text).unwrap(), task);
    let shop = r#"{"row":"notice#2026-03-01T00:00:00Z#x"}"#;
    let shop: NoticeTask = serde_json::from_str(shop).unwrap();
    assert_eq!(shop.addressee, Addressee::Shop);
    assert_eq!(&*shop.key().partition, "shop_notices#2026-03-01");
}
