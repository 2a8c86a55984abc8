//! What happens in a simulation, what its processes are for, and how they end.

use super::faults::Fault;
use calendar::AuditSummary;
use domain::partner::payout::PayoutOutcome;
use domain::record::Entry;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use store::StoreError;
use store::ingest::AppendOutcome;
use store::payouts::PayoutError;

/// Milliseconds, as the simulation counts.
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// What happens at a moment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SimulationActivity {
    /// A request of the senders' arrives.
    Deliver(usize),
    /// A process's question is answered.
    Step(usize, Fault),
    /// A request long given up reaches the table.
    ApplyLate(usize),
    /// A reader of the stream looks for records.
    ReadStream(usize),
    /// A queue message becomes visible.
    ReceiveLetterMessage(usize),
    /// A message that was just delivered is delivered once more.
    RedeliverLetterMessage(usize),
    /// The daily audit.
    Audit,
    /// The due scan of a minute.
    DueScan,
    /// `calendar` asks for what waits for an API.
    CompleteWaiting,
    /// The shop pays its partners, as it wished.
    RunPayout(usize),
    /// A message of the notices' queue becomes visible.
    ReceiveNoticeMessage(usize),
    /// One that was just delivered is delivered once more.
    RedeliverNoticeMessage(usize),
    /// Somebody of the shop's sees to a partner's endpoint, as they wished.
    ChangeEndpoint(usize),
}

/// What a process was for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProcessRole {
    /// A request, by index.
    Delivery(usize),
    /// A reader's batch.
    Batch(usize),
    /// A queue message.
    Letter(usize),
    /// The audit.
    Audit,
    /// The due scan.
    DueScan,
    /// Asking for what waits for an API.
    CompleteWaiting,
    /// A payout over all partners, by wish.
    Payout(usize),
    /// A delivery of a message of the notices' queue, by attempt.
    Notice(usize),
    /// Seeing to a partner's endpoint, by wish.
    Endpoint(usize),
}

/// How a process ended by itself.
pub(crate) enum ProcessEnd {
    /// A request was taken in, or not: what it carried, and what became of each.
    Received(Result<Vec<(Arc<Entry>, AppendOutcome)>, StoreError>),
    /// A batch was worked through up to its first failure.
    Batched(Option<usize>),
    /// A letter was dealt with, or is to be tried again.
    LetterHandled(bool),
    /// A walk ended.
    Audited(Option<AuditSummary>),
    /// A due scan ended, whatever it came to.
    DueScanned,
    /// A payout over all partners came to this.
    PaidOut(Result<Vec<PayoutOutcome>, PayoutError>),
    /// A message of the notices' queue is done with, or comes again.
    NoticeHandled(bool),
    /// An endpoint was seen to, or it has to be said again.
    EndpointChanged(bool),
}

pub(crate) type SimulatedProcess = Pin<Box<dyn Future<Output = ProcessEnd> + Send>>;
