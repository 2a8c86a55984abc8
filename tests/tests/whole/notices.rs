//! Partners are told of each row and each state it comes to: signed, at least once, under one id.

use domain::ids::CustomerKey;
use domain::partner::identity::PartnerIdentity;
use domain::partner::identity::SelfReferralSignal;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::payout::Payout;
use domain::partner::referral::ReferralRefusal;
use domain::partner::referral_status::{ReferralStatus, ReferralStatusRow};
use jiff::SignedDuration;
use local_shop::story::Story;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::due_scan::scan_due;
use store::memory::Crash;
use store::notice_endpoints::set;
use store::notices::clear_due;
use store::{Item, Key, Table};
use tests::harness::notice_receiver::{NoticeReceiver, ReceivedNotice};
use tests::harness::notices::{DAY, acme, at, deduplicated, row, secret, summaries};
use tests::harness::shop_actions::program;
use tests::harness::{TestHarness, start_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_payment_earns_and_loses_is_told_through_stream_and_queue_and_again_on_release() {
    let harness = TestHarness::open().await;
    let table = harness.table.clone();
    harness.add_partner("acme").await;
    let since = start_time() - SignedDuration::from_hours(24);
    harness
        .agree_program("acme", since, program(), PartnerIdentity::default())
        .await;
    let receiver = NoticeReceiver::open();
    let began = set(&table, &acme(), &receiver.url, start_time())
        .await
        .unwrap();
    assert!(began.is_some());
    let story = Story::parse(STORY).unwrap();
    let story_requests = story.deliveries(&harness.signers(), harness.now()).unwrap();
    harness.send_all(&story_requests).await;
    harness.send_all(&story_requests).await;
    harness.settle().await;
    let came = deduplicated(receiver.take_received(&secret()));
    assert_eq!(
        summaries(&came),
        [
            "commission.created 576",
            "commission.refunded -192",
            "referral.attributed null",
        ]
    );
    let first = came[0].body();
    assert_eq!(first["data"]["state"], "pending");
    assert!(!came[0].text.contains("cus_") && !came[0].text.contains('@'));
    // Paid six days ago, held for thirty.
    harness.advance(SignedDuration::from_hours(23 * 24)).await;
    harness.settle().await;
    assert!(
        receiver.take_received(&secret()).is_empty(),
        "the hold is not over"
    );
    harness.advance(SignedDuration::from_hours(2 * 24)).await;
    harness.settle().await;
    let released = deduplicated(receiver.take_received(&secret()));
    assert_eq!(
        summaries(&released),
        ["commission.released -192", "commission.released 576"]
    );
    let of = |notice: &ReceivedNotice| notice.body()["data"]["id"].clone();
    assert_eq!(of(&released[1]), of(&came[0]), "one row, told of twice");
    harness.advance(SignedDuration::from_hours(24)).await;
    harness.settle().await;
    assert!(receiver.take_received(&secret()).is_empty());
    let counts = harness.stack().counts().unwrap();
    assert_eq!(counts.failed_batches, 0);
    assert!(counts.dead_letters.values().all(|held| *held == 0));
}

#[tokio::test]
async fn each_state_of_each_kind_of_row_is_told_once_however_often_it_is_ordered() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    for (n, kind, minor) in [
        (0, RowKind::Commission, 200),
        (1, RowKind::Refund, -80),
        (2, RowKind::Dispute, -120),
        (3, RowKind::Reversal, 0),
    ] {
        desk.put(&row(n, kind, minor)).await;
    }
    let held = CommissionRow {
        self_referral_signal: Some(SelfReferralSignal::SameDomain),
        ..row(4, RowKind::Commission, 50)
    };
    desk.put(&held).await;
    let orders = desk.take_notice_tasks().await;
    assert_eq!(orders.len(), 5);
    for _ in 0..3 {
        for order in &orders {
            desk.deliver_task(order, 1).await;
        }
    }
    let mut ids = BTreeSet::new();
    let came = desk.receiver().take_received(&secret());
    ids.extend(came.iter().map(|notice| notice.id.clone()));
    assert_eq!(
        summaries(&came),
        [
            "commission.created 200",
            "commission.created 50",
            "commission.disputed -120",
            "commission.refunded -80",
            "commission.reversed 0",
        ]
    );
    assert_eq!(desk.due_scan().await, 0);
    desk.set_time(31 * DAY);
    assert_eq!(
        desk.due_scan().await,
        4,
        "what is held is not released by time"
    );
    assert_eq!(desk.due_scan().await, 0, "handed over once");
    let came = desk.receiver().take_received(&secret());
    assert!(
        came.iter()
            .all(|notice| notice.summary().starts_with("commission.released"))
    );
    ids.extend(came.iter().map(|notice| notice.id.clone()));
    assert_eq!(ids.len(), 9);
    assert!(
        desk.take_notice_tasks().await.is_empty(),
        "what was told orders nothing"
    );
}

