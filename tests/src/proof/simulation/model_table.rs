//! The table's model table: the port's requests over a sorted map of typed items, and the stream of
//! what changed.

use domain::record::{Entry, Record};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::ops::Bound;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use store::{Item, Key, Page, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};

/// A request of the port, as a value.
#[derive(Clone, Debug)]
pub(crate) enum TableRequest {
    /// [`Table::get`].
    Get(Key),
    /// [`Table::put`].
    Put(Item, WriteCondition),
    /// [`Table::delete`].
    Delete(Key),
    /// [`Table::query`].
    Query(Arc<str>, Arc<str>, Option<Key>),
    /// [`Table::scan`].
    Scan(Option<Key>, u32),
    /// [`Table::due`].
    Due(u64, Timestamp, u32),
    /// [`Table::transact`].
    Transact(Vec<TransactWrite>),
}

/// An answer of the port, as a value.
#[derive(Clone, Debug)]
pub(crate) enum TableAnswer {
    /// To a get.
    Item(Option<Item>),
    /// To a put.
    Put(PutOutcome),
    /// To a delete.
    Deleted,
    /// To a query or a scan.
    Page(Page),
    /// To a question who is due.
    Due(Vec<Key>),
    /// To a transaction.
    Transacted(bool),
    /// To any of them.
    Error(StoreError),
}

/// What the stream tells of one write that changed something.
#[derive(Clone, Debug)]
pub(crate) struct ModelTableChange {
    /// When, in virtual milliseconds.
    pub(crate) at: i64,
    /// Hash of the partition: decides the shard.
    pub(crate) hash: u64,
    /// Which item.
    pub(crate) key: Key,
    /// What stands there now; none after a removal.
    pub(crate) new: Option<Item>,
    /// Whether something stood there before.
    pub(crate) replaced: bool,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub(crate) struct ModelTable {
    items: BTreeMap<(u64, Key), Item>,
    /// Every change so far, in order.
    pub(crate) changes: Vec<ModelTableChange>,
    /// The moment that changes are stamped with.
    pub(crate) now: i64,
    /// Items a page holds at most; 0 means no limit of its own.
    pub(crate) page: usize,
    /// The same of a scan.
    pub(crate) scan_page: usize,
}

/// FNV-1a: the order of partitions in a scan has nothing to do with their names.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn sort_key(key: &Key) -> (u64, Key) {
    (hash(&key.partition), key.clone())
}

impl ModelTable {
    /// Does one request.
    pub(crate) fn apply(&mut self, op: TableRequest) -> TableAnswer {
        match op {
            TableRequest::Get(key) => TableAnswer::Item(self.items.get(&sort_key(&key)).cloned()),
            TableRequest::Put(item, when) => TableAnswer::Put(self.put(item, when)),
            TableRequest::Delete(key) => {
                let place = sort_key(&key);
                if self.items.remove(&place).is_some() {
                    self.changes.push(ModelTableChange {
                        at: self.now,
                        hash: place.0,
                        key,
                        new: None,
                        replaced: true,
                    });
                }
                TableAnswer::Deleted
            }
            TableRequest::Query(partition, prefix, after) => {
                TableAnswer::Page(self.query(&partition, &prefix, after))
            }
            TableRequest::Scan(after, limit) => TableAnswer::Page(self.scan(after, limit)),
            TableRequest::Due(shard, until, most) => {
                TableAnswer::Due(self.due(shard, until, most, self.changes.len()))
            }
            TableRequest::Transact(writes) => TableAnswer::Transacted(self.transact(writes)),
        }
    }

    /// The item under a key, looked at from outside the protocol.
    pub(crate) fn peek(&self, key: &Key) -> Option<&Item> {
        self.items.get(&sort_key(key))
    }

    /// Everything, partition by partition.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// Everything that may ask to be looked at, under its key.
    pub(crate) fn maybe_due(&self) -> impl Iterator<Item = (&Key, &Item)> {
        let asks = |item: &Item| matches!(item, Item::Record(_) | Item::DeliveryState(_));
        let keyed = self.items.iter().map(|((_, key), item)| (key, item));
        keyed.filter(move |(_, item)| asks(item))
    }

