//! The table's state: a sorted map of items, and every change that the stream tells of.

use crate::error::StoreError;
use crate::items::due_index::due_shard;
use crate::items::item::Item;
use crate::items::key::Key;
use crate::memory::paging::{Paging, key_before};
use crate::memory::request::{TableAnswer, TableRequest};
use crate::port::{Page, PutOutcome, TransactWrite, WriteCondition};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Bound;

/// One write that changed something, as the stream tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableChange {
    /// The table's `now` when it was made.
    pub at: i64,
    /// Hash of the partition: a stream keeps the order of a partition, and no other.
    pub hash: u64,
    /// Which item.
    pub key: Key,
    /// What stands there now; none after a removal.
    pub new: Option<Item>,
    /// Whether something stood there before.
    pub replaced: bool,
}

/// The table. Two are equal when the same items stand in them.
#[derive(Clone, Debug, Default)]
pub struct TableState {
    items: BTreeMap<(u64, Key), Item>,
    /// Every change so far, in order.
    pub changes: Vec<TableChange>,
    /// The moment that changes are stamped with, in whatever unit the maker counts.
    pub now: i64,
    /// How long the pages of queries are.
    pub paging: Paging,
    /// How long the pages of scans are.
    pub scan_paging: Paging,
    /// Whether every item is turned into DynamoDB's attributes and back when it is written, so
    /// that what stands in the table is what DynamoDB would keep. An ingested event then takes ten
    /// times as long (0.3 ms became 3.4 ms unoptimized), so simulations leave it off.
    pub through_attributes: bool,
}

