//! The schedule: the sweep at whole minutes, as long as anybody is due, and the daily audit.

use super::handlers;
use crate::proof::simulation::activity::MINUTE;
use crate::proof::simulation::scheduler::{ProcessRole, Simulation, SimulationActivity};
use calendar::AuditSummary;
use jiff::Timestamp;
use store::{Item, Key};

impl Simulation<'_> {
    /// An item asks to be looked at: the first whole minute after that is a sweep's. Sweeps that
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

    /// A sweep begins.
    pub(crate) fn due_scan(&mut self) {
        let now = self.skewed_now();
        let process = handlers::due_scan(self.port.clone(), now);
        self.spawn(ProcessRole::DueScan, process);
    }

    /// A sweep ended, or died: the next minute's goes on, while anybody is due.
    pub(crate) fn due_scan_ended(&mut self) {
        if self.overdue_item().is_some() {
            self.schedule_due_scan_at(self.clock);
        }
    }

    /// A customer or a row whose moment has come.
    pub(crate) fn overdue_item(&self) -> Option<(&Key, Timestamp)> {
        let now = Timestamp::from_millisecond(self.clock).unwrap_or_default();
        let mut asking = self.table.maybe_due();
        asking.find_map(|(key, item)| Some((key, item.next_due_at().filter(|at| *at <= now)?)))
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
