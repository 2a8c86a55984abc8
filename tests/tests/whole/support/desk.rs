//! The notices' function over a table in memory: its queue, its clock, a partner's endpoint.

use super::house::opening;
use super::memory::Memory;
use super::mortal::Mortal;
use super::receiver::{Notice, Receiver};
use super::small_house::Orders;
use dispatch::Dispatch;
use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::ledger::{Kind, Row};
use domain::money::{Currency, Money};
use domain::program::Reward;
use jiff::{SignedDuration, Timestamp};
use orangery::wiring::LOCAL_MASTER;
use partner_notice::PartnerNotice;
use providers::{Secret, notice_secret};
use runtime::post::{Post, Poster};
use runtime::queue::{Later, QueueError};
use runtime::secrets::{SecretCache, Source, master};
use runtime::{Clock, Function};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::audit::walk;
use store::endpoints::{WhyOff, enable, endpoint, set};
use store::notices::handed_over;
use store::sweep::sweep;
use store::{Item, Table, When};

/// The notices' function over a table in memory, its queue, and one partner's endpoint.
pub(crate) struct Desk {
    pub(crate) table: Mortal,
    memory: Memory,
    pub(crate) receiver: Receiver,
    function: PartnerNotice<Mortal, Waits, Poster>,
    pub(crate) clock: Clock,
    now: Arc<Mutex<Timestamp>>,
    waits: Waits,
    behind: Mutex<usize>,
}

impl Desk {
    pub(crate) async fn open() -> Self {
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

    pub(crate) fn function<P: Post>(&self, poster: P) -> PartnerNotice<Mortal, Waits, P> {
        function(&self.table, &self.waits, &self.clock, poster)
    }

    /// So many seconds after everything began.
    pub(crate) fn at(&self, seconds: i64) {
        *self.now.lock().unwrap() = at(seconds);
    }

    pub(crate) async fn set(&self) {
        let now = self.clock.now();
        let set = set(&self.table, &acme(), &self.receiver.url, now).await;
        assert!(set.unwrap().is_some());
    }

    pub(crate) async fn put_on(&self) {
        let now = self.clock.now();
        assert!(enable(&self.table, &acme(), now).await.unwrap().is_some());
    }

    pub(crate) async fn put(&self, row: &Row) {
        self.put_item(Item::Commission(Arc::new(row.clone()))).await;
    }

    pub(crate) async fn put_item(&self, item: Item) {
        self.table.put(item, When::Absent).await.unwrap();
    }

    /// What the stream, seen twice, has ordered since this was last asked; each once.
    pub(crate) async fn orders(&self) -> Vec<String> {
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

    pub(crate) async fn deliver(&self, order: &str, attempt: u32) -> bool {
        deliver(&self.function, order, attempt).await
    }

    /// One sweep and what follows from it; how many rows it handed over.
    pub(crate) async fn sweep(&self) -> usize {
        let swept = sweep(&self.table, 250, self.clock.now()).await.unwrap();
        for told in &swept.told {
            handed_over(&self.table, told).await.unwrap();
            assert!(self.deliver(&told.order().to_text(), 1).await);
        }
        swept.told.len()
    }

    /// One audit and what follows from it; how many rows it handed over.
    pub(crate) async fn audit(&self) -> usize {
        let report = walk(&self.table, 10, self.clock.now()).await.unwrap();
        assert!(report.complete);
        for order in &report.untold {
            assert!(self.deliver(&order.to_text(), 1).await);
        }
        report.untold.len()
    }

    /// For how many seconds messages were left since this was last asked.
    pub(crate) fn waits(&self) -> Vec<i64> {
        std::mem::take(&mut *self.waits.0.lock().unwrap())
    }

    pub(crate) async fn failing_since(&self) -> Option<Timestamp> {
        let endpoint = endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.failing_since
    }

    pub(crate) async fn off(&self) -> Option<WhyOff> {
        let endpoint = endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.off.map(|off| off.why)
    }
}

fn function<P: Post>(
    table: &Mortal,
    waits: &Waits,
    clock: &Clock,
    poster: P,
) -> PartnerNotice<Mortal, Waits, P> {
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
pub(crate) async fn deliver(function: &impl Function, order: &str, attempt: u32) -> bool {
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
pub(crate) struct Waits(Arc<Mutex<Vec<i64>>>);

impl Later for Waits {
    async fn later(&self, receipt: &str, wait: SignedDuration) -> Result<(), QueueError> {
        assert_eq!(receipt, "r-1");
        self.0.lock().unwrap().push(wait.as_secs());
        Ok(())
    }
}

/// As a partner takes them: what comes again under an id, as it may, is the same notice.
pub(crate) fn once(came: Vec<Notice>) -> Vec<Notice> {
    let mut taken: Vec<Notice> = Vec::new();
    for notice in came {
        match taken.iter().find(|known| known.id == notice.id) {
            Some(known) => assert_eq!(known.text, notice.text, "one id, two notices"),
            None => taken.push(notice),
        }
    }
    taken
}

pub(crate) fn said(came: &[Notice]) -> Vec<String> {
    came.iter().map(Notice::said).collect()
}

pub(crate) fn acme() -> PartnerId {
    PartnerId::new("acme")
}

pub(crate) fn secret() -> String {
    secret_of(1)
}

/// That of a version.
pub(crate) fn secret_of(key: u32) -> String {
    let master = Secret::new(LOCAL_MASTER).unwrap();
    notice_secret(&master, &acme(), key)
        .unwrap()
        .reveal_standard()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    opening() + SignedDuration::from_secs(seconds)
}

pub(crate) const DAY: i64 = 86_400;

/// The n-th row there is, decided as everything began, held for 30 days.
pub(crate) fn row(n: u64, kind: Kind, minor: i64) -> Row {
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
