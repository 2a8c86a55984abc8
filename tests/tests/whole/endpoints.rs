//! How partners' endpoints go: what is not taken is tried again, what takes nothing is put off, and
//! who is put on again is told what it missed.

use domain::partner::ledger::{CommissionRow, RowKind};
use jiff::{SignedDuration, Timestamp};
use runtime::post::{Post, PostOutcome, Poster};
use store::memory::MemoryTable;
use store::notice_endpoints::{DisabledReason, enable, read_endpoint, remove, rotate, set};
use tests::harness::functions::deliver;
use tests::harness::notice_receiver::NoticeReceiver;
use tests::harness::notices::{DAY, acme, at, row, secret, secret_of, summaries};
use tests::harness::{TestHarness, start_time};

#[tokio::test]
async fn what_is_not_taken_waits_longer_each_time_and_is_told_in_the_end() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    desk.put(&row(0, RowKind::Commission, 200)).await;
    let order = desk.take_notice_tasks().await.remove(0);
    desk.receiver().set_answers(&[500, 302, 404, 503]);
    for attempt in 1..=4 {
        assert!(!desk.deliver_task(&order, attempt).await);
        assert_eq!(desk.failing_since().await, Some(start_time()));
    }
    assert_eq!(desk.take_postponed(), [5, 5 * 60, 30 * 60, 2 * 3_600]);
    assert!(desk.deliver_task(&order, 5).await);
    assert_eq!(desk.failing_since().await, None, "a success forgives");
    let came = desk.receiver().take_received(&secret());
    assert_eq!(came.len(), 5, "no redirect was followed");
    assert!(came.iter().all(|notice| *notice == came[0]));
    assert!(desk.deliver_task(&order, 6).await);
    assert!(desk.receiver().take_received(&secret()).is_empty());
    // The last of twelve is left to the queue, whose dead letters it becomes.
    desk.put(&row(1, RowKind::Refund, -80)).await;
    let order = desk.take_notice_tasks().await.remove(0);
    desk.receiver().set_answers(&[500]);
    assert!(!desk.deliver_task(&order, 12).await);
    assert!(desk.take_postponed().is_empty());
}

/// An endpoint that is put on while it says that it is gone.
struct EnablingPost(MemoryTable);

impl Post for EnablingPost {
    async fn post(
        &self,
        _: &str,
        _: &[(&'static str, String)],
        _: Vec<u8>,
        now: Timestamp,
    ) -> PostOutcome {
        assert!(enable(&self.0, &acme(), now).await.unwrap().is_some());
        PostOutcome::Gone
    }
}

#[tokio::test]
async fn a_notice_stays_in_its_queue_where_somebody_saw_to_the_endpoint_that_was_gone() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    desk.put(&row(0, RowKind::Commission, 200)).await;
    let order = desk.take_notice_tasks().await.remove(0);
    let function = desk.notice_function(EnablingPost(desk.table.clone()));
    assert!(!deliver(&function, &order, 1).await);
    assert_eq!(desk.disabled_reason().await, None);
    assert!(desk.deliver_task(&order, 2).await);
    let came = desk.receiver().take_received(&secret());
    assert_eq!(summaries(&came), ["commission.created 200"]);
}

#[tokio::test]
async fn one_that_is_gone_is_off_at_once_and_told_what_it_missed_when_it_is_put_on() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    for n in 0..3 {
        desk.put(&row(n, RowKind::Commission, 200)).await;
    }
    let orders = desk.take_notice_tasks().await;
    desk.receiver().set_answers(&[200, 410]);
    for order in &orders {
        assert!(
            desk.deliver_task(order, 1).await,
            "nothing is left to the queue"
        );
    }
    assert_eq!(desk.disabled_reason().await, Some(DisabledReason::Gone));
    assert_eq!(
        desk.receiver().take_received(&secret()).len(),
        2,
        "nothing after it was gone"
    );
    assert!(desk.take_postponed().is_empty());
    // While it is off neither release nor audit tell it anything.
    desk.set_time(31 * DAY);
    desk.due_scan().await;
    assert_eq!(desk.audit().await, 0);
    assert!(desk.receiver().take_received(&secret()).is_empty());
    desk.enable_endpoint().await;
    assert_eq!(desk.due_scan().await, 3);
    let came = desk.receiver().take_received(&secret());
    assert_eq!(
        summaries(&came),
        [
            "commission.created 200",
            "commission.created 200",
            "commission.released 200",
            "commission.released 200",
            "commission.released 200",
        ]
    );
    desk.enable_endpoint().await;
    assert_eq!(desk.due_scan().await, 0, "all is told");
}

#[tokio::test]
async fn one_that_fails_for_three_days_is_off_until_a_person_puts_it_on() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    desk.put(&row(0, RowKind::Commission, 200)).await;
    desk.put(&row(1, RowKind::Refund, -80)).await;
    let orders = desk.take_notice_tasks().await;
    desk.receiver().set_answers(&[500; 13]);
    let (mut now, mut attempt) = (SignedDuration::ZERO, 1);
    while !desk.deliver_task(&orders[0], attempt).await {
        now += SignedDuration::from_secs(desk.take_postponed()[0]);
        desk.set_time(now.as_secs());
        attempt += 1;
    }
    assert_eq!(attempt, 12, "the last attempt finds it given up");
    assert_eq!(desk.disabled_reason().await, Some(DisabledReason::Failing));
    assert!(now > SignedDuration::from_hours(71) && now < SignedDuration::from_hours(72));
    assert_eq!(desk.receiver().take_received(&secret()).len(), 12);
    assert!(desk.deliver_task(&orders[1], 1).await, "dropped");
    assert!(desk.receiver().take_received(&secret()).is_empty());
    desk.receiver().set_answers(&[]);
    desk.enable_endpoint().await;
    assert_eq!(desk.due_scan().await, 2);
    let came = desk.receiver().take_received(&secret());
    assert_eq!(
        summaries(&came),
        ["commission.created 200", "commission.refunded -80"]
    );
    assert_eq!(desk.disabled_reason().await, None);
}

