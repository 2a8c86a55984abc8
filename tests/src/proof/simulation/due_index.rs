//! The index of who is due: it follows the table, after a while.

use super::faults::FaultKind;
use super::model_table::{ModelTable, TableAnswer};
use super::state::Simulation;
use jiff::Timestamp;
use store::Key;
use store::due_scan::due_shard;

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
        let few = 1 + self.rng.below(3) as u32;
        let most = if self.rng.one_in(4) {
            most.min(few)
        } else {
            most
        };
        let caught_up = self.table.changes.len().saturating_sub(by);
        TableAnswer::Due(self.table.due(shard, until, most, caught_up))
    }

    /// A customer or a row whose moment has come.
    pub(crate) fn overdue_item(&self) -> Option<(&Key, Timestamp)> {
        let now = Timestamp::from_millisecond(self.clock).unwrap_or_default();
        let mut asking = self.table.maybe_due();
        asking.find_map(|(key, item)| Some((key, item.next_due_at().filter(|at| *at <= now)?)))
    }
}

impl ModelTable {
    /// Who asks to be looked at, as an index tells that has caught up with so many changes.
    pub(crate) fn due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
        caught_up: usize,
    ) -> Vec<Key> {
        let behind = self.changes.get(caught_up..).unwrap_or_default();
        let mut asking: Vec<(Timestamp, Key)> = self
            .maybe_due()
            .filter(|(key, _)| due_shard(key) == shard)
            .filter_map(|(key, item)| {
                let next_due_at = if behind.iter().any(|change| change.key == *key) {
                    self.due_at_before(key, caught_up)
                } else {
                    item.next_due_at()
                };
                Some((next_due_at.filter(|at| *at <= until)?, key.clone()))
            })
            .collect();
        asking.sort();
        asking.truncate(most.try_into().unwrap_or(usize::MAX));
        asking.into_iter().map(|(_, key)| key).collect()
    }

    /// The moment an item asked for before that change.
    fn due_at_before(&self, key: &Key, change: usize) -> Option<Timestamp> {
        let earlier = self.changes.get(..change).unwrap_or_default();
        let last = earlier.iter().rfind(|change| change.key == *key)?;
        last.new.as_ref()?.next_due_at()
    }
}
