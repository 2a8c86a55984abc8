//! The schedule: the due scan at whole minutes, as long as anybody is due, and the daily audit.

use super::handlers;
use crate::proof::simulation::activity::MINUTE;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::activity::SimulationActivity;
use crate::proof::simulation::state::Simulation;
use calendar::AuditSummary;
use store::Item;

impl Simulation<'_> {
    /// An item asks to be looked at: the first whole minute after that is a due scan's. Sweeps that
    /// would find nobody are left out.
    pub(crate) fn schedule_due_scan(&mut self, item: &Item) {
        if let Some(next_due_at) = item.next_due_at() {
            self.schedule_due_scan_at(next_due_at.as_millisecond());
        }
    }

    fn schedule_due_scan_at(&mut self, moment: i64) {
        let minute = (moment.max(self.clock) / MINUTE + 1) * MINUTE;
        if self.scheduled_due_scans.insert(minute) {
            self.schedule(minute - self.clock, SimulationActivity::DueScan);
        }
    }

    /// A due scan begins.
    pub(crate) fn due_scan(&mut self) {
        self.spawn_due_scan(ProcessRole::DueScan);
    }

    /// A due scan ended, or died: the next minute's goes on, while anybody is due.
    pub(crate) fn due_scan_ended(&mut self) {
        if self.overdue_item().is_some() {
            self.schedule_due_scan_at(self.clock);
        }
    }

    /// A walk of the audit begins.
    pub(crate) fn audit(&mut self) {
        let now = self.skewed_now();
        let process = handlers::audit(self.port.clone(), now);
        self.spawn(ProcessRole::Audit, process);
    }

    /// A walk ended; none that failed counts.
    pub(crate) fn audit_ended(&mut self, found: Option<AuditSummary>) {
        self.last_audit = found.or(self.last_audit.take());
    }
}
