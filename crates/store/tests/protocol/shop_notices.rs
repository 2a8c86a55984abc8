//! What the shop is told: rows by the day, one machinery with partners' notices, and everything
//! again from a moment on.

use crate::support::{acme, at};
use domain::ids::{CustomerKey, EventId};
use domain::notice::Addressee;
use domain::notice::shop::content::{EventContent, ShopNoticeContent};
use domain::notice::shop::row::{ShopNoticeKind, ShopNoticeRow};
use jiff::Timestamp;
use std::sync::Arc;
use store::audit::walk;
use store::due_scan::scan_due;
use store::memory::MemoryTable;
use store::notice_endpoints::{record_disabled, resend, rotate, set};
use store::notices::{DeliveryPlan, NoticeTask, clear_due, plan_delivery, save_delivered};
use store::{Item, Table};

const SHOP: Addressee = Addressee::Shop;
const DAY: i64 = 24;

/// Happened in that hour, decided in that one.
async fn put(table: &MemoryTable, name: &str, happened: i64, decided: i64) -> NoticeTask {
    let row = ShopNoticeRow {
        customer: CustomerKey::parse("pay/test/cus#1").unwrap(),
        kind: ShopNoticeKind::EventQuarantined,
        cause: name.into(),
        at: at(happened),
        sequence: 1,
        decided_at: at(decided),
        untold: 0,
        content: ShopNoticeContent::Event(Box::new(EventContent {
            id: EventId::parse(format!("pay/test/{name}")).unwrap(),
            kind: "made.up".into(),
            unclear: vec!["a status".into()],
        })),
    };
    let row = Arc::new(row);
    let task = NoticeTask::of(&Item::from(row.clone())).unwrap();
    table.insert(row).await.unwrap();
    task
}

async fn deliver(table: &MemoryTable, task: &NoticeTask, now: Timestamp) -> usize {
    let pending = match plan_delivery(table, task, now).await.unwrap() {
        DeliveryPlan::Deliver(pending) => pending,
        DeliveryPlan::AllDelivered | DeliveryPlan::NoRecipient | DeliveryPlan::Disabled => {
            return 0;
        }
    };
    let mut state = pending.state;
    for notice in &pending.due {
        state.delivered.insert(notice.kind.into(), now);
    }
    state.next_due_at = pending.next_due_at;
    assert!(save_delivered(table, state).await.unwrap());
    pending.due.len()
}

/// The rows that a sweep finds, which it then takes the marks off.
async fn swept(table: &MemoryTable, now: Timestamp) -> Vec<Arc<str>> {
    let mut rows = Vec::new();
    for state in scan_due(table, 100, now).await.unwrap().due_notices {
        rows.push(state.task().row);
        clear_due(table, &state).await.unwrap();
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn a_row_is_told_once_to_the_shop_and_to_no_partner() {
    let table = MemoryTable::default();
    set(&table, &acme(), "https://acme.example/", at(0))
        .await
        .unwrap();
    let task = put(&table, "evt_1", 5, 6).await;
    assert_eq!(task.addressee, SHOP);
    assert_eq!(
        deliver(&table, &task, at(6)).await,
        0,
        "nobody wishes to be told"
    );
    set(&table, SHOP, "https://shop.example/", at(6))
        .await
        .unwrap();
    assert_eq!(deliver(&table, &task, at(7)).await, 1);
    assert_eq!(deliver(&table, &task, at(7)).await, 0);
}

#[tokio::test]
async fn what_happened_before_the_endpoint_and_was_decided_after_it_is_told() {
    let table = MemoryTable::default();
    set(&table, SHOP, "https://shop.example/", at(10))
        .await
        .unwrap();
    let (before, after) = (put(&table, "a", 8, 9).await, put(&table, "b", 8, 11).await);
    assert_eq!(deliver(&table, &before, at(12)).await, 0);
    assert_eq!(deliver(&table, &after, at(12)).await, 1);
}

#[tokio::test]
async fn what_came_while_it_was_off_is_told_when_it_is_on_again_over_many_days() {
    let table = MemoryTable::default();
    let endpoint = set(&table, SHOP, "https://shop.example/", at(0))
        .await
        .unwrap()
        .unwrap();
    assert!(record_disabled(&table, &endpoint, at(1)).await.unwrap());
    let mut missed = Vec::new();
    for day in 0..9 {
        let name = format!("evt_{day}");
        missed.push(put(&table, &name, day * DAY + 2, day * DAY + 3).await.row);
    }
    // It happened six days before anybody wished to be told, and came late.
    missed.push(put(&table, "late", -6 * DAY, 4).await.row);
    missed.sort();
    let now = at(10 * DAY);
    let enabled = store::notice_endpoints::enable(&table, SHOP, now)
        .await
        .unwrap();
    assert!(enabled.is_some());
    assert_eq!(swept(&table, now).await, missed);
}

#[tokio::test]
async fn everything_since_a_moment_is_told_again_and_nothing_before_it() {
    let table = MemoryTable::default();
    set(&table, SHOP, "https://shop.example/", at(0))
        .await
        .unwrap();
    let mut tasks = Vec::new();
    for day in 1..4 {
        let task = put(&table, &format!("evt_{day}"), day * DAY, day * DAY + 1).await;
        assert_eq!(deliver(&table, &task, at(day * DAY + 2)).await, 1);
        tasks.push(task);
    }
    let (since, now) = (at(2 * DAY + 1), at(5 * DAY));
    assert!(resend(&table, SHOP, since, now).await.unwrap().is_some());
    let again = swept(&table, now).await;
    assert_eq!(again, [tasks[1].row.clone(), tasks[2].row.clone()]);
    assert_eq!(deliver(&table, &tasks[0], now).await, 0);
    assert_eq!(deliver(&table, &tasks[1], now).await, 1);
    // Asked for twice, it is told twice.
    assert!(resend(&table, SHOP, since, now).await.unwrap().is_some());
    assert_eq!(deliver(&table, &tasks[1], now).await, 1);
}

#[tokio::test]
async fn from_before_the_endpoint_on_is_told_what_was_decided_then() {
    let table = MemoryTable::default();
    let task = put(&table, "evt_1", 5, 6).await;
    set(&table, SHOP, "https://shop.example/", at(50))
        .await
        .unwrap();
    assert_eq!(deliver(&table, &task, at(51)).await, 0);
    resend(&table, SHOP, at(6), at(52)).await.unwrap().unwrap();
    assert_eq!(swept(&table, at(52)).await, std::slice::from_ref(&task.row));
    assert_eq!(deliver(&table, &task, at(52)).await, 1);
}

#[tokio::test]
async fn without_an_endpoint_nothing_can_be_told_again() {
    let table = MemoryTable::default();
    assert_eq!(resend(&table, SHOP, at(0), at(1)).await, Ok(None));
    assert_eq!(rotate(&table, SHOP, at(1)).await, Ok(None));
    assert!(table.items().is_empty());
}

#[tokio::test]
async fn the_audit_names_what_the_shop_was_not_told() {
    let table = MemoryTable::default();
    set(&table, SHOP, "https://shop.example/", at(0))
        .await
        .unwrap();
    let task = put(&table, "evt_1", 5, 6).await;
    let report = walk(&table, 99, at(7)).await.unwrap();
    assert_eq!(report.undelivered, std::slice::from_ref(&task));
    assert_eq!(deliver(&table, &task, at(7)).await, 1);
    let report = walk(&table, 99, at(8)).await.unwrap();
    assert_eq!(report.undelivered, []);
}
