//! A table in memory: fast enough for every order of everything.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use store::due_scan::due_shard;
use store::stream::ItemChange;
use store::{Item, Key, Page, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};

/// What the port promises, and nothing else; clones share it.
#[derive(Clone, Default)]
pub(crate) struct MemoryTable(Arc<Mutex<MemoryTableInner>>);

#[derive(Default)]
struct MemoryTableInner {
    items: BTreeMap<Key, Item>,
    /// Every write, as the stream tells it.
    writes: Vec<Item>,
}

impl MemoryTable {
    /// The stream's records from this place on; asking twice gives them twice.
    pub(crate) fn changes(&self, from: usize) -> Vec<ItemChange> {
        let inside = self.lock();
        let tell = |(place, item): (usize, &Item)| ItemChange {
            sequence: format!("{place:021}"),
            partition: item.key().partition,
            item: Ok(Some(item.clone())),
        };
        inside
            .writes
            .iter()
            .enumerate()
            .skip(from)
            .map(tell)
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, MemoryTableInner> {
        self.0.lock().unwrap()
    }
}

impl MemoryTableInner {
    fn holds(&self, key: &Key, when: WriteCondition) -> bool {
        match (self.items.get(key), when) {
            (there, WriteCondition::Absent) => there.is_none(),
            (there, WriteCondition::Version(version)) => {
                there.and_then(Item::version) == Some(version)
            }
        }
    }

    fn write(&mut self, item: Item) {
        self.writes.push(item.clone());
        self.items.insert(item.key(), item);
    }
}

impl Table for MemoryTable {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        Ok(self.lock().items.get(&key).cloned())
    }

    async fn put(&self, item: Item, when: WriteCondition) -> Result<PutOutcome, StoreError> {
        let mut inside = self.lock();
        let key = item.key();
        if !inside.holds(&key, when) {
            let there = inside.items.get(&key).cloned();
            return Ok(PutOutcome::Refused(there.map(Box::new)));
        }
        inside.write(item);
        Ok(PutOutcome::Done)
    }

    async fn delete(&self, key: Key) -> Result<(), StoreError> {
        self.lock().items.remove(&key);
        Ok(())
    }

    async fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> Result<Page, StoreError> {
        let inside = self.lock();
        let from = after.map_or(
            Bound::Included(Key::new(partition, prefix)),
            Bound::Excluded,
        );
        let items = inside
            .items
            .range((from, Bound::Unbounded))
            .take_while(|(key, _)| &*key.partition == partition && key.sort.starts_with(prefix))
            .map(|(_, item)| item.clone())
            .collect();
        Ok(Page { items, next: None })
    }

    async fn scan(&self, after: Option<Key>, limit: u32) -> Result<Page, StoreError> {
        let inside = self.lock();
        let rest = inside.items.iter();
        let mut rest = rest.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        let page: Vec<_> = rest.by_ref().take(limit as usize).collect();
        let next = rest.next().and(page.last()).map(|(key, _)| (*key).clone());
        let items = page.into_iter().map(|(_, item)| item.clone()).collect();
        Ok(Page { items, next })
    }

    async fn query_due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let inside = self.lock();
        let asks = |(key, item): (&Key, &Item)| {
            let next_due_at = item.next_due_at().filter(|at| *at <= until)?;
            (due_shard(key) == shard).then(|| (next_due_at, key.clone()))
        };
        let mut asking: Vec<_> = inside.items.iter().filter_map(asks).collect();
        asking.sort();
        let asking = asking.into_iter().map(|(_, key)| key);
        Ok(asking.take(most as usize).collect())
    }

    async fn transact(&self, writes: Vec<TransactWrite>) -> Result<bool, StoreError> {
        let mut inside = self.lock();
        let holds = writes.iter().all(|write| match write {
            TransactWrite::Put(item, when) => inside.holds(&item.key(), *when),
            TransactWrite::Check(key, when) => inside.holds(key, *when),
        });
        if holds {
            for write in writes {
                if let TransactWrite::Put(item, _) = write {
                    inside.write(item);
                }
            }
        }
        Ok(holds)
    }
}
