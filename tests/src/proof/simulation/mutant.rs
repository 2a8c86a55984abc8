//! The mutations, by name.

/// A rule broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "ALL says it")]
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
    HideClearPart,
    AddForeignCurrency,
    CountUnlinkedTwice,
    StopAtNewerItem,
}

/// All of them.
pub const ALL: [(Mutant, &str); 26] = [
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
        "a notice is sent again although it is recorded as delivered",
    ),
    (
        Mutant::NotifyEarly,
        "a release is announced before its hold ends",
    ),
    (
        Mutant::RecordUndelivered,
        "a notice is recorded as delivered although it failed",
    ),
    (
        Mutant::UnmarkUnsent,
        "a row's due mark is removed and its notice task not sent",
    ),
    (
        Mutant::IgnoreAuditFindings,
        "the audit's findings about undelivered notices are ignored",
    ),
    (
        Mutant::EnableWithoutMissed,
        "an endpoint is enabled and what it missed is forgotten",
    ),
    (
        Mutant::HideClearPart,
        "an event's unclear part hides its clear parts",
    ),
    (
        Mutant::AddForeignCurrency,
        "a refund in another currency is subtracted from the payment",
    ),
    (
        Mutant::CountUnlinkedTwice,
        "an invoice and its charge that nothing links count as two payments",
    ),
    (
        Mutant::StopAtNewerItem,
        "the audit ends at an item that a newer version wrote",
    ),
];
