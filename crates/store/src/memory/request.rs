//! The port's requests and answers as values.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::Key;
use crate::port::{Page, PutOutcome, Table, TransactWrite, WriteCondition};
use jiff::Timestamp;
use std::future::Future;
use std::sync::Arc;

/// A request of the port.
#[derive(Clone, Debug, PartialEq)]
pub enum TableRequest {
    /// [`Table::get`].
    Get(Key),
    /// [`Table::put`].
    Put(Item, WriteCondition),
    /// [`Table::delete`].
    Delete(Key),
    /// [`Table::query`]: partition, prefix, after.
    Query(Arc<str>, Arc<str>, Option<Key>),
    /// [`Table::scan`]: after, limit.
    Scan(Option<Key>, u32),
    /// [`Table::query_due`]: shard, until, most.
    Due(u64, Timestamp, u32),
    /// [`Table::transact`].
    Transact(Vec<TransactWrite>),
}

/// An answer of the port.
#[derive(Clone, Debug)]
pub enum TableAnswer {
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

impl TableRequest {
    /// Its name, as the table of costs in this crate's `README.md` has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Put(..) => "put",
            Self::Delete(_) => "delete",
            Self::Query(..) => "query",
            Self::Scan(..) => "scan",
            Self::Due(..) => "due",
            Self::Transact(_) => "transact",
        }
    }
}

/// Anything that answers requests as values is a table.
pub trait RequestTable: Send + Sync {
    /// The answer to a request.
    fn request(&self, request: TableRequest) -> impl Future<Output = TableAnswer> + Send;
}

impl<T: RequestTable> Table for T {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let answer = self.request(TableRequest::Get(key)).await;
        if let TableAnswer::Item(item) = answer {
            Ok(item)
        } else {
            Err(answer.into_error())
        }
    }

    async fn put(&self, item: Item, when: WriteCondition) -> Result<PutOutcome, StoreError> {
        let answer = self.request(TableRequest::Put(item, when)).await;
        if let TableAnswer::Put(put) = answer {
            Ok(put)
        } else {
            Err(answer.into_error())
        }
    }

    async fn delete(&self, key: Key) -> Result<(), StoreError> {
        let answer = self.request(TableRequest::Delete(key)).await;
        if let TableAnswer::Deleted = answer {
            Ok(())
        } else {
            Err(answer.into_error())
        }
    }

    async fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> Result<Page, StoreError> {
        let query = TableRequest::Query(partition.into(), prefix.into(), after);
        let answer = self.request(query).await;
        if let TableAnswer::Page(page) = answer {
            Ok(page)
        } else {
            Err(answer.into_error())
        }
    }

    async fn scan(&self, after: Option<Key>, limit: u32) -> Result<Page, StoreError> {
        let answer = self.request(TableRequest::Scan(after, limit)).await;
        if let TableAnswer::Page(page) = answer {
            Ok(page)
        } else {
            Err(answer.into_error())
        }
    }

    async fn query_due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let answer = self.request(TableRequest::Due(shard, until, most)).await;
        if let TableAnswer::Due(keys) = answer {
            Ok(keys)
        } else {
            Err(answer.into_error())
        }
    }

    async fn transact(&self, writes: Vec<TransactWrite>) -> Result<bool, StoreError> {
        let answer = self.request(TableRequest::Transact(writes)).await;
        if let TableAnswer::Transacted(done) = answer {
            Ok(done)
        } else {
            Err(answer.into_error())
        }
    }
}

impl TableAnswer {
    /// The error it is; an answer to another request is an error of whoever answers.
    fn into_error(self) -> StoreError {
        if let Self::Error(error) = self {
            error
        } else {
            StoreError::Invalid(format!("an answer to another request: {self:?}"))
        }
    }
}
