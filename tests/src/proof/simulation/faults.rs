//! Everything that can go wrong in a simulation, each with a counter of how often it did.

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "FAULT_NAMES says it")]
pub(crate) enum FaultKind {
    Duplicate,
    Reorder,
    DelayedByDays,
    Dropped,
    AcknowledgmentLost,
    CrashAtAppend,
    CrashAtRead,
    CrashAtWrite,
    CrashAtEffect,
    CrashAtClear,
    CrashElsewhere,
    AnswerLost,
    AnswerLostAndRepeated,
    WriteLost,
    LateApply,
    ReadUnanswered,
    Throttled,
    Frozen,
    IndexBehind,
    RecordTwice,
    BatchRerun,
    Bisect,
    Poison,
    GivenUp,
    StreamLost,
    QueueTwice,
    MailThrottled,
    MailRejected,
    MailAnswerLost,
    MailRequestLost,
    ClockSkew,
    SecretRotation,
    TwoVersions,
    ManyInOne,
    ApiSilent,
    ApiSlow,
    ApiAhead,
    CrashAtPayout,
    PayoutsAtOnce,
    SameDayAgain,
    CrashAtNotice,
    NoticeLost,
    NoticeAnswerLost,
    PartnerDown,
    PartnerGone,
    OrderAnswerLost,
}

/// Their names, in order.
pub const FAULT_NAMES: [&str; FAULT_COUNT] = [
    "duplicate",
    "reordered by minutes",
    "delayed by days",
    "dropped, then redelivered",
    "2xx lost on its way back",
    "crash at 1, append",
    "crash at 2-3, read",
    "crash at 4-5, write",
    "crash at 6, effect",
    "crash at 7, clear",
    "crash at any other await",
    "write applied, answer lost",
    "the same, repeated by the client",
    "write lost",
    "late apply",
    "read unanswered",
    "throttled",
    "process frozen for minutes",
    "index behind the table",
    "stream record twice",
    "batch re-run",
    "bisect",
    "poison event",
    "batch given up to its destination",
    "stream lost after 24 hours",
    "queue message twice",
    "SES throttled",
    "SES rejected",
    "SES accepted, answer lost",
    "SES request lost",
    "clock off by up to 15 minutes",
    "refused until the new secret is known",
    "read by the next version",
    "several items in one request",
    "provider's API silent",
    "provider's API slow",
    "provider's API ahead of the event",
    "crash at a payout",
    "two payouts at once",
    "the same day paid again",
    "crash at a notice",
    "notice lost on its way",
    "partner took a notice, answer lost",
    "partner's endpoint down, up to five days",
    "partner's endpoint answers 410",
    "queue took a task, answer lost",
];

/// How many there are.
pub const FAULT_COUNT: usize = 46;

/// How often each was hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultCounts(pub [u64; FAULT_COUNT]);

impl Default for FaultCounts {
    fn default() -> Self {
        Self([0; FAULT_COUNT])
    }
}

impl FaultCounts {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is done and answered.
    None,
    /// It is done, and the answer lost.
    AnswerLost,
    /// It is done, the answer lost, and the client repeats it.
    Repeated,
    /// It is not done, and nobody says so.
    RequestLost,
    /// It is not done yet; it will be.
    LateApply,
    /// It is refused.
    Throttled,
    /// It is done, of a later moment than was asked about.
    ApiAhead,
    /// The process dies before it is done.
    CrashBefore,
    /// The process dies after it is done.
    CrashAfter,
}

/// Which simulation, and what of it is left out while a failing one is made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationSpec {
    /// The simulation's own seed.
    pub seed: u64,
    /// Faults that may happen, a bit each.
    pub faults: u64,
    /// Events that are told, a bit each.
    pub events: u64,
    /// Faults spared, by their number in the order of their happening.
    pub spared: Vec<u32>,
}

impl SimulationSpec {
    /// A whole simulation.
    pub fn whole(seed: u64) -> Self {
        Self {
            seed,
            faults: u64::MAX,
            events: u64::MAX,
            spared: Vec::new(),
        }
    }
}