#[tokio::test]
async fn how_a_report_stands_and_what_is_paid_is_told_once_too() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    let standing = ReferralStatusRow {
        partner: acme(),
        referral: "r-1".into(),
        sub_ids: Default::default(),
        customer: CustomerKey::parse("stripe/test/cus_1").unwrap(),
        n: 0,
        status: ReferralStatus::Refused(ReferralRefusal::OutsideWindow),
        at: start_time(),
    };
    let payout = Payout {
        partner: acme(),
        n: 1,
        date: "2026-03-01".parse().unwrap(),
        at: start_time(),
        until: start_time(),
        amounts: vec![row(0, RowKind::Commission, 600).amount],
        complete_until: start_time(),
        late_rows: BTreeMap::new(),
    };
    desk.put_item(Item::ReferralStatus(Arc::new(standing)))
        .await;
    desk.put_item(Item::Payout(Arc::new(payout))).await;
    let orders = desk.take_notice_tasks().await;
    assert_eq!(orders.len(), 2);
    desk.set_time(20 * 60);
    assert_eq!(desk.audit().await, 2, "before the queue came to it");
    for order in &orders {
        assert!(desk.deliver_task(order, 1).await);
    }
    let came = desk.receiver().take_received(&secret());
    assert_eq!(
        summaries(&came),
        ["payout.created null", "referral.refused null"]
    );
    assert_eq!(came[1].body()["data"]["reason"], "outside_window");
    desk.set_time(31 * DAY);
    assert_eq!((desk.due_scan().await, desk.audit().await), (0, 0));
}

#[tokio::test]
async fn whoever_dies_between_telling_and_writing_it_down_tells_the_same_again() {
    let expected = {
        let desk = TestHarness::in_process().open();
        desk.set_receiver().await;
        desk.put(&row(0, RowKind::Commission, 200)).await;
        let order = &desk.take_notice_tasks().await[0];
        desk.deliver_task(order, 1).await;
        desk.receiver().take_received(&secret()).remove(0)
    };
    let mut again = 0;
    for after in 0..5 {
        for lost in [false, true] {
            let desk = TestHarness::in_process().open();
            desk.set_receiver().await;
            desk.put(&row(0, RowKind::Commission, 200)).await;
            let order = desk.take_notice_tasks().await.remove(0);
            desk.process_table().set_faults(
                Crash {
                    after,
                    answer_lost: lost,
                }
                .faults(),
            );
            let first = desk.deliver_task(&order, 1).await;
            desk.process_table().clear_faults();
            assert_eq!(first, after >= 4, "four requests: {after}");
            assert!(desk.deliver_task(&order, 2).await);
            let came = desk.receiver().take_received(&secret());
            assert!(!came.is_empty() && came.iter().all(|notice| *notice == expected));
            again += usize::from(came.len() == 2);
        }
    }
    assert_eq!(again, 1, "only the write itself comes after the telling");
}

