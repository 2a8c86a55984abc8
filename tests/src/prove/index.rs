//! The index of who is due: it follows the table, after a while.

use super::faults::Fault;
use super::twin::{Answer, Twin};
use super::world::World;
use domain::ids::CustomerKey;
use jiff::Timestamp;
use store::{Item, Key};

impl World<'_> {
    /// The index's answer, sometimes from before the last changes.
    pub(super) fn due(&mut self, shard: u64, until: Timestamp, most: u32) -> Answer {
        let behind = self.rng.one_in(8);
        let by = 1 + self.rng.index(12);
        let by = if self.strikes(Fault::IndexBehind, behind) {
            by
        } else {
            0
        };
        let caught_up = self.twin.changes.len().saturating_sub(by);
        Answer::Due(self.twin.due(shard, until, most, caught_up))
    }
}

impl Twin {
    /// Who asks to be looked at, as an index tells that has caught up with so many changes.
    pub(super) fn due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
        caught_up: usize,
    ) -> Vec<CustomerKey> {
        let behind = self.changes.get(caught_up..).unwrap_or_default();
        let mut asking: Vec<(Timestamp, CustomerKey)> = self
            .records()
            .filter(|record| store::items::look_shard(&record.customer) == shard)
            .filter_map(|record| {
                let key = Key::record(&record.customer);
                let look_at = if behind.iter().any(|change| change.key == key) {
                    self.looked_at_before(&key, caught_up)
                } else {
                    record.look_at
                };
                Some((look_at.filter(|at| *at <= until)?, record.customer.clone()))
            })
            .collect();
        asking.sort();
        asking.truncate(most.try_into().unwrap_or(usize::MAX));
        asking.into_iter().map(|(_, customer)| customer).collect()
    }

    /// The moment a record asked for before that change.
    fn looked_at_before(&self, key: &Key, change: usize) -> Option<Timestamp> {
        let earlier = self.changes.get(..change).unwrap_or_default();
        let last = earlier.iter().rfind(|change| change.key == *key)?;
        match &last.new {
            Some(Item::Record(record)) => record.look_at,
            _ => None,
        }
    }
}
