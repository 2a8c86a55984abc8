//! What the audit found.

use crate::journal::passed_over::PassedOver;
use crate::letters::row::LetterRow;
use crate::partner::delivery_row::NoticeTask;
use domain::ids::PartnerId;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a step, or a whole run, found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Customers looked at.
    pub customers: u64,
    /// Records that did not say what their journal says, or owed something, and were folded.
    pub repaired: u64,
    /// Records that an older version of the fold had made, and were folded again.
    pub refolded: u64,
    /// Whose work failed.
    pub passed_over: PassedOver,
    /// Entries that wait for somebody to know whose they are.
    pub parked: u64,
    /// Of these, how many have waited longer than
    /// [`OVERDUE_AFTER`](crate::audit::OVERDUE_AFTER).
    pub parked_overdue: u64,
    /// How long the one of them has waited that waits longest.
    pub parked_age: SignedDuration,
    /// Events that wait for their provider's API: `calendar` asks it every minute.
    pub waiting: u64,
    /// How long what receivers and stream left undone has been so, at least; the longest.
    pub pending_age: SignedDuration,
    /// Quarantined events.
    pub quarantined: u64,
    /// Letters owed for longer than [`OVERDUE_AFTER`](crate::audit::OVERDUE_AFTER): to be handed
    /// to their queue again.
    pub overdue_letters: Vec<Arc<LetterRow>>,
    /// Rows that their partners should have been told of and were not, it seems: to be handed to
    /// the notices' queue again.
    pub undelivered: Vec<NoticeTask>,
    /// Letters whose sender vanished: their outcome is now unknown for good.
    pub unknown_letters: u64,
    /// How many customers that a partner sent are active, in all of the table; once the walk came
    /// to its end.
    pub active: Option<BTreeMap<PartnerId, u32>>,
    /// Whether the walk came to the end of the table.
    pub complete: bool,
}

impl AuditReport {
    /// Adds what the next step found.
    pub fn add(&mut self, step: Self) {
        for (sum, found) in [
            (&mut self.customers, step.customers),
            (&mut self.repaired, step.repaired),
            (&mut self.refolded, step.refolded),
            (&mut self.parked, step.parked),
            (&mut self.parked_overdue, step.parked_overdue),
            (&mut self.waiting, step.waiting),
            (&mut self.quarantined, step.quarantined),
            (&mut self.unknown_letters, step.unknown_letters),
        ] {
            *sum = sum.saturating_add(found);
        }
        self.passed_over.extend(step.passed_over);
        self.parked_age = self.parked_age.max(step.parked_age);
        self.pending_age = self.pending_age.max(step.pending_age);
        self.overdue_letters.extend(step.overdue_letters);
        self.undelivered.extend(step.undelivered);
        self.active = step.active.or(self.active.take());
        self.complete |= step.complete;
    }
}
