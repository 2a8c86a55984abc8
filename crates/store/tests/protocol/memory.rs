//! The table in memory keeps what the port promises.

use crate::support::{acme, at, at_once, customer, empty, entry, ingest, on_trial, program};
use domain::partner::program::{Program, Reward};
use store::audit::walk;
use store::due_scan::DUE_SHARDS;
use store::items::{JOURNAL, JournalEntry, customer_partition};
use store::memory::{MemoryTable, Paging, TableAnswer, TableRequest, TableState};
use store::partners::PartnerRow;
use store::{Item, Key, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};

fn partner(version: u64) -> Item {
    Item::from(PartnerRow {
        version,
        ..PartnerRow::new(acme())
    })
}

pub(crate) fn journal(customer_n: usize, n: i64) -> Item {
    Item::from(JournalEntry {
        customer: customer(customer_n),
        entry: entry(empty(customer_n, n), "r"),
    })
}

#[tokio::test]
async fn what_is_to_be_new_is_refused_where_something_stands_and_says_what() {
    let table = MemoryTable::default();
    let put = |version| table.put(partner(version), WriteCondition::Absent);
    assert_eq!(put(1).await.unwrap(), PutOutcome::Done);
    let refused = PutOutcome::Refused(Some(Box::new(partner(1))));
    assert_eq!(put(2).await.unwrap(), refused);
}

#[tokio::test]
async fn a_version_that_was_read_is_overwritten_and_no_other() {
    let table = MemoryTable::default();
    let put = |next, read| table.put(partner(next), WriteCondition::Version(read));
    assert_eq!(put(1, 0).await.unwrap(), PutOutcome::Refused(None));
    let first = table.put(partner(1), WriteCondition::Absent).await.unwrap();
    assert_eq!(first, PutOutcome::Done);
    assert_eq!(put(2, 1).await.unwrap(), PutOutcome::Done);
    let refused = PutOutcome::Refused(Some(Box::new(partner(2))));
    assert_eq!(put(3, 1).await.unwrap(), refused);
}

#[tokio::test]
async fn an_item_without_a_version_has_none_to_be_overwritten_by() {
    let table = MemoryTable::default();
    table
        .put(journal(1, 1), WriteCondition::Absent)
        .await
        .unwrap();
    let put = table.put(journal(1, 1), WriteCondition::Version(0));
    assert!(matches!(put.await.unwrap(), PutOutcome::Refused(Some(_))));
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_the_stream_tells_of_it_once() {
    let table = MemoryTable::default();
    table.put(partner(1), WriteCondition::Absent).await.unwrap();
    for _ in 0..2 {
        table.delete(Key::partner(&acme())).await.unwrap();
    }
    assert_eq!(table.get(Key::partner(&acme())).await.unwrap(), None);
    let items: Vec<_> = table
        .changes(0)
        .into_iter()
        .map(|c| c.item.unwrap())
        .collect();
    assert_eq!(items, [Some(partner(1)), None]);
}

#[tokio::test]
async fn a_query_gives_its_prefix_of_its_partition_in_order_whatever_the_page() {
    for page in [0, 1, 2, 3, 4, 5] {
        let table = MemoryTable::with_page(page);
        for n in [3, 1, 4, 2] {
            table
                .put(journal(1, n), WriteCondition::Absent)
                .await
                .unwrap();
            table
                .put(journal(2, n), WriteCondition::Absent)
                .await
                .unwrap();
        }
        ingest(&table, crate::support::subscribed(1)).await;
        let partition = customer_partition(&customer(1));
        let found = store::port::query_all(&table, &partition, "journal#stripe/test/evt_e").await;
        let keys: Vec<_> = found.unwrap().iter().map(Item::key).collect();
        let expected = [1, 2, 3, 4].map(|n| journal(1, n).key());
        assert_eq!(keys, expected, "pages of {page}");
    }
}

#[tokio::test]
async fn a_full_page_names_a_next_one_that_may_be_empty() {
    let table = MemoryTable::with_page(2);
    for n in 0..2 {
        table
            .put(journal(1, n), WriteCondition::Absent)
            .await
            .unwrap();
    }
    let partition = customer_partition(&customer(1));
    let page = table.query(&partition, JOURNAL, None).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (2, true));
    let page = table.query(&partition, JOURNAL, page.next).await.unwrap();
    assert_eq!((page.items.len(), page.next), (0, None));
}