    /// Every record.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.items().filter_map(|item| match item {
            Item::Record(record) => Some(record),
            _ => None,
        })
    }

    /// What still waits for an API.
    pub(crate) fn entry_waiting_for_api(&self) -> Option<&Entry> {
        let mut parked = self.items().filter_map(|item| match item {
            Item::Parked(_, entry) => Some(entry.as_ref()),
            _ => None,
        });
        parked.find(|entry| entry.event.is_waiting())
    }

    /// What stands under a prefix of a partition.
    pub(crate) fn with_prefix<'a>(
        &'a self,
        partition: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = &'a Item> + use<'a> {
        let first = (hash(partition), Key::new(partition, prefix));
        let partition = first.1.partition.clone();
        self.items
            .range(first..)
            .take_while(move |((_, key), _)| {
                key.partition == partition && key.sort.starts_with(prefix)
            })
            .map(|(_, item)| item)
    }

    fn put(&mut self, item: Item, when: WriteCondition) -> PutOutcome {
        let place = sort_key(&item.key());
        let there = self.items.get(&place);
        if !condition_holds(there, when) {
            return PutOutcome::Refused(there.cloned().map(Box::new));
        }
        self.set(place, item);
        PutOutcome::Done
    }

    fn set(&mut self, place: (u64, Key), item: Item) {
        let change = ModelTableChange {
            at: self.now,
            hash: place.0,
            key: place.1.clone(),
            new: Some(item.clone()),
            replaced: false,
        };
        // A write that changes nothing makes no stream record.
        match self.items.insert(place, item) {
            Some(before) if is_same(&before, change.new.as_ref()) => {}
            before => self.changes.push(ModelTableChange {
                replaced: before.is_some(),
                ..change
            }),
        }
    }

    fn query(&self, partition: &str, prefix: &str, after: Option<Key>) -> Page {
        let first = Key::new(partition, prefix);
        let hash = hash(partition);
        let from = match after {
            Some(after) => Bound::Excluded((hash, after)),
            None => Bound::Included((hash, first.clone())),
        };
        let range = self
            .items
            .range((from, Bound::Unbounded))
            .take_while(|((_, key), _)| {
                key.partition == first.partition && key.sort.starts_with(prefix)
            });
        self.page_of(range, limited(usize::MAX, self.page))
    }

    fn scan(&self, after: Option<Key>, limit: u32) -> Page {
        let from = match after {
            Some(after) => Bound::Excluded(sort_key(&after)),
            None => Bound::Unbounded,
        };
        let limit = limited(limit.try_into().unwrap_or(usize::MAX), self.scan_page);
        self.page_of(self.items.range((from, Bound::Unbounded)), limit)
    }

    fn page_of<'a>(
        &self,
        mut range: impl Iterator<Item = (&'a (u64, Key), &'a Item)>,
        limit: usize,
    ) -> Page {
        let mut page = Page::default();
        for ((_, key), item) in range.by_ref() {
            page.items.push(item.clone());
            if page.items.len() >= limit {
                // As the real one does: a full page names a next one, which may be empty.
                page.next = Some(key.clone());
                break;
            }
        }
        page
    }

    fn transact(&mut self, writes: Vec<TransactWrite>) -> bool {
        let all_hold = writes.iter().all(|write| match write {
            TransactWrite::Put(item, when) => {
                condition_holds(self.items.get(&sort_key(&item.key())), *when)
            }
            TransactWrite::Check(key, when) => {
                condition_holds(self.items.get(&sort_key(key)), *when)
            }
        });
        if all_hold {
            for write in writes {
                if let TransactWrite::Put(item, _) = write {
                    self.set(sort_key(&item.key()), item);
                }
            }
        }
        all_hold
    }
}

fn limited(limit: usize, page: usize) -> usize {
    if page == 0 { limit } else { limit.min(page) }
}

