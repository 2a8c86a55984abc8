//! Typed requests: a caller gets the kind that it asked for, and nothing else.

use crate::support::{acme, at, customer, empty, entry, ingest, object, paid, report};
use domain::partner::ledger::CommissionRow;
use domain::partner::referral_status::ReferralStatusRow;
use domain::record::Record;
use std::sync::Arc;
use store::items::{Alias, JournalEntry, ParkedEntry, customer_partition, ledger_partition};
use store::memory::{Fault, MemoryTable};
use store::partners::PartnerRow;
use store::{InsertOutcome, Item, Key, StoreError, Table, WriteCondition};

fn row(version: u64, last_key: u32) -> Arc<PartnerRow> {
    Arc::new(PartnerRow {
        version,
        last_key,
        ..PartnerRow::new(acme())
    })
}

#[tokio::test]
async fn a_row_is_given_where_it_stands_and_none_where_the_key_is_free() {
    let table = MemoryTable::default();
    let get =
        async || -> Option<Arc<PartnerRow>> { table.get_row(Key::partner(&acme())).await.unwrap() };
    assert_eq!(get().await, None);
    table.insert(row(1, 1)).await.unwrap();
    assert_eq!(get().await, Some(row(1, 1)));
}

#[tokio::test]
async fn a_row_of_another_kind_is_not_what_was_asked_for() {
    let table = MemoryTable::default();
    table.insert(row(1, 1)).await.unwrap();
    let other: Option<Arc<Record>> = table.get_row(Key::partner(&acme())).await.unwrap();
    assert_eq!(other, None);
}

#[tokio::test]
async fn an_error_is_no_absence() {
    let table = MemoryTable::default();
    table.set_faults(|_| Fault::Fail(StoreError::Throttled));
    let row: Result<Option<Arc<PartnerRow>>, _> = table.get_row(Key::partner(&acme())).await;
    assert_eq!(row, Err(StoreError::Throttled));
    let rows: Result<Vec<Arc<PartnerRow>>, _> = table.query_rows("partners", "").await;
    assert_eq!(rows, Err(StoreError::Throttled));
}

#[tokio::test]
async fn rows_of_one_kind_are_found_among_others_over_every_page() {
    for page in [0, 1, 2, 5] {
        let table = MemoryTable::with_page(page);
        ingest(&table, report(1)).await;
        for n in 0..4 {
            ingest(&table, paid(1, n)).await;
        }
        let partition = ledger_partition(&acme());
        let earned: Vec<Arc<CommissionRow>> = table.query_rows(&partition, "").await.unwrap();
        let told: Vec<Arc<ReferralStatusRow>> = table.query_rows(&partition, "").await.unwrap();
        assert_eq!((earned.len(), told.len()), (4, 1), "pages of {page}");
        let partition = customer_partition(&customer(1));
        let entries: Vec<JournalEntry> = table.query_rows(&partition, "").await.unwrap();
        assert_eq!(entries.len(), 5);
    }
}

#[tokio::test]
async fn a_row_is_new_once_and_then_what_stands_there_is_given() {
    let table = MemoryTable::default();
    assert_eq!(table.insert(row(1, 1)).await, Ok(InsertOutcome::Inserted));
    let present = InsertOutcome::Present(Some(row(1, 1)));
    assert_eq!(table.insert(row(1, 9)).await, Ok(present));
}

#[tokio::test]
async fn a_key_that_another_kind_holds_is_taken_by_none_of_ours() {
    let table = MemoryTable::default();
    let alias = Alias {
        reference: object("sub_1"),
        customer: customer(1),
    };
    table.insert(alias.clone()).await.unwrap();
    let Item::Alias(reference, _) = Item::from(alias) else {
        panic!("an alias");
    };
    let parked = ParkedEntry {
        reference,
        entry: entry(empty(1, 1), "r"),
    };
    assert_eq!(table.insert(parked).await, Ok(InsertOutcome::Inserted));
    assert_eq!(table.items().len(), 2);
}

#[tokio::test]
async fn version_zero_replaces_nothing_and_is_refused_where_something_stands() {
    let table = MemoryTable::default();
    assert_eq!(table.replace(row(1, 1), 0).await, Ok(true));
    assert_eq!(table.replace(row(1, 2), 0).await, Ok(false));
    let stands: Option<Arc<PartnerRow>> = table.get_row(Key::partner(&acme())).await.unwrap();
    assert_eq!(stands, Some(row(1, 1)));
}

#[tokio::test]
async fn of_two_who_read_one_version_one_replaces_it() {
    let table = MemoryTable::default();
    table.insert(row(1, 1)).await.unwrap();
    assert_eq!(table.replace(row(2, 2), 1).await, Ok(true));
    assert_eq!(table.replace(row(2, 3), 1).await, Ok(false));
    assert_eq!(table.replace(row(3, 3), 2).await, Ok(true));
}

#[tokio::test]
async fn a_repeated_write_knows_its_own_earlier_one() {
    let table = MemoryTable::default();
    table.insert(row(1, 1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(table.replace(row(2, 2), 1).await, Ok(true));
    }
    assert_eq!(table.changes(0).len(), 2);
}

#[tokio::test]
async fn each_typed_request_costs_one_request() {
    let table = MemoryTable::default();
    table.insert(row(1, 1)).await.unwrap();
    table.replace(row(2, 1), 1).await.unwrap();
    let _: Option<Arc<PartnerRow>> = table.get_row(Key::partner(&acme())).await.unwrap();
    let _: Vec<Arc<PartnerRow>> = table.query_rows("partners", "").await.unwrap();
    assert_eq!(table.take_requests(), ["put", "put", "get", "query"]);
}

#[tokio::test]
async fn an_entry_comes_back_with_its_raw_bytes() {
    let table = MemoryTable::default();
    let raw: Vec<u8> = (0..5_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut kept = (*entry(empty(1, 1), "r")).clone();
    kept.raw = Arc::<[u8]>::from(raw.clone()).into();
    let item = Item::Entry(customer(1), Arc::new(kept));
    let key = item.key();
    table.put(item, WriteCondition::Absent).await.unwrap();
    let row: Option<JournalEntry> = table.get_row(key).await.unwrap();
    let row = row.unwrap();
    assert!(row.entry.raw.is_packed(), "nobody asked for it");
    assert_eq!(&*row.entry.raw.bytes(), &*raw);
    assert_eq!(row.entry.received_at, at(1));
}