#[tokio::test]
async fn a_scan_gives_everything_once_partition_by_partition() {
    for limit in [1, 2, 3, 7, 100] {
        let table = MemoryTable::default();
        for customer in 0..5 {
            for n in 0..3 {
                let item = journal(customer, n);
                table.put(item, WriteCondition::Absent).await.unwrap();
            }
        }
        let (mut after, mut keys) = (None, Vec::new());
        loop {
            let page = table.scan(after, limit).await.unwrap();
            assert!(page.items.len() <= limit as usize);
            keys.extend(page.items.iter().map(Item::key));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut partitions: Vec<_> = keys.iter().map(|key| &key.partition).collect();
        partitions.dedup();
        assert_eq!((keys.len(), partitions.len()), (15, 5), "limit {limit}");
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 15);
    }
}

#[tokio::test]
async fn the_makers_page_bounds_a_scan_that_asks_for_more() {
    let table = MemoryTable::with_page(2);
    for n in 0..5 {
        table
            .put(journal(1, n), WriteCondition::Absent)
            .await
            .unwrap();
    }
    assert_eq!(table.scan(None, 4).await.unwrap().items.len(), 2);
    assert_eq!(table.scan(None, 1).await.unwrap().items.len(), 1);
}

#[test]
fn the_pages_of_queries_and_of_scans_are_bounded_apart() {
    let mut state = TableState::default();
    for n in 0..5 {
        state.apply(TableRequest::Put(journal(1, n), WriteCondition::Absent));
    }
    let partition = customer_partition(&customer(1));
    let query = TableRequest::Query(partition.into(), JOURNAL.into(), None);
    let (whole, most) = (Paging::Whole, Paging::AtMost);
    for (paging, scan_paging, lengths) in [
        (whole, whole, (5, 5)),
        (most(3), whole, (3, 5)),
        (whole, most(2), (5, 2)),
    ] {
        (state.paging, state.scan_paging) = (paging, scan_paging);
        let requests = [query.clone(), TableRequest::Scan(None, 100)];
        let [queried, scanned] = requests.map(|request| match state.apply(request) {
            TableAnswer::Page(page) => page.items.len(),
            other => panic!("{other:?}"),
        });
        assert_eq!((queried, scanned), lengths);
    }
}

#[tokio::test]
async fn a_transaction_writes_all_or_nothing() {
    let table = MemoryTable::default();
    let both = |when| {
        vec![
            TransactWrite::Put(journal(1, 1), WriteCondition::Absent),
            TransactWrite::Put(partner(2), when),
        ]
    };
    let refused = table.transact(both(WriteCondition::Version(1))).await;
    assert!(!refused.unwrap());
    assert!(table.items().is_empty());
    assert!(table.transact(both(WriteCondition::Absent)).await.unwrap());
    assert_eq!(table.items().len(), 2);
}

#[tokio::test]
async fn a_check_that_does_not_hold_stops_its_transaction() {
    let table = MemoryTable::default();
    let writes = |version| {
        vec![
            TransactWrite::Put(journal(1, 1), WriteCondition::Absent),
            TransactWrite::Check(Key::partner(&acme()), WriteCondition::Version(version)),
        ]
    };
    assert!(!table.transact(writes(1)).await.unwrap());
    table.put(partner(1), WriteCondition::Absent).await.unwrap();
    assert!(!table.transact(writes(2)).await.unwrap());
    assert!(table.transact(writes(1)).await.unwrap());
}