#[tokio::test]
async fn an_endpoint_is_told_what_comes_after_it_was_set_and_moved_ones_miss_nothing() {
    let desk = TestHarness::in_process().open();
    desk.put(&row(0, RowKind::Commission, 200)).await;
    let order = desk.take_notice_tasks().await.remove(0);
    assert!(desk.deliver_task(&order, 1).await, "nobody is told");
    desk.set_time(DAY);
    desk.set_receiver().await;
    assert!(desk.deliver_task(&order, 1).await);
    assert_eq!(desk.due_scan().await, 0);
    assert!(
        desk.receiver().take_received(&secret()).is_empty(),
        "it was decided before"
    );
    desk.set_time(30 * DAY);
    assert_eq!(desk.due_scan().await, 1);
    assert_eq!(
        summaries(&desk.receiver().take_received(&secret())),
        ["commission.released 200"]
    );
    // What the old address did not take, the new one does.
    let later = CommissionRow {
        at: at(30 * DAY),
        ..row(1, RowKind::Refund, -80)
    };
    desk.put(&later).await;
    let order = desk.take_notice_tasks().await.remove(0);
    desk.receiver().set_answers(&[500]);
    assert!(!desk.deliver_task(&order, 1).await);
    let moved = NoticeReceiver::open();
    let now = desk.now();
    set(&desk.table, &acme(), &moved.url, now).await.unwrap();
    assert_eq!(desk.due_scan().await, 1);
    assert_eq!(
        summaries(&moved.take_received(&secret())),
        ["commission.refunded -80"]
    );
    assert!(remove(&desk.table, &acme()).await.unwrap());
    assert!(desk.deliver_task(&order, 2).await);
    assert!(moved.take_received(&secret()).is_empty());
}

#[tokio::test]
async fn one_that_is_taken_away_and_set_again_signs_with_no_secret_from_before_its_rotation() {
    let desk = TestHarness::in_process().open();
    let now = || desk.now();
    desk.set_receiver().await;
    rotate(&desk.table, &acme(), now()).await.unwrap().unwrap();
    desk.set_time(DAY);
    for _ in 0..2 {
        assert!(remove(&desk.table, &acme()).await.unwrap());
        assert!(enable(&desk.table, &acme(), now()).await.unwrap().is_none());
        assert!(rotate(&desk.table, &acme(), now()).await.unwrap().is_none());
        assert!(read_endpoint(&desk.table, &acme()).await.unwrap().is_none());
    }
    // What came meanwhile nobody wished to be told.
    desk.put(&row(0, RowKind::Commission, 200)).await;
    assert!(
        desk.deliver_task(&desk.take_notice_tasks().await.remove(0), 1)
            .await
    );
    desk.set_time(DAY + 60);
    desk.set_receiver().await;
    assert_eq!(desk.due_scan().await, 0);
    desk.put(&CommissionRow {
        at: now(),
        ..row(1, RowKind::Refund, -80)
    })
    .await;
    assert!(
        desk.deliver_task(&desk.take_notice_tasks().await.remove(0), 1)
            .await
    );
    let came = desk.receiver().take_received(&secret_of(2));
    assert_eq!(summaries(&came), ["commission.refunded -80"]);
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_one_before_for_a_day_and_then_alone() {
    let desk = TestHarness::in_process().open();
    let now = || desk.now();
    assert!(rotate(&desk.table, &acme(), now()).await.unwrap().is_none());
    desk.set_receiver().await;
    let assert_sent = async |n, secrets: &[u32]| {
        desk.put(&row(n, RowKind::Commission, 200)).await;
        for order in desk.take_notice_tasks().await {
            assert!(desk.deliver_task(&order, 1).await);
        }
        let secrets: Vec<String> = secrets.iter().map(|key| secret_of(*key)).collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        assert_eq!(desk.receiver().take_received_under(&secrets).len(), 1);
    };
    assert_sent(0, &[1]).await;
    let rotated = rotate(&desk.table, &acme(), now()).await.unwrap();
    assert_eq!(rotated.unwrap().key, 2);
    assert_sent(1, &[2, 1]).await;
    // Moved meanwhile, it is told under both all the same.
    desk.set_receiver().await;
    desk.set_time(DAY - 1);
    assert_sent(2, &[2, 1]).await;
    desk.set_time(DAY);
    assert_sent(3, &[2]).await;
    // Twice within a day: only the last one before is left.
    for _ in 0..2 {
        assert!(rotate(&desk.table, &acme(), now()).await.unwrap().is_some());
    }
    assert_sent(4, &[4, 3]).await;
}

#[tokio::test]
async fn the_deployed_poster_tells_no_address_of_this_machine_or_network() {
    for url in [
        "http://127.0.0.1:9/",
        "https://127.0.0.1:9/",
        "https://localhost:9/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
    ] {
        let desk = TestHarness::in_process().open();
        desk.put(&row(0, RowKind::Commission, 200)).await;
        set(&desk.table, &acme(), url, start_time()).await.unwrap();
        let order = desk.take_notice_tasks().await.remove(0);
        let deployed = desk.notice_function(Poster::public().unwrap());
        assert!(!deliver(&deployed, &order, 1).await, "{url}");
        assert_eq!(desk.failing_since().await, Some(start_time()), "{url}");
    }
}
