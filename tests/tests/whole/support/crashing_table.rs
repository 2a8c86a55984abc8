//! A table that whoever holds it may die at, after so many requests.

use super::memory_table::MemoryTable;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use store::{Item, Key, Page, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};

/// The table in memory, for one who may die; clones die together.
#[derive(Clone)]
pub(crate) struct CrashingTable {
    table: MemoryTable,
    crash: Arc<Mutex<Option<Crash>>>,
}

/// When somebody dies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    /// After so many requests.
    pub(crate) after: usize,
    /// Whether the next one was made all the same, and its answer lost.
    pub(crate) answer_lost: bool,
}

impl CrashingTable {
    pub(crate) fn over(table: &MemoryTable) -> Self {
        Self {
            table: table.clone(),
            crash: Arc::default(),
        }
    }

    /// None: it lives on.
    pub(crate) fn set_crash(&self, death: Option<Crash>) {
        *self.crash.lock().unwrap() = death;
    }

    /// Whether the next request is made, and whether its answer comes.
    fn next(&self) -> (bool, bool) {
        let mut death = self.crash.lock().unwrap();
        match death.as_mut() {
            None => (true, true),
            Some(Crash { after, .. }) if *after > 0 => {
                *after -= 1;
                (true, true)
            }
            Some(Crash {
                answer_lost: lost, ..
            }) => (std::mem::take(lost), false),
        }
    }

    async fn run_request<T>(
        &self,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (made, heard) = self.next();
        let dead = Err(StoreError::NoAnswer("dead".into()));
        if !made {
            return dead;
        }
        let answer = request.await;
        if heard { answer } else { dead }
    }
}

impl Table for CrashingTable {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        self.run_request(self.table.get(key)).await
    }

    async fn put(&self, item: Item, when: WriteCondition) -> Result<PutOutcome, StoreError> {
        self.run_request(self.table.put(item, when)).await
    }

    async fn delete(&self, key: Key) -> Result<(), StoreError> {
        self.run_request(self.table.delete(key)).await
    }

    async fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> Result<Page, StoreError> {
        self.run_request(self.table.query(partition, prefix, after))
            .await
    }

    async fn scan(&self, after: Option<Key>, limit: u32) -> Result<Page, StoreError> {
        self.run_request(self.table.scan(after, limit)).await
    }

    /// Not counted: every sweep begins with these.
    async fn query_due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.table.query_due(shard, until, most).await
    }

    async fn transact(&self, writes: Vec<TransactWrite>) -> Result<bool, StoreError> {
        self.run_request(self.table.transact(writes)).await
    }
}
