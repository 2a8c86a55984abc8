//! What tests of partners' notices ask of the functions in this process: one partner's endpoint,
//! its rows, and the messages of its queue.

use super::functions::deliver;
use super::notice_receiver::ReceivedNotice;
use super::queues::PostponedMessages;
use super::{InProcess, TestHarness, start_time};
use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::program::Reward;
use jiff::{SignedDuration, Timestamp};
use local_shop::shop::LOCAL_MASTER;
use partner_notice::PartnerNotice;
use providers::{Secret, notice_secret};
use std::sync::Arc;
use store::audit::walk;
use store::due_scan::scan_due;
use store::memory::MemoryTable;
use store::notice_endpoints::{DisabledReason, enable, read_endpoint};
use store::notices::clear_due;
use store::{Item, Table, WriteCondition};

impl TestHarness<InProcess> {
    /// The notices' function with another way of posting.
    pub fn notice_function<P>(
        &self,
        poster: P,
    ) -> PartnerNotice<MemoryTable, PostponedMessages, P> {
        self.functions().notice_through(poster)
    }

    /// Has the partner's notices sent to this harness's receiver.
    pub async fn set_receiver(&self) {
        self.set_endpoint(acme().as_str(), &self.receiver().url)
            .await;
    }

    /// Enables the partner's endpoint again.
    pub async fn enable_endpoint(&self) {
        let enabled = enable(&self.table, &acme(), self.now()).await;
        assert!(enabled.unwrap().is_some());
    }

    /// Puts a row of the partner's.
    pub async fn put(&self, row: &CommissionRow) {
        self.put_item(Item::Commission(Arc::new(row.clone()))).await;
    }

    /// Puts an item that is not there yet.
    pub async fn put_item(&self, item: Item) {
        self.table.put(item, WriteCondition::Absent).await.unwrap();
    }

    /// What the stream, seen twice, has ordered since this was last asked; each once.
    pub async fn take_notice_tasks(&self) -> Vec<String> {
        let from = self.skip_changes();
        self.platform.notices.take();
        for _ in 0..2 {
            self.dispatch_changes(from).await;
        }
        let mut tasks = self.platform.notices.take();
        tasks.sort();
        tasks.dedup();
        tasks
    }

    /// One message of the notices' queue; whether the queue may forget it.
    pub async fn deliver_task(&self, task: &str, attempt: u32) -> bool {
        deliver(self.functions().notice(), task, attempt).await
    }

    /// One scan and what follows from it; how many rows it handed over.
    pub async fn due_scan(&self) -> usize {
        let scanned = scan_due(self.process_table(), 250, self.now())
            .await
            .unwrap();
        for due in &scanned.due_notices {
            clear_due(self.process_table(), due).await.unwrap();
            assert!(self.deliver_task(&due.task().to_text(), 1).await);
        }
        scanned.due_notices.len()
    }

    /// One audit and what follows from it; how many rows it handed over.
    pub async fn audit(&self) -> usize {
        let report = walk(self.process_table(), 10, self.now()).await.unwrap();
        assert!(report.complete);
        for task in &report.undelivered {
            assert!(self.deliver_task(&task.to_text(), 1).await);
        }
        report.undelivered.len()
    }

    /// For how many seconds messages were postponed since this was last asked.
    pub fn take_postponed(&self) -> Vec<i64> {
        self.functions().postponed.take()
    }

    /// Since when the partner's endpoint fails.
    pub async fn failing_since(&self) -> Option<Timestamp> {
        let endpoint = read_endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.failing_since
    }

    /// Why the partner's endpoint is disabled.
    pub async fn disabled_reason(&self) -> Option<DisabledReason> {
        let endpoint = read_endpoint(&self.table, &acme()).await.unwrap().unwrap();
        endpoint.disabled.map(|disabled| disabled.reason)
    }
}

/// As a partner takes them: what comes again under an id, as it may, is the same notice.
pub fn deduplicated(came: Vec<ReceivedNotice>) -> Vec<ReceivedNotice> {
    let mut taken: Vec<ReceivedNotice> = Vec::new();
    for notice in came {
        match taken.iter().find(|earlier| earlier.id == notice.id) {
            Some(earlier) => assert_eq!(earlier.text, notice.text, "one id, two notices"),
            None => taken.push(notice),
        }
    }
    taken
}

/// Their types and amounts.
pub fn summaries(came: &[ReceivedNotice]) -> Vec<String> {
    came.iter().map(ReceivedNotice::summary).collect()
}

/// The partner.
pub fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
}

/// The secret of its notices.
pub fn secret() -> String {
    secret_of(1)
}

/// That of a version.
pub fn secret_of(key: u32) -> String {
    let master = Secret::new(LOCAL_MASTER).unwrap();
    notice_secret(&master, &acme(), key)
        .unwrap()
        .reveal_standard()
}

/// So many seconds after the start.
pub fn at(seconds: i64) -> Timestamp {
    start_time() + SignedDuration::from_secs(seconds)
}

/// A day, in seconds.
pub const DAY: i64 = 86_400;

/// The n-th row there is, decided as everything began, held for 30 days.
pub fn row(n: u64, kind: RowKind, minor: i64) -> CommissionRow {
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
        referral: None,
        sub_ids: Default::default(),
        is_tax_unknown: false,
        self_referral_signal: None,
        reward: Some(Reward::BasisPoints(2_000)),
        base_minor: Some(1_000),
        paid_at: Some(start_time()),
        at: start_time(),
        releases_at: at(30 * DAY),
    }
}
