//! The notices' function over a table in memory: its queue, its clock, a partner's endpoint.

use dispatch::Dispatch;
use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::program::Reward;
use jiff::{SignedDuration, Timestamp};
use local_shop::shop::LOCAL_MASTER;
use partner_notice::PartnerNotice;
use providers::{Secret, notice_secret};
use runtime::post::{Post, Poster};
use runtime::queue::{DelayableQueue, QueueError};
use runtime::secrets::{SecretCache, SecretSource, master};
use runtime::{Clock, Function};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::audit::walk;
use store::due_scan::scan_due;
use store::memory::MemoryTable;
use store::notice_endpoints::{DisabledReason, enable, read_endpoint, set};
use store::notices::clear_due;
use store::{Item, Table, WriteCondition};
use tests::harness::in_process::MemoryQueue;
use tests::harness::notice_receiver::{NoticeReceiver, ReceivedNotice};
use tests::harness::stack::start_time;

/// The notices' function over a table in memory, its queue, and one partner's endpoint.
pub(crate) struct NoticeHarness {
    pub(crate) table: MemoryTable,
    memory: MemoryTable,
    pub(crate) receiver: NoticeReceiver,
    function: PartnerNotice<MemoryTable, PostponedMessages, Poster>,
    pub(crate) clock: Clock,
    now: Arc<Mutex<Timestamp>>,
    postponed: PostponedMessages,
    read_changes: Mutex<usize>,
}

impl NoticeHarness {
    pub(crate) async fn open() -> Self {
        let memory = MemoryTable::default();
        let now = Arc::new(Mutex::new(start_time()));
        let told = now.clone();
        let clock = Clock::new(move || *told.lock().unwrap());
        let waits = PostponedMessages::default();
        let table = memory.process();
        Self {
            function: function(&table, &waits, &clock, Poster::loopback().unwrap()),
            table,
            memory,
            receiver: NoticeReceiver::open().await,
            clock,
            now,
            postponed: waits,
            read_changes: Mutex::default(),
        }
    }

    pub(crate) fn function<P: Post>(
        &self,
        poster: P,
    ) -> PartnerNotice<MemoryTable, PostponedMessages, P> {
        function(&self.table, &self.postponed, &self.clock, poster)
    }

    /// So many seconds after everything began.
    pub(crate) fn set_time(&self, seconds: i64) {
        *self.now.lock().unwrap() = at(seconds);
    }

    pub(crate) async fn set_endpoint(&self) {
        let now = self.clock.now();
        let set = set(&self.table, &acme(), &self.receiver.url, now).await;
        assert!(set.unwrap().is_some());
    }

    pub(crate) async fn enable_endpoint(&self) {
        let now = self.clock.now();
        assert!(enable(&self.table, &acme(), now).await.unwrap().is_some());
    }

    pub(crate) async fn put(&self, row: &CommissionRow) {
        self.put_item(Item::Commission(Arc::new(row.clone()))).await;
    }

    pub(crate) async fn put_item(&self, item: Item) {
        self.table.put(item, WriteCondition::Absent).await.unwrap();
    }

    /// What the stream, seen twice, has ordered since this was last asked; each once.
    pub(crate) async fn take_notice_tasks(&self) -> Vec<String> {
        let from = {
            let mut behind = self.read_changes.lock().unwrap();
            std::mem::replace(&mut *behind, self.memory.changes(0).len())
        };
        let notices = MemoryQueue::default();
        let dispatch = Dispatch {
            letters: MemoryQueue::default(),
            notices: notices.clone(),
        };
        for _ in 0..2 {
            let failed = dispatch.enqueue(self.memory.changes(from)).await;
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
    pub(crate) async fn due_scan(&self) -> usize {
        let swept = scan_due(&self.table, 250, self.clock.now()).await.unwrap();
        for told in &swept.due_notices {
            clear_due(&self.table, told).await.unwrap();
            assert!(self.deliver(&told.task().to_text(), 1).await);
        }
        swept.due_notices.len()
    }

    /// One audit and what follows from it; how many rows it handed over.
    pub(crate) async fn audit(&self) -> usize {
        let report = walk(&self.table, 10, self.clock.now()).await.unwrap();
        assert!(report.complete);
        for order in &report.undelivered {
            assert!(self.deliver(&order.to_text(), 1).await);
        }
        report.undelivered.len()
    }

    /// For how many seconds messages were left since this was last asked.
    pub(crate) fn take_postponed(&self) -> Vec<i64> {
        std::mem::take(&mut *self.postponed.0.lock().unwrap())
    }

    pub(crate) async fn failing_since(&self) -> Option<Timestamp> {
        let endpoint = read_endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.failing_since
    }

    pub(crate) async fn disabled_reason(&self) -> Option<DisabledReason> {
        let endpoint = read_endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.disabled.map(|off| off.reason)
    }
}

fn function<P: Post>(
    table: &MemoryTable,
    waits: &PostponedMessages,
    clock: &Clock,
    poster: P,
) -> PartnerNotice<MemoryTable, PostponedMessages, P> {
    let source = SecretSource::Given(vec![LOCAL_MASTER.into()]);
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
pub(crate) struct PostponedMessages(Arc<Mutex<Vec<i64>>>);

impl DelayableQueue for PostponedMessages {
    async fn delay(&self, receipt: &str, wait: SignedDuration) -> Result<(), QueueError> {
        assert_eq!(receipt, "r-1");
        self.0.lock().unwrap().push(wait.as_secs());
        Ok(())
    }
}

/// As a partner takes them: what comes again under an id, as it may, is the same notice.
pub(crate) fn deduplicated(came: Vec<ReceivedNotice>) -> Vec<ReceivedNotice> {
    let mut taken: Vec<ReceivedNotice> = Vec::new();
    for notice in came {
        match taken.iter().find(|known| known.id == notice.id) {
            Some(known) => assert_eq!(known.text, notice.text, "one id, two notices"),
            None => taken.push(notice),
        }
    }
    taken
}

pub(crate) fn summaries(came: &[ReceivedNotice]) -> Vec<String> {
    came.iter().map(ReceivedNotice::summary).collect()
}

pub(crate) fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
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
    start_time() + SignedDuration::from_secs(seconds)
}

pub(crate) const DAY: i64 = 86_400;

/// The n-th row there is, decided as everything began, held for 30 days.
pub(crate) fn row(n: u64, kind: RowKind, minor: i64) -> CommissionRow {
    CommissionRow {
        partner: acme(),
        customer: CustomerKey::parse("stripe/test/cus_1").unwrap(),
        payment: ObjectId::parse("pi_1").unwrap(),
        n,
        kind,
        amount: Money {
            minor,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        self_referral_signal: None,
        reward: Some(Reward::BasisPoints(2_000)),
        base_minor: Some(1_000),
        paid_at: Some(start_time()),
        at: start_time(),
        releases_at: at(30 * DAY),
    }
}