#[tokio::test]
async fn who_asked_to_be_looked_at_is_named_when_the_moment_comes_the_earliest_first() {
    let table = MemoryTable::default();
    for n in 0..40 {
        ingest(&table, on_trial(n)).await;
    }
    let due = async |until, most| {
        let mut named = Vec::new();
        for shard in 0..DUE_SHARDS {
            named.push(table.query_due(shard, until, most).await.unwrap());
        }
        named
    };
    let early: usize = due(at(2), 99).await.iter().map(Vec::len).sum();
    assert_eq!(early, 0);
    let all = due(at(30 * 24), 99).await;
    assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 40);
    assert!(all.iter().filter(|shard| !shard.is_empty()).count() > 1);
    assert!(
        due(at(30 * 24), 2)
            .await
            .iter()
            .all(|shard| shard.len() <= 2)
    );
}

#[tokio::test]
async fn an_index_that_is_behind_tells_of_what_stood_before() {
    let table = MemoryTable::default();
    ingest(&table, on_trial(1)).await;
    let before = table.state().changes.len();
    walk(&table, 1, at(2)).await.unwrap();
    ingest(&table, crate::support::ended(1)).await;
    let state = table.state();
    let named = |caught_up| {
        let shards = 0..DUE_SHARDS;
        shards
            .flat_map(|shard| state.due(shard, at(30 * 24), 9, caught_up))
            .count()
    };
    assert_eq!((named(state.changes.len()), named(before)), (0, 1));
    assert_eq!(named(0), 0);
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_no_news_to_the_stream() {
    let table = MemoryTable::default();
    table.put(partner(1), WriteCondition::Absent).await.unwrap();
    let same = table.put(partner(1), WriteCondition::Version(1)).await;
    assert_eq!(same.unwrap(), PutOutcome::Done);
    assert_eq!(table.changes(0).len(), 1);
}

#[tokio::test]
async fn the_stream_tells_each_write_in_order_and_again_when_it_is_asked_again() {
    let table = MemoryTable::default();
    for n in 0..3 {
        table
            .put(journal(1, n), WriteCondition::Absent)
            .await
            .unwrap();
    }
    for _ in 0..2 {
        let changes = table.changes(1);
        let told: Vec<_> = changes
            .into_iter()
            .map(|c| c.item.unwrap().unwrap())
            .collect();
        assert_eq!(told, [journal(1, 1), journal(1, 2)]);
    }
    assert!(
        table
            .changes(0)
            .is_sorted_by_key(|change| change.sequence.clone())
    );
}

#[test]
fn two_tables_are_equal_by_what_stands_in_them_and_a_clone_is_its_own() {
    let mut one = TableState::default();
    let mut other = one.clone();
    one.apply(TableRequest::Put(partner(1), WriteCondition::Absent));
    assert_ne!(one, other);
    other.now = 7;
    other.apply(TableRequest::Put(partner(1), WriteCondition::Absent));
    assert_eq!(one, other);
    assert_eq!((one.changes[0].at, other.changes[0].at), (0, 7));
}

#[test]
fn an_item_that_could_not_be_read_back_is_not_taken_where_attributes_are_kept() {
    let mut row = PartnerRow::new(acme());
    let beyond_bounds = Program {
        reward: Reward::BasisPoints(10_001),
        ..program()
    };
    row.set_terms(&beyond_bounds.into(), 0, at(0));
    let item = Item::from(row);
    let put = TableRequest::Put(item, WriteCondition::Absent);
    let mut state = TableState::default();
    state.through_attributes = true;
    assert!(matches!(
        state.apply(put.clone()),
        TableAnswer::Error(StoreError::Unreadable { .. })
    ));
    assert_eq!(state.items().count(), 0);
    state.through_attributes = false;
    assert!(matches!(
        state.apply(put),
        TableAnswer::Put(PutOutcome::Done)
    ));
}

#[test]
fn what_stands_in_the_table_is_the_same_through_attributes_and_without() {
    let tables = [true, false].map(|through_attributes| {
        let mut state = TableState::default();
        state.through_attributes = through_attributes;
        MemoryTable::new(state)
    });
    for table in &tables {
        at_once(async {
            ingest(table, crate::support::report(1)).await;
            for n in 0..4 {
                ingest(table, crate::support::paid(1, n)).await;
            }
            ingest(table, on_trial(2)).await;
        });
    }
    let records = tables.map(|table| at_once(crate::support::record(&table, 1)));
    assert_eq!(records[0].folded, records[1].folded);
}
