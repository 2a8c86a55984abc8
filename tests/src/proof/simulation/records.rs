//! What a simulation keeps of its deliveries, queues, payouts and notices.

use domain::ids::{CustomerKey, PartnerId};
use domain::notice::Notice;
use domain::partner::payout::Payout;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;
use store::letters::SendTask;
use store::notices::NoticeTask;
use store::{Item, Key};

/// A rule that does not hold, and where.
pub(crate) type Violation = String;

/// How delivering one request goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestDelivery {
    /// The provider has heard 2xx.
    pub(crate) acknowledged: bool,
    /// We have said 2xx.
    pub(crate) answered: bool,
    pub(crate) attempts: u32,
}

/// One reader of one shard.
#[derive(Clone, Debug)]
pub(crate) struct StreamReader {
    /// Positions in the table's changes.
    pub(crate) pending_changes: Vec<usize>,
    pub(crate) position: usize,
    /// Records under way, from `at`.
    pub(crate) in_flight: usize,
    /// Only letters and rows, for the queues; or entries, records and parked ones, to be folded.
    pub(crate) for_queue: bool,
    pub(crate) tries: u32,
    pub(crate) batch_size: usize,
    pub(crate) scheduled: bool,
    /// From when it stands still for more than a day, once.
    pub(crate) stalls_at: i64,
}

/// A message: a letter to be sent.
#[derive(Clone, Debug)]
pub(crate) struct QueuedLetter {
    pub(crate) task: SendTask,
    pub(crate) receives: u32,
    pub(crate) deleted: bool,
}

/// What the shop wished to pay, and what was paid.
#[derive(Default)]
pub(crate) struct PayoutWorkload {
    pub(crate) planned: Vec<PlannedPayout>,
    /// Runs that began: by day and their clock, and the changes there were by then.
    pub(crate) started_runs: BTreeMap<(Date, Timestamp), usize>,
    /// Payouts as they were first written.
    pub(crate) written: BTreeMap<Key, Payout>,
    /// What was released by then is all paid: by the last run, which nothing disturbs.
    pub(crate) final_run_at: Option<Timestamp>,
}

/// A payout over all partners that somebody wishes.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlannedPayout {
    /// Known when it is first asked for; the same whenever it is asked for again.
    pub(crate) date: Option<Date>,
    /// Yesterday is paid, and not today.
    pub(crate) for_yesterday: bool,
    /// The least that is paid, euro cents.
    pub(crate) minimum_minor: Option<i64>,
    pub(crate) dry_run: bool,
    pub(crate) tries: u32,
}

impl PayoutWorkload {
    /// How many payouts there were.
    pub(crate) fn count(&self) -> u64 {
        self.written.len() as u64
    }
}

/// What somebody of the shop's wishes of a partner's endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EndpointChange {
    /// That it be this, by number.
    Set(u32),
    Rotate,
    Enable,
    Remove,
}

/// The notices' queue and what is around it.
#[derive(Default)]
pub(crate) struct NoticeWorkload {
    pub(crate) messages: Vec<QueuedNotice>,
    pub(crate) attempts: Vec<NoticeAttempt>,
    pub(crate) partners: BTreeMap<PartnerId, PartnerState>,
    pub(crate) endpoint_changes: Vec<(PartnerId, EndpointChange)>,
    /// Every notice that a row in the table makes, by its id.
    pub(crate) expected: BTreeMap<String, ExpectedNotice>,
    /// When the audits after the last fault began.
    pub(crate) audited_from: Option<i64>,
}

/// A message: an order to tell of a row.
pub(crate) struct QueuedNotice {
    pub(crate) order: NoticeTask,
    pub(crate) receives: u32,
    pub(crate) visible_at: i64,
    pub(crate) deleted: bool,
}

/// One delivery of a message.
pub(crate) struct NoticeAttempt {
    pub(crate) message: usize,
    /// How many changes the table had seen when it began.
    pub(crate) began_at_change: usize,
}

/// A partner's side.
#[derive(Default)]
pub(crate) struct PartnerState {
    pub(crate) down_until: i64,
    /// It said that it is gone.
    pub(crate) answered_gone: bool,
    /// It took nothing, or so it seemed.
    pub(crate) failed: bool,
    /// A message of its was given up since its endpoint was last put on.
    pub(crate) message_given_up: bool,
    /// How many changes the table had seen when its endpoint was put off.
    pub(crate) disabled_from: Option<usize>,
    /// Nobody wishes to be told any more.
    pub(crate) is_removed: bool,
    /// From when on it wishes to be told, and the changes there were when it said so.
    pub(crate) since: Option<(Timestamp, usize)>,
}

impl NoticeWorkload {
    /// How many notices were taken, each counted once.
    pub(crate) fn count(&self) -> u64 {
        let taken = self.expected.values().filter(|known| known.delivered);
        taken.count() as u64
    }
}

/// A notice that a row in the table makes.
#[derive(Debug)]
pub(crate) struct ExpectedNotice {
    pub(crate) order: NoticeTask,
    pub(crate) notice: Notice,
    pub(crate) body: Vec<u8>,
    /// Whether its partner has it.
    pub(crate) delivered: bool,
    /// How many changes the table had seen when that was written down.
    pub(crate) recorded_at_change: Option<usize>,
}

impl ExpectedNotice {
    /// Milliseconds since the epoch.
    pub(crate) fn at(&self) -> i64 {
        self.notice.at.as_millisecond()
    }
}

/// A notice's id and body.
pub(crate) fn notice_message(order: &NoticeTask, notice: &Notice) -> (String, Vec<u8>) {
    let id = notice.id(&order.addressee, &order.row);
    let body = notice.body(&order.addressee, &order.row);
    (id, serde_json::to_vec(&body).unwrap_or_default())
}

/// Rows that records, as written, decided: by key, and which number of a kind was whose.
#[derive(Default)]
pub(crate) struct DecidedRows {
    pub(crate) rows: BTreeMap<Key, Item>,
    pub(crate) numbers: BTreeMap<(bool, CustomerKey, u64), Key>,
}
