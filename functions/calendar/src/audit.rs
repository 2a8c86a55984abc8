//! The audit's runs: walked step by step, what a step found handed over before its place is saved.

use crate::waiting::store_failure;
use crate::{Calendar, WaitingReader, name_passed_over, queue_failure, seconds};
use jiff::SignedDuration;
use runtime::Failure;
use runtime::queue::Queue;
use serde::Serialize;
use store::Table;
use store::audit::{AuditReport, Walk, read_audit_age};
use store::letters::SendTask;
use store::tiers;

/// Pages of the table one run looks at before it leaves the rest to the next.
const PAGES: u32 = 200;

/// How long a run goes on, below the function's time-out: what one step takes is left of it.
const AUDIT_RUN: SignedDuration = SignedDuration::from_secs(200);

/// What one run found, for its log line and whoever called it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditSummary {
    /// Customers looked at.
    pub customers: u64,
    /// Records that had to be made true again.
    pub repaired: u64,
    /// Records that an older version had folded.
    pub refolded: u64,
    /// Whose work failed.
    pub passed_over: u64,
    /// Entries that wait for their customer to become known.
    pub parked: u64,
    /// Of these, how many for too long.
    pub parked_overdue: u64,
    /// How long the one of them has waited that waits longest, in seconds.
    pub parked_age: u64,
    /// Events that wait for their provider's API.
    pub waiting: u64,
    /// How long receivers and stream left something undone, in seconds; the longest.
    pub pending_age: u64,
    /// Quarantined events.
    pub quarantined: u64,
    /// Letters handed to their queue again.
    pub letters_requeued: u64,
    /// Rows enqueued again because their notices seem to be lost.
    pub notices_requeued: u64,
    /// Letters whose outcome will never be known.
    pub unknown_letters: u64,
    /// Partners whose customers' number brought them to another tier.
    pub tiers: u64,
    /// Whether the walk came to the end of the table.
    pub complete: bool,
}

impl<T: Table, Q: Queue, R: WaitingReader> Calendar<T, Q, R> {
    /// Once an hour: an audit that never ends, or never runs, has no line of its own.
    pub(crate) async fn tell_audit_age(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        if now.as_second().rem_euclid(3600) >= 60 {
            return Ok(());
        }
        let age = read_audit_age(&self.table, now).await;
        if let Some(age) = age.map_err(|error| store_failure(&error))? {
            let audit_age = seconds(age);
            tracing::info!(what = "audit_age", audit_age, metrics = "audit_age");
        }
        Ok(())
    }

    /// One run of the audit.
    ///
    /// # Errors
    /// When the table or the queue does not answer: the next run begins at the step at which this
    /// one ended. What was found before that is handed over.
    pub async fn audit(&self) -> Result<AuditSummary, Failure> {
        let mut found = AuditSummary::default();
        let ended = self.walk(&mut found).await;
        tracing::info!(
            what = "audit",
            customers = found.customers,
            repaired = found.repaired,
            refolded = found.refolded,
            passed_over = found.passed_over,
            parked_overdue = found.parked_overdue,
            parked_age = found.parked_age,
            pending_age = found.pending_age,
            quarantined = found.quarantined,
            unknown_letters = found.unknown_letters,
            notices_requeued = found.notices_requeued,
            tiers = found.tiers,
            complete = found.complete,
            metrics = "parked_age pending_age unknown_letters passed_over",
        );
        ended.map(|()| found)
    }

    async fn walk(&self, found: &mut AuditSummary) -> Result<(), Failure> {
        let began = self.clock.now();
        let walk = Walk::resume(&self.table, began).await;
        let Some(mut walk) = walk.map_err(|error| store_failure(&error))? else {
            // Another run began at the same moment.
            return Ok(());
        };
        let (mut pages, mut anything_done) = (0_u32, false);
        loop {
            let now = self.clock.now();
            let step = walk.step(now).await;
            let step = step.map_err(|error| store_failure(&error))?;
            // Handed over first, saved afterwards: who dies in between hands it over again.
            self.hand_over(&step, found).await?;
            anything_done |= walk.has_progressed();
            let saved = walk.save(now).await;
            let goes_on = saved.map_err(|error| store_failure(&error))?;
            pages = pages.saturating_add(1);
            let spent = pages >= PAGES || self.clock.now().duration_since(began) >= AUDIT_RUN;
            if !goes_on || step.complete || (spent && anything_done) {
                return Ok(());
            }
        }
    }

    /// Hands over what a step found.
    async fn hand_over(&self, step: &AuditReport, found: &mut AuditSummary) -> Result<(), Failure> {
        name_passed_over("audit", &step.passed_over);
        found.add(step);
        for row in &step.overdue_letters {
            self.letters
                .send(SendTask::of(row).to_text())
                .await
                .map_err(|error| queue_failure(&error))?;
            found.letters_requeued = found.letters_requeued.saturating_add(1);
        }
        for task in &step.undelivered {
            self.notices
                .send(task.to_text())
                .await
                .map_err(|error| queue_failure(&error))?;
            found.notices_requeued = found.notices_requeued.saturating_add(1);
        }
        let Some(active) = &step.active else {
            return Ok(());
        };
        let reconciled = tiers::reconcile_tiers(&self.table, active, self.clock.now()).await;
        let tiers = reconciled.map_err(|error| store_failure(&error))?;
        name_passed_over("tiers", &tiers.passed_over);
        found.tiers = tiers.changed;
        found.passed_over = found.passed_over.saturating_add(tiers.passed_over.count);
        Ok(())
    }
}

impl AuditSummary {
    fn add(&mut self, step: &AuditReport) {
        for (sum, found) in [
            (&mut self.customers, step.customers),
            (&mut self.repaired, step.repaired),
            (&mut self.refolded, step.refolded),
            (&mut self.passed_over, step.passed_over.count),
            (&mut self.parked, step.parked),
            (&mut self.parked_overdue, step.parked_overdue),
            (&mut self.waiting, step.waiting),
            (&mut self.quarantined, step.quarantined),
            (&mut self.unknown_letters, step.unknown_letters),
        ] {
            *sum = sum.saturating_add(found);
        }
        self.parked_age = self.parked_age.max(seconds(step.parked_age));
        self.pending_age = self.pending_age.max(seconds(step.pending_age));
        self.complete |= step.complete;
    }
}