#[tokio::test]
async fn what_the_stream_lost_the_audit_hands_over_once_and_only_while_it_can_be_told() {
    let desk = TestHarness::in_process().open();
    desk.put(&row(0, RowKind::Commission, 200)).await;
    let _lost = desk.take_notice_tasks().await;
    desk.set_time(20 * 60);
    assert_eq!(desk.audit().await, 0, "nobody is to be told");
    desk.set_time(0);
    desk.set_receiver().await;
    desk.set_time(10 * 60);
    assert_eq!(desk.audit().await, 0, "it may be on its way");
    desk.set_time(20 * 60);
    assert_eq!(desk.audit().await, 1);
    assert_eq!(
        summaries(&desk.receiver().take_received(&secret())),
        ["commission.created 200"]
    );
    assert_eq!(desk.audit().await, 0);
    desk.put(&row(1, RowKind::Refund, -80)).await;
    let order = desk.take_notice_tasks().await.remove(0);
    desk.receiver().set_answers(&[500]);
    assert!(!desk.deliver_task(&order, 1).await);
    desk.set_time(60 * 60);
    assert_eq!(desk.audit().await, 0, "it is being tried");
    assert!(desk.deliver_task(&order, 2).await);
    assert_eq!(desk.audit().await, 0);
    // A release that no sweep told of.
    desk.set_time(30 * DAY + 20 * 60);
    assert_eq!(desk.audit().await, 2);
    assert_eq!(desk.audit().await, 0);
}

#[tokio::test]
async fn a_release_is_told_by_a_clock_that_is_behind_the_one_that_swept() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    desk.put(&row(0, RowKind::Commission, 200)).await;
    assert!(
        desk.deliver_task(&desk.take_notice_tasks().await.remove(0), 1)
            .await
    );
    let swept = scan_due(&desk.table, 250, at(30 * DAY + 30)).await.unwrap();
    desk.set_time(30 * DAY - 30);
    assert!(
        desk.deliver_task(&swept.due_notices[0].task().to_text(), 1)
            .await
    );
    clear_due(&desk.table, &swept.due_notices[0]).await.unwrap();
    assert_eq!(
        summaries(&desk.receiver().take_received(&secret())),
        ["commission.created 200", "commission.released 200"]
    );
}

#[tokio::test]
async fn a_message_used_up_before_its_time_is_handed_over_when_nobody_tries_any_more() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    desk.put(&row(0, RowKind::Commission, 200)).await;
    let used_up = desk.take_notice_tasks().await.remove(0);
    desk.receiver().set_answers(&[500]);
    assert!(!desk.deliver_task(&used_up, 12).await);
    desk.set_time(2 * DAY);
    assert_eq!(
        desk.audit().await,
        0,
        "others of its messages may be on their way"
    );
    desk.set_time(3 * DAY);
    assert_eq!(desk.audit().await, 1);
    assert_eq!(desk.failing_since().await, None);
    assert_eq!(desk.audit().await, 0);
}

#[tokio::test]
async fn two_who_tell_of_one_row_at_once_write_it_down_once() {
    let desk = TestHarness::in_process().open();
    desk.set_receiver().await;
    desk.put(&row(0, RowKind::Commission, 200)).await;
    let order = desk.take_notice_tasks().await.remove(0);
    let (one, other) = tokio::join!(desk.deliver_task(&order, 1), desk.deliver_task(&order, 1));
    assert!(one || other, "one of them wrote");
    assert!(desk.deliver_task(&order, 2).await);
    let came = desk.receiver().take_received(&secret());
    assert!((1..=2).contains(&came.len()));
    assert!(came.iter().all(|notice| *notice == came[0]));
    let key = Key::delivery_state(
        &acme(),
        &Key::commission(&row(0, RowKind::Commission, 200)).sort,
    );
    let Some(Item::DeliveryState(state)) = desk.table.get(key).await.unwrap() else {
        panic!("nothing was written down")
    };
    assert_eq!((state.version, state.delivered.len()), (1, 1));
}

/// A partner's customer pays 28.80 and gets 9.60 back.
const STORY: &str = r#"
title = "t"
begins = "6d"
rename = { Grove0 = "Tangelo0", Valencia01 = "tangelo", "Nell@Example.com" = "tangelo@example.com" }
[[events]]
sample = "referral.created"
partner = "acme"
set = { "data.customer" = { email = "tangelo@example.com" }, "data.occurred_at" = "@@-7d" }
[[events]]
sample = "customer.created"
[[events]]
sample = "charge.succeeded"
[[events]]
sample = "charge.refunded"
"#;