fn is_same(before: &Item, now: Option<&Item>) -> bool {
    now.is_some_and(|now| now.version() == before.version() && now == before)
}

fn condition_holds(there: Option<&Item>, when: WriteCondition) -> bool {
    match when {
        WriteCondition::Absent => there.is_none(),
        WriteCondition::Version(version) => there.and_then(Item::version) == Some(version),
    }
}

/// The model table as a table that always answers at once.
#[derive(Clone, Debug, Default)]
pub struct ImmediateTable(Arc<Mutex<ModelTable>>);

impl ImmediateTable {
    /// A table over this model table.
    pub(crate) fn new(model: ModelTable) -> Self {
        Self(Arc::new(Mutex::new(model)))
    }

    /// The model table within.
    pub(crate) fn model(&self) -> MutexGuard<'_, ModelTable> {
        self.0
            .lock()
            .expect("no panic while the model table is locked")
    }
}

/// A port over anything that does requests as values.
macro_rules! table_of_requests {
    ($type:ty, $ask:ident) => {
        impl Table for $type {
            async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
                match self.$ask(TableRequest::Get(key)).await {
                    TableAnswer::Item(item) => Ok(item),
                    other => Err($crate::proof::simulation::model_table::error_of(other)),
                }
            }

            async fn put(
                &self,
                item: Item,
                when: WriteCondition,
            ) -> Result<PutOutcome, StoreError> {
                match self.$ask(TableRequest::Put(item, when)).await {
                    TableAnswer::Put(put) => Ok(put),
                    other => Err($crate::proof::simulation::model_table::error_of(other)),
                }
            }

            async fn delete(&self, key: Key) -> Result<(), StoreError> {
                match self.$ask(TableRequest::Delete(key)).await {
                    TableAnswer::Deleted => Ok(()),
                    other => Err($crate::proof::simulation::model_table::error_of(other)),
                }
            }

            async fn query(
                &self,
                partition: &str,
                prefix: &str,
                after: Option<Key>,
            ) -> Result<Page, StoreError> {
                match self
                    .$ask(TableRequest::Query(partition.into(), prefix.into(), after))
                    .await
                {
                    TableAnswer::Page(page) => Ok(page),
                    other => Err($crate::proof::simulation::model_table::error_of(other)),
                }
            }

            async fn scan(&self, after: Option<Key>, limit: u32) -> Result<Page, StoreError> {
                match self.$ask(TableRequest::Scan(after, limit)).await {
                    TableAnswer::Page(page) => Ok(page),
                    other => Err($crate::proof::simulation::model_table::error_of(other)),
                }
            }

            async fn query_due(
                &self,
                shard: u64,
                until: jiff::Timestamp,
                most: u32,
            ) -> Result<Vec<Key>, StoreError> {
                match self.$ask(TableRequest::Due(shard, until, most)).await {
                    TableAnswer::Due(keys) => Ok(keys),
                    other => Err($crate::proof::simulation::model_table::error_of(other)),
                }
            }

            async fn transact(&self, writes: Vec<TransactWrite>) -> Result<bool, StoreError> {
                match self.$ask(TableRequest::Transact(writes)).await {
                    TableAnswer::Transacted(done) => Ok(done),
                    other => Err($crate::proof::simulation::model_table::error_of(other)),
                }
            }
        }
    };
}
pub(crate) use table_of_requests;

impl ImmediateTable {
    fn ask(&self, op: TableRequest) -> impl Future<Output = TableAnswer> + Send {
        ready(self.model().apply(op))
    }
}

table_of_requests!(ImmediateTable, ask);

/// The error in an answer; an answer to another question is an error of the model.
pub(crate) fn error_of(answer: TableAnswer) -> StoreError {
    match answer {
        TableAnswer::Error(error) => error,
        other => StoreError::Invalid(format!("not asked for: {other:?}")),
    }
}

/// Runs a future that never waits.
pub(crate) fn run_immediately<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a calm table answers at once"),
    }
}
