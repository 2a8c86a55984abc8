//! What happens in a world, what its processes are for, and how they end.

use super::weather::Fate;
use domain::payout::Run;
use domain::record::Entry;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use store::StoreError;
use store::accept::Verdict;
use store::audit::Report;
use store::payouts::RunError;

/// Milliseconds, as the world counts.
pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// What happens at a moment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// A request of the senders' arrives.
    Deliver(usize),
    /// A process's question is answered.
    Step(usize, Fate),
    /// A request long given up reaches the table.
    Late(usize),
    /// A reader of the stream looks for records.
    Pump(usize),
    /// A queue message becomes visible.
    Visible(usize),
    /// A message that was just delivered is delivered once more.
    Again(usize),
    /// The daily audit.
    Audit,
    /// The sweep of a minute.
    Sweep,
    /// `calendar` asks for what waits for an API.
    Complete,
    /// The shop pays its partners, as it wished.
    Pay(usize),
    /// A message of the notices' queue becomes visible.
    Notify(usize),
    /// One that was just delivered is delivered once more.
    NotifyAgain(usize),
    /// Somebody of the shop's sees to a partner's endpoint, as they wished.
    SeeTo(usize),
}

/// What a process was for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// A request, by index.
    Delivery(usize),
    /// A reader's batch.
    Batch(usize),
    /// A queue message.
    Mail(usize),
    /// The audit.
    Audit,
    /// The sweep.
    Sweep,
    /// Asking for what waits for an API.
    Complete,
    /// A payout over all partners, by wish.
    Payout(usize),
    /// A delivery of a message of the notices' queue, by attempt.
    Notice(usize),
    /// Seeing to a partner's endpoint, by wish.
    Endpoint(usize),
}

/// How a process ended by itself.
pub(super) enum End {
    /// A request was taken in, or not: what it carried, and what became of each.
    Received(Result<Vec<(Arc<Entry>, Verdict)>, StoreError>),
    /// A batch was worked through up to its first failure.
    Batched(Option<usize>),
    /// A letter was dealt with, or is to be tried again.
    Mailed(bool),
    /// A walk ended.
    Audited(Result<Report, StoreError>),
    /// A sweep ended, whatever it came to.
    Swept,
    /// What waits was asked for, whatever came of it.
    Completed,
    /// A payout over all partners came to this.
    Paid(Result<Vec<Run>, RunError>),
    /// A message of the notices' queue is done with, or comes again.
    Notified(bool),
    /// An endpoint was seen to, or it has to be said again.
    SeenTo(bool),
}

pub(super) type Process = Pin<Box<dyn Future<Output = End> + Send>>;