/// FNV-1a: the order of partitions in a scan has nothing to do with their names.
pub fn partition_hash(partition: &str) -> u64 {
    partition.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn place_of(key: &Key) -> (u64, Key) {
    (partition_hash(&key.partition), key.clone())
}

impl TableState {
    /// An empty table with such pages.
    pub fn with_paging(paging: Paging) -> Self {
        Self {
            paging,
            scan_paging: paging,
            ..Self::default()
        }
    }

    /// Does one request, wholly and at once.
    pub fn apply(&mut self, request: TableRequest) -> TableAnswer {
        match request {
            TableRequest::Get(key) => TableAnswer::Item(self.peek(&key).cloned()),
            TableRequest::Put(item, when) => match self.put(item, when) {
                Ok(put) => TableAnswer::Put(put),
                Err(error) => TableAnswer::Error(error),
            },
            TableRequest::Delete(key) => {
                self.delete(key);
                TableAnswer::Deleted
            }
            TableRequest::Query(partition, prefix, after) => {
                TableAnswer::Page(self.query(&partition, &prefix, after))
            }
            TableRequest::Scan(after, limit) => TableAnswer::Page(self.scan(after, limit)),
            TableRequest::Due(shard, until, most) => {
                TableAnswer::Due(self.due(shard, until, most, self.changes.len()))
            }
            TableRequest::Transact(writes) => match self.transact(writes) {
                Ok(done) => TableAnswer::Transacted(done),
                Err(error) => TableAnswer::Error(error),
            },
        }
    }

    /// The item under a key, looked at from outside the protocol.
    pub fn peek(&self, key: &Key) -> Option<&Item> {
        self.items.get(&place_of(key))
    }

    /// Puts an item past the protocol, over whatever is there: what somebody else wrote.
    pub fn plant(&mut self, item: Item) {
        self.set(place_of(&item.key()), item);
    }

    /// Everything, partition by partition.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// What stands under a prefix of a partition.
    pub fn with_prefix<'a>(
        &'a self,
        partition: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = &'a Item> + use<'a> {
        let first = place_of(&Key::new(partition, prefix));
        let partition = first.1.partition.clone();
        self.items
            .range(first..)
            .take_while(move |((_, key), _)| {
                key.partition == partition && key.sort.starts_with(prefix)
            })
            .map(|(_, item)| item)
    }

    /// Who asks to be looked at, as an index tells that has caught up with so many changes.
    pub fn due(&self, shard: u64, until: Timestamp, most: u32, caught_up: usize) -> Vec<Key> {
        let behind = self.changes.get(caught_up..).unwrap_or_default();
        let mut asking: Vec<(Timestamp, Key)> = self
            .items
            .iter()
            .filter(|(_, item)| {
                matches!(
                    item,
                    Item::Record(_)
                        | Item::DeliveryState(_)
                        | Item::FanOut(_)
                        | Item::Unreadable(_)
                )
            })
            .filter(|((_, key), _)| due_shard(key) == shard)
            .filter_map(|((_, key), item)| {
                let next_due_at = if behind.iter().any(|change| change.key == *key) {
                    self.due_at_before(key, caught_up)
                } else {
                    item.next_due_at()
                };
                Some((next_due_at.filter(|at| *at <= until)?, key.clone()))
            })
            .collect();
        asking.sort();
        // Not paged by itself: keys are short, so the request's own limit is the smaller one.
        asking.truncate(most.try_into().unwrap_or(usize::MAX));
        asking.into_iter().map(|(_, key)| key).collect()
    }

    /// The moment an item asked for before that change.
    fn due_at_before(&self, key: &Key, change: usize) -> Option<Timestamp> {
        let earlier = self.changes.get(..change).unwrap_or_default();
        let last = earlier.iter().rfind(|change| change.key == *key)?;
        last.new.as_ref()?.next_due_at()
    }

    fn put(&mut self, item: Item, when: WriteCondition) -> Result<PutOutcome, StoreError> {
        let place = place_of(&item.key());
        let present = self.items.get(&place);
        if !condition_holds(present, when) {
            return Ok(PutOutcome::Refused(present.cloned().map(Box::new)));
        }
        let item = self.as_stored(item)?;
        self.set(place, item);
        Ok(PutOutcome::Done)
    }

    fn as_stored(&self, item: Item) -> Result<Item, StoreError> {
        if self.through_attributes {
            Item::from_attributes(item.to_stored_attributes()?)
        } else {
            Ok(item)
        }
    }

    fn set(&mut self, place: (u64, Key), item: Item) {
        let change = TableChange {
            at: self.now,
            hash: place.0,
            key: place.1.clone(),
            new: Some(item.clone()),
            replaced: false,
        };
        // A write that changes nothing makes no stream record.
        match self.items.insert(place, item) {
            Some(before) if is_same(&before, change.new.as_ref()) => {}
            before => self.changes.push(TableChange {
                replaced: before.is_some(),
                ..change
            }),
        }
    }

    fn delete(&mut self, key: Key) {
        let place = place_of(&key);
        if self.items.remove(&place).is_some() {
            self.changes.push(TableChange {
                at: self.now,
                hash: place.0,
                key,
                new: None,
                replaced: true,
            });
        }
    }

    fn query(&self, partition: &str, prefix: &str, after: Option<Key>) -> Page {
        let first = place_of(&Key::new(partition, prefix));
        let asked = (partition, prefix, &after);
        let length = self.paging.length(asked, usize::MAX);
        let from = match &after {
            Some(after) => Bound::Excluded((first.0, after.clone())),
            None => Bound::Included(first.clone()),
        };
        let range = self
            .items
            .range((from, Bound::Unbounded))
            .take_while(|((_, key), _)| {
                key.partition == first.1.partition && key.sort.starts_with(prefix)
            });
        page_of(range, length, (prefix, after.as_ref()))
    }

    fn scan(&self, after: Option<Key>, limit: u32) -> Page {
        let limit = limit.try_into().unwrap_or(usize::MAX);
        let length = self.scan_paging.length(&after, limit);
        let from = match &after {
            Some(after) => Bound::Excluded(place_of(after)),
            None => Bound::Unbounded,
        };
        let range = self.items.range((from, Bound::Unbounded));
        page_of(range, length, ("", after.as_ref()))
    }

    fn transact(&mut self, writes: Vec<TransactWrite>) -> Result<bool, StoreError> {
        let all_hold = writes.iter().all(|write| match write {
            TransactWrite::Put(item, when) => condition_holds(self.peek(&item.key()), *when),
            TransactWrite::Check(key, when) => condition_holds(self.peek(key), *when),
        });
        if !all_hold {
            return Ok(false);
        }
        let mut stored = Vec::with_capacity(writes.len());
        for write in writes {
            if let TransactWrite::Put(item, _) = write {
                stored.push(self.as_stored(item)?);
            }
        }
        for item in stored {
            self.set(place_of(&item.key()), item);
        }
        Ok(true)
    }
}

impl PartialEq for TableState {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

fn page_of<'a>(
    range: impl Iterator<Item = (&'a (u64, Key), &'a Item)>,
    length: usize,
    (prefix, after): (&str, Option<&Key>),
) -> Page {
    let mut page = Page::default();
    for ((_, key), item) in range {
        if length == 0
            && let Some(before) = key_before(key, prefix, after)
        {
            page.next = Some(before);
            break;
        }
        page.items.push(item.clone());
        if page.items.len() >= length {
            // As the real one does: a full page names a next one, which may be empty.
            page.next = Some(key.clone());
            break;
        }
    }
    page
}

fn is_same(before: &Item, now: Option<&Item>) -> bool {
    now.is_some_and(|now| now.version() == before.version() && now == before)
}

fn condition_holds(present: Option<&Item>, when: WriteCondition) -> bool {
    match when {
        WriteCondition::Absent => present.is_none(),
        WriteCondition::Version(version) => present.and_then(Item::version) == Some(version),
    }
}
