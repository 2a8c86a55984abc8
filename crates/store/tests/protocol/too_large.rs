//! What is larger than an item may be is refused by name, and what came with it is kept.

use crate::support::{at, customer, entry, paid};
use domain::record::Entry;
use std::sync::Arc;
use store::folding::read_journal;
use store::ingest::ingest_entries;
use store::memory::{MemoryTable, TableAnswer, TableRequest, TableState};
use store::{StoreError, WriteCondition};

/// Noise, which no packing makes smaller.
fn noise(bytes: usize) -> Arc<[u8]> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..bytes).map(|_| random.u8(..)).collect()
}

fn entry_of(customer: usize, n: usize, bytes: usize) -> Arc<Entry> {
    let small = entry(paid(customer, n), "r");
    let (event, at) = (small.event.clone(), small.received_at);
    Arc::new(Entry::new(event, noise(bytes), 1, at, "r".into()))
}

#[tokio::test]
async fn an_entry_above_the_tables_bound_is_too_large_and_the_rest_of_its_batch_is_kept() {
    let table = MemoryTable::default();
    let batch = [
        entry_of(1, 1, 10),
        entry_of(1, 2, 600_000),
        entry_of(2, 3, 10),
    ];
    for _ in 0..2 {
        let taken = ingest_entries(&table, &batch, at(1)).await;
        let Err(StoreError::TooLarge { bytes }) = taken else {
            panic!("{taken:?}")
        };
        assert!(bytes > 600_000, "{bytes}");
    }
    for customer_n in [1, 2] {
        let journal = read_journal(&table, &customer(customer_n)).await.unwrap();
        assert_eq!(journal.len(), 1);
    }
}

#[tokio::test]
async fn an_entry_within_the_tables_bound_is_kept_as_it_came() {
    let table = MemoryTable::default();
    let large = entry_of(1, 1, 405_000);
    ingest_entries(&table, std::slice::from_ref(&large), at(1))
        .await
        .unwrap();
    assert_eq!(read_journal(&table, &customer(1)).await.unwrap(), [large]);
}

#[test]
fn a_table_that_keeps_attributes_takes_no_item_above_400_kb() {
    let mut state = TableState::default();
    state.through_attributes = true;
    let row = store::items::JournalEntry {
        customer: customer(1),
        entry: entry_of(1, 1, 410_000),
    };
    let answer = state.apply(TableRequest::Put(row.into(), WriteCondition::Absent));
    assert!(matches!(
        answer,
        TableAnswer::Error(StoreError::TooLarge { .. })
    ));
}
