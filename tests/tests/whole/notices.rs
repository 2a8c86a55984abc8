//! Partners are told of each row and each state it comes to: signed, at least once, under one id,
//! until they take it.

use crate::support::house::{House, opening};
use crate::support::memory::Memory;
use crate::support::mortal::{Death, Mortal};
use crate::support::receiver::{Notice, Receiver};
use crate::support::small_house::Orders;
use dispatch::Dispatch;
use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::ledger::{Kind, Row};
use domain::money::{Currency, Money};
use domain::payout::Payout;
use domain::program::{Claim, Own, Program, Reward, Span, Suspicion};
use domain::standing::{Reason, Standing, StandingRow};
use jiff::{SignedDuration, Timestamp};
use orangery::story::Story;
use orangery::wiring::LOCAL_MASTER;
use partner_notice::PartnerNotice;
use providers::{Secret, notice_secret};
use runtime::post::Poster;
use runtime::queue::{Later, QueueError};
use runtime::secrets::{SecretCache, Source, master};
use runtime::{Clock, Function};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use store::audit::walk;
use store::endpoints::{WhyOff, enable, endpoint, remove, set};
use store::notices::handed_over;
use store::sweep::sweep;
use store::{Item, Key, Table, When};

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
    let came = receiver.came(&secret());
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
    let released = receiver.came(&secret());
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
async fn what_is_not_taken_waits_longer_each_time_and_is_told_in_the_end() {
    let desk = Desk::open().await;
    desk.set().await;
    desk.put(&row(0, Kind::Commission, 200)).await;
    let order = desk.orders().await.remove(0);
    desk.receiver.answers(&[500, 302, 404, 503]);
    for attempt in 1..=4 {
        assert!(!desk.deliver(&order, attempt).await);
        assert_eq!(desk.failing_since().await, Some(opening()));
    }
    assert_eq!(desk.waits(), [5, 5 * 60, 30 * 60, 2 * 3_600]);
    assert!(desk.deliver(&order, 5).await);
    assert_eq!(desk.failing_since().await, None, "a success forgives");
    let came = desk.receiver.came(&secret());
    assert_eq!(came.len(), 5, "no redirect was followed");
    assert!(came.iter().all(|notice| *notice == came[0]));
    assert!(desk.deliver(&order, 6).await);
    assert!(desk.receiver.came(&secret()).is_empty());
    // The last of twelve is left to the queue, whose dead letters it becomes.
    desk.put(&row(1, Kind::Refund, -80)).await;
    let order = desk.orders().await.remove(0);
    desk.receiver.answers(&[500]);
    assert!(!desk.deliver(&order, 12).await);
    assert!(desk.waits().is_empty());
}

#[tokio::test]
async fn one_that_is_gone_is_off_at_once_and_told_what_it_missed_when_it_is_put_on() {
    let desk = Desk::open().await;
    desk.set().await;
    for n in 0..3 {
        desk.put(&row(n, Kind::Commission, 200)).await;
    }
    let orders = desk.orders().await;
    desk.receiver.answers(&[200, 410]);
    for order in &orders {
        assert!(desk.deliver(order, 1).await, "nothing is left to the queue");
    }
    assert_eq!(desk.off().await, Some(WhyOff::Gone));
    assert_eq!(
        desk.receiver.came(&secret()).len(),
        2,
        "nothing after it was gone"
    );
    assert!(desk.waits().is_empty());
    // While it is off neither release nor audit tell it anything.
    desk.at(31 * DAY);
    desk.sweep().await;
    assert_eq!(desk.audit().await, 0);
    assert!(desk.receiver.came(&secret()).is_empty());
    desk.put_on().await;
    assert_eq!(desk.sweep().await, 3);
    let came = desk.receiver.came(&secret());
    assert_eq!(
        said(&came),
        [
            "commission.created 200",
            "commission.created 200",
            "commission.released 200",
            "commission.released 200",
            "commission.released 200",
        ]
    );
    desk.put_on().await;
    assert_eq!(desk.sweep().await, 0, "all is told");
}

