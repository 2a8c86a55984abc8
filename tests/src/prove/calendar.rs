//! The schedule: the sweep at whole minutes, as long as anybody is due, and the daily audit.

use super::handlers;
use super::happening::MINUTE;
use super::world::{Happening, Role, World};
use jiff::Timestamp;
use store::audit::Report;
use store::{Item, Key, StoreError};

impl World<'_> {
    /// An item asks to be looked at: the first whole minute after that is a sweep's. Sweeps that
    /// would find nobody are left out.
    pub(super) fn ask_to_look(&mut self, item: &Item) {
        if let Some(look_at) = item.look_at() {
            self.sweep_at(look_at.as_millisecond());
        }
    }

    fn sweep_at(&mut self, moment: i64) {
        let minute = (moment.max(self.clock) / MINUTE + 1) * MINUTE;
        if self.sweeps.insert(minute) {
            self.after(minute - self.clock, Happening::Sweep);
        }
    }

    /// A sweep begins.
    pub(super) fn sweep(&mut self) {
        let now = self.skewed();
        let most = 1 + self.rng.below(3) as u32;
        self.spawn(
            Role::Sweep,
            handlers::sweep(self.port.clone(), most, now, self.mutant),
        );
    }

    /// A sweep ended, or died: the next minute's goes on, while anybody is due.
    pub(super) fn swept(&mut self) {
        if self.waits_for_a_sweep().is_some() {
            self.sweep_at(self.clock);
        }
    }

    /// A customer or a row whose moment has come.
    pub(super) fn waits_for_a_sweep(&self) -> Option<(&Key, Timestamp)> {
        let now = Timestamp::from_millisecond(self.clock).unwrap_or_default();
        let mut asking = self.twin.lookable();
        asking.find_map(|(key, item)| Some((key, item.look_at().filter(|at| *at <= now)?)))
    }

    /// A walk of the audit begins.
    pub(super) fn audit(&mut self) {
        let now = self.skewed();
        let few = 1 + self.rng.below(3) as u32;
        let pages = if self.calm { u32::MAX } else { few };
        let process = handlers::audit(self.port.clone(), pages, now, self.mutant);
        self.spawn(Role::Audit, process);
    }

    /// A walk ended: letters that wait too long are handed to the queue again.
    pub(super) fn audited(&mut self, result: Result<Report, StoreError>) {
        if let Ok(report) = result {
            for row in &report.owed {
                self.enqueue(row.clone());
            }
            self.last_report = Some(report);
        }
    }
}
