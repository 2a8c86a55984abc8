//! The index of who is due: it follows the table, after a while.

use super::faults::FaultKind;
use super::state::Simulation;
use jiff::Timestamp;
use store::Key;
use store::memory::TableAnswer;

impl Simulation<'_> {
    /// The index's answer, sometimes from before the last changes.
    pub(crate) fn due_from_index(
        &mut self,
        shard: u64,
        until: Timestamp,
        most: u32,
    ) -> TableAnswer {
        let behind = self.rng.one_in(8);
        let by = 1 + self.rng.index(12);
        let by = if self.inject(FaultKind::IndexBehind, behind) {
            by
        } else {
            0
        };
        // The function asks for many: an index that shows few keeps the others for a next scan.
        let few = 1 + self.rng.below(5) as u32;
        let most = if self.rng.one_in(2) {
            most.min(few)
        } else {
            most
        };
        let caught_up = self.table.changes.len().saturating_sub(by);
        TableAnswer::Due(self.table.due(shard, until, most, caught_up))
    }

    /// A customer or a row whose moment has come.
    pub(crate) fn overdue_item(&self) -> Option<(Key, Timestamp)> {
        let now = Timestamp::from_millisecond(self.clock).unwrap_or_default();
        let mut items = self.table.items();
        items.find_map(|item| {
            // Nobody can look at that one.
            if let store::Item::Unreadable(_) = item {
                return None;
            }
            let due_at = item.next_due_at().filter(|at| *at <= now)?;
            Some((item.key(), due_at))
        })
    }
}