#[tokio::test]
async fn one_that_fails_for_three_days_is_off_until_a_person_puts_it_on() {
    let desk = Desk::open().await;
    desk.set().await;
    desk.put(&row(0, Kind::Commission, 200)).await;
    desk.put(&row(1, Kind::Refund, -80)).await;
    let orders = desk.orders().await;
    desk.receiver.answers(&[500; 13]);
    let (mut now, mut attempt) = (SignedDuration::ZERO, 1);
    while !desk.deliver(&orders[0], attempt).await {
        now += SignedDuration::from_secs(desk.waits()[0]);
        desk.at(now.as_secs());
        attempt += 1;
    }
    assert_eq!(attempt, 12, "the last attempt finds it given up");
    assert_eq!(desk.off().await, Some(WhyOff::Failing));
    assert!(now > SignedDuration::from_hours(71) && now < SignedDuration::from_hours(72));
    assert_eq!(desk.receiver.came(&secret()).len(), 12);
    assert!(desk.deliver(&orders[1], 1).await, "dropped");
    assert!(desk.receiver.came(&secret()).is_empty());
    desk.receiver.answers(&[]);
    desk.put_on().await;
    assert_eq!(desk.sweep().await, 2);
    let came = desk.receiver.came(&secret());
    assert_eq!(
        said(&came),
        ["commission.created 200", "commission.refunded -80"]
    );
    assert_eq!(desk.off().await, None);
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
async fn an_endpoint_is_told_what_comes_after_it_was_set_and_moved_ones_miss_nothing() {
    let desk = Desk::open().await;
    desk.put(&row(0, Kind::Commission, 200)).await;
    let order = desk.orders().await.remove(0);
    assert!(desk.deliver(&order, 1).await, "nobody is told");
    desk.at(DAY);
    desk.set().await;
    assert!(desk.deliver(&order, 1).await);
    assert_eq!(desk.sweep().await, 0);
    assert!(
        desk.receiver.came(&secret()).is_empty(),
        "it was decided before"
    );
    desk.at(30 * DAY);
    assert_eq!(desk.sweep().await, 1);
    assert_eq!(
        said(&desk.receiver.came(&secret())),
        ["commission.released 200"]
    );
    // What the old address did not take, the new one does.
    let later = Row {
        at: at(30 * DAY),
        ..row(1, Kind::Refund, -80)
    };
    desk.put(&later).await;
    let order = desk.orders().await.remove(0);
    desk.receiver.answers(&[500]);
    assert!(!desk.deliver(&order, 1).await);
    let moved = Receiver::open().await;
    let now = desk.clock.now();
    set(&desk.table, &acme(), &moved.url, now).await.unwrap();
    assert_eq!(desk.sweep().await, 1);
    assert_eq!(said(&moved.came(&secret())), ["commission.refunded -80"]);
    remove(&desk.table, &acme()).await.unwrap();
    assert!(desk.deliver(&order, 2).await);
    assert!(moved.came(&secret()).is_empty());
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

#[tokio::test]
async fn the_deployed_poster_tells_no_address_of_this_machine_or_network() {
    for url in [
        "http://127.0.0.1:9/",
        "https://127.0.0.1:9/",
        "https://localhost:9/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
    ] {
        let desk = Desk::open().await;
        desk.put(&row(0, Kind::Commission, 200)).await;
        set(&desk.table, &acme(), url, opening()).await.unwrap();
        let order = desk.orders().await.remove(0);
        let deployed = desk.function(Poster::public().unwrap());
        assert!(!deliver(&deployed, &order, 1).await, "{url}");
        assert_eq!(desk.failing_since().await, Some(opening()), "{url}");
    }
}

/// The notices' function over a table in memory, its queue, and one partner's endpoint.
struct Desk {
    table: Mortal,
    memory: Memory,
    receiver: Receiver,
    function: PartnerNotice<Mortal, Waits, Poster>,
    clock: Clock,
    now: Arc<Mutex<Timestamp>>,
    waits: Waits,
    behind: Mutex<usize>,
}

impl Desk {
    async fn open() -> Self {
        let memory = Memory::default();
        let now = Arc::new(Mutex::new(opening()));
        let told = now.clone();
        let clock = Clock::new(move || *told.lock().unwrap());
        let waits = Waits::default();
        let table = Mortal::at(&memory);
        Self {
            function: function(&table, &waits, &clock, Poster::loopback().unwrap()),
            table,
            memory,
            receiver: Receiver::open().await,
            clock,
            now,
            waits,
            behind: Mutex::default(),
        }
    }

    fn function(&self, poster: Poster) -> PartnerNotice<Mortal, Waits, Poster> {
        function(&self.table, &self.waits, &self.clock, poster)
    }

    /// So many seconds after everything began.
    fn at(&self, seconds: i64) {
        *self.now.lock().unwrap() = at(seconds);
    }

    async fn set(&self) {
        let now = self.clock.now();
        let set = set(&self.table, &acme(), &self.receiver.url, now).await;
        assert!(set.unwrap().is_some());
    }

    async fn put_on(&self) {
        let now = self.clock.now();
        assert!(enable(&self.table, &acme(), now).await.unwrap().is_some());
    }

    async fn put(&self, row: &Row) {
        self.put_item(Item::Commission(Arc::new(row.clone()))).await;
    }

    async fn put_item(&self, item: Item) {
        self.table.put(item, When::Absent).await.unwrap();
    }

    /// What the stream, seen twice, has ordered since this was last asked; each once.
    async fn orders(&self) -> Vec<String> {
        let from = {
            let mut behind = self.behind.lock().unwrap();
            std::mem::replace(&mut *behind, self.memory.changes(0).len())
        };
        let notices = Orders::default();
        let dispatch = Dispatch {
            letters: Orders::default(),
            notices: notices.clone(),
        };
        for _ in 0..2 {
            let failed = dispatch.hand_over(self.memory.changes(from)).await;
            assert!(failed.is_empty());
        }
        let mut orders = notices.take();
        orders.sort();
        orders.dedup();
        orders
    }

    async fn deliver(&self, order: &str, attempt: u32) -> bool {
        deliver(&self.function, order, attempt).await
    }

    /// One sweep and what follows from it; how many rows it handed over.
    async fn sweep(&self) -> usize {
        let swept = sweep(&self.table, 250, self.clock.now()).await.unwrap();
        for told in &swept.told {
            handed_over(&self.table, told).await.unwrap();
            assert!(self.deliver(&told.order().to_text(), 1).await);
        }
        swept.told.len()
    }

    /// One audit and what follows from it; how many rows it handed over.
    async fn audit(&self) -> usize {
        let report = walk(&self.table, 10, self.clock.now()).await.unwrap();
        assert!(report.complete);
        for order in &report.untold {
            assert!(self.deliver(&order.to_text(), 1).await);
        }
        report.untold.len()
    }

    /// For how many seconds messages were left since this was last asked.
    fn waits(&self) -> Vec<i64> {
        std::mem::take(&mut *self.waits.0.lock().unwrap())
    }

    async fn failing_since(&self) -> Option<Timestamp> {
        let endpoint = endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.failing_since
    }

    async fn off(&self) -> Option<WhyOff> {
        let endpoint = endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.off.map(|off| off.why)
    }
}

fn function(
    table: &Mortal,
    waits: &Waits,
    clock: &Clock,
    poster: Poster,
) -> PartnerNotice<Mortal, Waits, Poster> {
    let source = Source::Given(vec![LOCAL_MASTER.into()]);
    PartnerNotice {
        table: table.clone(),
        notices: waits.clone(),
        poster,
        master: SecretCache::new(source, master, clock.clone()),
        clock: clock.clone(),
    }
}

/// One message; whether the queue may forget it.
async fn deliver(function: &impl Function, order: &str, attempt: u32) -> bool {
    let message = json!({
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": order,
        "attributes": { "ApproximateReceiveCount": attempt.to_string() },
    });
    let event = json!({ "Records": [message] }).to_string();
    let answer = function.invoke(event.as_bytes()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["batchItemFailures"].as_array().unwrap().is_empty()
}

/// For how many seconds each message was left.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<Vec<i64>>>);

impl Later for Waits {
    async fn later(&self, receipt: &str, wait: SignedDuration) -> Result<(), QueueError> {
        assert_eq!(receipt, "r-1");
        self.0.lock().unwrap().push(wait.as_secs());
        Ok(())
    }
}

fn said(came: &[Notice]) -> Vec<String> {
    came.iter().map(Notice::said).collect()
}

fn acme() -> PartnerId {
    PartnerId::new("acme")
}

fn secret() -> String {
    let master = Secret::new(LOCAL_MASTER).unwrap();
    notice_secret(&master, &acme(), 1)
        .unwrap()
        .reveal_standard()
}

fn at(seconds: i64) -> Timestamp {
    opening() + SignedDuration::from_secs(seconds)
}

const DAY: i64 = 86_400;

/// The n-th row there is, decided as everything began, held for 30 days.
fn row(n: u64, kind: Kind, minor: i64) -> Row {
    Row {
        partner: acme(),
        customer: CustomerKey::new("stripe/test/cus_1"),
        payment: ObjectId::new("pi_1"),
        n,
        kind,
        amount: Money {
            minor,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        suspicion: None,
        reward: Some(Reward::BasisPoints(2_000)),
        of_minor: Some(1_000),
        paid_at: Some(opening()),
        at: opening(),
        releases_at: at(30 * DAY),
    }
}

/// 20 %, 12 months, hold 30 days, window 60 days.
fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        span: Span::Months(12),
        hold_days: 30,
        window_days: 60,
        claim: Claim::First,
    }
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
