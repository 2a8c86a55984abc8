//! A table in memory: fast enough for every order of everything.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use store::stream::Change;
use store::sweep::look_shard;
use store::{Item, Key, Page, Put, StoreError, Table, When, Write};

/// What the port promises, and nothing else; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    items: BTreeMap<Key, Item>,
    /// Every write, as the stream tells it.
    written: Vec<Item>,
}

impl Memory {
    /// The stream's records from this place on; asking twice gives them twice.
    pub(crate) fn changes(&self, from: usize) -> Vec<Change> {
        let inside = self.inside();
        let tell = |(place, item): (usize, &Item)| Change {
            sequence: format!("{place:021}"),
            partition: item.key().partition,
            item: Ok(Some(item.clone())),
        };
        inside
            .written
            .iter()
            .enumerate()
            .skip(from)
            .map(tell)
            .collect()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }
}

impl Inside {
    fn holds(&self, key: &Key, when: When) -> bool {
        match (self.items.get(key), when) {
            (there, When::Absent) => there.is_none(),
            (there, When::Version(version)) => there.and_then(Item::version) == Some(version),
        }
    }

    fn write(&mut self, item: Item) {
        self.written.push(item.clone());
        self.items.insert(item.key(), item);
    }
}

impl Table for Memory {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        Ok(self.inside().items.get(&key).cloned())
    }

    async fn put(&self, item: Item, when: When) -> Result<Put, StoreError> {
        let mut inside = self.inside();
        let key = item.key();
        if !inside.holds(&key, when) {
            let there = inside.items.get(&key).cloned();
            return Ok(Put::Refused(there.map(Box::new)));
        }
        inside.write(item);
        Ok(Put::Done)
    }

    async fn delete(&self, key: Key) -> Result<(), StoreError> {
        self.inside().items.remove(&key);
        Ok(())
    }

    async fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> Result<Page, StoreError> {
        let inside = self.inside();
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
        let inside = self.inside();
        let rest = inside.items.iter();
        let mut rest = rest.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        let page: Vec<_> = rest.by_ref().take(limit as usize).collect();
        let next = rest.next().and(page.last()).map(|(key, _)| (*key).clone());
        let items = page.into_iter().map(|(_, item)| item.clone()).collect();
        Ok(Page { items, next })
    }

    async fn due(&self, shard: u64, until: Timestamp, most: u32) -> Result<Vec<Key>, StoreError> {
        let inside = self.inside();
        let asks = |(key, item): (&Key, &Item)| {
            let look_at = item.look_at().filter(|at| *at <= until)?;
            (look_shard(key) == shard).then(|| (look_at, key.clone()))
        };
        let mut asking: Vec<_> = inside.items.iter().filter_map(asks).collect();
        asking.sort();
        let asking = asking.into_iter().map(|(_, key)| key);
        Ok(asking.take(most as usize).collect())
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<bool, StoreError> {
        let mut inside = self.inside();
        let holds = writes.iter().all(|write| match write {
            Write::Put(item, when) => inside.holds(&item.key(), *when),
            Write::Check(key, when) => inside.holds(key, *when),
        });
        if holds {
            for write in writes {
                if let Write::Put(item, _) = write {
                    inside.write(item);
                }
            }
        }
        Ok(holds)
    }
}
