//! Partners are told of each row and each state it comes to: signed, at least once, under one id.

use crate::support::desk::{DAY, Desk, acme, at, once, row, said, secret};
use crate::support::house::{House, opening};
use crate::support::mortal::Death;
use crate::support::partner_shop::program;
use crate::support::receiver::{Notice, Receiver};
use domain::ids::CustomerKey;
use domain::ledger::{Kind, Row};
use domain::payout::Payout;
use domain::program::{Own, Suspicion};
use domain::standing::{Reason, Standing, StandingRow};
use jiff::SignedDuration;
use orangery::story::Story;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::endpoints::set;
use store::notices::handed_over;
use store::sweep::sweep;
use store::{Item, Key, Table};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_payment_earns_and_loses_is_told_through_stream_and_queue_and_again_on_release() {
    let house = House::open().await;
    let table = house.table();
    house.partner("acme").await;
    let since = opening() - SignedDuration::from_hours(24);
    house.agree("acme", since, program(), Own::default()).await;
    let receiver = Receiver::open().await;
    let began = set(&table, &acme(), &receiver.url, opening())
        .await
        .unwrap();
    assert!(began.is_some());
    let story = Story::parse(STORY).unwrap();
    let told = story.deliveries(&house.signers(), house.now()).unwrap();
    house.send_all(&told).await;
    house.send_all(&told).await;
    house.settle().await;
    let came = once(receiver.came(&secret()));
    assert_eq!(
        said(&came),
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
    house.advance(SignedDuration::from_hours(23 * 24)).await;
    house.settle().await;
    assert!(receiver.came(&secret()).is_empty(), "the hold is not over");
    house.advance(SignedDuration::from_hours(2 * 24)).await;
    house.settle().await;
    let released = once(receiver.came(&secret()));
    assert_eq!(
        said(&released),
        ["commission.released -192", "commission.released 576"]
    );
    let of = |notice: &Notice| notice.body()["data"]["id"].clone();
    assert_eq!(of(&released[1]), of(&came[0]), "one row, told of twice");
    house.advance(SignedDuration::from_hours(24)).await;
    house.settle().await;
    assert!(receiver.came(&secret()).is_empty());
    let counts = house.stack.counts().unwrap();
    assert_eq!(counts.failed_batches, 0);
    assert!(counts.dead_letters.values().all(|held| *held == 0));
}

#[tokio::test]
async fn each_state_of_each_kind_of_row_is_told_once_however_often_it_is_ordered() {
    let desk = Desk::open().await;
    desk.set().await;
    for (n, kind, minor) in [
        (0, Kind::Commission, 200),
        (1, Kind::Refund, -80),
        (2, Kind::Dispute, -120),
        (3, Kind::Reversal, 0),
    ] {
        desk.put(&row(n, kind, minor)).await;
    }
    let held = Row {
        suspicion: Some(Suspicion::SameDomain),
        ..row(4, Kind::Commission, 50)
    };
    desk.put(&held).await;
    let orders = desk.orders().await;
    assert_eq!(orders.len(), 5);
    for _ in 0..3 {
        for order in &orders {
            desk.deliver(order, 1).await;
        }
    }
    let mut ids = BTreeSet::new();
    let came = desk.receiver.came(&secret());
    ids.extend(came.iter().map(|notice| notice.id.clone()));
    assert_eq!(
        said(&came),
        [
            "commission.created 200",
            "commission.created 50",
            "commission.disputed -120",
            "commission.refunded -80",
            "commission.reversed 0",
        ]
    );
    assert_eq!(desk.sweep().await, 0);
    desk.at(31 * DAY);
    assert_eq!(
        desk.sweep().await,
        4,
        "what is held is not released by time"
    );
    assert_eq!(desk.sweep().await, 0, "handed over once");
    let came = desk.receiver.came(&secret());
    assert!(
        came.iter()
            .all(|notice| notice.said().starts_with("commission.released"))
    );
    ids.extend(came.iter().map(|notice| notice.id.clone()));
    assert_eq!(ids.len(), 9);
    assert!(
        desk.orders().await.is_empty(),
        "what was told orders nothing"
    );
}

#[tokio::test]
async fn how_a_report_stands_and_what_is_paid_is_told_once_too() {
    let desk = Desk::open().await;
    desk.set().await;
    let standing = StandingRow {
        partner: acme(),
        referral: "r-1".into(),
        customer: CustomerKey::new("stripe/test/cus_1"),
        n: 0,
        standing: Standing::Refused(Reason::OutsideWindow),
        at: opening(),
    };
    let payout = Payout {
        partner: acme(),
        n: 1,
        date: "2026-03-01".parse().unwrap(),
        at: opening(),
        until: opening(),
        amounts: vec![row(0, Kind::Commission, 600).amount],
        all_by: opening(),
        late: BTreeMap::new(),
    };
    desk.put_item(Item::Standing(Arc::new(standing))).await;
    desk.put_item(Item::Payout(Arc::new(payout))).await;
    let orders = desk.orders().await;
    assert_eq!(orders.len(), 2);
    desk.at(20 * 60);
    assert_eq!(desk.audit().await, 2, "before the queue came to it");
    for order in &orders {
        assert!(desk.deliver(order, 1).await);
    }
    let came = desk.receiver.came(&secret());
    assert_eq!(
        said(&came),
        ["payout.created null", "referral.refused null"]
    );
    assert_eq!(came[1].body()["data"]["reason"], "outside_window");
    desk.at(31 * DAY);
    assert_eq!((desk.sweep().await, desk.audit().await), (0, 0));
}

#[tokio::test]
async fn whoever_dies_between_telling_and_writing_it_down_tells_the_same_again() {
    let expected = {
        let desk = Desk::open().await;
        desk.set().await;
        desk.put(&row(0, Kind::Commission, 200)).await;
        let order = &desk.orders().await[0];
        desk.deliver(order, 1).await;
        desk.receiver.came(&secret()).remove(0)
    };
    let mut again = 0;
    for after in 0..5 {
        for lost in [false, true] {
            let desk = Desk::open().await;
            desk.set().await;
            desk.put(&row(0, Kind::Commission, 200)).await;
            let order = desk.orders().await.remove(0);
            desk.table.dies(Some(Death { after, lost }));
            let first = desk.deliver(&order, 1).await;
            desk.table.dies(None);
            assert_eq!(first, after >= 4, "four requests: {after}");
            assert!(desk.deliver(&order, 2).await);
            let came = desk.receiver.came(&secret());
            assert!(!came.is_empty() && came.iter().all(|notice| *notice == expected));
            again += usize::from(came.len() == 2);
        }
    }
    assert_eq!(again, 1, "only the write itself comes after the telling");
}

#[tokio::test]
async fn what_the_stream_lost_the_audit_hands_over_once_and_only_while_it_can_be_told() {
    let desk = Desk::open().await;
    desk.put(&row(0, Kind::Commission, 200)).await;
    let _lost = desk.orders().await;
    desk.at(20 * 60);
    assert_eq!(desk.audit().await, 0, "nobody is to be told");
    desk.at(0);
    desk.set().await;
    desk.at(10 * 60);
    assert_eq!(desk.audit().await, 0, "it may be on its way");
    desk.at(20 * 60);
    assert_eq!(desk.audit().await, 1);
    assert_eq!(
        said(&desk.receiver.came(&secret())),
        ["commission.created 200"]
    );
    assert_eq!(desk.audit().await, 0);
    desk.put(&row(1, Kind::Refund, -80)).await;
    let order = desk.orders().await.remove(0);
    desk.receiver.answers(&[500]);
    assert!(!desk.deliver(&order, 1).await);
    desk.at(60 * 60);
    assert_eq!(desk.audit().await, 0, "it is being tried");
    assert!(desk.deliver(&order, 2).await);
    assert_eq!(desk.audit().await, 0);
    // A release that no sweep told of.
    desk.at(30 * DAY + 20 * 60);
    assert_eq!(desk.audit().await, 2);
    assert_eq!(desk.audit().await, 0);
}

#[tokio::test]
async fn a_release_is_told_by_a_clock_that_is_behind_the_one_that_swept() {
    let desk = Desk::open().await;
    desk.set().await;
    desk.put(&row(0, Kind::Commission, 200)).await;
    assert!(desk.deliver(&desk.orders().await.remove(0), 1).await);
    let swept = sweep(&desk.table, 250, at(30 * DAY + 30)).await.unwrap();
    desk.at(30 * DAY - 30);
    assert!(desk.deliver(&swept.told[0].order().to_text(), 1).await);
    handed_over(&desk.table, &swept.told[0]).await.unwrap();
    assert_eq!(
        said(&desk.receiver.came(&secret())),
        ["commission.created 200", "commission.released 200"]
    );
}

#[tokio::test]
async fn a_message_used_up_before_its_time_is_handed_over_when_nobody_tries_any_more() {
    let desk = Desk::open().await;
    desk.set().await;
    desk.put(&row(0, Kind::Commission, 200)).await;
    let used_up = desk.orders().await.remove(0);
    desk.receiver.answers(&[500]);
    assert!(!desk.deliver(&used_up, 12).await);
    desk.at(2 * DAY);
    assert_eq!(
        desk.audit().await,
        0,
        "others of its messages may be on their way"
    );
    desk.at(3 * DAY);
    assert_eq!(desk.audit().await, 1);
    assert_eq!(desk.failing_since().await, None);
    assert_eq!(desk.audit().await, 0);
}

#[tokio::test]
async fn two_who_tell_of_one_row_at_once_write_it_down_once() {
    let desk = Desk::open().await;
    desk.set().await;
    desk.put(&row(0, Kind::Commission, 200)).await;
    let order = desk.orders().await.remove(0);
    let (one, other) = tokio::join!(desk.deliver(&order, 1), desk.deliver(&order, 1));
    assert!(one || other, "one of them wrote");
    assert!(desk.deliver(&order, 2).await);
    let came = desk.receiver.came(&secret());
    assert!((1..=2).contains(&came.len()));
    assert!(came.iter().all(|notice| *notice == came[0]));
    let key = Key::told(
        &acme(),
        &Key::commission(&row(0, Kind::Commission, 200)).sort,
    );
    let Some(Item::Told(told)) = desk.table.get(key).await.unwrap() else {
        panic!("nothing was written down")
    };
    assert_eq!((told.version, told.notices.len()), (1, 1));
}

/// A partner's customer pays 28.80 and gets 9.60 back.
const STORY: &str = r#"
title = "t"
begins = "6d"
rename = { Grove0 = "Tangelo0", Valencia01 = "tangelo", "Nell@Example.com" = "tangelo@example.com" }
[[told]]
sample = "referral.created"
partner = "acme"
set = { "data.customer" = { email = "tangelo@example.com" }, "data.occurred_at" = "@@-7d" }
[[told]]
sample = "customer.created"
[[told]]
sample = "charge.succeeded"
[[told]]
sample = "charge.refunded"
"#;
