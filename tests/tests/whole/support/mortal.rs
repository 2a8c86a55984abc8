//! A table that whoever holds it may die at, after so many requests.

use super::memory::Memory;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use store::{Item, Key, Page, Put, StoreError, Table, When, Write};

/// The table in memory, for one who may die; clones die together.
#[derive(Clone)]
pub(crate) struct Mortal {
    table: Memory,
    death: Arc<Mutex<Option<Death>>>,
}

/// When somebody dies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    /// After so many requests.
    pub(crate) after: usize,
    /// Whether the next one was made all the same, and its answer lost.
    pub(crate) lost: bool,
}

impl Mortal {
    pub(crate) fn at(table: &Memory) -> Self {
        Self {
            table: table.clone(),
            death: Arc::default(),
        }
    }

    /// None: it lives on.
    pub(crate) fn dies(&self, death: Option<Death>) {
        *self.death.lock().unwrap() = death;
    }

    /// Whether the next request is made, and whether its answer comes.
    fn next(&self) -> (bool, bool) {
        let mut death = self.death.lock().unwrap();
        match death.as_mut() {
            None => (true, true),
            Some(Death { after, .. }) if *after > 0 => {
                *after -= 1;
                (true, true)
            }
            Some(Death { lost, .. }) => (std::mem::take(lost), false),
        }
    }

    async fn asked<T>(
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

impl Table for Mortal {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        self.asked(self.table.get(key)).await
    }

    async fn put(&self, item: Item, when: When) -> Result<Put, StoreError> {
        self.asked(self.table.put(item, when)).await
    }

    async fn delete(&self, key: Key) -> Result<(), StoreError> {
        self.asked(self.table.delete(key)).await
    }

    async fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> Result<Page, StoreError> {
        self.asked(self.table.query(partition, prefix, after)).await
    }

    async fn scan(&self, after: Option<Key>, limit: u32) -> Result<Page, StoreError> {
        self.asked(self.table.scan(after, limit)).await
    }

    /// Not counted: every sweep begins with these.
    async fn due(&self, shard: u64, until: Timestamp, most: u32) -> Result<Vec<Key>, StoreError> {
        self.table.due(shard, until, most).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<bool, StoreError> {
        self.asked(self.table.transact(writes)).await
    }
}
