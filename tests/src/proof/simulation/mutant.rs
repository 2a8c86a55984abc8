//! The mutations, by name.

/// A law broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "NAMES says it")]
pub enum Mutant {
    DropRing,
    EffectsFirst,
    StaleReads,
    ForgetPending,
    TieByArrival,
    RetryMail,
    ActOnOldCause,
    TrustAlias,
    StopAtPoison,
    RefundByDelivery,
    NumberAnew,
    RowsUnread,
    RowByDelivery,
    PayUnreleased,
    PaySuspected,
    PayDayAgain,
    NotifyTwice,
    NotifyEarly,
    RecordUndelivered,
    UnmarkUnsent,
    IgnoreAuditFindings,
    EnableWithoutMissed,
}

/// All of them.
pub const ALL: [(Mutant, &str); 22] = [
    (Mutant::DropRing, "drop the ring"),
    (Mutant::EffectsFirst, "write effects before the record"),
    (Mutant::StaleReads, "skip consistent reads"),
    (Mutant::ForgetPending, "forget pending after a crash"),
    (Mutant::TieByArrival, "tie broken by arrival"),
    (Mutant::RetryMail, "retry SES"),
    (Mutant::ActOnOldCause, "act on an old cause"),
    (Mutant::TrustAlias, "trust the alias before parking twice"),
    (Mutant::StopAtPoison, "fold stops at a poison event"),
    (Mutant::RefundByDelivery, "refund keyed by delivery"),
    (Mutant::NumberAnew, "rows numbered anew"),
    (Mutant::RowsUnread, "the journal read without its rows"),
    (Mutant::RowByDelivery, "row keyed by delivery"),
    (
        Mutant::PayUnreleased,
        "a payout takes what is still held back by its hold",
    ),
    (
        Mutant::PaySuspected,
        "a payout takes what waits for a person",
    ),
    (Mutant::PayDayAgain, "the same day is paid again"),
    (
        Mutant::NotifyTwice,
        "a partner is told without a look at what it was told",
    ),
    (
        Mutant::NotifyEarly,
        "a release is told before the hold is over",
    ),
    (
        Mutant::RecordUndelivered,
        "a notice is written down before it is taken",
    ),
    (
        Mutant::UnmarkUnsent,
        "a row's mark is taken off, and its order not handed over",
    ),
    (
        Mutant::IgnoreAuditFindings,
        "nobody hears whom the audit names as untold",
    ),
    (
        Mutant::EnableWithoutMissed,
        "an endpoint is put on, and what it missed forgotten",
    ),
];
