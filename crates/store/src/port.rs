//! The port: the few requests that the protocol makes of a table.

pub use crate::error::StoreError;

use crate::items::item::{Item, TableRow};
use crate::items::key::Key;
use jiff::Timestamp;
use std::future::Future;

/// A table of items under a partition and a sort key. Reads are consistent.
///
/// Every request may fail with an answer lost: a write that failed may have been applied, now
/// or a little later. The protocol rests on conditions, never on an error meaning "not done".
pub trait Table: Send + Sync {
    /// One item.
    fn get(&self, key: Key) -> impl Future<Output = Result<Option<Item>, StoreError>> + Send;

    /// Writes one item if its condition holds.
    fn put(
        &self,
        item: Item,
        when: WriteCondition,
    ) -> impl Future<Output = Result<PutOutcome, StoreError>> + Send;

    /// Deletes one item, if it is there.
    fn delete(&self, key: Key) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// One page of a partition's items whose sort key begins so, in order of sort keys.
    fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// One page of everything there is, partition by partition, in no order of partitions.
    fn scan(
        &self,
        after: Option<Key>,
        limit: u32,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Items that asked, in this shard of the index, to be looked at again by this moment: the
    /// earliest ones, at most so many. A hint that may be behind or ahead of the items: whoever
    /// acts on it reads the item.
    fn query_due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
    ) -> impl Future<Output = Result<Vec<Key>, StoreError>> + Send;

    /// Writes all or nothing. `false`: a condition did not hold, or another request was on
    /// one of the items; nothing was written.
    fn transact(
        &self,
        writes: Vec<TransactWrite>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// One row of the kind that the caller names; none where the key is free. One that this
    /// version can't read is an error: it is there.
    fn get_row<R: TableRow>(
        &self,
        key: Key,
    ) -> impl Future<Output = Result<Option<R>, StoreError>> + Send {
        async move {
            match self.get(key).await? {
                Some(item) => row_of(item),
                None => Ok(None),
            }
        }
    }

    /// All of a partition's rows of one kind whose sort key begins so, page after page. Rows of
    /// other kinds are passed over; one that this version can't read is an error, since it may be
    /// of this kind.
    fn query_rows<R: TableRow>(
        &self,
        partition: &str,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<R>, StoreError>> + Send {
        async move {
            let items = query_all(self, partition, prefix).await?;
            let rows = items.into_iter().map(row_of);
            rows.filter_map(Result::transpose).collect()
        }
    }

    /// Puts a row where there is none.
    fn insert<R: TableRow>(
        &self,
        row: R,
    ) -> impl Future<Output = Result<InsertOutcome<R>, StoreError>> + Send {
        async move {
            Ok(match self.put(row.into(), WriteCondition::Absent).await? {
                PutOutcome::Done => InsertOutcome::Inserted,
                PutOutcome::Refused(present) => {
                    InsertOutcome::Present(present.and_then(|present| R::from_item(*present)))
                }
            })
        }
    }

    /// Puts a row over the version of it that was read; over none, for version 0. `false`:
    /// another write came first. Where the other write is this very row, it was ours, and its
    /// answer was lost: `true`.
    fn replace<R: TableRow + Clone + PartialEq + Sync>(
        &self,
        row: R,
        version_read: u64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async move {
            let put = self.put(row.clone().into(), version_condition(version_read));
            Ok(match put.await? {
                PutOutcome::Done => true,
                PutOutcome::Refused(present) => {
                    present.and_then(|present| R::from_item(*present)) == Some(row)
                }
            })
        }
    }
}

/// The row of an item; none when it is of another kind.
fn row_of<R: TableRow>(item: Item) -> Result<Option<R>, StoreError> {
    item.into_readable().map(R::from_item)
}

/// The condition that a row is still in the version that was read; version 0 was never stored.
fn version_condition(version_read: u64) -> WriteCondition {
    match version_read {
        0 => WriteCondition::Absent,
        version => WriteCondition::Version(version),
    }
}

/// What became of a row that was to be new.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertOutcome<R> {
    /// It was written.
    Inserted,
    /// Its key was taken: by this row; by an item of another kind, or by one that this version
    /// can't read.
    Present(Option<R>),
}

/// The condition of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteCondition {
    /// No item has this key.
    Absent,
    /// The item there has this version.
    Version(u64),
}

/// What became of a conditional write.
#[derive(Clone, Debug, PartialEq)]
pub enum PutOutcome {
    /// It was written.
    Done,
    /// The condition did not hold; this is what is there.
    Refused(Option<Box<Item>>),
}

/// One part of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum TransactWrite {
    /// A conditional write.
    Put(Item, WriteCondition),
    /// No write: only the condition must hold.
    Check(Key, WriteCondition),
}

/// Some of the items asked for.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// Where the next page begins, if there is one.
    pub next: Option<Key>,
}

/// All of a partition's items whose sort key begins so, page after page.
///
/// # Errors
/// When the table does not answer.
pub async fn query_all<T: Table + ?Sized>(
    table: &T,
    partition: &str,
    prefix: &str,
) -> Result<Vec<Item>, StoreError> {
    query_at_least(table, partition, prefix, usize::MAX).await
}

/// The first items of a partition whose sort key begins so: page after page until there are enough,
/// with all that the last page brings. A page may be short, or empty, and others follow.
///
/// # Errors
/// When the table does not answer.
pub async fn query_at_least<T: Table + ?Sized>(
    table: &T,
    partition: &str,
    prefix: &str,
    enough: usize,
) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = table.query(partition, prefix, after).await?;
        items.extend(page.items);
        after = page.next;
        if after.is_none() || items.len() >= enough {
            return Ok(items);
        }
    }
}
